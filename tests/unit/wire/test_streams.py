"""Consumers that are chained between a body and where its bytes end."""

from __future__ import annotations

import gc
import hashlib
import weakref

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from ozgate.batches import Batches
from ozgate.wire.streams import Collect, Digesting, Tee


class TooBig(Exception):
    """What the limits raise here."""


@implementer(IPushProducer)
class Producer:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


@implementer(IConsumer)
class Sink:
    """Keeps chunks, and the producer it was given."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.producer = None

    def registerProducer(self, producer, streaming) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def write(self, data: bytes) -> None:
        self.chunks.append(data)


class Threads:
    """A stand-in for the thread pool, in which work happens when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple] = []
        self.count = 0

    def __call__(self, function, *args):
        done: Deferred = Deferred()
        self.waiting.append((done, function, args))
        self.count += 1
        return done

    def run_one(self) -> None:
        done, function, args = self.waiting.pop(0)
        maybeDeferred(function, *args).addBoth(done.callback)


def at_once(function, *args):
    """A thread pool that is done before one looks."""
    return maybeDeferred(function, *args)


class CollectTests(SynchronousTestCase):
    """:class:`Collect`."""

    def test_value(self) -> None:
        """All chunks come out in order, and again when asked again."""
        collect = Collect(10, TooBig)
        verifyObject(IConsumer, collect)
        self.assertEqual(collect.value(), b"")
        collect.write(b"ab")
        collect.write(b"")
        collect.write(b"cde")
        self.assertEqual(collect.value(), b"abcde")
        collect.write(b"f")
        self.assertEqual(collect.value(), b"abcdef")

    def test_limit(self) -> None:
        """The limit itself fits; a byte more raises what was asked for."""
        collect = Collect(4, TooBig)
        collect.write(b"abcd")
        self.assertRaises(TooBig, collect.write, b"e")

    def test_many_chunks(self) -> None:
        """Bytes that come one by one come out in order and are not kept one by one."""
        collect = Collect(10_000, TooBig)
        for n in range(5000):
            collect.write(b"%d" % (n % 10))
        self.assertEqual(collect.value(), b"0123456789" * 500)

    def test_pull_producer(self) -> None:
        """A pull producer, which nobody would ask for data, is refused."""
        for consumer in (
            Collect(1, TooBig),
            Tee(Sink()),
            Digesting([], at_once),
        ):
            self.assertRaises(ValueError, consumer.registerProducer, Producer(), False)


