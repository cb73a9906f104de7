"""Reads of workers, as the reaper of their parent sees them."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from ozgate.content.sharedreaders import ParentsReaders, WorkersReaders
from ozgate.wire.ledger import Ledger, make


class SharedReadersTests(SynchronousTestCase):
    """A parent and two workers."""

    def setUp(self) -> None:
        """Their readers."""
        fd = make(2)
        self.addCleanup(os.close, fd)
        self.parent = ParentsReaders(Ledger(fd, 2))
        self.one, self.other = (WorkersReaders(Ledger(fd, 2, row)) for row in range(2))

    def test_oldest(self) -> None:
        """The parent knows of a read as it begins, wherever that is; never of a later one in the place of an older."""
        self.assertIsNone(self.parent.oldest())
        first = self.one.enter(20)
        self.assertEqual(self.parent.oldest(), 20)
        second = self.other.enter(10)
        self.assertEqual(self.parent.oldest(), 10)
        own = self.parent.enter(5)
        self.assertEqual(self.parent.oldest(), 5)
        self.parent.leave(own)
        self.other.leave(second)
        self.assertEqual(self.parent.oldest(), 20)
        self.one.leave(first)
        self.assertIsNone(self.parent.oldest())

    def test_many(self) -> None:
        """While one read follows the other, what is told may be older than what is true, until it is told anew; never younger."""
        first = self.one.enter(10)
        second = self.one.enter(20)
        earlier = self.one.enter(7)
        self.assertEqual(self.parent.oldest(), 7)
        self.one.leave(earlier)
        self.one.leave(first)
        self.assertEqual(self.parent.oldest(), 7)
        self.one.tell()
        self.assertEqual(self.parent.oldest(), 20)
        self.one.leave(second)
        self.assertIsNone(self.parent.oldest())
