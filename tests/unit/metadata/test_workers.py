"""Writes of workers: frames, what travels in them, and what a connection that ends leaves open."""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Sequence
from threading import Lock
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import DeferredList
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.admin.errors import AdminError
from ozgate.errors import Damaged, NoSpace, PreconditionFailed, Unavailable, Uncertain
from ozgate.interfaces import IMetadataTransaction, IWritesForOthers
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.metadata.workers import serving
from ozgate.metadata.workers.frames import ROOM, Frames
from ozgate.metadata.workers.packing import packed, packed_answer, unpacked
from ozgate.metadata.workers.sending import UNDER_WAY, WritesSent
from ozgate.metadata.workers.serving import Served, Turn
from ozgate.testing.metadata_base import Refused, add_volume, ask
from ozgate.values import Bucket, Content, Volume
from ozgate.values.content import LARGE
from tests.joined import JoinedStore, ends
from tests.started import started


def foreign(tx: IMetadataTransaction) -> None:
    """An interaction that is not ozgate's."""


def joined(pieces: Sequence[bytes | memoryview]) -> bytes:
    """What is sent in pieces, as it comes."""
    return b"".join(pieces)


def written(pickled: bytes) -> bytes:
    """What is sent for a pickle without bodies beside it."""
    return struct.pack("<QQ", 1, len(pickled)) + pickled


class PackingTests(SynchronousTestCase):
    """Values as bytes, and back."""

    def test_values(self) -> None:
        """Functions come back as what they are, and values as equal ones."""
        bucket = Bucket("s3v", "bucket", "testuser", 5)
        for what in ((ask, ("latest", (bucket, "key"))), {"a": {1, 2}}, b"body"):
            self.assertEqual(unpacked(joined(packed(what))), what)

    def test_bodies(self) -> None:
        """Bodies come as they are, in bytes of their own, those that are sent beside the pickle without a copy, too."""
        for length in (0, 1, LARGE - 1, LARGE, 1 << 20):
            bodies = [bytes([number]) * length for number in range(3)]
            sent = [Content(body, seal=f"{length}") for body in bodies]
            pieces = packed(sent)
            self.assertEqual(len(pieces), 5 if length >= LARGE else 2)
            data = bytearray(joined(pieces))
            found = unpacked(data)
            data[:] = bytes(len(data))
            self.assertEqual(found, sent)
            self.assertEqual({type(each.body) for each in found}, {bytes})
        self.assertEqual(unpacked(joined(packed(Content()))), Content())

    def test_cut_short(self) -> None:
        """What is no such bytes is refused, whatever it says of its lengths."""
        whole = joined(packed([Content(b"x" * LARGE)]))
        broken = [whole[:end] for end in (0, 7, 8, 30, 60)]
        broken += [b"\xff" * 64, bytes(8), struct.pack("<QQ", 1, 1 << 60)]
        refused = EOFError, IndexError, pickle.UnpicklingError, struct.error
        for data in broken:
            self.assertRaises(refused, unpacked, data)  # type: ignore[arg-type]

    def test_foreign(self) -> None:
        """What is not ozgate's is neither found nor called, also where a module of ozgate has imported it, or by way of what is."""
        named = [
            (b"os", b"system"),
            (b"builtins", b"eval"),
            (b"builtins", b"getattr"),
            (b"ozgatelike", b"f"),
            (b"ozgate.blobs.files.syscalls", b"os.system"),
            (b"ozgate.blobs.files.blobfile", b"suppress"),
        ]
        for module, name in named:
            called = b"\x80\x04\x8c%c%b\x8c%c%b\x93)R." % (
                *(len(module), module),
                *(len(name), name),
            )
            self.assertRaises(pickle.UnpicklingError, unpacked, written(called))
        self.assertRaises(pickle.UnpicklingError, unpacked, joined(packed(foreign)))

    def test_errors(self) -> None:
        """Errors come as themselves, with all that their readers ask of them."""
        refused = PreconditionFailed(Condition="If-Match")
        refused.headers.append(("x-amz-delete-marker", "true"))
        refused.source = ("s3v", "real")
        damaged = Damaged("a row", "metadata", "bucket")
        sent = (refused, damaged, NoSpace("full"), KeyError("key"))
        for error in sent:
            (outcome,) = unpacked(joined(packed_answer(1, [(False, error)])))[1]
            self.assertIs(type(outcome[1]), type(error))
            self.assertEqual(str(outcome[1]), str(error))
            self.assertEqual(vars(outcome[1]), vars(error))

    def test_what_cannot_be_sent(self) -> None:
        """Of outcomes one that cannot be sent is an error of the store, which says whether it may have been done; the others come."""
        lasting = ValueError(Lock())
        odd = AdminError("Code", "made of more than it says")
        answer = [(True, 1), (True, Lock()), (False, lasting), (False, Refused("no"))]
        answer.append((False, odd))
        now, outcomes = unpacked(joined(packed_answer(7, answer)))
        self.assertEqual((now, outcomes[0]), (7, (True, 1)))
        kinds = [type(error) for _, error in outcomes[1:]]
        self.assertEqual(kinds, [Uncertain, Unavailable, Refused, Unavailable])
        self.assertEqual([done for done, _ in outcomes[1:]], [False] * 4)


