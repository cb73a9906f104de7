"""Turns at hashing, and the slices that one of them is for."""

from __future__ import annotations

import os
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.errors import SlowDown
from ozgate.gateway.turns import WAITING, Turns, Work
from ozgate.s3.perform.digesting import slices
from ozgate.values import ByteRange


def settings(at_once: int, of_one_user: int = 1, waiting: int = 0) -> Settings:
    """The limits."""
    return Settings(
        limit_hashing=at_once,
        limit_hashing_user=of_one_user,
        limit_hashing_waiting=waiting,
    )


class TurnsTests(SynchronousTestCase):
    """Who has the next turn.

    :ivar log: whose turns came, in order.
    """

    def begin(self, *limits: int) -> Turns:
        """Nobody is there."""
        self.log: list[str] = []
        self.refused: list[str] = []
        self.turns = Turns(settings(*limits), self.refused.append)
        return self.turns

    def join(self, name: str) -> Work:
        """A request whose user is its name's first letter asks for a turn."""
        work = self.turns.join(name[0])
        self.ask(work, name)
        return work

    def ask(self, work: Work, name: str) -> Deferred[Any]:
        """A request asks for its next turn."""
        return work.turn().addCallback(lambda _: self.log.append(name))

    def test_at_once(self) -> None:
        """As many turns are taken as may be, and whoever leaves makes room for the next."""
        self.begin(2)
        works = [self.join(name) for name in "abcd"]
        self.assertEqual((self.log, self.turns.in_flight), (["a", "b"], 2))
        self.assertEqual(self.turns.waiting, 2)
        works[0].leave()
        works[0].leave()
        self.assertEqual((self.log, self.turns.in_flight), (["a", "b", "c"], 2))
        for work in works[1:]:
            work.leave()
        self.assertEqual((self.turns.in_flight, self.turns.waiting), (0, 0))

    def test_of_one_user(self) -> None:
        """A user has some of the turns, be there nobody else."""
        self.begin(4, 2)
        works = [self.join(f"a{number}") for number in range(4)]
        self.assertEqual(self.log, ["a0", "a1"])
        self.join("b")
        self.assertEqual(self.log, ["a0", "a1", "b"])
        works[1].leave()
        self.assertEqual(self.log, ["a0", "a1", "b", "a2"])

    def test_users_take_turns(self) -> None:
        """However many requests a user has, every other one has as many turns; of a user's, the first goes on until it is through."""
        self.begin(1)
        crowd = {f"a{number}": self.join(f"a{number}") for number in range(20)}
        works = {**crowd, "b": self.join("b"), "c": self.join("c")}
        for _ in range(9):
            name = self.log[-1]
            self.ask(works[name], name)
        self.assertEqual(self.log, ["a0", "b", "c"] * 3 + ["a0"])
        works["a0"].leave()
        for _ in range(4):
            name = self.log[-1]
            self.ask(works[name], name)
        self.assertEqual(self.log[-5:], ["b", "c", "a1", "b", "c"])

    def test_users_keep_their_place(self) -> None:
        """A user of whom requests come all the time has turns all the same, and a newcomer before another of that user."""
        self.begin(1)
        works = {name: self.join(name) for name in ("b", "c", "a0")}
        for number in range(1, 10):
            works[f"a{number}"] = self.join(f"a{number}")
            name = self.log[-1]
            self.ask(works[name], name)
        self.assertEqual(self.log, [*["b", "c", "a0"] * 3, "b"])
        self.begin(1)
        first = self.join("a0")
        self.join("b")
        self.join("a1")
        first.leave()
        self.assertEqual(self.log, ["a0", "b"])

    def test_alone(self) -> None:
        """Who is alone goes on at once."""
        self.begin(1)
        work = self.join("a")
        self.assertTrue(self.ask(work, "a").called)
        self.assertEqual(self.log, ["a", "a"])

    def test_through_at_once(self) -> None:
        """Requests that are through as soon as their turn comes do not pile up on the stack."""
        self.begin(1)
        first = self.join("a")
        for number in range(2000):
            work = self.turns.join("b")
            work.turn().addCallback(
                lambda _, work=work, number=number: (
                    self.log.append(number),
                    work.leave(),
                )
            )
        first.leave()
        self.assertEqual(self.log, ["a", *range(2000)])
        self.assertEqual((self.turns.in_flight, self.turns.waiting), (0, 0))

    def test_given_up(self) -> None:
        """Who is cancelled while it waits is passed over."""
        self.begin(1)
        first = self.join("a")
        second = self.turns.join("b")
        waits = second.turn()
        waits.addErrback(lambda _: None)
        self.join("c")
        waits.cancel()
        second.leave()
        self.assertEqual(self.turns.waiting, 1)
        first.leave()
        self.assertEqual(self.log, ["a", "c"])

    def test_too_many(self) -> None:
        """One too many costs the user who has most of those that wait: the last of them, or the one that came."""
        self.begin(1, 1, 4)
        waits = {}
        works = {}
        for name in ("a0", "a1", "a2", "a3", "a4", "a5", "b0", "b1", "b2", "c0"):
            works[name] = self.turns.join(name[0])
            waits[name] = works[name].turn()
        refused = []
        for name, wait in waits.items():
            if wait.called and name != "a0":
                self.failureResultOf(wait, SlowDown)
                refused.append(name)
        self.assertEqual(refused, ["a2", "a3", "a4", "a5", "b2"])
        self.assertEqual((self.turns.waiting, self.refused), (4, [WAITING] * 5))

    def test_begun(self) -> None:
        """What has begun is not refused, whatever comes."""
        self.begin(1, 1, 1)
        works = {name: self.join(name) for name in ("a", "b")}
        self.ask(works["a"], "a")
        self.assertEqual(self.log, ["a", "b"])
        self.failureResultOf(self.turns.join("c").turn(), SlowDown)
        self.ask(works["b"], "b")
        self.assertEqual(self.log, ["a", "b", "a"])

    def test_taken_up(self) -> None:
        """Other limits hold from the next turn on."""
        turns = self.begin(1, 1, 1)
        self.join("a")
        self.join("b")
        turns.take_up(settings(3, 2, 0))
        for name in ("a", "a", "a", "b"):
            self.join(name)
        self.assertEqual(self.log, ["a", "b", "a"])

    def test_as_many_as_there_can_be(self) -> None:
        """0 is as many as there are cores, and as half of the threads; of a user half of that; waiting, any number."""
        for cores, threads, most, of_one_user in (
            *((1, 8, 1, 1), (2, 8, 2, 1), (3, 8, 3, 1)),
            *((4, 8, 4, 2), (64, 8, 4, 2), (64, 1, 1, 1)),
        ):
            self.patch(os, "sched_getaffinity", lambda _, n=cores: range(n))
            turns = self.turns = Turns(evolve(settings(0, 0), threads=threads))
            self.log = []
            for _ in range(10):
                self.join("a")
            self.assertEqual(turns.in_flight, of_one_user)
            for user in "bcde":
                self.join(user)
                self.join(user)
            self.assertEqual((turns.in_flight, turns.waiting), (most, 18 - most))


class SlicesTests(SynchronousTestCase):
    """Bytes in slices."""

    def test_whole(self) -> None:
        """Slices have every byte once, in order, and are of one size but for the last."""
        for offset, length in ((0, 0), (3, 1), (0, 10), (7, 10), (1, 11), (0, 30)):
            span = ByteRange(offset, length)
            found = list(slices(span, 10))
            joined = [at for piece in found for at in range(piece.offset, piece.end)]
            self.assertEqual(joined, list(range(span.offset, span.end)))
            sizes = [piece.length for piece in found]
            self.assertEqual(sizes[:-1], [10] * (len(sizes) - 1))
            self.assertTrue(all(0 < size <= 10 for size in sizes))
