"""What workers have under way, as each of their processes sees it."""

from __future__ import annotations

import os

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import SlowDown
from ozgate.gateway.sharedcounts import SharedMemory, SharedTally
from ozgate.wire.ledger import ALIVE, CONNECTIONS, READS, STALE, Ledger, make
from ozgate.wire.limits import ADDRESS, ALL, BYTES
from ozgate.wire.sharedlimits import SharedLimits


class LedgerCase(SynchronousTestCase):
    """A parent and two workers."""

    def setUp(self) -> None:
        """Their views of one memory."""
        fd = make(2)
        self.addCleanup(os.close, fd)
        self.parent = Ledger(fd, 2)
        self.one, self.other = (Ledger(fd, 2, row) for row in range(2))


class LedgerTests(LedgerCase):
    """Numbers."""

    def test_sums(self) -> None:
        """Everybody sees what each has written; the dead one's is wiped out, and no other's."""
        self.one.put(CONNECTIONS, 3)
        self.other.put(CONNECTIONS, 4)
        place = self.one.place_of("192.0.2.1")
        self.assertEqual(place, self.other.place_of("192.0.2.1"))
        self.one.count(place, 2)
        self.other.count(place, 1)
        for each in self.parent, self.one, self.other:
            self.assertEqual(each.total(CONNECTIONS), 7)
            self.assertEqual(each.of(1, CONNECTIONS), 4)
            self.assertEqual(each.counted(place), 3)
        self.parent.wipe(0)
        self.assertEqual(self.one.total(CONNECTIONS), 4)
        self.assertEqual(self.one.counted(place), 1)

    def test_oldest_read(self) -> None:
        """The oldest read is that of whoever has been reading longest; who does not read does not count."""
        self.assertIsNone(self.parent.oldest_read())
        self.one.put(READS, 1_700_000_000_002)
        self.assertEqual(self.parent.oldest_read(), 1_700_000_000_002)
        self.other.put(READS, 1_700_000_000_001)
        self.assertEqual(self.parent.oldest_read(), 1_700_000_000_001)
        self.parent.wipe(1)
        self.assertEqual(self.parent.oldest_read(), 1_700_000_000_002)

    def test_ahead(self) -> None:
        """Who has more connections than another that lives leaves the next to that; one more, or a sixteenth, is not more."""
        for own, others, is_ahead in (
            (1, 0, False),
            (2, 0, True),
            (0, 2, False),
            (32, 30, False),
            (34, 32, False),
            (36, 32, True),
        ):
            self.one.put(CONNECTIONS, own)
            self.other.put(CONNECTIONS, others)
            self.other.put(ALIVE, 1000)
            found = [self.one.is_ahead(1000 + late) for late in (0, STALE + 1)]
            self.assertEqual(found, [is_ahead, False], (own, others))

    def test_places(self) -> None:
        """Where an address is counted is another place after another start."""
        fd = make(1)
        self.addCleanup(os.close, fd)
        later = Ledger(fd, 1)
        hosts = [f"192.0.2.{n}" for n in range(20)]
        self.assertNotEqual(
            [self.one.place_of(each) for each in hosts],
            [later.place_of(each) for each in hosts],
        )


class SharedLimitsTests(LedgerCase):
    """Limits over both workers."""

    def setUp(self) -> None:
        """One of each worker."""
        super().setUp()
        self.refused: list[str] = []
        self.limits = [
            SharedLimits(each, self.refused.append) for each in (self.one, self.other)
        ]
        for each in self.limits:
            each.most, each.most_of_one = 4, 2

    def admits(self, limits: SharedLimits, address: object, own: int) -> bool:
        """Whether one more connection may be, to a worker that has so many."""
        return limits.admits(address, limits.everywhere(own))

    def test_all(self) -> None:
        """Connections are counted together."""
        one, other = self.limits
        one.note(1)
        other.note(2)
        self.assertTrue(self.admits(one, UNIXAddress(None), 1))
        one.note(2)
        self.assertFalse(self.admits(other, UNIXAddress(None), 2))
        other.note(1)
        self.assertTrue(self.admits(one, UNIXAddress(None), 2))
        self.assertEqual(self.refused, [ALL])

    def test_address(self) -> None:
        """So are those of an address."""
        one, other = self.limits
        address, another = (IPv4Address("TCP", f"192.0.2.{n}", 80) for n in (1, 2))
        one.opened(address)
        other.opened(address)
        self.assertFalse(self.admits(one, address, 1))
        self.assertTrue(self.admits(one, another, 1))
        other.closed(address)
        self.assertTrue(self.admits(one, address, 1))
        self.assertEqual(self.refused, [ADDRESS])


class CountsTests(LedgerCase):
    """Requests, and bytes of bodies."""

    def test_requests(self) -> None:
        """There are as many as all workers answer; each knows how many are its own."""
        one, other = SharedTally(self.one), SharedTally(self.other)
        one.in_flight += 2
        other.in_flight += 1
        self.assertEqual((one.in_flight, other.in_flight), (2, 1))
        self.assertTrue(one.is_full(3) and other.is_full(3))
        one.in_flight -= 1
        self.assertFalse(one.is_full(3) or other.is_full(3))

    def test_bytes(self) -> None:
        """What one worker holds in memory leaves less to the others, until it is let go of."""
        refused: list[str] = []
        one, other = (
            SharedMemory(each, 100, refused.append) for each in (self.one, self.other)
        )
        account = one.account(None, 60)
        account.take(60)
        with self.assertRaises(SlowDown):
            other.check(50)
        other.account(30, 30).take(30)
        with self.assertRaises(SlowDown):
            one.check(11)
        account.close()
        self.assertEqual((one.held, other.held), (0, 30))
        other.check(70)
        self.assertEqual(refused, [BYTES, BYTES])
