"""Bytes of keys of another system on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import Damaged
from ..values import ByteRange

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer

    from ..interfaces import IByteSource, IForeignReading

_AT_ONCE: Final = 64 << 10
"""Bytes that cost less to send as a document than from a source."""


class OneSource:
    """The bytes of a key, as a reply has them: nothing is read of them before they are asked for."""

    def __init__(self, reading: IForeignReading, span: ByteRange) -> None:
        self._reading = reading
        self._next: ByteRange | None = span if span.length else None
        self._source: IByteSource | None = None

    def __aiter__(self) -> OneSource:
        return self

    async def __anext__(self) -> IByteSource:
        """The one source, once."""
        span, self._next = self._next, None
        if span is None:
            self.close()
            raise StopAsyncIteration
        self._source = source = self._reading.source(span)
        return source

    async def send_to(self, consumer: IConsumer) -> None:
        """Write all bytes to a consumer, and close."""
        try:
            async for source in self:
                await source.send_to(consumer)
        finally:
            self.close()

    async def aclose(self) -> None:
        """Close what is open. Idempotent."""
        self.close()

    def close(self) -> None:
        """As :meth:`aclose`, at once."""
        self._next = None
        source, self._source = self._source, None
        if source is not None:
            source.close()
        self._reading.close()

    def __del__(self) -> None:
        self.close()


def small_body(reading: IForeignReading, span: ByteRange) -> bytes | None:
    """Bytes of a key, where they are here already, and the key is closed then; ``None`` where they are yet to be read."""
    if span.length > _AT_ONCE:
        return None
    if not span.length:
        reading.close()
        return b""
    source: IByteSource = reading.source(span)
    try:
        body: bytes | None = source.as_bytes()
    finally:
        source.close()
    if body is not None:
        reading.close()
        if len(body) != span.length:
            raise Damaged("bytes of a key are not as many as they should be")
    return body
