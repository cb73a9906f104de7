"""Threads that work for the reactor's."""

from __future__ import annotations

import gc
import threading
import weakref
from queue import SimpleQueue
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Unavailable, forget_frames
from ozgate.service.threads import Threads


class Turns:
    """A reactor that threads can call; its turns are the test's doing."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Any, tuple[Any, ...]]] = SimpleQueue()

    def callFromThread(self, f: Any, *args: Any) -> None:
        """Have a function called in a turn."""
        self._calls.put((f, args))

    def turn(self) -> None:
        """Wait for a call, and make it."""
        f, args = self._calls.get(timeout=60)
        f(*args)


class ThreadsTests(SynchronousTestCase):
    """Functions in threads."""

    def setUp(self) -> None:
        """Two threads."""
        self.turns = Turns()
        reactor: Any = self.turns
        self.threads = Threads(reactor, 2)
        self.addCleanup(self.threads.stop)

    def test_result(self) -> None:
        """A function runs in another thread, and its result arrives in this one."""
        done = self.threads.run(lambda text: (text, threading.get_ident()), "said")
        self.assertNoResult(done)
        self.turns.turn()
        text, thread = self.successResultOf(done)
        self.assertEqual(text, "said")
        self.assertNotEqual(thread, threading.get_ident())

    def test_failure(self) -> None:
        """What a function raises its Deferred fails with."""
        done = self.threads.run(int, "no number")
        self.turns.turn()
        self.failureResultOf(done, ValueError)

    def test_cancelled(self) -> None:
        """A Deferred that was cancelled fails at once; what the function comes to later is nobody's."""
        begin = threading.Event()
        done = self.threads.run(begin.wait, 60)
        done.addErrback(lambda failure: failure.type.__name__)
        done.cancel()
        self.assertEqual(self.successResultOf(done), "CancelledError")
        begin.set()
        self.turns.turn()

    def test_stopped(self) -> None:
        """Stopping waits for what has begun; what comes later is not begun, and says nothing."""
        ran: list[str] = []
        self.threads.run(ran.append, "first")
        self.threads.stop()
        self.assertNoResult(self.threads.run(ran.append, "second"))
        self.assertEqual(ran, ["first"])

    def refuse_threads(self) -> None:
        """Let no thread begin, as where the operating system has a limit."""

        def refuse(_: Any) -> None:
            raise RuntimeError("can't start new thread")

        self.patches = self.patch(threading.Thread, "start", refuse)

    def test_no_more_threads(self) -> None:
        """Where no further thread can begin, those that are there do all the work."""
        begin = threading.Event()
        first = self.threads.run(begin.wait, 60)
        self.refuse_threads()
        second = self.threads.run(len, "four")
        self.assertNoResult(second)
        begin.set()
        self.turns.turn()
        self.turns.turn()
        self.assertTrue(self.successResultOf(first))
        self.assertEqual(self.successResultOf(second), 4)

    def test_no_thread(self) -> None:
        """Where none can, work fails, and is not done later either: what it is about is closed by then."""
        ran: list[str] = []
        self.refuse_threads()
        self.failureResultOf(self.threads.run(ran.append, "first"), Unavailable)
        self.patches.restore()
        second = self.threads.run(ran.append, "second")
        self.turns.turn()
        self.successResultOf(second)
        self.assertEqual(ran, ["second"])

    async def ask(self, work: Any, divisor: int) -> None:
        """Have a thread divide, as an operation would."""
        try:
            await self.threads.run(work, divisor)
        except ZeroDivisionError as error:
            forget_frames(error)

    def test_nothing_kept(self) -> None:
        """What was called, and with what, is freed without the help of the garbage collector, if it fails too."""

        class Work:
            def __call__(self, divisor: int) -> float:
                return 1 / divisor

        self.assertTrue(gc.isenabled())
        gc.disable()
        self.addCleanup(gc.enable)
        for divisor in (1, 0):
            work = Work()
            kept = weakref.ref(work)
            done = ensureDeferred(self.ask(work, divisor))
            del work
            self.turns.turn()
            self.successResultOf(done)
            del done
            # A thread lets go of its work when it takes up other.
            for _ in range(2):
                self.threads.run(int)
            for _ in range(2):
                self.turns.turn()
            self.assertIsNone(kept(), divisor)