class TeeTests(SynchronousTestCase):
    """:class:`Tee`."""

    def setUp(self) -> None:
        self.first, self.second, self.producer = Sink(), Sink(), Producer()
        self.tee = Tee(self.first, self.second)
        self.tee.registerProducer(self.producer, True)

    def test_interfaces(self) -> None:
        """A tee is a consumer, and each branch sees a push producer."""
        verifyObject(IConsumer, self.tee)
        verifyObject(IPushProducer, self.first.producer)

    def test_writes_to_all(self) -> None:
        """Each consumer gets each chunk: the same object, not a copy."""
        chunk = b"abc" * 100
        self.tee.write(chunk)
        self.assertIs(self.first.chunks[0], chunk)
        self.assertIs(self.second.chunks[0], chunk)

    def test_any_pauses(self) -> None:
        """The producer is paused when the first branch pauses and resumed when the last has resumed."""
        self.first.producer.pauseProducing()
        self.assertEqual(self.producer.calls, ["pause"])
        self.second.producer.pauseProducing()
        self.first.producer.resumeProducing()
        self.assertEqual(self.producer.calls, ["pause"])
        self.second.producer.resumeProducing()
        self.assertEqual(self.producer.calls, ["pause", "resume"])

    def test_repeated_pauses(self) -> None:
        """A branch that pauses twice is resumed by one resume; one that resumes unpaused changes nothing."""
        self.first.producer.resumeProducing()
        self.first.producer.pauseProducing()
        self.first.producer.pauseProducing()
        self.first.producer.resumeProducing()
        self.first.producer.resumeProducing()
        self.assertEqual(self.producer.calls, ["pause", "resume"])

    def test_stop(self) -> None:
        """A branch that stops, stops the producer."""
        self.second.producer.stopProducing()
        self.assertEqual(self.producer.calls, ["stop"])

    def test_unregister(self) -> None:
        """Unregistering reaches every branch; a late resume of a branch reaches nobody."""
        branch = self.first.producer
        branch.pauseProducing()
        self.tee.unregisterProducer()
        self.assertIsNone(self.first.producer)
        self.assertIsNone(self.second.producer)
        branch.resumeProducing()
        self.assertEqual(self.producer.calls, ["pause"])

    def test_second_producer(self) -> None:
        """A second producer is refused until the first is gone, and then begins unpaused."""
        other = Producer()
        self.assertRaises(RuntimeError, self.tee.registerProducer, other, True)
        self.first.producer.pauseProducing()
        self.tee.unregisterProducer()
        self.tee.registerProducer(other, True)
        self.second.producer.pauseProducing()
        self.assertEqual(other.calls, ["pause"])

    def test_stale_branch(self) -> None:
        """A branch of a producer that is gone no longer counts for the one that came after."""
        stale, other = self.first.producer, Producer()
        stale.pauseProducing()
        self.tee.unregisterProducer()
        self.tee.registerProducer(other, True)
        self.second.producer.pauseProducing()
        stale.resumeProducing()
        self.assertEqual(other.calls, ["pause"])

    def test_error(self) -> None:
        """What a branch raises goes to whoever wrote."""
        tee = Tee(Sink(), Collect(1, TooBig))
        self.assertRaises(TooBig, tee.write, b"ab")


