"""Threads that ask a cluster: deadlines, threads that do not come back, the end; with no cluster."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, get_ident
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import TestCase

from ozgate.errors import Refused, Unavailable, Uncertain
from ozgate.foreign.ozone.calls import WAITING, Calls, begin_change
from ozgate.values import ITSELF, OnBehalf

ALICE = OnBehalf("alice")


class Hours(Clock):
    """A clock that tests move; what threads say comes in the reactor's own."""

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        """As the reactor."""
        from twisted.internet import reactor

        reactor.callFromThread(function, *args)


class CallsTests(TestCase):
    """Calls of a pool of two threads, with a deadline of 10 seconds."""

    def setUp(self) -> None:
        """A pool."""
        self.clock = Hours()
        self.calls = Calls(self.clock, 2, 10.0)
        self.gates: list[Event] = []

    async def tearDown(self) -> None:
        """End the threads."""
        for each in self.gates:
            each.set()
        done = self.calls.stop(5.0)
        while not done.called:
            await self.turn()
        self.assertTrue(await done)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def turn(self) -> Deferred[None]:
        """Let threads and the reactor go on for a moment."""
        from twisted.internet import reactor

        return deferLater(reactor, 0.001)

    async def stuck(
        self, is_change: bool = False, what: Any = "late"
    ) -> tuple[Event, Deferred[Any]]:
        """A call that is begun, and comes back when its gate is opened."""
        begun, gate = Event(), Event()
        self.gates.append(gate)

        def wait() -> Any:
            begun.set()
            gate.wait()
            return what

        done = self.calls.run(wait, behalf=ITSELF, is_change=is_change)
        while not begun.is_set():
            await self.turn()
        return gate, done

    async def all_stuck(self) -> list[Event]:
        """Have every thread kept by a call of whose answer nobody wants to know."""
        for _ in range(2):
            _, done = await self.stuck()
            done.addErrback(lambda _: None)
        return self.gates

    async def test_answers(self) -> None:
        """What a function returns and raises comes back, from another thread."""
        where = await self.calls.run(get_ident, behalf=ITSELF)
        self.assertNotEqual(where, get_ident())

        def refuse(code: str) -> None:
            raise Refused(code, "so")

        refused = self.calls.run(refuse, "KEY_NOT_FOUND", behalf=ITSELF)
        error = await self.assertFailure(refused, Refused)
        self.assertEqual(error.code, "KEY_NOT_FOUND")

    async def test_on_behalf(self) -> None:
        """A thread asks for whom it was told, and for nobody after that, also after a failure."""
        now: dict[int, OnBehalf] = {}
        self.calls.set_identity(
            lambda behalf: now.__setitem__(get_ident(), behalf),
            lambda: now.pop(get_ident()),
        )
        self.assertEqual(
            await self.calls.run(lambda: now[get_ident()], behalf=ALICE), ALICE
        )
        broken = self.calls.run(lambda: 1 // 0, behalf=ALICE)
        await self.assertFailure(broken, ZeroDivisionError)
        self.assertEqual(now, {})

    async def test_nobody(self) -> None:
        """Where nobody may be asked for, nothing is called."""

        def refuse(behalf: OnBehalf) -> None:
            raise Refused("PERMISSION_DENIED")

        self.calls.set_identity(refuse, lambda: None)
        called: list[int] = []
        asked = self.calls.run(called.append, 1, behalf=OnBehalf())
        await self.assertFailure(asked, Refused)
        self.assertEqual(called, [])

    async def test_deadline(self) -> None:
        """A call that has not come back in time is answered: a change is uncertain, all else is not there now."""
        _, read = await self.stuck()
        _, change = await self.stuck(is_change=True)
        self.clock.advance(9.9)
        self.assertNoResult(read)
        self.clock.pump([0.5] * 2)
        await self.assertFailure(read, Unavailable)
        await self.assertFailure(change, Uncertain)

    async def test_change_later(self) -> None:
        """A call that says itself when it begins to change something is uncertain from then on; where its answer was given before, it is told not to."""
        told: list[bool] = []
        reached = [Event(), Event()]
        self.gates = [Event(), Event()]

        def change(number: int, is_early: bool) -> None:
            if is_early:
                told.append(begin_change())
            reached[number].set()
            self.gates[number].wait()
            if not is_early:
                told.append(begin_change())

        early = self.calls.run(change, 0, True, behalf=ITSELF)
        late = self.calls.run(change, 1, False, behalf=ITSELF)
        while not all(each.is_set() for each in reached):
            await self.turn()
        self.clock.pump([0.5] * 22)
        await self.assertFailure(early, Uncertain)
        await self.assertFailure(late, Unavailable)
        for each in self.gates:
            each.set()
        while self.calls._lost:
            await self.turn()
        self.assertEqual(told, [True, False])
        self.assertTrue(begin_change(), "outside of a call nobody waits")

    async def test_never_begun(self) -> None:
        """A change that waited for a thread until its deadline was surely not made, and is not made later."""
        gates = await self.all_stuck()
        made: list[int] = []
        waiting = self.calls.run(made.append, 1, behalf=ITSELF, is_change=True)
        self.clock.pump([0.5] * 22)
        await self.assertFailure(waiting, Unavailable)
        for each in gates:
            each.set()
        while self.calls._lost:
            await self.turn()
        await self.calls.run(lambda: None, behalf=ITSELF)
        self.assertEqual(made, [])

    async def test_all_lost(self) -> None:
        """Where no thread has come back the next call fails at once, and where one does they are made again."""
        gates = await self.all_stuck()
        self.clock.pump([0.5] * 22)
        await self.assertFailure(self.calls.run(int, behalf=ITSELF), Unavailable)
        gates[0].set()
        while self.calls._lost > 1:
            await self.turn()
        self.assertEqual(await self.calls.run(int, behalf=ITSELF), 0)

    async def test_too_many(self) -> None:
        """No more calls wait than have a chance to be made in time."""
        gates = await self.all_stuck()
        waiting = [self.calls.run(int, behalf=ITSELF) for _ in range(2 * WAITING)]
        await self.assertFailure(self.calls.run(int, behalf=ITSELF), Unavailable)
        for each in gates:
            each.set()
        self.assertEqual(await gatherResults(waiting), [0] * 2 * WAITING)

    async def test_released(self) -> None:
        """What an earlier call took is given back by a thread, for nobody."""
        now: list[OnBehalf] = []
        self.calls.set_identity(now.append, now.clear)
        await self.calls.run(int, behalf=ALICE)
        released = Event()
        self.calls.release(lambda: (1 // 0, None)[1])
        self.calls.release(released.set)
        while not released.is_set():
            await self.turn()
        self.assertEqual(now, [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_stopped(self) -> None:
        """A stop waits for what is under way, and takes nothing new."""
        gate, done = await self.stuck()
        stopped = self.calls.stop(5.0)
        await self.assertFailure(self.calls.run(int, behalf=ITSELF), Unavailable)
        self.assertNoResult(stopped)
        gate.set()
        self.assertEqual(await done, "late")
        self.assertTrue(await stopped)

    async def test_stopped_without_an_end(self) -> None:
        """A stop does not wait for what does not come back."""
        _, read = await self.stuck()
        _, change = await self.stuck(is_change=True)
        waiting = self.calls.run(int, behalf=ITSELF)
        stopped = self.calls.stop(5.0)
        self.clock.pump([0.5] * 11)
        self.assertFalse(await stopped)
        await self.assertFailure(read, Unavailable)
        await self.assertFailure(change, Uncertain)
        await self.assertFailure(waiting, Unavailable)
        for each in self.gates:
            each.set()
        while self.calls._lost:
            await self.turn()
