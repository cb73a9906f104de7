"""Object lock in headers: what a write asks for, what an answer shows, and the header that bypasses.

Source: Amazon S3 API Reference, "PutObject", "GetObject" and "DeleteObject"; Amazon S3 User Guide, "Object Lock considerations". The errors are as users of S3 have quoted them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from ..errors import InvalidArgument, InvalidRequest
from .changing.locks import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    OFF,
    ON,
    Bypass,
    Lock,
    default_retention,
    has_object_lock,
    lock_of,
    missing_configuration,
)
from .checksums import declared, trailer
from .policy.decide import authorize, may
from .times import exact_timestamp, parse_timestamp

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket, ObjectVersion
    from ..wire.headers import Headers
    from .asked import Asked

_MODE: Final = "x-amz-object-lock-mode"
_UNTIL: Final = "x-amz-object-lock-retain-until-date"
_HOLD: Final = "x-amz-object-lock-legal-hold"
_BYPASS: Final = "x-amz-bypass-governance-retention"


def read_lock(headers: Headers) -> Lock:
    """What a write asks for. Whether its date is to come is for :func:`check_authorized_lock`.

    :raises InvalidArgument: it is not in good form, or one of mode and date is missing.
    """
    mode, until, hold = headers.get(_MODE), headers.get(_UNTIL), headers.get(_HOLD)
    if mode is until is hold is None:
        return NO_LOCK
    if (mode is None) != (until is None):
        _refuse(
            _MODE if mode is None else _UNTIL,
            None,
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
    if mode not in (None, GOVERNANCE, COMPLIANCE):
        _refuse(_MODE, mode, "Unknown wormMode directive.")
    if hold not in (None, ON, OFF):
        _refuse(_HOLD, hold, "Legal Hold must be either of 'ON' or 'OFF'")
    return Lock(mode or "", 0 if until is None else _time(until), hold or "")


def _time(text: str) -> int:
    try:
        return parse_timestamp(text)
    except ValueError:
        _refuse(
            _UNTIL, text, "The retain until date must be provided in ISO 8601 format"
        )


def _refuse(name: str, value: str | None, message: str) -> NoReturn:
    members: dict[str, str | int] = {"ArgumentName": name}
    if value is not None:
        members["ArgumentValue"] = value
    raise InvalidArgument(message, **members)


def check_authorized_lock(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, lock: Lock
) -> None:
    """Make sure that a write may ask for the lock that it asks for; for use inside an interaction.

    A write that asks for none costs nothing.

    :raises InvalidArgument: its date is not to come, or nobody signed.
    :raises InvalidRequest: the bucket has no object lock.
    :raises AccessDenied: the caller may not.
    """
    if lock == NO_LOCK:
        return
    if lock.mode and lock.until <= tx.now():
        value = asked.headers.get(_UNTIL)
        _refuse(_UNTIL, value, "The retain until date must be in the future!")
    if not has_object_lock(bucket):
        raise missing_configuration()
    if not asked.principal.user:
        _refuse(
            "Authorization",
            None,
            "Put Object requests with Object Lock parameters require AWS Signature Version 4",
        )
    if lock.mode:
        authorize(tx, asked, "s3:PutObjectRetention", bucket, asked.key)
    if lock.hold:
        authorize(tx, asked, "s3:PutObjectLegalHold", bucket, asked.key)


def check_integrity(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    lock: Lock,
    what: str = "Object",
) -> None:
    """Make sure that bytes that will be locked come with a checksum, so that none are kept for years that are not those that were sent.

    A SHA-256 of the signature is none, for S3. A bucket without documents costs nothing.

    :param lock: what is asked for; the default of the bucket counts as well.
    :param what: is put: ``Object`` or ``Part``.
    :raises InvalidRequest: there is none.
    """
    # A command is no request, and has nothing to say it in.
    if not has_object_lock(bucket) or not asked.request_id:
        return
    headers = asked.headers
    if "content-md5" in headers or declared(headers) or trailer(headers):
        return
    if lock != NO_LOCK or default_retention(tx, bucket) is not None:
        raise InvalidRequest(
            f"Content-MD5 OR x-amz-checksum- HTTP header is required for Put {what} requests with Object Lock parameters"
        )


def check_bypass(asked: Asked, bucket: Bucket) -> None:
    """Make sure that a request does not speak of passing over locks that the bucket cannot have, whatever it says of that.

    :raises InvalidArgument: it does.
    """
    value = asked.headers.get(_BYPASS)
    if value is not None and not has_object_lock(bucket):
        _refuse(
            _BYPASS,
            value,
            f"{_BYPASS} is only applicable to Object Lock enabled buckets.",
        )


def read_authorized_bypass(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, key: str, version: str
) -> Bypass:
    """What of a lock a request passes over; for use inside an interaction.

    :param version: the version that is named, ``""`` where none is.
    :raises InvalidArgument: as :func:`check_bypass`.
    :raises AccessDenied: the caller may not.
    """
    check_bypass(asked, bucket)
    if (asked.headers.get(_BYPASS) or "").lower() != "true":
        return Bypass.NOTHING
    authorize(tx, asked, "s3:BypassGovernanceRetention", bucket, key, version)
    return Bypass.GOVERNANCE


def lock_headers(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, version: ObjectVersion
) -> list[tuple[str, str]]:
    """The headers that show what protects a version, to who may know; for use inside an interaction.

    :raises Damaged: it cannot be read.
    """
    if not version.more:
        return []
    lock, shown = lock_of(version), []
    named = asked.query("versionId") or ""
    if lock.mode and may(tx, asked, "s3:GetObjectRetention", bucket, asked.key, named):
        shown += [(_MODE, lock.mode), (_UNTIL, exact_timestamp(lock.until))]
    if lock.hold and may(tx, asked, "s3:GetObjectLegalHold", bucket, asked.key, named):
        shown.append((_HOLD, lock.hold))
    return shown
