"""What the thread that writes is asked to do: nothing is forgotten, and nobody waits for what is there."""

from __future__ import annotations

from threading import Thread

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.workers.frames import Frames
from ozgate.metadata.workers.inbox import Inbox, Outcome, Write
from ozgate.metadata.workers.packing import packed, unpacked
from ozgate.metadata.workers.serving import Served
from ozgate.testing.metadata_base import ask
from tests.joined import ends

NOW = (ask, ("now",))
"""An interaction, and its values."""


def own() -> Write:
    """A write of this process."""
    return Write(Deferred(), *NOW)


class InboxTests(SynchronousTestCase):
    """An inbox, whose thread this one is."""

    def setUp(self) -> None:
        """Make it."""
        self.inbox = Inbox()
        self.ended: list[int] = []

    def worker(self, number: int = 1) -> Frames:
        """Have it serve a worker; gives the worker's end."""
        ours, theirs = ends(self)
        self.inbox.serve(Served(ours, lambda: self.ended.append(number)))
        return Frames(theirs)

    def test_own(self) -> None:
        """What this process asks for is taken in its order, all that is there, but no more lists than it takes to have enough."""
        one, two, three = own(), own(), own()
        for each in ([one, two], [three]):
            self.inbox.put(each)
        self.assertEqual(self.inbox.take(9), ([one, two, three], True))
        for each in ([one, two], [three]):
            self.inbox.put(each)
        self.assertEqual(self.inbox.take(1), ([one, two], True))
        self.assertEqual(self.inbox.take(1), ([three], True))

    def test_end(self) -> None:
        """What was asked for before the end is taken, and what comes after it is not."""
        one = own()
        self.inbox.put([one])
        self.inbox.end()
        self.inbox.put([own()])
        self.assertEqual(self.inbox.take(9), ([one], False))

    def test_workers(self) -> None:
        """What workers and this process ask for is taken together, and each is told of its own."""
        workers = [self.worker(), self.worker()]
        for number, worker in enumerate(workers):
            worker.send(7, packed([NOW] * (number + 1)))
        mine = own()
        self.inbox.put([mine])
        writes, _ = self.inbox.take(9)
        # The workers come by way of the queue, too.
        if len(writes) == 1:
            writes += self.inbox.take(9)[0]
        self.assertEqual(len(writes), 4)
        outcomes = [
            Outcome(each.done, True, value) for value, each in enumerate(writes)
        ]
        (ours,) = self.inbox.answered(outcomes, lambda: 5)
        self.assertIs(ours.done, mine.done)
        told = []
        for count, worker in enumerate(workers, 1):
            ((number, answer),) = worker.received()
            now, found = unpacked(answer)
            self.assertEqual((number, now, len(found)), (7, 5, count))
            told += [value for _, value in found]
        self.assertEqual(sorted([*told, ours.value]), [0, 1, 2, 3])

    def test_woken(self) -> None:
        """Where the thread waits for workers, it is woken for what its own process asks for, and by its end."""
        self.worker()
        found: list[Write] = []

        def take() -> None:
            more = True
            while more:
                writes, more = self.inbox.take(9)
                found.extend(writes)

        taking, mine = Thread(target=take, daemon=True), own()
        taking.start()
        self.inbox.put([mine])
        self.inbox.end()
        taking.join(60)
        self.assertFalse(taking.is_alive())
        self.assertEqual(found, [mine])
        self.inbox.close()
        self.assertEqual(self.ended, [1])

    def test_gone(self) -> None:
        """A worker that has gone is left, and the others are heard."""
        gone, stays = self.worker(1), self.worker(2)
        gone.close()
        stays.send(1, packed([NOW]))
        writes, _ = self.inbox.take(9)
        self.assertEqual(len(writes), 1)
        self.assertEqual(self.ended, [1])

    def test_late(self) -> None:
        """A worker that comes after the end is left."""
        self.inbox.end()
        late = self.worker()
        self.assertEqual(self.inbox.take(9), ([], False))
        self.inbox.close()
        self.assertEqual(self.ended, [1])
        self.assertRaises(EOFError, late.received)
