"""Object locks: what protects a version, whether it may go, and how what protects it may change.

A lock is kept in its version's ``more``, and is asked for there: what is locked stays so whatever becomes of its bucket's documents.
It ends by the store's time. A lock that cannot be read is one that holds.

Source: Amazon S3 User Guide, "Locking objects with Object Lock" and "Object Lock considerations"; a year has 365 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final

from attrs import evolve

from ...errors import AccessDenied, Damaged, InvalidRequest
from ...immutable import frozen
from ..configuration.objectlock import OBJECT_LOCK

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket, ObjectVersion
    from ..configuration.objectlock import DefaultRetention

GOVERNANCE: Final = "GOVERNANCE"
COMPLIANCE: Final = "COMPLIANCE"
ON: Final = "ON"
OFF: Final = "OFF"

_MODE, _UNTIL, _HOLD = "lock-mode", "lock-until", "lock-hold"
_MEMBERS: Final = frozenset((_MODE, _UNTIL, _HOLD))
_DAY: Final = 86_400_000

KEEPING: Final = frozenset((OBJECT_LOCK.kind,))
"""The kinds of documents of a bucket by which repairs know that its versions may be locked, though these cannot be read."""

PROTECTED: Final = "Access Denied because object protected by object lock."


class Bypass(Enum):
    """What of a lock whoever lets go of a version passes over. Each caller says it himself: none goes without saying."""

    NOTHING = "nothing"
    GOVERNANCE = "governance"
    """A retention in this mode: its request asks for that, and it was authorized to."""


@frozen
class Lock:
    """What protects a version.

    :ivar mode: :data:`GOVERNANCE` or :data:`COMPLIANCE`; ``""``: it has no retention.
    :ivar until: when its retention ends, in milliseconds since the epoch; 0 where it has none.
    :ivar hold: its legal hold, :data:`ON` or :data:`OFF`; ``""``: nobody has said anything of one.
    """

    mode: str = ""
    until: int = 0
    hold: str = ""

    def is_retained(self, now: int) -> bool:
        """Whether its retention lasts.

        :param now: milliseconds since the epoch.
        """
        return self.mode != "" and now < self.until

    def holds(self, now: int, bypass: Bypass) -> bool:
        """Whether it keeps a version from being let go of.

        :param now: milliseconds since the epoch.
        :param bypass: what of it is passed over: never a legal hold, and never :data:`COMPLIANCE`.
        """
        if self.hold == ON:
            return True
        passed = bypass is Bypass.GOVERNANCE and self.mode == GOVERNANCE
        return self.is_retained(now) and not passed


NO_LOCK: Final = Lock()


def lock_of(version: ObjectVersion) -> Lock:
    """What protects a version.

    :raises Damaged: what its row says of that cannot be read.
    """
    return _read(version.more, version.key) if version.more else NO_LOCK


def kept_lock(more: Mapping[str, str], key: str) -> Lock:
    """What an upload's ``more`` says that is to protect the version it becomes; as :func:`lock_of`."""
    return _read(more, key) if more else NO_LOCK


def with_lock(more: Mapping[str, str], lock: Lock) -> dict[str, str]:
    """The rare members of a version or upload, with this lock and no other."""
    members = {name: value for name, value in more.items() if name not in _MEMBERS}
    if lock.mode:
        members |= {_MODE: lock.mode, _UNTIL: str(lock.until)}
    if lock.hold:
        members[_HOLD] = lock.hold
    return members


def _read(more: Mapping[str, str], key: str) -> Lock:
    mode, until, hold = (more.get(name, "") for name in (_MODE, _UNTIL, _HOLD))
    if (
        mode not in ("", GOVERNANCE, COMPLIANCE)
        or hold not in ("", ON, OFF)
        or (mode != "") != (until.isascii() and until.isdigit())
        or (mode == "" and until != "")
    ):
        raise Damaged(f"the lock of a version of {key!r} cannot be read", "metadata")
    return Lock(mode, int(until or 0), hold)


def check_removal(
    tx: IMetadataTransaction, version: ObjectVersion, bypass: Bypass
) -> None:
    """Make sure that a version may be let go of.

    :raises AccessDenied: its lock holds.
    :raises Damaged: its lock cannot be read.
    """
    if version.more and lock_of(version).holds(tx.now(), bypass):
        raise AccessDenied(PROTECTED)


def check_retention(old: Lock, new: Lock, now: int, bypass: Bypass) -> None:
    """Make sure that a retention may take the place of another.

    It may last longer in the same mode, by whoever may set one. All else that takes from what was promised, or changes its mode, passes over :data:`GOVERNANCE`, and is never done in
    :data:`COMPLIANCE`.

    :param now: milliseconds since the epoch.
    :raises AccessDenied: it may not.
    """
    if not old.is_retained(now) or (new.mode == old.mode and new.until >= old.until):
        return
    if old.mode == COMPLIANCE or bypass is not Bypass.GOVERNANCE:
        raise AccessDenied(PROTECTED)


def new_lock(tx: IMetadataTransaction, bucket: Bucket, asked: Lock) -> Lock:
    """What is to protect a new version: what is asked for, and where no retention is, the bucket's default, from now on.

    A bucket without documents costs nothing.

    :param asked: what its writer asks for.
    :raises InvalidRequest: it is asked for in a bucket without object lock.
    :raises Damaged: what the bucket's default is cannot be read.
    """
    if not has_object_lock(bucket):
        if asked != NO_LOCK:
            raise missing_configuration()
        return asked
    default = None if asked.mode else default_retention(tx, bucket)
    if default is None:
        return asked
    until = tx.now() + default.in_days * _DAY
    return evolve(asked, mode=default.mode or "", until=until)


def has_object_lock(bucket: Bucket) -> bool:
    """Whether a bucket has object lock, so that what is in it can be locked."""
    return OBJECT_LOCK.kind in bucket.configured


def default_retention(
    tx: IMetadataTransaction, bucket: Bucket
) -> DefaultRetention | None:
    """The default retention of a bucket's new versions.

    :raises Damaged: it cannot be read.
    """
    found = OBJECT_LOCK.of(tx, bucket)
    rule = None if found is None else found.rule
    return None if rule is None else rule.default_retention


def missing_configuration() -> InvalidRequest:
    """What S3 says of locks in a bucket that has no object lock."""
    return InvalidRequest("Bucket is missing Object Lock Configuration")
