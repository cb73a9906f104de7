"""Stored bytes on their way out: the extents of an object as byte sources, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from ..errors import Absent, Damaged
from ..values import ByteRange, Content, Extent

if TYPE_CHECKING:
    from ..interfaces import IBlobStore, IByteSource
    from .call import Gateway

_MARGIN = 60_000
"""Milliseconds a commit may take: a blob can be doomed at a time before that of a read which still saw it named."""


def begin_read(gateway: Gateway) -> int:
    """Keep the reaper from everything a read that begins now may find named.

    :return: a token for ``gateway.readers.leave``.
    """
    return gateway.readers.enter(int(gateway.clock.seconds() * 1000) - _MARGIN)


def cut(content: Content, wanted: ByteRange) -> Content:
    """The part of a content that a range covers; an empty range covers nothing."""
    if not wanted.length:
        return Content(b"")
    if content.body is not None:
        return Content(content.body[wanted.offset : wanted.end])
    extents = []
    start = 0
    for extent in content.extents:
        low = max(wanted.offset, start)
        high = min(wanted.end, start + extent.length)
        if low < high:
            extents.append(Extent(extent.blob, extent.offset + low - start, high - low))
        start += extent.length
        if start >= wanted.end:
            break
    return Content(extents=tuple(extents))


class Sources(AsyncIterator["IByteSource"]):
    """The byte sources of extents. Each is opened when it is asked for, but for the first.

    Whoever stops before the end calls :meth:`aclose`; forgetting to is made good when the
    object goes away.
    """

    def __init__(
        self,
        gateway: Gateway,
        extents: Sequence[Extent],
        first: IByteSource | None,
        token: int,
    ) -> None:
        self._blobs: IBlobStore = gateway.blobs
        self._readers = gateway.readers
        self._extents = iter(extents)
        self._next = first
        self._current: IByteSource | None = None
        self._token = token

    def __aiter__(self) -> Sources:
        return self

    async def __anext__(self) -> IByteSource:
        """The next source; the one before is closed.

        :raises Damaged: its blob is not there.
        """
        self._close_current()
        source, self._next = self._next, None
        if source is None:
            extent = next(self._extents, None)
            if extent is None:
                self.close()
                raise StopAsyncIteration
            source = await _open(self._blobs, extent)
        self._current = source
        return source

    async def aclose(self) -> None:
        """Close what is open, and let the reaper go on. Idempotent."""
        self.close()

    def close(self) -> None:
        """As :meth:`aclose`, at once."""
        self._close_current()
        if self._next is not None:
            self._next.close()
            self._next = None
        self._extents = iter(())
        self._readers.leave(self._token)

    def _close_current(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None

    def __del__(self) -> None:
        self.close()


async def open_sources(
    gateway: Gateway, extents: Sequence[Extent], token: int
) -> Sources:
    """Open extents. The first is opened at once, so that a missing blob is found before an answer begins.

    :param token: that of :func:`begin_read`; left when the sources are closed, and when this fails.
    :raises Damaged: the first blob is not there.
    """
    try:
        first = await _open(gateway.blobs, extents[0]) if extents else None
    except BaseException:
        gateway.readers.leave(token)
        raise
    return Sources(gateway, extents[1:], first, token)


async def _open(blobs: IBlobStore, extent: Extent) -> IByteSource:
    try:
        source: IByteSource = await blobs.open(
            extent.blob, ByteRange(extent.offset, extent.length)
        )
    except Absent as error:
        # A row names it, and the reaper knows of the reader.
        raise Damaged(str(error)) from error
    return source