class SentTests(SynchronousTestCase):
    """The worker's end, in a reactor that is none."""

    def setUp(self) -> None:
        """Join it."""
        self.clock = MemoryReactorClock()
        self.times: list[int] = []
        self.sent = WritesSent(self.clock, self.times.append)
        ours, theirs = ends(self)
        self.sent.join(ours)
        self.other = Frames(theirs)

    def frames(self) -> list[Any]:
        """What was sent since it was asked last, by the numbers of the frames."""
        return [(number, unpacked(sent)) for number, sent in self.other.received()]

    def answer(self, number: int, *outcomes: tuple[bool, Any]) -> None:
        """Have a frame answered."""
        self.other.send(number, packed_answer(5, outcomes))
        self.assertIsNone(self.sent.doRead())

    def lose(self) -> None:
        """Have the other end go."""
        self.other.close()
        why = self.sent.doRead()
        self.assertIsInstance(why, ConnectionDone | ConnectionLost)
        self.sent.connectionLost(Failure(why))

    def test_one_turn(self) -> None:
        """What is asked for in one turn goes in one frame; what came of each is told, after the store's time."""
        one, two = self.sent.put(ask, ("now",)), self.sent.put(add_volume, ("v",))
        self.assertEqual(self.frames(), [])
        self.clock.advance(0)
        sent = [(1, [(ask, ("now",)), (add_volume, ("v",))])]
        self.assertEqual(self.frames(), sent)
        self.assertNoResult(one)
        one.addCallback(lambda _: self.assertEqual(self.times, [5]))
        self.answer(1, (True, 3), (False, Refused("no")))
        self.successResultOf(one)
        self.failureResultOf(two, Refused)

    def test_connection_lost(self) -> None:
        """What was sent may have been done, what was not was not, and nothing is taken any more; that is told once."""
        sent = self.sent.put(ask, ("now",))
        self.clock.advance(0)
        waiting = self.sent.put(ask, ("now",))
        self.assertNoResult(self.sent.lost)
        self.lose()
        self.failureResultOf(sent, Uncertain)
        self.failureResultOf(waiting, Unavailable)
        self.failureResultOf(self.sent.put(ask, ("now",)), Unavailable)
        self.successResultOf(self.sent.lost)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.clock.getReaders(), [])

    def test_leaving(self) -> None:
        """Whoever leaves has all answered first, and nobody is told that the other end is lost."""
        write = self.sent.put(ask, ("now",))
        left = self.sent.leave()
        self.failureResultOf(self.sent.put(ask, ("now",)), Unavailable)
        self.clock.advance(0)
        self.assertNoResult(left)
        self.assertEqual(len(self.frames()), 1)
        self.answer(1, (True, 3))
        self.successResultOf(write)
        self.successResultOf(left)
        self.assertRaises(EOFError, self.other.received)
        self.sent.connectionLost()
        self.assertNoResult(self.sent.lost)
        self.successResultOf(self.sent.leave())

    def test_lost_while_leaving(self) -> None:
        """Whoever leaves is told when the other end goes in between."""
        write = self.sent.put(ask, ("now",))
        left = self.sent.leave()
        self.lose()
        self.failureResultOf(write, Unavailable)
        self.successResultOf(left)

    def test_not_to_be_sent(self) -> None:
        """Values that cannot be sent fail by themselves."""
        bad = self.sent.put(ask, (Lock(),))
        good = self.sent.put(ask, ("now",))
        self.clock.advance(0)
        self.failureResultOf(bad, TypeError)
        self.assertEqual(self.frames(), [(1, [(ask, ("now",))])])
        self.assertNoResult(good)
        alone = self.sent.put(ask, (Lock(),))
        self.clock.advance(0)
        self.failureResultOf(alone, TypeError)
        self.assertEqual(self.frames(), [])

    def test_bounded(self) -> None:
        """There are never more under way than so many; the others follow as answers come."""
        for _ in range(UNDER_WAY + 10):
            self.sent.put(ask, ("now",))
        self.clock.advance(0)
        self.clock.advance(0)
        ((_, first),) = self.frames()
        self.assertEqual(len(first), UNDER_WAY)
        self.answer(1, *[(True, 1)] * UNDER_WAY)
        self.clock.advance(0)
        ((_, rest),) = self.frames()
        self.assertEqual(len(rest), 10)

    def test_no_answer(self) -> None:
        """What is no answer ends the connection: what was asked for may have been done."""
        write = self.sent.put(ask, ("now",))
        self.clock.advance(0)
        self.other.send(1, [b"nothing"])
        self.sent.connectionLost(Failure(self.sent.doRead()))
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.failureResultOf(write, Uncertain)

    def test_no_room(self) -> None:
        """What the other end does not take at once goes when it does; it is not waited for."""
        bodies = [bytes([number]) * ROOM for number in range(3)]
        for body in bodies:
            self.sent.put(ask, ("now", (body,)))
        self.clock.advance(0)
        self.assertEqual(self.clock.getWriters(), [self.sent])
        kept: list[Any] = []
        while not kept:
            kept += self.frames()
            self.assertIsNone(self.sent.doWrite())
        self.assertEqual(kept, [(1, [(ask, ("now", (body,))) for body in bodies])])
        self.assertEqual(self.clock.getWriters(), [])


