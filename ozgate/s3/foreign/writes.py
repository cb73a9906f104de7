"""PutObject of a key of another system, and what other writes share with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ...errors import AccessControlListNotSupported, PreconditionFailed
from ...immutable import frozen
from ...values import NO_PRECONDITION, Precondition
from ..changing import NO_LOCK
from ..changing.locks import missing_configuration
from ..conditions import matches, write_conditions
from ..grantees import asked_in
from ..headers import checksum_headers, read_object_headers, read_tags
from ..lockheaders import read_lock
from ..perform.writing import full_checksum
from ..policy.grants import OF_OBJECTS
from ..receive import receive_into
from ..reply import Reply
from .keptnames import etag_of, kept, kept_checksum
from .place import bucket_of, judge

if TYPE_CHECKING:
    from ...interfaces import IForeignSink
    from ..call import Call
    from ..targets import Sums

_HARMLESS: Final = frozenset(
    ("", "private", "bucket-owner-full-control", "bucket-owner-read")
)
"""Canned lists that say nothing but what is so where lists do not count."""


@frozen(eq=False)
class KeyTarget:
    """The addressed key, to be written.

    :ivar metadata: what is kept with it; and ``tags``: as :func:`described` gives them.
    :ivar wanted: what has to be so at that moment.
    """

    call: Call
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    wanted: Precondition = NO_PRECONDITION

    async def begin(self, size: int) -> IForeignSink:
        """See :class:`~ozgate.s3.receive.Target`."""
        created = self.metadata, self.tags, self.wanted
        return await bucket_of(self.call).create(self.call.key, size, *created)

    async def commit(self, sink: IForeignSink, sums: Sums) -> None:
        """See :class:`~ozgate.s3.receive.Target`."""
        await sink.commit(sums.md5, kept_checksum(full_checksum(sums)))

    async def put(self, data: bytes, sums: Sums) -> None:
        """See :class:`~ozgate.s3.receive.Target`."""
        metadata = {**self.metadata, **kept_checksum(full_checksum(sums))}
        bucket, key = bucket_of(self.call), self.call.key
        await bucket.put(key, data, sums.md5, metadata, self.tags, self.wanted)


async def put_object(call: Call) -> Reply:
    """Store an object."""
    await judge(call)
    target = KeyTarget(call, *described(call), await precondition(call))
    sums = await receive_into(call, target)
    return Reply(200, made_headers(sums))


def described(call: Call) -> tuple[dict[str, str], dict[str, str]]:
    """What a write's headers say of the object to be: what is kept with the key, and its tags.

    :raises AccessControlListNotSupported: they ask for a list: there are none.
    :raises InvalidRequest: they ask for a lock, likewise.
    :raises S3Error: they ask for what is not built, or break a rule of S3's.
    """
    traits = read_object_headers(call)
    refuse_list(call)
    refuse_lock(call)
    return kept(*traits), read_tags(call)


def refuse_list(call: Call) -> None:
    """Refuse a list that would say something, as AWS does where lists do not count."""
    canned, stated = asked_in(call.headers, OF_OBJECTS)
    if stated or canned not in _HARMLESS:
        raise AccessControlListNotSupported()


def refuse_lock(call: Call) -> None:
    """Refuse a lock, as AWS does in a bucket without."""
    if read_lock(call.headers) != NO_LOCK:
        raise missing_configuration()


async def precondition(call: Call) -> Precondition:
    """What has to be so at the moment of the write.

    A header that names several ETags is held against the one that the key has now, which is what has to be there then.

    :raises NotImplemented: as :func:`~ozgate.s3.conditions.write_conditions`.
    :raises PreconditionFailed: none of several is that of the key.
    """
    if_match, if_none_match = write_conditions(call.headers)
    if if_none_match is not None:
        return Precondition(absent=True)
    if if_match is None:
        return NO_PRECONDITION
    if "," not in if_match:
        return Precondition(etag=if_match.strip().strip('"'))
    etag = etag_of(await bucket_of(call).head(call.key))
    if not matches(if_match, etag):
        raise PreconditionFailed(Condition="If-Match")
    return Precondition(etag=etag)


def made_headers(sums: Sums) -> list[tuple[str, str]]:
    """The headers that say what was made."""
    return [("ETag", f'"{sums.md5}"'), *checksum_headers(full_checksum(sums))]
