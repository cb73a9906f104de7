"""Taking a request's body: decoded, digested, compared with what the client said of it, and durable.

Whatever a client states about its body (length, Content-MD5, checksum by header or trailer, SHA-256 of
the signature, chunk signatures) is checked before anything is kept. Sources: Amazon S3 API Reference, PutObject;
Amazon S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from attrs import evolve
from twisted.logger import Logger

from ..auth.chunks import ChunkVerifier
from ..content.intake import (
    ExtentSink,
    abandon,
    begin,
    inline_content,
    most_inline,
    now_of,
    store,
)
from ..errors import (
    EntityTooLarge,
    IncompleteBody,
    InvalidRequest,
    MaxMessageLengthExceeded,
    MissingContentLength,
    S3Error,
    StoreError,
)
from ..immutable import frozen
from ..values import Content
from ..wire.awschunked import AwsChunked
from ..wire.streams import Collect, Digesting, Tee
from .checksums import ALGORITHMS, encode
from .entering import in_authorized_bucket
from .targets import Sums, Target
from .terms import Digests, Terms, read_terms

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer

    from ..interfaces import IForeignSink, IMetadataTransaction
    from ..values import Bucket
    from .asked import Asked
    from .call import Call

_log = Logger()

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

HELD = 64 << 10
"""Bodies of at most this many bytes are held and hashed at once: MD5 of them takes 85 µs, a thread hop 65 µs."""

PROMPT = 1.0
"""Seconds within which a body comes that nothing held up. Even a small one may take hours, where no rate is asked of clients."""


@frozen
class Received(Sums):
    """A body that was taken and kept in rows or blobs.

    :ivar began: when blobs of it were begun, in milliseconds since the epoch by this machine's clock; ``None`` where it is in no blob.
    """

    content: Content
    began: int | None = None


async def receive(
    call: Call, *, inline: bool, algorithms: Sequence[str] = ()
) -> Received:
    """Take the bytes of an object or part, and make them durable.

    :param inline: whether a small body may stay in memory, for the metadata row.
    :param algorithms: checksums wanted besides those the client states and CRC64NVME.
    :raises S3Error: what the client stated about the body is malformed or does not hold.
    :raises InvalidAccessKeyId: the caller's key was revoked while a body came that was large or slow.
    :raises NoSpace: the disk is almost full; nothing of the body was taken.
    :raises ClientGone: nobody is left to be told.
    """
    terms, size = _read_sized(call)
    gateway = call.gateway
    small = most_inline(gateway) if inline else 0
    gateway.check_room(in_rows=size <= small)
    if size > max(small, HELD):
        return await _stream(call, terms, size, algorithms)
    digests = Digests(terms, (*algorithms, "CRC64NVME"))
    data = _whole(call, terms, size, digests, IncompleteBody)
    if data is None:
        data = await _collect(call, terms, size, digests, IncompleteBody)
    if len(data) <= small or not data:
        # As most are, and nothing of it has to be waited for.
        return _received(inline_content(gateway, data), terms, digests)
    return await _stored(call, data, terms, digests)


async def receive_into(call: Call, target: Target) -> Sums:
    """Take the bytes of an object or part into another system, which keeps them once everything was found true.

    :raises S3Error: as :func:`receive`; nothing of the body is kept then.
    """
    terms, size = _read_sized(call)
    digests = Digests(terms, ("CRC64NVME",))
    if size > HELD:
        sink = await target.begin(size)
        try:
            await _deliver_true(call, terms, digests, sink)
        except Exception:
            # CancelledError is one of them: the client has gone.
            await drop(call, sink)
            raise
        sums = sums_of(size, terms, digests)
        await target.commit(sink, sums)
        return sums
    data = _whole(call, terms, size, digests, IncompleteBody)
    if data is None:
        data = await _collect(call, terms, size, digests, IncompleteBody)
    sums = sums_of(size, terms, digests)
    await target.put(data, sums)
    return sums


async def drop(call: Call, sink: IForeignSink) -> None:
    """Leave nothing of a body that was refused or broke off."""
    try:
        await sink.abort()
    except StoreError as error:
        if not call.gateway.troubles.tell(error):
            _log.error("a key under way could not be dropped: {error}", error=error)


def _read_sized(call: Call) -> tuple[Terms, int]:
    """What a request says of the body of an object or part, and how many bytes it has.

    :raises S3Error: it says it badly, or the bytes are too many.
    """
    terms = read_terms(call)
    size = terms.size
    if size is None:
        raise MissingContentLength()
    limit = call.gateway.settings.max_object
    if size > limit:
        raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=limit)
    return terms, size


async def kept_in_memory(call: Call, terms: Terms, data: bytes, small: int) -> Received:
    """A body that is in memory already, verified and kept.

    :param small: bytes that it may have to be inline.
    :raises S3Error: what the client stated about it does not hold.
    """
    digests = Digests(terms, ("CRC64NVME",))
    digests.take(data)
    if len(data) <= small or not data:
        return _received(inline_content(call.gateway, data), terms, digests)
    return await _stored(call, data, terms, digests)


async def _stored(call: Call, data: bytes, terms: Terms, digests: Digests) -> Received:
    began = now_of(call.gateway)
    return _received(await store(call.gateway, data), terms, digests, began)


def _received(
    content: Content, terms: Terms, digests: Digests, began: int | None = None
) -> Received:
    """A body that was in memory, and was found true."""
    sums = sums_of(content.length, terms, digests)
    return Received(sums.size, sums.md5, sums.checksums, sums.declared, content, began)


def sums_of(size: int, terms: Terms, digests: Digests) -> Sums:
    """What was computed of a body."""
    md5 = digests.md5.hexdigest()
    return Sums(size, md5, digests.checksums(), terms.algorithm)


def received_of(
    terms: Terms, digests: Digests, content: Content, extents: ExtentSink
) -> Received:
    """A body that is in blobs, durable, and was found true.

    :param extents: took it, and computed its CRC64NVME on the way.
    """
    checksums = digests.checksums()
    crc = extents.crc64nvme.to_bytes(8, "big")
    checksums.setdefault("CRC64NVME", encode(crc))
    md5, began = digests.md5.hexdigest(), extents.began
    return Received(content.length, md5, checksums, terms.algorithm, content, began)


def is_to_come(call: Call, at_once: int = HELD) -> bool:
    """Whether a body is awaited, so that it pays to find out whether it is wanted before it is taken.

    :param at_once: bytes that come with their request's head, more or less: to look twice would only cost.
    """
    body = call.body
    return body.awaits_continue or body.length is None or body.length > at_once


def check_entry(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> None:
    """Nothing but whether a bucket can be entered; an interaction inside of it."""


def authorize_entry(tx: IMetadataTransaction, asked: Asked) -> None:
    """Make sure that the caller may do what is asked, before the body is here; an interaction. It is decided again with what the body says.

    :raises S3Error: what :func:`~ozgate.s3.entering.in_authorized_bucket` raises.
    """
    in_authorized_bucket(tx, evolve(asked, stated=None), check_entry)


async def document(
    call: Call,
    authorize: Callable[[IMetadataTransaction, Asked], None] = authorize_entry,
    is_checked: bool = True,
) -> bytes:
    """Take a small XML document.

    :param authorize: an interaction that raises where the caller may not do what this call is for; asked where the document
        is not here yet. What it decides is decided again in the interaction that does it.
    :param is_checked: whether a checksum is demanded where the operation's row says so.
    :raises InvalidRequest: the operation demands a checksum or Content-MD5, and there is none.
    :raises MaxMessageLengthExceeded: it is larger than ``ozgate.http.max-document``.
    :raises InvalidAccessKeyId: the caller's key was revoked while it came.
    :raises S3Error: what the client stated about the body is malformed or does not hold.
    """
    terms = read_terms(call)
    limit = call.gateway.settings.max_document

    def too_big() -> S3Error:
        return MaxMessageLengthExceeded(MaxMessageLengthBytes=limit)

    if (terms.size or 0) > limit:
        raise too_big()
    if is_to_come(call):
        await call.read(authorize)
    is_demanded = is_checked and call.operation.checksum_required
    if is_demanded and not (terms.md5 or terms.algorithm):
        raise InvalidRequest(
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        )
    digests = Digests(terms, ())
    data = _whole(call, terms, limit, digests, too_big)
    if data is None:
        data = await _collect(call, terms, limit, digests, too_big)
    return data


# Where the bytes go


async def _deliver(call: Call, terms: Terms, consumer: IConsumer) -> dict[str, str]:
    """Have the body delivered, decoded.

    :return: its trailers.
    """
    if not terms.streaming:
        if call.body.length != 0:
            await call.body.deliver_to(consumer)
        return {}
    verifier = ChunkVerifier(call.verified) if "HMAC" in terms.streaming else None
    asked = None if verifier is None else verifier.asked
    decoder = AwsChunked(
        consumer if asked is None else Tee(consumer, asked),
        terms.size or 0,
        verifier,
        (ALGORITHMS[terms.trailing].header,) if terms.trailing else (),
    )
    try:
        await call.body.deliver_to(decoder)
        decoder.finish()
    except S3Error:
        if asked is not None:
            # A signature that was wrong before comes first: it is the reason, as where it is computed here.
            await asked.finish()
        raise
    if asked is not None:
        await asked.finish()
    return decoder.trailers


def _whole(
    call: Call,
    terms: Terms,
    limit: int,
    digests: Digests,
    too_big: Callable[[], S3Error],
) -> bytes | None:
    """As :func:`_collect`, where all of it is here already; else ``None``."""
    data = None if terms.streaming else call.body.whole()
    if data is None:
        return None
    if len(data) > limit:
        raise too_big()
    digests.take(data)
    return data


async def _collect(
    call: Call,
    terms: Terms,
    limit: int,
    digests: Digests,
    too_big: Callable[[], S3Error],
) -> bytes:
    """Take a body into memory and verify it; and the caller's key once more, where it took its time.

    :raises InvalidAccessKeyId: the key was revoked meanwhile.
    """
    clock = call.gateway.clock
    began = clock.seconds()
    collect = Collect(limit, too_big)
    trailers = await _deliver(call, terms, collect)
    data = collect.value()
    digests.take(data, trailers)
    # A clock that was set back tells nothing.
    if not 0 <= clock.seconds() - began <= PROMPT:
        await call.confirm()
    return data


async def _stream(
    call: Call, terms: Terms, size: int, algorithms: Sequence[str]
) -> Received:
    """Pass a body through the digests into blobs."""
    digests = Digests(terms, algorithms)
    extents = begin(call.gateway, size)
    try:
        await _deliver_true(call, terms, digests, extents)
        content = await extents.commit()
    except Exception:
        # CancelledError is one of them: the client has gone.
        await abandon(call.gateway, extents)
        raise
    return received_of(terms, digests, content, extents)


async def _deliver_true(
    call: Call, terms: Terms, digests: Digests, consumer: IConsumer
) -> None:
    """Have the body delivered, and find true what was stated about it; and the caller's key once more."""
    digesting = Digesting(digests.hashes(), call.gateway.run_in_thread)
    trailers = await _deliver(call, terms, Tee(digesting, consumer))
    await digesting.finish()
    digests.verify(trailers)
    await call.confirm()
