"""Work under a lease: in one term, or not at all."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.background.leased import Lease, Term
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import change
from ozgate.values import Claim

SECONDS = 30


def note(tx: IMetadataTransaction, name: str) -> str:
    """The work: note who did it."""
    tx.claim(Claim.setting("done"))
    done = (tx.setting("done") or b"").decode() + name
    tx.set_setting("done", done.encode())
    return done


class TermTests(SynchronousTestCase):
    """:class:`Term`, of two owners beside each other."""

    def setUp(self) -> None:
        """Open a store."""
        self.clock = Clock()
        self.metadata = MemoryMetadataStore(self.clock)
        self.successResultOf(self.metadata.open())

    def begin(self, owner: str) -> Term:
        """A piece of work."""
        return Lease("sweep", owner, SECONDS).begin()

    def work(self, term: Term, name: str) -> Any:
        """Do some of it."""
        working = Deferred.fromCoroutine(term.write(self.metadata, note, name))
        return self.successResultOf(working)

    def test_renewed(self) -> None:
        """Each transaction renews the lease: as long as they come in time, nobody else gets it."""
        ours, theirs = self.begin("a"), self.begin("b")
        for _ in range(3):
            self.assertTrue(self.work(ours, "a"))
            self.clock.advance(SECONDS - 1)
            self.assertIsNone(self.work(theirs, "b"))
        self.assertEqual(self.work(ours, "a"), "aaaa")

    def test_late(self) -> None:
        """Who comes after the end of the term, but before anybody else, goes on."""
        ours = self.begin("a")
        self.work(ours, "a")
        self.clock.advance(10 * SECONDS)
        self.assertEqual(self.work(ours, "a"), "aa")

    def test_lost(self) -> None:
        """Work that another came between does nothing any more, also when the other is done; a new piece of work may begin."""
        ours, theirs = self.begin("a"), self.begin("b")
        self.work(ours, "a")
        self.clock.advance(SECONDS)
        self.assertEqual(self.work(theirs, "b"), "ab")
        self.assertIsNone(self.work(ours, "a"))
        self.clock.advance(SECONDS)
        self.assertIsNone(self.work(ours, "a"))
        # Nor is the lease taken for it.
        self.assertEqual(self.work(theirs, "b"), "abb")
        self.clock.advance(SECONDS)
        self.assertEqual(self.work(self.begin("a"), "a"), "abba")

    def test_given_up(self) -> None:
        """What has ended holds nobody up, and whoever did not have it ends nothing."""
        ours, theirs = self.begin("a"), self.begin("b")
        self.work(ours, "a")
        for term in (theirs, ours):
            ended = Deferred.fromCoroutine(term.end(self.metadata))
            if term is theirs:
                self.successResultOf(ended)
                self.assertIsNone(self.work(theirs, "b"))
        self.successResultOf(ended)
        self.assertEqual(self.work(theirs, "b"), "ab")

    def test_taken_over_unused(self) -> None:
        """A lease that was only taken, and nothing done under it, is another's all the same."""
        ours = self.begin("a")
        self.work(ours, "a")
        self.clock.advance(SECONDS)
        for owner in ("b", "c"):
            self.successResultOf(
                self.metadata.write(change, "lease", ("sweep", owner, 0))
            )
        self.assertIsNone(self.work(ours, "a"))
