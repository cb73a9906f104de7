"""Object lock: of a bucket, and the retention and legal hold of a version.

Source: Amazon S3 API Reference, the pages of the six operations; Amazon S3 User Guide, "Locking objects with Object Lock".
"""

from __future__ import annotations

from attrs import evolve

from ...errors import (
    InvalidArgument,
    InvalidBucketState,
    NoSuchObjectLockConfiguration,
    ObjectLockConfigurationNotFoundError,
)
from ...interfaces import IMetadataTransaction
from ...values import Bucket, Claim
from ..asked import Asked
from ..call import Call
from ..changing import replace_lock
from ..changing.locks import (
    Bypass,
    Lock,
    has_object_lock,
    lock_of,
    missing_configuration,
)
from ..configuration.objectlock import (
    LEGAL_HOLD,
    OBJECT_LOCK,
    RETENTION,
    LegalHold,
    Retention,
)
from ..lockheaders import read_authorized_bypass
from ..receive import document
from ..reply import Reply, xml_reply
from ..times import exact_timestamp
from ..versions import check_version_id, find_authorized
from .configuration import show


async def get_object_lock_configuration(call: Call) -> Reply:
    """Show the object lock of a bucket."""
    return await show(call, OBJECT_LOCK.kind, ObjectLockConfigurationNotFoundError)


async def put_object_lock_configuration(call: Call) -> Reply:
    """Have object lock in a bucket from now on, and set or remove the default retention."""
    found = OBJECT_LOCK.document.parse(await document(call))
    await call.write_whole(_configure, OBJECT_LOCK.document.render(found))
    return Reply(200)


def _configure(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, data: bytes
) -> None:
    # What was there is not read: a document that is damaged can be replaced.
    if bucket.versioning != "Enabled":
        raise InvalidBucketState(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        )
    tx.set_configuration(bucket, OBJECT_LOCK.kind, data)


async def get_object_retention(call: Call) -> Reply:
    """Show the retention of a version, be it over."""
    wanted = _wanted(call)
    lock = await call.read_authorized(_lock_of, wanted)
    if not lock.mode:
        raise NoSuchObjectLockConfiguration(Key=call.key)
    return xml_reply(RETENTION.render(Retention(lock.mode, lock.until)))


async def put_object_retention(call: Call) -> Reply:
    """Set, extend, shorten or remove the retention of a version."""
    wanted = _wanted(call)
    found = RETENTION.parse(await document(call))
    if found.mode is not None and found.until is not None:
        call.state(
            ("s3:object-lock-mode", found.mode),
            ("s3:object-lock-retain-until-date", exact_timestamp(found.until)),
        )
    await call.write_authorized(_retain, wanted, found)
    return Reply(200)


async def get_object_legal_hold(call: Call) -> Reply:
    """Show the legal hold of a version."""
    wanted = _wanted(call)
    lock = await call.read_authorized(_lock_of, wanted)
    if not lock.hold:
        raise NoSuchObjectLockConfiguration(Key=call.key)
    return xml_reply(LEGAL_HOLD.render(LegalHold(lock.hold)))


async def put_object_legal_hold(call: Call) -> Reply:
    """Place or lift the legal hold of a version."""
    wanted = _wanted(call)
    found = LEGAL_HOLD.parse(await document(call))
    call.state(("s3:object-lock-legal-hold", found.status or ""))
    await call.write_authorized(_hold, wanted, found.status or "")
    return Reply(200)


def _wanted(call: Call) -> str | None:
    wanted = call.query("versionId")
    check_version_id(wanted)
    return wanted


def _lock_of(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: str | None
) -> Lock:
    if not has_object_lock(bucket):
        raise missing_configuration()
    return lock_of(find_authorized(tx, asked, bucket, asked.key, wanted))


def _retain(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    wanted: str | None,
    new: Retention,
) -> None:
    if not has_object_lock(bucket):
        raise missing_configuration()
    if new.until is not None and new.until <= tx.now():
        raise InvalidArgument(
            "The retain until date must be in the future!",
            ArgumentName="RetainUntilDate",
            ArgumentValue=exact_timestamp(new.until),
        )
    bypass = read_authorized_bypass(tx, asked, bucket, asked.key, wanted or "")
    tx.claim(Claim.key(bucket.number, asked.key))
    version = find_authorized(tx, asked, bucket, asked.key, wanted, "PUT")
    lock = evolve(lock_of(version), mode=new.mode or "", until=new.until or 0)
    replace_lock(tx, asked.cause, bucket, version, lock, bypass)


def _hold(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    wanted: str | None,
    status: str,
) -> None:
    if not has_object_lock(bucket):
        raise missing_configuration()
    tx.claim(Claim.key(bucket.number, asked.key))
    version = find_authorized(tx, asked, bucket, asked.key, wanted, "PUT")
    lock = evolve(lock_of(version), hold=status)
    replace_lock(tx, asked.cause, bucket, version, lock, Bypass.NOTHING)