class ServedTests(SynchronousTestCase):
    """A worker, as the thread that writes has it."""

    def setUp(self) -> None:
        """Join it."""
        ours, theirs = ends(self)
        self.ended: list[bool] = []
        self.served = Served(ours, lambda: self.ended.append(True))
        self.other = Frames(theirs)

    def turns(self, number: int, *interactions: Any) -> list[Turn]:
        """Have it receive a frame."""
        self.other.send(number, packed(list(interactions)))
        return self.served.turns()

    def answers(self) -> list[tuple[int, Any]]:
        """What was answered."""
        return [(number, unpacked(told)) for number, told in self.other.received()]

    def test_answered(self) -> None:
        """A frame is answered once all of it is over, with the store's time."""
        (one,) = self.turns(1, (ask, ("now",)), (add_volume, ("v",)))
        (two,) = self.turns(2, (ask, ("now",)))
        self.assertEqual(one.interactions, [(ask, ("now",)), (add_volume, ("v",))])
        self.assertFalse(one.came(True, 1))
        self.assertTrue(one.came(False, Refused("no")))
        self.assertTrue(two.came(True, 3))
        self.assertTrue(two.answer(9))
        self.assertTrue(one.answer(10))
        (number, second), (last, (now, outcomes)) = self.answers()
        self.assertEqual((number, second), (2, (9, [(True, 3)])))
        self.assertEqual((last, now, outcomes[0]), (1, 10, (True, 1)))
        self.assertIsInstance(outcomes[1][1], Refused)

    def test_gone(self) -> None:
        """A worker that has gone is not answered, and what it asked for before goes on."""
        self.other.send(1, packed([(ask, ("now",))]))
        self.other.close()
        (turn,) = self.served.turns()
        self.assertFalse(self.served.has_ended)
        self.assertTrue(turn.came(True, 1))
        self.assertTrue(turn.answer(9))
        self.assertEqual(self.served.turns(), [])
        self.assertTrue(self.served.has_ended)
        self.assertTrue(turn.answer(9))
        self.served.close()
        self.assertEqual(self.ended, [True])

    def test_foreign(self) -> None:
        """Whoever sends what is not ozgate's, or no interactions, is left, and nothing of it is run."""
        self.assertEqual(self.turns(1, (ask, ("now",)), (foreign, ())), [])
        self.assertTrue(self.served.has_ended)
        self.assertEqual(len(self.flushLoggedErrors(pickle.UnpicklingError)), 1)
        self.assertEqual(self.turns(2, (ask,)), [])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_no_answer(self) -> None:
        """A worker that cannot be answered, as where there is no memory, is left."""
        (turn,) = self.turns(1, (ask, ("now",)))
        turn.came(True, 1)
        self.patch(serving, "packed_answer", lambda *_: 1 / 0)
        self.assertTrue(turn.answer(9))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.served.turns(), [])
        self.assertTrue(self.served.has_ended)
        self.assertRaises(EOFError, self.other.received)


