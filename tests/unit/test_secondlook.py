"""How an interaction claims what it has to find first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Absent, Overtaken
from ozgate.secondlook import claimed
from ozgate.values import Claim


class Claiming:
    """What a transaction does of claims.

    :ivar held: what was claimed.
    """

    def __init__(self, is_stale: bool, is_alone: bool = False) -> None:
        self.is_stale = is_stale
        self.is_alone = is_alone
        self.held: list[Claim] = []

    def claim(self, *claims: Claim) -> bool:
        """Hold them."""
        self.held += claims
        return self.is_stale


class ClaimedTests(SynchronousTestCase):
    """:func:`claimed`, of the number of what a name means."""

    def claimed(self, tx: Claiming, found: Sequence[int]) -> tuple[int, int]:
        """Claim what is found at each look.

        :return: what was found in the end, and how many looks are left.
        """
        looks: Any = iter(found)
        given: Any = tx
        result = claimed(
            given, lambda: self.look(looks), lambda n: (Claim.bucket(n // 10),)
        )
        return result, len(list(looks))

    def look(self, looks: Any) -> int:
        """Look; nothing is there where it is 0."""
        found: int = next(looks)
        if not found:
            raise Absent("gone")
        return found

    def test_alone(self) -> None:
        """Where nobody else writes, one look is all, and nothing is claimed."""
        tx = Claiming(is_stale=False, is_alone=True)
        self.assertEqual(self.claimed(tx, [11, 12]), (11, 1))
        self.assertEqual(tx.held, [])

    def test_one_look(self) -> None:
        """Where nothing can have changed, one look is all."""
        tx = Claiming(is_stale=False)
        self.assertEqual(self.claimed(tx, [11, 12]), (11, 1))
        self.assertEqual(tx.held, [Claim.bucket(1)])

    def test_looks_again(self) -> None:
        """Where something can have, what was found while it was held counts."""
        tx = Claiming(is_stale=True)
        self.assertEqual(self.claimed(tx, [11, 12]), (12, 0))
        self.assertEqual(tx.held, [Claim.bucket(1)])

    def test_overtaken(self) -> None:
        """What is found then has to be what was claimed."""
        with self.assertRaises(Overtaken):
            self.claimed(Claiming(is_stale=True), [11, 21])

    def test_gone(self) -> None:
        """What is gone by then is said to be gone."""
        with self.assertRaisesRegex(Absent, "gone"):
            self.claimed(Claiming(is_stale=True), [11, 0])