class DigestingTests(SynchronousTestCase):
    """:class:`Digesting`, and the :class:`Batches` it is made of."""

    def test_interface(self) -> None:
        """It is a consumer."""
        verifyObject(IConsumer, Digesting([], at_once))

    def test_digests(self) -> None:
        """Every hash gets every byte in order, whatever the batches."""
        data = bytes(range(256)) * 4000
        for batch in (1, 4096, 100_000, 1 << 20):
            hashes = [hashlib.md5(), hashlib.sha256()]
            digesting = Digesting(hashes, at_once, batch)
            for start in range(0, len(data), 33_333):
                digesting.write(data[start : start + 33_333])
            self.successResultOf(digesting.finish())
            self.assertEqual(hashes[0].digest(), hashlib.md5(data).digest())
            self.assertEqual(hashes[1].digest(), hashlib.sha256(data).digest())

    def test_small_stays_here(self) -> None:
        """What is hashed faster than a thread is reached is hashed at once."""
        threads, md5 = Threads(), hashlib.md5()
        digesting = Digesting([md5], threads)
        digesting.write(b"abc")
        self.successResultOf(digesting.finish())
        self.assertEqual(threads.count, 0)
        self.assertEqual(md5.digest(), hashlib.md5(b"abc").digest())

    def test_empty(self) -> None:
        """No bytes at all are fine."""
        md5 = hashlib.md5()
        self.successResultOf(Digesting([md5], Threads()).finish())
        self.assertEqual(md5.digest(), hashlib.md5().digest())

    def test_one_batch_in_flight(self) -> None:
        """A second batch waits until the first is done, and is then run."""
        threads, md5 = Threads(), hashlib.md5()
        digesting = Digesting([md5], threads, 10_000)
        digesting.write(b"a" * 10_000)
        digesting.write(b"b" * 10_000)
        self.assertEqual(len(threads.waiting), 1)
        threads.run_one()
        self.assertEqual(len(threads.waiting), 1)
        finishing = digesting.finish()
        self.assertNoResult(finishing)
        threads.run_one()
        self.successResultOf(finishing)
        self.assertEqual(
            md5.digest(), hashlib.md5(b"a" * 10_000 + b"b" * 10_000).digest()
        )

    def test_pause_and_resume(self) -> None:
        """The producer is paused while a batch runs and another is full, and resumed when there is room."""
        threads, producer = Threads(), Producer()
        digesting = Digesting([], threads, 10_000)
        digesting.registerProducer(producer, True)
        digesting.write(b"a" * 10_000)
        self.assertEqual(producer.calls, [])
        digesting.write(b"b" * 9_999)
        self.assertEqual(producer.calls, [])
        digesting.write(b"c" * 5_000)
        digesting.write(b"late")
        self.assertEqual(producer.calls, ["pause"])
        threads.run_one()
        self.assertEqual(producer.calls, ["pause", "resume"])

    def test_unregistered_while_paused(self) -> None:
        """A producer that has gone is not resumed."""
        threads, producer = Threads(), Producer()
        digesting = Digesting([], threads, 10_000)
        digesting.registerProducer(producer, True)
        digesting.write(b"a" * 10_000)
        digesting.write(b"b" * 10_000)
        digesting.unregisterProducer()
        threads.run_one()
        self.assertEqual(producer.calls, ["pause"])

    def test_dribble(self) -> None:
        """Tiny chunks count for more than they are, so that few are held at once."""
        threads, producer = Threads(), Producer()
        digesting = Digesting([], threads)
        digesting.registerProducer(producer, True)
        written = 0
        while not producer.calls:
            digesting.write(b"xy")
            written += 1
        self.assertLessEqual(written, 600)

    def test_write_after_finish(self) -> None:
        """Bytes after the end are a mistake of the caller's, not silently lost."""
        digesting = Digesting([hashlib.md5()], at_once)
        digesting.finish()
        self.assertRaises(RuntimeError, digesting.write, b"x")

    def test_batch_is_let_go(self) -> None:
        """Once a batch has been worked on, nobody holds its bytes, whoever still holds the arguments."""

        threads = Threads()
        digesting = Digesting([hashlib.md5()], threads, 10_000)
        digesting.write(b"a" * 10_000)
        _, _, (chunks,) = threads.waiting[0]
        threads.run_one()
        self.assertEqual(chunks, [])

    def test_abandoned(self) -> None:
        """One that is abandoned in mid-batch goes when the batch is done."""
        threads = Threads()
        digesting = Digesting([hashlib.md5()], threads, 10_000)
        digesting.registerProducer(Producer(), True)
        digesting.write(b"a" * 10_000)
        digesting.write(b"b" * 10_000)
        digesting.unregisterProducer()
        gone = weakref.ref(digesting)
        del digesting
        while threads.waiting:
            threads.run_one()
        gc.collect()
        self.assertIsNone(gone())

    def test_failure(self) -> None:
        """When the work fails, the producer runs again to hear of it, and so does whoever waits for the end."""

        class Failing(Batches):
            def work(self, chunks: list[bytes]) -> None:
                raise ZeroDivisionError()

        threads, producer = Threads(), Producer()
        failing = Failing(threads, 10_000)
        failing.registerProducer(producer, True)
        failing.write(b"a" * 10_000)
        failing.write(b"b" * 10_000)
        threads.run_one()
        self.assertEqual(threads.waiting, [])
        self.assertEqual(producer.calls, ["pause", "resume"])
        self.assertRaises(ZeroDivisionError, failing.write, b"c")
        self.failureResultOf(failing.settle(), ZeroDivisionError)

    def test_settle_gives_the_rest(self) -> None:
        """Settling gives the chunks that no thread had, and again gives none."""

        class Idle(Batches):
            def work(self, chunks: list[bytes]) -> None:
                raise AssertionError("nothing is to be run")

        idle = Idle(lambda f, *args: succeed(None))
        idle.write(b"a")
        idle.write(b"b")
        self.assertEqual(self.successResultOf(idle.settle()), [b"a", b"b"])
        self.assertEqual(self.successResultOf(idle.settle()), [])
