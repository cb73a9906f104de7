"""Where a body goes that another system keeps, and what is known of a body that was taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from ..immutable import frozen

if TYPE_CHECKING:
    from ..interfaces import IForeignSink


@frozen
class Sums:
    """What was computed of a body that was taken, with all that was stated about it found true.

    :ivar md5: hex.
    :ivar checksums: algorithm → base64; always has CRC64NVME.
    :ivar declared: the algorithm that the client sent a value for, in a header or trailer.
    """

    size: int
    md5: str
    checksums: dict[str, str]
    declared: str | None


class Target(Protocol):
    """A key or part of another system, to which a body goes."""

    async def begin(self, size: int) -> IForeignSink:
        """Begin to write it, for so many bytes, or not more."""

    async def commit(self, sink: IForeignSink, sums: Sums) -> None:
        """Keep what was written, and what is known of it."""

    async def put(self, data: bytes, sums: Sums) -> None:
        """Write all of it and keep it, at once."""


@frozen(eq=False)
class SinkTarget:
    """One that keeps nothing besides the bytes and their MD5.

    :ivar begin_sink: begins it, for so many bytes, or not more.
    """

    begin_sink: Callable[[int], Awaitable[IForeignSink]]

    async def begin(self, size: int) -> IForeignSink:
        """See :class:`Target`."""
        return await self.begin_sink(size)

    async def commit(self, sink: IForeignSink, sums: Sums) -> None:
        """See :class:`Target`."""
        await sink.commit(sums.md5, {})

    async def put(self, data: bytes, sums: Sums) -> None:
        """See :class:`Target`."""
        sink = await self.begin(len(data))
        try:
            if data:
                sink.write(data)
        except Exception:
            await sink.abort()
            raise
        await self.commit(sink, sums)