class JoinedTests(TestCase):
    """Both ends, and a database."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Open the store of the process that writes, and of two workers."""
        self.writer = SQLiteMetadataStore(self.mktemp(), reactor)
        await started(self.writer)
        self.addCleanup(self.writer.close)
        self.commits: list[int] = []
        self.writer.watch_commits(self.commits.append)
        self.workers = [JoinedStore(self.writer) for _ in range(2)]
        for worker in self.workers:
            await worker.open()
            self.addCleanup(worker.close)

    async def test_one_commit(self) -> None:
        """What the process that writes and both workers ask for while a commit is under way is in the next one."""
        asked = [self.writer.write(ask, "now")]
        await deferLater(reactor, 0.0)
        for store in (*self.workers, self.writer) * 5:
            asked.append(store.write(ask, "now"))
        await DeferredList(asked)
        self.assertEqual(sum(self.commits), 16)
        self.assertLess(len(self.commits), 16)

    async def test_each_sees_the_others_writes(self) -> None:
        """What one worker's write has fired with is what the other reads next."""
        for number in range(20):
            one, two = self.workers[number % 2], self.workers[number % 2 - 1]
            await one.write(add_volume, f"v{number}")
            found = await two.read(ask, "volume", (f"v{number}",))
            self.assertIsInstance(found, Volume)

    async def test_slow(self) -> None:
        """A worker that takes no answers keeps nobody waiting, and has them all when it does."""
        name = "v" * (ROOM // 4)
        await self.writer.write(add_volume, name)
        ours, theirs = socket.socketpair()
        ended = self.writer.serve(theirs)
        slow = Frames(ours)
        for number in range(20):
            slow.send(number, packed([(ask, ("volume", (name,)))]))
        for store in (*self.workers, self.writer):
            await store.write(ask, "now")
        answered: list[int] = []
        while len(answered) < 20:
            slow.go_on()
            for number, payload in slow.received():
                ((succeeded, volume),) = unpacked(payload)[1]
                self.assertTrue(succeeded)
                self.assertEqual(volume.name, name)
                answered.append(number)
            await deferLater(reactor, 0.0)
        self.assertEqual(answered, list(range(20)))
        slow.close()
        await ended

    async def test_not_prepared_by_a_worker(self) -> None:
        """A worker does not prepare the database, and one that is closed before it is opened leaves nothing open."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        worker, _ = IWritesForOthers(self.writer).sending(ours)
        await self.assertFailure(worker.prepare(), Unavailable)
        await self.assertFailure(worker.write(ask, "now"), Unavailable)
        await worker.close()
        self.assertEqual(ours.fileno(), -1)

    async def test_close_of_the_writer(self) -> None:
        """When the process that writes closes, workers are told that it has gone; they read on."""
        worker = self.workers[0]
        await worker.write(add_volume, "v")
        await self.writer.close()
        await worker.lost
        self.assertIsInstance(await worker.read(ask, "volume", ("v",)), Volume)
        await self.assertFailure(worker.write(ask, "now"), Unavailable)
        late, theirs = ends(self)
        await self.writer.serve(theirs)
        self.assertRaises(EOFError, Frames(late).received)
