"""Tests of :mod:`ozgate.auth.accounts`: what may block is asked elsewhere, once for all, and never waited for long."""

from __future__ import annotations

import gc
from threading import Event, get_ident
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    ensureDeferred,
    maybeDeferred,
)
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.auth import accounts
from ozgate.auth.accounts import (
    AT_ONCE,
    KEPT,
    PATIENCE,
    RETRY,
    STALEST,
    Accounts,
    in_daemon_threads,
)
from ozgate.errors import Unavailable

STAFF = frozenset(("staff",))


def deferreds() -> int:
    """How many there are."""
    gc.collect()
    return sum(isinstance(each, Deferred) for each in gc.get_objects())


class AccountsTests(SynchronousTestCase):
    """Answers that come when the test says so."""

    def setUp(self) -> None:
        """An operating system of the test's."""
        self.clock = Clock()
        self.asked: list[tuple[str, Deferred[Any]]] = []
        self.accounts = Accounts(
            self.run_in_thread, self.clock, seconds=self.clock.seconds
        )

    def run_in_thread(self, f: Any, *args: Any) -> Deferred[Any]:
        """Take note of a question."""
        answer: Deferred[Any] = Deferred()
        self.asked.append((args[0], answer))
        return answer

    def groups(self, name: str = "alice") -> Deferred[frozenset[str]]:
        """Ask for the groups of a user."""
        return ensureDeferred(self.accounts.groups_of(name))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def test_one_question(self) -> None:
        """Whoever asks for the same meanwhile waits for the same answer, which is kept for a while and no longer."""
        first, second = self.groups(), self.groups()
        self.assertNoResult(first)
        [(name, answer)] = self.asked
        self.assertEqual(name, "alice")
        answer.callback(STAFF)
        for asked in (first, second, self.groups()):
            self.assertEqual(self.successResultOf(asked), STAFF)
        self.advance(KEPT)
        again = self.groups()
        self.assertEqual(len(self.asked), 2)
        self.asked[1][1].callback(frozenset())
        self.assertEqual(self.successResultOf(again), frozenset())

    def test_no_answer(self) -> None:
        """Without an answer a user is in no group after a while, and an answer that comes late holds from then on."""
        waiting = self.groups()
        self.advance(PATIENCE)
        self.assertEqual(self.successResultOf(waiting), frozenset())
        self.assertEqual(self.successResultOf(self.groups()), frozenset())
        self.asked[0][1].callback(STAFF)
        self.assertEqual(self.successResultOf(self.groups()), STAFF)

    def test_last_answer(self) -> None:
        """What was answered last holds while nothing is, but for an hour at most, and is asked for again meanwhile."""
        self.groups()
        self.asked[0][1].callback(STAFF)
        self.advance(KEPT)
        waiting = self.groups()
        self.asked[1][1].errback(OSError("no directory"))
        self.assertEqual(self.successResultOf(waiting), STAFF)
        self.assertEqual(self.successResultOf(self.groups()), STAFF)
        self.advance(RETRY)
        waiting = self.groups()
        self.assertEqual(len(self.asked), 3)
        self.advance(PATIENCE)
        self.assertEqual(self.successResultOf(waiting), STAFF)
        self.advance(STALEST)
        waiting = self.groups()
        self.advance(PATIENCE)
        self.assertEqual(self.successResultOf(waiting), frozenset())

    def test_forgotten(self) -> None:
        """What was asked before a reload is good for who waits for it, and is asked anew by the next."""
        waiting = self.groups()
        self.accounts.forget()
        self.asked[0][1].callback(STAFF)
        self.assertEqual(self.successResultOf(waiting), STAFF)
        again = self.groups()
        self.assertNoResult(again)
        self.asked[1][1].callback(frozenset())
        self.assertEqual(self.successResultOf(again), frozenset())

    def test_nothing_is_left_of_who_waited(self) -> None:
        """Nothing is held of those who gave up on an answer that never comes, or who went."""
        held = []
        for _ in range(3):
            waiting = [self.groups() for _ in range(10)]
            waiting[0].addErrback(lambda failure: failure.trap(CancelledError))
            waiting[0].cancel()
            self.advance(PATIENCE + RETRY)
            self.assertTrue(all(each.called for each in waiting))
            del waiting
            held.append(deferreds())
        self.assertEqual(len(self.asked), 1)
        # Some are the test runner's; ten more each time would be those who waited.
        self.assertLess(held[2] - held[0], 10)

    def test_bounds(self) -> None:
        """So many questions are asked at a time, and so many answers kept."""
        self.patch(accounts, "MOST_KEPT", 3)
        waiting = [self.groups(f"user-{n}") for n in range(AT_ONCE + 1)]
        self.assertEqual(len(self.asked), AT_ONCE)
        for n in range(AT_ONCE + 1):
            self.asked[n][1].callback(STAFF)
        for each in waiting:
            self.assertEqual(self.successResultOf(each), STAFF)
        before = len(self.asked)
        self.groups(f"user-{AT_ONCE}")
        self.assertEqual(len(self.asked), before)
        self.groups("user-0")
        self.assertEqual(len(self.asked), before + 1)

    def test_names(self) -> None:
        """Nobody is taken for another because the operating system does not say who he is."""
        waiting = ensureDeferred(self.accounts.name_of(1000))
        self.advance(PATIENCE)
        self.failureResultOf(waiting, Unavailable)
        found = Accounts(maybeDeferred, self.clock)
        self.assertEqual(self.successResultOf(ensureDeferred(found.name_of(0))), "root")


class ThreadTests(TestCase):
    """Real threads."""

    async def test_elsewhere(self) -> None:
        """One question that hangs holds up neither this thread nor another question; what goes wrong comes back."""
        free = Event()
        self.addCleanup(free.set)
        run = in_daemon_threads(reactor)
        hanging = run(free.wait)
        self.assertNotEqual(await run(get_ident), get_ident())
        self.assertNoResult(hanging)
        await self.assertFailure(run(int, "no number"), ValueError)
        free.set()
        self.assertTrue(await hanging)
