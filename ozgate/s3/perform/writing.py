"""PutObject.

Source: Amazon S3 API Reference, PutObject; Amazon S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...content.intake import most_inline
from ...immutable import frozen
from ...values import Bucket, Checksum, EventName, ObjectVersion
from ..changing import NO_LOCK, Draft, Lock, check_put, put_version
from ..grantees import Wanted, says_list, wanted_of
from ..headers import (
    DEFAULT_TYPE,
    checksum_headers,
    read_object_headers,
    read_tags,
    say_nothing,
)
from ..lockheaders import check_authorized_lock, check_integrity, read_lock
from ..naming import keep
from ..ownership import check_list, owned
from ..receive import Received, is_to_come, receive
from ..reply import Reply
from ..targets import Sums
from ..terms import stated_size
from ..versions import made_headers, new_version_id

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call


@frozen
class Described:
    """What the headers of a write say of the object to be; see :class:`~ozgate.values.ObjectVersion`.

    :ivar wanted: the access control list that they ask for.
    :ivar lock: what is to protect it.
    """

    system: Mapping[str, str]
    metadata: Mapping[str, str]
    storage_class: str
    tags: Mapping[str, str]
    wanted: Wanted | None
    lock: Lock


NOTHING_SAID = Described(
    {"content-type": DEFAULT_TYPE}, {}, "STANDARD", {}, None, NO_LOCK
)
"""Where the headers say nothing."""


async def put_object(call: Call) -> Reply:
    """Store an object."""
    described = describe(
        call, await wanted_of(call) if says_list(call.headers) else None
    )
    if is_to_come(call, most_inline(call.gateway)):
        wanted, lock = described.wanted, described.lock
        await call.read_authorized(check_target, stated_size(call), wanted, lock)
    received = await receive(call, inline=True)
    _, headers = await store_received(call, described, received, "ObjectCreated:Put")
    return Reply(200, headers)


def describe(call: Call, wanted: Wanted | None) -> Described:
    """What a write's headers say of the object.

    :param wanted: the list that they ask for, which takes a look at who is known here.
    :raises S3Error: they ask for what is not built, or break a rule of S3's.
    """
    if wanted is None and say_nothing(call.headers):
        return NOTHING_SAID
    traits = read_object_headers(call)
    lock = read_lock(call.headers)
    return Described(*traits, read_tags(call), wanted, lock)


async def store_received(
    call: Call, described: Described, received: Received, event: EventName
) -> tuple[ObjectVersion, list[tuple[str, str]]]:
    """Make a version of a body that was taken.

    :return: the version, durable, and the headers of the answer.
    """
    checksum = full_checksum(received)
    draft = Draft(
        event=event,
        key=call.key,
        version_id=new_version_id(),
        content=received.content,
        etag=received.md5,
        storage_class=described.storage_class,
        headers=described.system,
        metadata=described.metadata,
        tags=described.tags,
        checksum=checksum,
        lock=described.lock,
    )
    version = await keep(call, received, _put, draft, described.wanted)
    headers = [("ETag", f'"{version.etag}"'), *checksum_headers(checksum)]
    return version, headers + made_headers(version)


def check_target(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    size: int,
    wanted: Wanted | None,
    lock: Lock,
) -> None:
    """Refuse a write early, before its body is taken. What is decided here is decided again in the write.

    :param size: bytes of the body, by what the client says.
    :param wanted: the list that is asked for, if one is.
    :raises AccessControlListNotSupported: lists do not count in the bucket.
    :raises PreconditionFailed: a condition does not hold.
    :raises QuotaExceeded: a body of that length does not fit.
    :raises S3Error: the lock that is asked for, or the bucket's default, does not allow it.
    """
    check_list(tx, asked, bucket, wanted)
    check_authorized_lock(tx, asked, bucket, lock)
    check_integrity(tx, asked, bucket, lock)
    check_put(tx, bucket, asked.key, size, asked.headers)


def full_checksum(received: Sums) -> Checksum:
    """The checksum kept of a body: in the client's algorithm, or CRC64NVME where the client sent none."""
    algorithm = received.declared or "CRC64NVME"
    return Checksum(algorithm, "FULL_OBJECT", received.checksums[algorithm])


def _put(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    draft: Draft,
    wanted: Wanted | None,
) -> ObjectVersion:
    draft = owned(tx, asked, bucket, draft, wanted)
    check_authorized_lock(tx, asked, bucket, draft.lock)
    check_integrity(tx, asked, bucket, draft.lock)
    return put_version(tx, asked.cause, bucket, draft, asked.headers)
