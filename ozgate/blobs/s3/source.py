"""Reading a run of a blob: by ranges of its object."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

from ...errors import Damaged
from ...interfaces import IByteSource
from ...values import BlobRef, ByteRange
from .blobrun import Run
from .engine import Engine
from .frames import TRAILER, object_size
from .streamed import Streamed


async def open_source(engine: Engine, blob: BlobRef, span: ByteRange) -> IByteSource:
    """Ask for a run of a blob.

    :param span: bytes that it has.
    :return: its source. A run of one block is here already; more have begun to come, and wait.
    :raises Absent: there is no object of it.
    :raises Damaged: the object has another size.
    :raises Unavailable: the engine cannot be asked.
    """
    run = Run(engine, blob, span)
    if not span.length:
        size = object_size(blob.length)
        _, total = await run.read(size - TRAILER.size, size)
        run.check(total)
        return _Held(b"", None)
    if run.stop - run.first > 1:
        opened = await engine.open_range(run.name, run.what, run.offset, run.end)
        try:
            run.check(opened.total)
        except BaseException:
            opened.drop()
            raise
        return Streamed(run, opened)
    for is_last in (False, True):
        data, total = await run.read(run.offset, run.end)
        run.check(total)
        try:
            return _Held(run.verified(data), None)
        except Damaged as error:
            # It may have been on the way.
            if is_last:
                return _Held(b"", error)
    raise AssertionError


@implementer(IByteSource)
class _Held:
    """Bytes that are here, or why they are not."""

    def __init__(self, data: bytes, error: Damaged | None) -> None:
        self.length = len(data)
        self._data = data
        self._error = error

    def as_bytes(self) -> bytes | None:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        if self._error is not None:
            raise self._error
        return self._data

    def as_file(self) -> None:
        """Nothing: it is no file."""

    def send_to(self, consumer: IConsumer) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IByteSource`."""
        if self._error is not None:
            return fail(self._error)
        if not self._data:
            return succeed(None)
        consumer.registerProducer(_Nothing(), True)
        try:
            consumer.write(self._data)
        except Exception:
            return fail()
        finally:
            consumer.unregisterProducer()
        return succeed(None)

    def close(self) -> None:
        """Forget them."""
        self._data = b""


@implementer(IPushProducer)
class _Nothing:
    """A producer that has produced everything."""

    def pauseProducing(self) -> None:
        """Do nothing."""

    def resumeProducing(self) -> None:
        """Do nothing."""

    def stopProducing(self) -> None:
        """Do nothing."""
