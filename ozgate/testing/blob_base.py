"""What the contract suites of blobs share: their test case, and what writes to sinks and reads sources."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.trial.unittest import SkipTest
from zope.interface import implementer

from ..interfaces import IBlobStore
from ..values import BlobRef, ByteRange

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

MIB = 1 << 20


def noise(count: int) -> bytes:
    """Bytes that no two places of have alike."""
    return os.urandom(count)


@implementer(IPushProducer)
class Feeder:
    """Writes chunks to a consumer until it is paused, and again when it is resumed."""

    def __init__(self, consumer: IConsumer, chunks: Iterator[bytes]) -> None:
        self.written = 0
        self.pauses = 0
        self.done: Deferred[None] = Deferred()
        self._consumer = consumer
        self._chunks = chunks
        self._paused = False
        self._running = False
        consumer.registerProducer(self, True)

    def pauseProducing(self) -> None:
        """Hold."""
        self.pauses += 1
        self._paused = True

    def resumeProducing(self) -> None:
        """Write until paused."""
        self._paused = False
        if self._running:
            return
        self._running = True
        try:
            while not self._paused and not self.done.called:
                chunk = next(self._chunks, None)
                if chunk is None:
                    self._consumer.unregisterProducer()
                    self.done.callback(None)
                    return
                self._consumer.write(chunk)
                self.written += len(chunk)
        except Exception as error:
            self._consumer.unregisterProducer()
            self.done.errback(error)
        finally:
            self._running = False

    def stopProducing(self) -> None:
        """Do nothing: nobody stops it here."""


@implementer(IConsumer)
class Reader:
    """Collects what it is given.

    :param on_write: called after each write, to pause, stop or break things.
    """

    def __init__(self, on_write: Callable[[Reader], None] | None = None) -> None:
        self.chunks: list[bytes] = []
        self.producer: Any = None
        self.registered: list[bool] = []
        self._on_write = on_write

    @property
    def data(self) -> bytes:
        """Everything so far."""
        return b"".join(self.chunks)

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Note the producer."""
        assert self.producer is None
        self.producer = producer
        self.registered.append(streaming)

    def unregisterProducer(self) -> None:
        """Note its end."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Note a chunk."""
        assert type(data) is bytes, "transports take bytes only"
        self.chunks.append(data)
        if self._on_write is not None:
            self._on_write(self)


class BlobTests(_Base):
    """What a test case needs: a store that is made for each test. A provider gives :meth:`make_store`, and what else it can do."""

    store: IBlobStore

    def make_store(self) -> IBlobStore:
        """A new, empty store that is not open yet, with a clock that runs."""
        raise NotImplementedError

    def now(self) -> int:
        """The store's time in milliseconds."""
        raise NotImplementedError

    def remake_store(self) -> IBlobStore:
        """Another store object over what the store kept, as after a restart."""
        raise SkipTest("the provider keeps nothing")

    def damage(self, blob: BlobRef, offset: int) -> None:
        """Flip a bit of a stored byte."""
        raise SkipTest("the provider cannot be damaged from here")

    def truncate(self, blob: BlobRef, length: int) -> None:
        """Cut a stored blob short."""
        raise SkipTest("the provider cannot be damaged from here")

    def fill(self) -> None:
        """Leave the store room for less than 4 MiB more."""
        raise SkipTest("the provider cannot be filled from here")

    def leftovers(self) -> list[str]:
        """What the store holds besides committed blobs."""
        return []

    async def setUp(self) -> None:  # type: ignore[override]
        """Open a store."""
        self.store = self.make_store()
        await self.store.prepare_store()
        await self.store.open_store()

    async def tearDown(self) -> None:  # type: ignore[override]
        """Close it, and see that nothing half written is left."""
        await self.store.close_store()
        for _ in range(1000):
            if not self.leftovers():
                break
            await self.turn()  # a thread may have a read to end
        self.assertEqual(self.leftovers(), [], "left behind")

    async def put(self, *chunks: bytes) -> BlobRef:
        """Store a blob."""
        sink = self.store.create(sum(map(len, chunks)))
        for chunk in chunks:
            sink.write(chunk)
        return await sink.commit()

    async def get(self, blob: BlobRef, offset: int = 0, length: int = -1) -> bytes:
        """Read a run of a blob."""
        count = blob.length - offset if length < 0 else length
        source = await self.store.open(blob, ByteRange(offset, count))
        reader = Reader()
        try:
            await source.send_to(reader)
        finally:
            source.close()
        self.assertIsNone(reader.producer)
        return reader.data

    async def ids(self) -> list[str]:
        """All committed blobs."""
        return list(await self.store.list(self.now() + 3_600_000))

    def turn(self) -> Deferred[None]:
        """Fires in the reactor's next turn."""
        from twisted.internet import reactor
        from twisted.internet.task import deferLater

        return deferLater(reactor, 0)
