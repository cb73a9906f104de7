"""The documents of object lock."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InvalidArgument, MalformedXML, NotImplemented, S3Error
from ozgate.s3.configuration.objectlock import (
    CONFIGURATION,
    JUST_ON,
    LEGAL_HOLD,
    RETENTION,
    DefaultRetention,
    LegalHold,
    ObjectLockConfiguration,
    Retention,
    Rule,
)
from ozgate.s3.structures import Document

ON = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
MODE = "<Mode>GOVERNANCE</Mode>"
YEAR = "2027-01-01T00:00:00Z"


def default(inner: str) -> str:
    """What a configuration with such a default retention holds."""
    return f"{ON}<Rule><DefaultRetention>{inner}</DefaultRetention></Rule>"


class ObjectLockDocumentTests(SynchronousTestCase):
    """What is taken, and what is not."""

    def refused(
        self, document: Document[object], inner: str, error: type[S3Error]
    ) -> S3Error:
        """Assert that a document is refused; the error."""
        data = f"<{document.root}>{inner}</{document.root}>".encode()
        return self.assertRaises(error, document.parse, data)  # type: ignore[no-any-return]

    def test_configuration(self) -> None:
        """On, with or without a default in days or years."""
        for rule, days in (
            (DefaultRetention("GOVERNANCE", 1, None), 1),
            (DefaultRetention("COMPLIANCE", 36_500, None), 36_500),
            (DefaultRetention("COMPLIANCE", None, 1), 365),
            (DefaultRetention("GOVERNANCE", None, 100), 36_500),
        ):
            value = ObjectLockConfiguration("Enabled", Rule(rule))
            self.assertEqual(CONFIGURATION.parse(CONFIGURATION.render(value)), value)
            self.assertEqual(rule.in_days, days)
        self.assertEqual(CONFIGURATION.parse(CONFIGURATION.render(JUST_ON)), JUST_ON)

    def test_malformed(self) -> None:
        """What says too little, too much or something else is malformed."""
        for inner in (
            "",
            "<ObjectLockEnabled>Disabled</ObjectLockEnabled>",
            "<ObjectLockEnabled/>",
            default(MODE + "<Days>1</Days>").removeprefix(ON),
            ON + "<Rule/>",
            default(""),
            default(MODE),
            default("<Days>1</Days>"),
            default("<Mode>BAD</Mode><Days>1</Days>"),
            default("<Mode>governance</Mode><Days>1</Days>"),
            default(MODE + "<Days>1</Days><Years>1</Years>"),
            default(MODE + "<Days>x</Days>"),
            default(MODE + "<Days>1.5</Days>"),
            default(MODE + "<Days/>"),
        ):
            self.refused(CONFIGURATION, inner, MalformedXML)

    def test_periods(self) -> None:
        """A period lasts from a day to 100 years."""
        for name, value, message in (
            ("Days", 0, "Default retention period must be a positive integer value."),
            ("Days", -1, "Default retention period must be a positive integer value."),
            ("Years", 0, "Default retention period must be a positive integer value."),
            ("Days", 36_501, "Default retention period too large."),
            ("Days", 999_999_999, "Default retention period too large."),
            ("Years", 101, "Default retention period too large."),
        ):
            inner = default(f"{MODE}<{name}>{value}</{name}>")
            error = self.refused(CONFIGURATION, inner, InvalidArgument)
            self.assertEqual(error.message, message)
            self.assertEqual(error.members["ArgumentName"], name)

    def test_retention(self) -> None:
        """Mode and time, or neither."""
        for value in (
            Retention("COMPLIANCE", 1_798_761_600_001),
            Retention(None, None),
        ):
            self.assertEqual(RETENTION.parse(RETENTION.render(value)), value)
        until = f"<RetainUntilDate>{YEAR}</RetainUntilDate>"
        for inner in (
            MODE,
            until,
            f"<Mode>compliance</Mode>{until}",
            MODE + "<RetainUntilDate>tomorrow</RetainUntilDate>",
            MODE + "<RetainUntilDate/>",
            MODE + MODE + until,
        ):
            self.refused(RETENTION, inner, MalformedXML)

    def test_legal_hold(self) -> None:
        """ON or OFF."""
        for status in ("ON", "OFF"):
            value = LegalHold(status)
            self.assertEqual(LEGAL_HOLD.parse(LEGAL_HOLD.render(value)), value)
        for inner in (
            "",
            "<Status>on</Status>",
            "<Status/>",
            "<Status>ENABLED</Status>",
        ):
            self.refused(LEGAL_HOLD, inner, MalformedXML)

    def test_event_holds(self) -> None:
        """Event holds, which are not built, are refused."""
        hold = "<Days>1</Days>"
        self.refused(
            CONFIGURATION,
            default(f"{MODE}{hold}<DefaultEventHold>{hold}</DefaultEventHold>"),
            NotImplemented,
        )
        for inner in (
            "<EventHold>ON</EventHold>",
            f"<EventHoldDuration>{hold}</EventHoldDuration>",
        ):
            self.refused(RETENTION, inner, NotImplemented)
