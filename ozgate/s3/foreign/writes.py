"""PutObject of a key of another system, and what other writes share with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from ...errors import AccessControlListNotSupported, PreconditionFailed
from ...values import NO_PRECONDITION, Checksum, Precondition
from ..changing import NO_LOCK
from ..changing.locks import missing_configuration
from ..conditions import matches, write_conditions
from ..grantees import ACL, says_list
from ..headers import checksum_headers, read_object_headers, read_tags
from ..lockheaders import read_lock
from ..perform.writing import full_checksum
from ..receive import receive_into
from ..reply import Reply
from .keptnames import etag_of, kept, kept_checksum
from .place import bucket_of, judge

if TYPE_CHECKING:
    from ...interfaces import IForeignSink
    from ..call import Call

_HARMLESS: Final = frozenset(
    ("", "private", "bucket-owner-full-control", "bucket-owner-read")
)
"""Canned lists that say nothing but what is so where lists do not count."""


async def put_object(call: Call) -> Reply:
    """Store an object."""
    await judge(call)
    metadata, tags = described(call)
    wanted = await precondition(call)
    sums = await receive_into(
        call,
        partial(begin, call, metadata, tags, wanted),
        lambda sums: kept_checksum(full_checksum(sums)),
    )
    return Reply(200, made_headers(sums.md5, full_checksum(sums)))


async def begin(
    call: Call,
    metadata: Mapping[str, str],
    tags: Mapping[str, str],
    wanted: Precondition,
    size: int,
) -> IForeignSink:
    """Begin to write the addressed key."""
    return await bucket_of(call).create(call.key, size, metadata, tags, wanted)


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
    headers = call.headers
    if says_list(headers) and headers.get(ACL, "") not in _HARMLESS - {""}:
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


def made_headers(etag: str, checksum: Checksum | None) -> list[tuple[str, str]]:
    """The headers that say what was made."""
    return [("ETag", f'"{etag}"'), *checksum_headers(checksum)]
