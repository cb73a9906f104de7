"""What every :class:`~ozgate.interfaces.IBlobStore` must do, as tests to mix into a ``TestCase``.

::

    class MyBlobTests(BlobContract, TestCase):
        def make_store(self): return MyBlobStore(…)
"""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from attrs import evolve
from awscrt.checksums import crc64nvme
from twisted.internet.defer import CancelledError, Deferred, gatherResults, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.trial.unittest import SkipTest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from ..errors import Absent, Damaged, NoSpace, StoreError, Unavailable
from ..interfaces import IBlobSink, IBlobStore, IByteSource
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

    def registerProducer(self, producer: Any, streaming: bool) -> None:
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


class BlobContract(_Base):
    """The suite. A test case that mixes it in gives :meth:`make_store`, and what else its provider can do."""

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

    # What is provided

    async def test_store_interface(self) -> None:
        """The store has every method and attribute of its interface."""
        verifyObject(IBlobStore, self.store)
        self.assertIsInstance(self.store.name, str)
        self.assertGreaterEqual(self.store.extent_size, 0)
        self.assertGreaterEqual(self.store.inline_below, 0)

    async def test_sink_interface(self) -> None:
        """A sink is a consumer with commit and abort."""
        sink = self.store.create(None)
        verifyObject(IBlobSink, sink)
        await sink.abort()

    async def test_source_interface(self) -> None:
        """A source has every method of its interface, and says how long it is."""
        blob = await self.put(b"abc")
        source = await self.store.open(blob, ByteRange(1, 2))
        verifyObject(IByteSource, source)
        self.assertEqual(source.length, 2)
        source.close()

    # Bytes come back

    async def test_small(self) -> None:
        """A few bytes come back as they were."""
        self.assertEqual(await self.get(await self.put(b"hello")), b"hello")

    async def test_empty(self) -> None:
        """A blob of no bytes is one."""
        blob = await self.put()
        self.assertEqual((blob.length, blob.crc64nvme), (0, 0))
        self.assertEqual(await self.get(blob), b"")

    async def test_large(self) -> None:
        """Megabytes written in uneven chunks come back as they were."""
        data = noise(3 * MIB + 7)
        blob = await self.put(data[:1], data[1:70_001], data[70_001:MIB], data[MIB:])
        self.assertEqual(await self.get(blob) == data, True)

    async def test_many_tiny_writes(self) -> None:
        """Bytes that come in twos are kept in order."""
        data = noise(20_000)
        pieces = [data[i : i + 2] for i in range(0, len(data), 2)]
        self.assertEqual(await self.get(await self.put(*pieces)), data)

    async def test_empty_chunks(self) -> None:
        """An empty write changes nothing."""
        self.assertEqual(await self.get(await self.put(b"", b"ab", b"", b"c")), b"abc")

    async def test_sizes_around_blocks(self) -> None:
        """Lengths at powers of two, one less and one more, come back whole."""
        for size in (65536, 262_144, 524_288, MIB):
            for length in (size - 1, size, size + 1):
                data = noise(length)
                self.assertTrue(await self.get(await self.put(data)) == data, length)

    async def test_wrong_size_hint(self) -> None:
        """The size hint is only a hint."""
        for hint in (0, 1, 10 * MIB):
            sink = self.store.create(hint)
            sink.write(b"hello")
            blob = await sink.commit()
            self.assertEqual(await self.get(blob), b"hello")

    async def test_reference(self) -> None:
        """A reference names the store, the length and the CRC64NVME of the bytes."""
        data = noise(300_001)
        blob = await self.put(data[:262_143], data[262_143:])
        self.assertEqual(blob.store, self.store.name)
        self.assertEqual(blob.length, len(data))
        self.assertEqual(blob.crc64nvme, crc64nvme(data))

    async def test_parallel_sinks(self) -> None:
        """Blobs written at the same time do not mix."""
        bodies = [noise(700_000 + n) for n in range(6)]
        sinks = [self.store.create(len(body)) for body in bodies]
        for start in range(0, 700_006, 100_000):
            for sink, body in zip(sinks, bodies, strict=True):
                sink.write(body[start : start + 100_000])
        blobs = await gatherResults([sink.commit() for sink in sinks])
        for blob, body in zip(blobs, bodies, strict=True):
            self.assertTrue(await self.get(blob) == body)

    # Ids

    async def test_ids_are_unique(self) -> None:
        """Equal bytes make different blobs."""
        blobs = [await self.put(b"same") for _ in range(20)]
        self.assertEqual(len({blob.id for blob in blobs}), 20)

    async def test_ids_sort_by_time(self) -> None:
        """Ids sort by the time their blobs were committed."""
        made = [(await self.put(b"x")).id for _ in range(20)]
        self.assertEqual(made, sorted(made))

    async def test_ids_are_plain(self) -> None:
        """Ids are lower-case hex digits, so that they can be file names and keys anywhere."""
        blob = await self.put(b"x")
        self.assertLessEqual(set(blob.id), set("0123456789abcdef"))

    # Ranges

    async def test_ranges(self) -> None:
        """Any run of a blob can be read, across whatever blocks it is kept in."""
        data = noise(MIB + 3)
        blob = await self.put(data)
        edge = 262_144
        for offset, length in (
            (0, 1),
            (0, edge),
            (1, edge),
            (edge - 1, 2),
            (edge, edge),
            (edge + 5, 3 * edge - 5),
            (MIB - 1, 4),
            (MIB + 2, 1),
            (0, MIB + 3),
        ):
            got = await self.get(blob, offset, length)
            self.assertTrue(got == data[offset : offset + length], (offset, length))

    async def test_range_of_nothing(self) -> None:
        """A run of no bytes sends none."""
        blob = await self.put(b"abc")
        self.assertEqual(await self.get(blob, 0, 0), b"")
        self.assertEqual(await self.get(blob, 3, 0), b"")

    async def test_range_past_the_end(self) -> None:
        """A run that the blob does not have is damage, not a short read."""
        blob = await self.put(b"abc")
        await self.assertFailure(self.store.open(blob, ByteRange(1, 3)), Damaged)

    async def test_two_sources(self) -> None:
        """Two sources of one blob do not disturb each other."""
        data = noise(600_000)
        blob = await self.put(data)
        whole = await self.store.open(blob, ByteRange(0, len(data)))
        tail = await self.store.open(blob, ByteRange(599_990, 10))
        first, second = Reader(lambda r: r.producer.pauseProducing()), Reader()
        sending = whole.send_to(first)
        await tail.send_to(second)
        tail.close()
        while first.producer is not None:
            first.producer.resumeProducing()
            await self.turn()
        await sending
        whole.close()
        self.assertTrue(first.data == data)
        self.assertEqual(second.data, data[-10:])

    def turn(self) -> Deferred[None]:
        """Fires in the reactor's next turn."""
        from twisted.internet import reactor
        from twisted.internet.task import deferLater

        return deferLater(reactor, 0)

    async def test_as_file(self) -> None:
        """Where there is a file, descriptor, offset and count give the same bytes."""
        data = noise(400_000)
        blob = await self.put(data)
        source = await self.store.open(blob, ByteRange(1000, 300_000))
        self.addCleanup(source.close)
        place = source.as_file()
        if place is None:
            return
        fd, offset, count = place
        self.assertEqual(count, 300_000)
        self.assertTrue(os.pread(fd, count, offset) == data[1000:301_000])

    async def test_close_twice(self) -> None:
        """Closing a source again, before or after it was sent, does nothing."""
        blob = await self.put(b"abc")
        source = await self.store.open(blob, ByteRange(0, 3))
        source.close()
        source.close()

    # Sending

    async def test_registers_as_push_producer(self) -> None:
        """A source registers itself as a push producer, and unregisters at the end."""
        blob = await self.put(b"abc")
        source = await self.store.open(blob, ByteRange(0, 3))
        reader = Reader()
        await source.send_to(reader)
        source.close()
        self.assertEqual(reader.registered, [True])
        self.assertIsNone(reader.producer)

    async def test_pause(self) -> None:
        """Nothing is written to a consumer that paused, until it resumes."""
        data = noise(2 * MIB)
        blob = await self.put(data)
        source = await self.store.open(blob, ByteRange(0, len(data)))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = source.send_to(reader)
        while reader.producer is not None:
            written = len(reader.chunks)
            await self.turn()
            self.assertLessEqual(len(reader.chunks) - written, 1)
            if reader.producer is not None:
                reader.producer.resumeProducing()
        await sending
        source.close()
        self.assertGreater(len(reader.chunks), 1)
        self.assertTrue(reader.data == data)

    async def test_stop(self) -> None:
        """A consumer that stops the source gets no more, and the sending fails."""
        blob = await self.put(noise(2 * MIB))
        source = await self.store.open(blob, ByteRange(0, 2 * MIB))
        reader = Reader(lambda r: r.producer.stopProducing())
        with self.assertRaises(Exception):  # noqa: B017 - which one is the provider's
            await source.send_to(reader)
        source.close()
        self.assertEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_cancel_sending(self) -> None:
        """A cancelled sending writes no more and unregisters."""
        blob = await self.put(noise(2 * MIB))
        source = await self.store.open(blob, ByteRange(0, 2 * MIB))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = source.send_to(reader)
        while not reader.chunks:
            await self.turn()
        sending.cancel()
        await self.assertFailure(sending, CancelledError)
        await self.turn()
        source.close()
        self.assertEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_close_while_sending(self) -> None:
        """A source closed in mid-sending writes no more."""
        blob = await self.put(noise(2 * MIB))
        source = await self.store.open(blob, ByteRange(0, 2 * MIB))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = source.send_to(reader)
        source.close()
        with self.assertRaises(Exception):  # noqa: B017 - which one is the provider's
            await sending
        self.assertLessEqual(len(reader.chunks), 1)
        self.assertIsNone(reader.producer)

    async def test_consumer_raises(self) -> None:
        """What the consumer raises is what the sending fails with."""

        def burst(reader: Reader) -> None:
            raise ZeroDivisionError()

        blob = await self.put(noise(MIB))
        source = await self.store.open(blob, ByteRange(0, MIB))
        reader = Reader(burst)
        await self.assertFailure(source.send_to(reader), ZeroDivisionError)
        source.close()
        self.assertIsNone(reader.producer)

    # Writing

    async def test_invisible_before_commit(self) -> None:
        """A blob that is being written is not listed."""
        sink = self.store.create(None)
        sink.write(noise(2 * MIB))
        self.assertEqual(await self.ids(), [])
        blob = await sink.commit()
        self.assertEqual(await self.ids(), [blob.id])

    async def test_abort(self) -> None:
        """An aborted blob leaves nothing."""
        sink = self.store.create(3 * MIB)
        sink.write(noise(2 * MIB))
        await sink.abort()
        self.assertEqual(await self.ids(), [])
        self.assertEqual(self.leftovers(), [])

    async def test_abort_before_any_write(self) -> None:
        """A blob can be aborted before it has a byte."""
        await self.store.create(None).abort()
        self.assertEqual(await self.ids(), [])

    async def test_abort_twice(self) -> None:
        """Aborting again does nothing, also at the same moment."""
        sink = self.store.create(None)
        sink.write(noise(MIB))
        await gatherResults([sink.abort(), sink.abort()])
        await sink.abort()

    async def test_abort_during_commit(self) -> None:
        """An abort before the commit has fired leaves either nothing or a blob whose commit succeeded."""
        sink = self.store.create(None)
        sink.write(noise(MIB))
        committing = sink.commit()
        await sink.abort()
        try:
            blob = await committing
        except Unavailable:
            self.assertEqual(await self.ids(), [])
        else:
            self.assertEqual(await self.ids(), [blob.id])

    async def test_abort_after_commit(self) -> None:
        """An abort after the commit has fired does not take the blob away."""
        sink = self.store.create(None)
        sink.write(b"kept")
        blob = await sink.commit()
        await sink.abort()
        self.assertEqual(await self.get(blob), b"kept")

    async def test_write_after_abort(self) -> None:
        """Bytes for a blob that was dropped are refused."""
        sink = self.store.create(None)
        await sink.abort()
        self.assertRaises((RuntimeError, StoreError), sink.write, b"x")

    async def test_commit_after_abort(self) -> None:
        """A blob that was dropped cannot be committed."""
        sink = self.store.create(None)
        sink.write(b"x")
        dropping = sink.abort()
        await self.assertFailure(sink.commit(), Unavailable)
        await dropping
        self.assertEqual(await self.ids(), [])

    async def test_commit_twice(self) -> None:
        """A second commit fails and harms nothing."""
        sink = self.store.create(None)
        sink.write(b"once")
        blob = await sink.commit()
        await self.assertFailure(sink.commit(), Unavailable)
        self.assertEqual(await self.get(blob), b"once")

    async def test_cancel_commit(self) -> None:
        """Cancelling a commit has no effect."""
        sink = self.store.create(None)
        sink.write(b"kept")
        committing = sink.commit()
        committing.cancel()
        self.assertEqual(await self.get(await committing), b"kept")

    async def test_back_pressure(self) -> None:
        """A producer that heeds pauses gets all its bytes in, and is resumed after each pause."""
        data = [noise(65536) for _ in range(64)]
        sink = self.store.create(None)
        feeder = Feeder(sink, iter(data))
        feeder.resumeProducing()
        await feeder.done
        blob = await sink.commit()
        self.assertTrue(await self.get(blob) == b"".join(data))

    async def test_one_producer(self) -> None:
        """A second producer is refused; after the first has gone another may come."""
        sink = self.store.create(None)
        feeder = Feeder(sink, iter([b"a"]))
        self.assertRaises(RuntimeError, sink.registerProducer, feeder, True)
        feeder.resumeProducing()
        Feeder(sink, iter([b"b"])).resumeProducing()
        self.assertEqual(await self.get(await sink.commit()), b"ab")

    # Absence, deletion, listing

    async def test_absent(self) -> None:
        """A blob that is not there is Absent."""
        blob = await self.put(b"x")
        await self.store.delete(blob.id)
        await self.assertFailure(self.store.open(blob, ByteRange(0, 1)), Absent)

    async def test_never_there(self) -> None:
        """Ids nobody made, whatever they look like, name nothing."""
        for name in ("0" * 24, "", "x", "../FORMAT", "/etc/passwd", "a/../b"):
            blob = BlobRef(self.store.name, name, 1, 0)
            await self.assertFailure(self.store.open(blob, ByteRange(0, 1)), Absent)
            await self.store.delete(name)

    async def test_delete(self) -> None:
        """Deleting one blob leaves the others."""
        first, second = await self.put(b"1"), await self.put(b"2")
        await self.store.delete(first.id)
        self.assertEqual(await self.ids(), [second.id])
        self.assertEqual(await self.get(second), b"2")

    async def test_delete_twice(self) -> None:
        """Deleting a blob that is gone succeeds."""
        blob = await self.put(b"x")
        await gatherResults([self.store.delete(blob.id), self.store.delete(blob.id)])
        await self.store.delete(blob.id)

    async def test_list_is_complete(self) -> None:
        """Every committed blob is listed, in the order of time."""
        made = [(await self.put(b"x")).id for _ in range(30)]
        self.assertEqual(await self.ids(), made)

    async def test_list_before(self) -> None:
        """Blobs made at or after the given time are not listed."""
        start = self.now()
        blob = await self.put(b"x")
        self.assertEqual(list(await self.store.list(start)), [])
        self.assertEqual(list(await self.store.list(0)), [])
        self.assertEqual(list(await self.store.list(self.now() + 1000)), [blob.id])

    async def test_list_by_ending(self) -> None:
        """Asked for all endings one after the other, a store lists each blob once."""
        made = [(await self.put(b"x")).id for _ in range(30)]
        later = self.now() + 1000
        for length in (1, 2):
            found: list[str] = []
            for n in range(16**length):
                ending = f"{n:0{length}x}"
                some = await self.store.list(later, ending)
                self.assertTrue(all(i.endswith(ending) for i in some))
                found += some
            self.assertEqual(sorted(found), made)
        self.assertEqual(list(await self.store.list(later, made[0])), [made[0]])

    # Looking after what is kept

    async def test_inspect(self) -> None:
        """What is there as its reference says is well; what is not there, or another, is said to be wrong."""
        well, empty, other = [
            await self.put(data) for data in (noise(300_000), b"", b"other")
        ]
        gone = await self.put(b"gone")
        await self.store.delete(gone.id)
        longer = evolve(other, length=other.length + 1)
        wrong = await self.store.inspect([well, empty, gone, longer])
        self.assertEqual(set(wrong), {gone.id, other.id})
        self.assertEqual(dict(await self.store.inspect([])), {})

    async def test_verify(self) -> None:
        """A blob that is well is read whole, a run at a time, each only when the one before was dealt with."""
        for length in (0, 1, 262_144, 3 * MIB + 1):
            blob = await self.put(noise(length))
            runs: list[int] = []

            def pace(count: int, runs: list[int] = runs) -> Deferred[None]:
                runs.append(count)
                return succeed(None)

            self.assertEqual(await self.store.verify(blob.id), length)
            self.assertEqual(await self.store.verify(blob.id, pace), length)
            self.assertEqual(sum(runs), length)
        held: Deferred[None] = Deferred()
        verifying = self.store.verify(blob.id, lambda _: held)
        self.assertNoResult(verifying)
        held.callback(None)
        self.assertEqual(await verifying, length)

    async def test_verify_damaged(self) -> None:
        """One changed bit anywhere is found, and so is a lost end, and a blob that is not there."""
        for offset in (0, 262_143, 262_144, 699_999):
            blob = await self.put(noise(700_000))
            self.damage(blob, offset)
            await self.assertFailure(self.store.verify(blob.id), Damaged)
        blob = await self.put(noise(100_000))
        self.truncate(blob, 99_000)
        await self.assertFailure(self.store.verify(blob.id), Damaged)
        await self.store.delete(blob.id)
        await self.assertFailure(self.store.verify(blob.id), Absent)

    # Opening and closing

    async def test_close_aborts(self) -> None:
        """Closing the store drops what is being written."""
        sink = self.store.create(None)
        sink.write(noise(2 * MIB))
        await self.store.close_store()
        self.assertEqual(self.leftovers(), [])
        self.assertRaises((RuntimeError, StoreError), sink.write, b"more")

    async def test_closed(self) -> None:
        """A closed store takes no blobs."""
        await self.store.close_store()
        self.assertRaises(Unavailable, self.store.create, None)

    async def test_open_again(self) -> None:
        """What was committed is there after a restart; what was not, is not."""
        data = noise(300_000)
        blob = await self.put(data)
        self.store.create(None).write(noise(MIB))
        await self.store.close_store()
        self.store = self.remake_store()
        await self.store.open_store()
        self.assertEqual(await self.ids(), [blob.id])
        self.assertTrue(await self.get(blob) == data)

    # Damage and want

    async def test_damage_goes_nowhere(self) -> None:
        """A changed bit fails the sending, and no byte of its block goes on."""
        data = noise(700_000)
        for offset in (0, 262_143, 262_144, 699_999):
            blob = await self.put(data)
            self.damage(blob, offset)
            source = await self.store.open(blob, ByteRange(0, len(data)))
            reader = Reader()
            await self.assertFailure(source.send_to(reader), Damaged)
            source.close()
            self.assertIsNone(reader.producer)
            self.assertLessEqual(len(reader.data), offset)
            self.assertTrue(data.startswith(reader.data))

    async def test_damage_in_a_range(self) -> None:
        """Damage in the part of a block that is not asked for is still damage."""
        blob = await self.put(noise(100_000))
        self.damage(blob, 99_999)
        source = await self.store.open(blob, ByteRange(5, 10))
        self.addCleanup(source.close)
        await self.assertFailure(source.send_to(Reader()), Damaged)

    async def test_truncated(self) -> None:
        """A blob that lost its end is damaged, also for runs that are still there."""
        blob = await self.put(noise(100_000))
        self.truncate(blob, 99_000)
        await self.assertFailure(self.store.open(blob, ByteRange(0, 10)), Damaged)

    async def test_no_space(self) -> None:
        """A full store says so, keeps nothing of the blob, and takes others when there is room."""
        small = await self.put(b"before")
        self.fill()
        sink = self.store.create(None)
        with self.assertRaises(NoSpace):
            feeder = Feeder(sink, iter([noise(65536) for _ in range(128)]))
            feeder.resumeProducing()
            await feeder.done
            await sink.commit()
        await sink.abort()
        self.assertEqual(self.leftovers(), [])
        self.assertEqual(await self.ids(), [small.id])
        after = await self.put(b"after")
        self.assertEqual(await self.get(after), b"after")
