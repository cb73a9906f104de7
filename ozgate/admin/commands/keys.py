"""Keys: what ``ozgate sh key`` does, in buckets of any volume and through links.

Each is a call of an S3 operation under the caller's name, so that quotas, rights, links and the way of the bytes are those of
the S3 endpoint. JSON is that of ``ozone sh key``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from attrs import evolve

from ...auth.identities.grants import policies_of
from ...auth.sigv4 import Verified
from ...content.foreignbytes import OneSource
from ...errors import NoSuchBucket
from ...gateway.gateway import Gateway
from ...interfaces import IForeignSink, IMetadataTransaction
from ...s3.asked import Asked
from ...s3.call import Call, asked_of
from ...s3.operations import OPERATIONS
from ...s3.perform.deleting import delete_object
from ...s3.perform.reading import get_object
from ...s3.perform.writing import put_object
from ...s3.receive import receive_into
from ...s3.reply import Reply
from ...s3.targets import SinkTarget
from ...s3.versions import find_version
from ...values import Bucket, ByteRange, ListedObject, ObjectVersion, Page, Principal
from ...wire.body import RequestBody
from ...wire.headers import Headers
from ...wire.target import Address, Query, Scope, check_key
from ..answers import Json, iso_time
from ..caller import Caller, known_again
from ..context import AdminContext
from ..errors import AdminError
from .elsewhere import bytes_of
from .lookup import find_real, page_size
from .rights import principal_of

T = TypeVar("T")

_OPERATIONS = {operation.name: operation for operation in OPERATIONS}


class _Nowhere:
    """Where a body comes from that is complete from the start: it is asked for nothing."""

    def pause_body(self) -> None:
        """See :class:`~ozgate.wire.body.BodySource`, as for the others."""

    def resume_body(self) -> None:
        """Nothing comes."""

    def send_continue(self) -> None:
        """Nobody waits."""

    def drain_body(self) -> None:
        """Nothing is left."""


def call_of(
    context: AdminContext,
    caller: Caller,
    operation: str,
    volume: str,
    bucket: str,
    key: str = "",
    body: RequestBody | None = None,
) -> Call:
    """A call of an S3 operation, as if it had come signed over the S3 endpoint.

    :param operation: S3's name of it.
    :raises AdminError: who calls is not known.
    :raises KeyTooLongError: the key has more than 1024 bytes.
    """
    principal = principal_of(caller)
    check_key(key)
    scope = Scope.OBJECT if key else Scope.BUCKET
    length = None if body is None else body.length
    asked = asked_of(
        context.gateway,
        _OPERATIONS[operation],
        Address(scope, bucket, key, Query(), b"", b"", "", False),
        # An empty body is an object only where somebody said so.
        Headers({} if length is None else {"content-length": str(length)}),
        principal,
        volume,
    )
    return Call(
        context.gateway,
        _OPERATIONS[operation],
        asked,
        Verified(caller.user, "UNSIGNED-PAYLOAD", None, "", "", "", False, caller.user),
        body or RequestBody(_Nowhere(), 0),
        "",
        admit_again=partial(_known_again, context, caller),
    )


async def _known_again(context: AdminContext, caller: Caller) -> Principal:
    found = principal_of(await known_again(caller, context))
    return await _with_policies(context.gateway, found)


async def _with_policies(gateway: Gateway, principal: Principal) -> Principal:
    """Somebody with his policies. Of administrators none are asked, who mend: what is damaged may be those."""
    if principal.is_admin:
        return principal
    policies = await gateway.metadata.read(_policies, principal.user)
    return evolve(principal, policies=policies)


def _policies(tx: IMetadataTransaction, user: str) -> tuple[bytes, ...]:
    row = tx.user(user)
    return () if row is None else policies_of(tx, row)


async def list_keys(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str,
    prefix: str = "",
    start: str = "",
    limit: int = 100,
) -> list[Json]:
    """A page of a bucket's keys, by name.

    :param start: only those after this one.
    """
    call = call_of(context, caller, "ListObjectsV2", volume, bucket)
    limit = page_size(limit)
    page = await _asked(call, lambda: call.read_authorized(_page, prefix, start, limit))
    return [
        _listed_json(volume, bucket, each, each.traits.owner) for each in page.items
    ]


async def info_key(
    context: AdminContext, caller: Caller, volume: str, bucket: str, key: str
) -> Json:
    """Show a key."""
    call = _key_call(context, caller, "HeadObject", volume, bucket, key)
    version = await _asked(call, lambda: call.read_authorized(_find))
    return {
        **_listed_json(volume, bucket, version, version.owner),
        "metadata": {"ETag": version.etag, **version.metadata},
        "tags": dict(version.tags),
        "file": True,
    }


async def rename_key(
    context: AdminContext, caller: Caller, volume: str, bucket: str, key: str, to: str
) -> None:
    """Refuse: what S3 has no operation for is done in an Ozone cluster alone.

    :raises AdminError: ``NOT_SUPPORTED_OPERATION``, to whoever may know of the key.
    """
    await info_key(context, caller, volume, bucket, key)
    raise AdminError(
        "NOT_SUPPORTED_OPERATION", "Keys are renamed in an Ozone cluster alone"
    )


async def delete_key(
    context: AdminContext, caller: Caller, volume: str, bucket: str, key: str
) -> None:
    """Remove a key.

    :raises NoSuchKey: there is none.
    """
    call = _key_call(context, caller, "DeleteObject", volume, bucket, key)
    await _asked(call, lambda: call.read_authorized(_find))
    await delete_object(call)


async def put_key(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str,
    key: str,
    body: RequestBody,
    replication_type: str = "",
    replication: str = "",
) -> None:
    """Store a key, by PutObject.

    :param replication_type: how an Ozone cluster keeps it, with ``replication``; without effect elsewhere.
    """
    call = _key_call(context, caller, "PutObject", volume, bucket, key, body)
    if there := await bytes_of(context, caller, volume, bucket):
        kept = replication_type, replication

        async def begin(size: int) -> IForeignSink:
            create = there.commands.create
            return await create(there.user, *there.place, key, size, *kept)

        await receive_into(call, SinkTarget(begin))
        return
    # Before the body is taken: its size against the quotas, the caller's rights.
    await _asked(call, lambda: put_object(call))


async def get_key(
    context: AdminContext, caller: Caller, volume: str, bucket: str, key: str
) -> Reply:
    """The bytes of a key, by GetObject: in ``body`` or in ``sources``, which whoever asks closes."""
    if there := await bytes_of(context, caller, volume, bucket):
        reading = await there.commands.open(there.user, *there.place, key)
        size = reading.found.size
        return Reply(sources=OneSource(reading, ByteRange(0, size)), length=size)
    call = _key_call(context, caller, "GetObject", volume, bucket, key)
    return await _asked(call, lambda: get_object(call))


def _key_call(
    context: AdminContext,
    caller: Caller,
    operation: str,
    volume: str,
    bucket: str,
    key: str,
    body: RequestBody | None = None,
) -> Call:
    """As :func:`call_of`.

    :raises AdminError: the key is empty.
    """
    if not key:
        raise AdminError("INVALID_KEY_NAME", "a key has a name")
    return call_of(context, caller, operation, volume, bucket, key, body)


async def _asked(call: Call, perform: Callable[[], Awaitable[T]]) -> T:
    """What an operation comes to.

    :raises AdminError: the bucket was not found; it tells what exactly is missing.
    """
    known = await _with_policies(call.gateway, call.principal)
    call.asked = evolve(call.asked, principal=known)
    try:
        return await perform()
    except NoSuchBucket:
        await call.read(_find_authorized)
        raise


def _find_authorized(tx: IMetadataTransaction, asked: Asked) -> None:
    find_real(tx, asked.volume, asked.bucket_name, asked.principal, "READ")


def _page(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    prefix: str,
    start: str,
    limit: int,
) -> Page:
    return tx.page(bucket, prefix, start, "", limit)


def _find(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> ObjectVersion:
    return find_version(tx, bucket, asked.key, None)


def _listed_json(
    volume: str, bucket: str, version: ObjectVersion | ListedObject, owner: str
) -> Json:
    """A key as Ozone's lists show it. When it was made is when it was last written: keys are replaced whole."""
    written = iso_time(version.modified)
    return {
        "volumeName": volume,
        "bucketName": bucket,
        "name": version.key,
        "owner": owner,
        "dataSize": version.size,
        "creationTime": written,
        "modificationTime": written,
        "metadata": {"ETag": version.etag},
    }
