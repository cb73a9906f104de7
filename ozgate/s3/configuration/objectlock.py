"""Documents of object lock: a bucket's, and those of the retention and the legal hold of a version.

Source: Amazon S3 API Reference, "PutObjectLockConfiguration", "PutObjectRetention", "PutObjectLegalHold"; what S3 answers to
documents that break a rule is as users of S3 have quoted it. Event holds are in the model, and not built.
"""

from __future__ import annotations

from typing import Final

from ...errors import InvalidArgument, MalformedXML, NotImplemented
from ...immutable import frozen
from ..structures import INTEGER, TIME, Document, One, Structure, one_of
from .kept import Kept

MOST_DAYS: Final = 36_500
MOST_YEARS: Final = 100

_MODES: Final = one_of("GOVERNANCE", "COMPLIANCE")


@frozen
class EventHoldDuration:
    """How long a version is kept once its event hold ends."""

    days: int | None
    years: int | None


@frozen
class DefaultRetention:
    """The retention of new versions that come without one.

    :ivar days: how long it lasts; or :ivar years:, of 365 days each.
    """

    mode: str | None
    days: int | None
    years: int | None
    event_hold: EventHoldDuration | None = None

    def __attrs_post_init__(self) -> None:
        """Look whether it is one.

        :raises MalformedXML: a mode, or one of days and years, is missing; or both are there.
        :raises InvalidArgument: it lasts too long, or no time at all.
        :raises NotImplemented: it asks for event holds.
        """
        if self.event_hold is not None:
            raise NotImplemented(Header="DefaultEventHold")
        if self.mode is None or (self.days is None) == (self.years is None):
            raise MalformedXML()
        for name, value, most in (
            ("Days", self.days, MOST_DAYS),
            ("Years", self.years, MOST_YEARS),
        ):
            if value is not None and not 1 <= value <= most:
                raise InvalidArgument(
                    "Default retention period must be a positive integer value."
                    if value < 1
                    else "Default retention period too large.",
                    ArgumentName=name,
                    ArgumentValue=value,
                )

    @property
    def in_days(self) -> int:
        """How long it lasts, in days."""
        return self.days or 365 * (self.years or 0)


@frozen
class Rule:
    """What holds for new versions."""

    default_retention: DefaultRetention | None


@frozen
class ObjectLockConfiguration:
    """The object lock of a bucket, which is on once and for all."""

    enabled: str | None
    rule: Rule | None = None

    def __attrs_post_init__(self) -> None:
        """Look whether it is one.

        :raises MalformedXML: it is not on, or a rule says nothing.
        """
        if self.enabled is None:
            raise MalformedXML()
        if self.rule is not None and self.rule.default_retention is None:
            raise MalformedXML()


@frozen
class Retention:
    """The retention of a version; both ``None`` where it is to have none.

    :ivar until: milliseconds since the epoch.
    """

    mode: str | None
    until: int | None
    event_hold: str | None = None
    event_hold_duration: EventHoldDuration | None = None

    def __attrs_post_init__(self) -> None:
        """Look whether it is one.

        :raises MalformedXML: one of mode and time is missing.
        :raises NotImplemented: it asks for an event hold.
        """
        if self.event_hold is not None or self.event_hold_duration is not None:
            raise NotImplemented(Header="EventHold")
        if (self.mode is None) != (self.until is None):
            raise MalformedXML()


@frozen
class LegalHold:
    """The legal hold of a version."""

    status: str | None

    def __attrs_post_init__(self) -> None:
        """Look whether it says anything.

        :raises MalformedXML: it does not.
        """
        if self.status is None:
            raise MalformedXML()


_DURATION: Final = Structure(
    EventHoldDuration, days=One("Days", INTEGER), years=One("Years", INTEGER)
)
_DEFAULT: Final = Structure(
    DefaultRetention,
    mode=One("Mode", _MODES),
    days=One("Days", INTEGER),
    years=One("Years", INTEGER),
    event_hold=One("DefaultEventHold", _DURATION),
)
CONFIGURATION: Final = Document(
    "ObjectLockConfiguration",
    ObjectLockConfiguration,
    enabled=One("ObjectLockEnabled", one_of("Enabled")),
    rule=One(
        "Rule", Structure(Rule, default_retention=One("DefaultRetention", _DEFAULT))
    ),
)
RETENTION: Final = Document(
    "Retention",
    Retention,
    "ObjectLockRetention",
    mode=One("Mode", _MODES),
    until=One("RetainUntilDate", TIME),
    event_hold=One("EventHold", one_of("ON", "OFF")),
    event_hold_duration=One("EventHoldDuration", _DURATION),
)
LEGAL_HOLD: Final = Document(
    "LegalHold",
    LegalHold,
    "ObjectLockLegalHold",
    status=One("Status", one_of("ON", "OFF")),
)
OBJECT_LOCK: Final = Kept("object-lock", CONFIGURATION)
JUST_ON: Final = ObjectLockConfiguration("Enabled")
"""Of a bucket that was made with object lock."""
