"""Stored bytes on their way out: the extents of an object as byte sources, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from ..errors import Absent, Damaged, Unavailable
from ..immutable import frozen
from ..interfaces import IOpenedAhead
from ..values import EXTENTS_AT_ONCE, Bucket, ByteRange, Content, Extent, ObjectVersion
from .readers import MARGIN
from .sealing import sealing_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer, IReactorTime

    from ..interfaces import (
        IByteSource,
        IMetadataStore,
        IMetadataTransaction,
    )
    from ..wire.limits import BodyMemory
    from .readers import Readers, Reading
    from .sealing import Sealing
    from .stores import BlobStores

HELD = 300
"""Bytes of memory that an extent takes, about."""


class Stores(Protocol):
    """What stored bytes are read with; a :class:`~ozgate.gateway.gateway.Gateway` has it all.

    :ivar memory: what is held for readers is counted there.
    """

    metadata: IMetadataStore
    blobs: BlobStores
    sealing: Sealing | None
    readers: Readers
    clock: IReactorTime
    memory: BodyMemory


def begin_read(stores: Reading) -> int:
    """Keep the reaper from everything a read that begins now may find named, and from what is given up from now on.

    :return: a token for ``stores.readers.leave``.
    """
    return stores.readers.enter(int(stores.clock.seconds() * 1000) - MARGIN)


@frozen
class Located:
    """Bytes of a version, and where the first of them are.

    :ivar span: the bytes meant.
    :ivar content: where they are, in the row or as far as the extents go that are read at once.
    """

    bucket: Bucket
    version: ObjectVersion
    span: ByteRange
    content: Content

    @property
    def is_all(self) -> bool:
        """Whether that is where all of them are."""
        content = self.content
        return content.body is not None or content.length == self.span.length


def locate(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion, span: ByteRange
) -> Located:
    """Find out where bytes are; an interaction, or a part of one.

    :param span: bytes that the version has.
    :raises Damaged: they are not all there.
    """
    content = tx.content(bucket, version, span, EXTENTS_AT_ONCE)
    return Located(bucket, version, span, content)


def body_of(stores: Stores, located: Located) -> bytes | None:
    """The bytes, where they are in the row; ``None`` where they are in extents.

    :raises Damaged: they are not what was sealed.
    """
    content = located.content
    if not content.seal:
        return content.body
    body = sealing_of(stores).open_body(content)
    return body[located.span.offset : located.span.end]


class Streams(Protocol):
    """Byte sources, one after the other, as :class:`Sources` has them."""

    def __aiter__(self) -> Streams:
        """Itself."""

    async def __anext__(self) -> IByteSource:
        """The next source; the one before is closed."""

    async def send_to(self, consumer: IConsumer) -> None:
        """Write all bytes to a consumer, and close."""

    async def aclose(self) -> None:
        """Close what is open. Idempotent."""


class Sources(AsyncIterator["IByteSource"]):
    """The byte sources of a version. Each is opened when it is asked for, but for the first.

    No more is known at a time than the next :data:`~ozgate.values.EXTENTS_AT_ONCE` extents, however many there are.
    Those that follow are there when their turn comes, whatever happens to the version meanwhile: the reader's token keeps the
    reaper from them.

    Whoever stops before the end calls :meth:`aclose`; forgetting to is made good when the
    object goes away.
    """

    def __init__(
        self,
        stores: Stores,
        located: Located,
        first: IByteSource | None,
        token: int,
    ) -> None:
        self._metadata: IMetadataStore = stores.metadata
        self._stores = stores
        self._readers = stores.readers
        extents = located.content.extents
        # Later ones are no more than these. To refuse a reader for them would spare nothing.
        self._account = stores.memory.answer(len(extents) * HELD, refusable=False)
        self._extents = deque(extents[1:])
        self._rest = _after(located)
        self._next = first
        self._ahead: tuple[Extent, Deferred[IByteSource]] | None = None
        self._current: IByteSource | None = None
        self._token = token

    def __aiter__(self) -> Sources:
        return self

    async def __anext__(self) -> IByteSource:
        """The next source; the one before is closed.

        :raises Damaged: its blob is not there.
        :raises Unavailable: nothing is configured that is the store of its blob, or that opens what is sealed.
        """
        self._close_current()
        source, self._next = self._next, None
        if source is None:
            source = await self._opened_ahead()
        if source is None:
            extent = await self._following()
            if extent is None:
                self.close()
                raise StopAsyncIteration
            source = await _open(self._stores, extent)
        self._current = source
        self._open_ahead()
        return source

    def _open_ahead(self) -> None:
        """Have the next source opened while this one is sent, where to open one takes a while."""
        if not self._extents:
            return
        with suppress(Unavailable):
            store = self._stores.blobs.of(self._extents[0].blob)
            if IOpenedAhead.providedBy(store):
                extent = self._extents.popleft()
                opening = Deferred.fromCoroutine(_open(self._stores, extent))
                self._ahead = extent, opening

    async def _opened_ahead(self) -> IByteSource | None:
        """What was opened so, if anything was; one that could not be is opened now."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return None
        extent, opening = ahead
        try:
            return await opening
        except Unavailable:
            return await _open(self._stores, extent)

    async def send_to(self, consumer: IConsumer) -> None:
        """Write all bytes to a consumer, and close."""
        try:
            async for source in self:
                await source.send_to(consumer)
        finally:
            self.close()

    async def _following(self) -> Extent | None:
        """The next extent."""
        if not self._extents and self._rest is not None:
            located = await self._metadata.read(locate, *self._rest)
            self._rest = _after(located)
            self._extents = deque(located.content.extents)
        return self._extents.popleft() if self._extents else None

    async def aclose(self) -> None:
        """Close what is open, and let the reaper go on. Idempotent."""
        self.close()

    def close(self) -> None:
        """As :meth:`aclose`, at once."""
        self._close_current()
        if self._next is not None:
            self._next.close()
            self._next = None
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            # Cancelled, or open already: nobody wants it.
            ahead[1].addCallbacks(lambda source: source.close(), lambda _: None)
            ahead[1].cancel()
        self._rest = None
        self._extents.clear()
        self._account.close()
        self._readers.leave(self._token)

    def _close_current(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None

    def __del__(self) -> None:
        self.close()


def _after(located: Located) -> tuple[Bucket, ObjectVersion, ByteRange] | None:
    """What :func:`locate` is to find next; ``None`` where it found everything."""
    if located.is_all:
        return None
    span, found = located.span, located.content.length
    rest = ByteRange(span.offset + found, span.length - found)
    return located.bucket, located.version, rest


async def read_or_open(stores: Stores, located: Located, token: int) -> bytes | Sources:
    """Give what is in extents: the bytes, where they are few, in one blob, and there at once; else their sources.

    To send bytes by a source costs three times what it costs to read 64 KiB.

    :param token: as that of :func:`open_sources`; left here where bytes are given.
    :raises StoreError: as :func:`open_sources`.
    :raises Damaged: the bytes are not what was written.
    """
    extents = located.content.extents
    first = await _open_first(stores, extents, token)
    data = None
    if first is not None and len(extents) == 1 and located.is_all:
        try:
            data = first.as_bytes()
            if data is not None and len(data) != located.span.length:
                raise Damaged("stored bytes are not as many as they should be")
        except BaseException:
            first.close()
            stores.readers.leave(token)
            raise
        if data is not None:
            first.close()
            stores.readers.leave(token)
            return data
    return Sources(stores, located, first, token)


async def open_sources(stores: Stores, located: Located, token: int) -> Sources:
    """Open what is in extents. The first is opened at once, so that a missing blob is found before an answer begins.

    :param token: that of :func:`begin_read`; left when the sources are closed, and when this fails.
    :raises Damaged: the first blob is not there.
    :raises Unavailable: nothing is configured that is its store, or that opens what is sealed.
    """
    first = await _open_first(stores, located.content.extents, token)
    return Sources(stores, located, first, token)


async def _open_first(
    stores: Stores, extents: Sequence[Extent], token: int
) -> IByteSource | None:
    try:
        return await _open(stores, extents[0]) if extents else None
    except BaseException:
        stores.readers.leave(token)
        raise


async def _open(stores: Stores, extent: Extent) -> IByteSource:
    store, sealing = stores.blobs.of(extent.blob), None
    if extent.seal:
        sealing = sealing_of(stores)
        span = sealing.stored_range(extent)
    else:
        span = ByteRange(extent.offset, extent.length)
    try:
        source: IByteSource = await store.open(extent.blob, span)
    except Absent as error:
        # A row names it, and the reaper knows of the reader.
        raise Damaged(str(error)) from error
    return source if sealing is None else sealing.open(extent, source)
