"""Tests of :mod:`ozgate.content.intake`: back-pressure and failures over several blobs."""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from ozgate.content.intake import ExtentSink
from ozgate.errors import Unavailable
from ozgate.values import BlobRef


@implementer(IPushProducer)
class Producer:
    """Remembers whether it may produce."""

    producing = True
    stopped = False

    def pauseProducing(self) -> None:
        """Wait."""
        self.producing = False

    def resumeProducing(self) -> None:
        """Go on."""
        self.producing = True

    def stopProducing(self) -> None:
        """End."""
        self.stopped = True


@implementer(IConsumer)
class Sink:
    """A blob whose commit the test decides."""

    def __init__(self) -> None:
        self.data = b""
        self.producer: IPushProducer | None = None
        self.committing: Deferred[BlobRef] | None = None
        self.aborted = False

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a producer."""
        self.producer = cast(IPushProducer, producer)

    def unregisterProducer(self) -> None:
        """Forget it."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Keep bytes."""
        self.data += data

    def commit(self) -> Deferred[BlobRef]:
        """Fires when the test says so."""
        self.committing = Deferred()
        return self.committing

    def abort(self) -> Deferred[None]:
        """Note it."""
        self.aborted = True
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def durable(self, name: str) -> None:
        """The commit is over."""
        assert self.committing is not None
        self.committing.callback(BlobRef("s", name, len(self.data), 0))


class Sinks:
    """A store of small blobs."""

    extent_size = 4

    def __init__(self) -> None:
        self.made: list[Sink] = []

    def create(self, size_hint: int | None) -> Sink:
        """One more."""
        self.made.append(Sink())
        return self.made[-1]


class ExtentsTests(SynchronousTestCase):
    """Ten bytes into blobs of four."""

    def setUp(self) -> None:
        """Register a producer."""
        self.store = Sinks()
        self.extents = ExtentSink(self.store, 10)  # type: ignore[arg-type]
        self.producer = Producer()
        self.extents.registerProducer(self.producer, True)

    def test_durable_at_once(self) -> None:
        """Where a full blob is durable at once, the producer goes on after what it gave was taken, not amidst it."""
        given, taken = [b"abcdefghi", b"j"], []

        class AtOnce(Sink):
            def commit(self) -> Deferred[BlobRef]:
                ref = BlobRef("s", str(len(taken)), len(self.data), 0)
                taken.append(self.data)
                return succeed(ref)

        class Eager(Producer):
            def resumeProducing(self) -> None:
                if given:
                    extents.write(given.pop(0))

        self.patch(self.store, "create", lambda size_hint: AtOnce())
        extents = ExtentSink(self.store, 10)  # type: ignore[arg-type]
        producer = Eager()
        extents.registerProducer(producer, True)
        producer.resumeProducing()
        committed = self.successResultOf(Deferred.fromCoroutine(extents.commit()))
        self.assertEqual(b"".join(taken), b"abcdefghij")
        self.assertEqual([extent.length for extent in committed.extents], [4, 4, 2])

    def test_too_few(self) -> None:
        """Fewer bytes than were announced are never committed."""
        self.extents.write(b"abcdefghi")
        committing = Deferred.fromCoroutine(self.extents.commit())
        self.failureResultOf(committing, RuntimeError)

    def test_rolls(self) -> None:
        """The producer waits while a full blob becomes durable, then goes on into the next."""
        self.extents.write(b"abcd")
        self.assertTrue(self.producer.producing)
        self.extents.write(b"ef")
        first, second = self.store.made
        self.assertEqual((first.data, second.data), (b"abcd", b"ef"))
        self.assertFalse(self.producer.producing)
        first.durable("1")
        self.assertTrue(self.producer.producing)
        self.extents.write(b"ghij")
        second.durable("2")
        self.extents.unregisterProducer()
        done = Deferred.fromCoroutine(self.extents.commit())
        self.assertNoResult(done)
        self.store.made[2].durable("3")
        stored = self.successResultOf(done)
        self.assertEqual(
            [(extent.blob.id, extent.length) for extent in stored.extents],
            [("1", 4), ("2", 4), ("3", 2)],
        )

    def test_sink_pauses(self) -> None:
        """A sink that pauses holds up the producer, also across the end of another blob's commit."""
        sink = self.store.made[0].producer
        assert sink is not None
        sink.pauseProducing()
        self.assertFalse(self.producer.producing)
        sink.resumeProducing()
        self.assertTrue(self.producer.producing)
        self.extents.write(b"abcde")
        later = self.store.made[1].producer
        assert later is not None
        later.pauseProducing()
        self.store.made[0].durable("1")
        self.assertFalse(self.producer.producing)
        later.resumeProducing()
        self.assertTrue(self.producer.producing)
        later.stopProducing()
        self.assertTrue(self.producer.stopped)

    def test_order(self) -> None:
        """Extents are in the order written, whichever blob is durable first."""
        self.extents.write(b"abcdefghij")
        done = Deferred.fromCoroutine(self.extents.commit())
        for number in (2, 0, 1):
            self.store.made[number].durable(str(number))
        stored = self.successResultOf(done)
        self.assertEqual([extent.blob.id for extent in stored.extents], ["0", "1", "2"])

    def test_commit_fails(self) -> None:
        """One blob that fails fails all; what is durable is named, what is not is dropped."""
        self.extents.write(b"abcdefghij")
        done = Deferred.fromCoroutine(self.extents.commit())
        first, second, third = self.store.made
        first.durable("1")
        assert second.committing is not None
        second.committing.errback(Unavailable("no"))
        third.durable("3")
        self.failureResultOf(done, Unavailable)
        self.successResultOf(Deferred.fromCoroutine(self.extents.abort()))
        self.assertEqual([ref.id for ref in self.extents.refs], ["1", "3"])
        self.assertEqual(
            [sink.aborted for sink in self.store.made], [False, True, False]
        )

    def test_abort(self) -> None:
        """Aborting drops every blob under way, and swallows what their commits say later."""
        self.extents.write(b"abcdef")
        self.successResultOf(Deferred.fromCoroutine(self.extents.abort()))
        first, second = self.store.made
        self.assertTrue(first.aborted and second.aborted)
        assert first.committing is not None
        first.committing.errback(Unavailable("dropped"))

    def test_pull_producer(self) -> None:
        """A producer that cannot be paused is refused."""
        producer: IProducer = Producer()
        with self.assertRaises(ValueError):
            self.extents.registerProducer(producer, False)
