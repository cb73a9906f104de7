"""Gateways that share a store: each shows life in it, one that is frozen is waited for, and one that is dead is not, after a while."""

from __future__ import annotations

from ozgate.background.longreads import BEAT, EVERY, SILENCE, LongReads, join
from ozgate.content.readers import MARGIN
from ozgate.content.unbroken import LEFT
from tests.unit.background.sweeping import WAIT
from tests.unit.background.test_longreads import OthersCase


class SharedTests(OthersCase):
    """Two gateways, each with a data folder of its own: ``gateway`` reaps, ``other`` reads."""

    def setUp(self) -> None:
        """Both show life."""
        super().setUp()
        self.long_reads = self.rounds("other")
        self.own = self.rounds("gateway")
        for each in self.own, self.long_reads:
            each.startService()
        self.addCleanup(self.end)
        self.clock.pump([EVERY] * 20)

    def rounds(self, process: str) -> LongReads:
        """Those of one of them."""
        readers = self.theirs if process == "other" else self.readers
        return LongReads(self.metadata, readers, self.clock, process, is_shared=True)

    def end(self) -> None:
        """Both end."""
        for each in self.own, self.long_reads:
            if each.running:
                self.successResultOf(each.stopService())

    def test_alive(self) -> None:
        """Both are known for as long as they live, by a write every half minute, and nothing is kept for them when they read nothing."""
        written = self.written()
        self.clock.pump([EVERY] * round(2 * SILENCE / EVERY))
        self.assertEqual({each.id for each in self.known()}, {"gateway", "other"})
        self.assertLessEqual(len(written), 2 * 2 * SILENCE / BEAT + 2)
        self.put("a")
        self.remove()
        self.clock.pump([EVERY] * round(WAIT / EVERY + 12))
        self.assertEqual(self.reap(), 1)

    def test_frozen(self) -> None:
        """What one of them was reading when it was frozen stays for most of an hour, also where the read had just begun and was not noted."""
        self.put("a")
        self.read()
        self.stop()
        self.remove()
        self.clock.pump([EVERY] * round((SILENCE - BEAT) / EVERY))
        self.assertEqual(self.reap(), 0)
        self.long_reads.startService()
        self.clock.pump([EVERY] * round(SILENCE / EVERY))
        self.assertEqual(self.reap(), 0, "it reads still")
        self.theirs._began.clear()
        self.clock.pump([EVERY] * 12)
        self.assertEqual(self.reap(), 1)

    def test_dead(self) -> None:
        """One that is silent for an hour is forgotten, with its leases; then nobody waits for it."""
        self.write("lease", "work", "other", 86_400)
        self.stop()
        self.put("a")
        self.remove()
        self.clock.pump([EVERY] * round((SILENCE + BEAT + 2 * EVERY) / EVERY))
        self.assertEqual([each.id for each in self.known()], ["gateway"])
        self.assertEqual(self.write("lease", "work", "gateway", 1), 2)
        self.assertEqual(self.reap(), 1)

    def test_thought_dead(self) -> None:
        """One that comes back after it was forgotten makes itself known again, as one that has just come: it reaps nothing for a while."""
        self.stop()
        self.clock.pump([EVERY] * round((SILENCE + BEAT + 2 * EVERY) / EVERY))
        self.long_reads.startService()
        [other] = [each for each in self.known() if each.id == "other"]
        self.assertEqual(other.since, self.now())
        self.assertEqual(other.reads_since, self.now() - MARGIN)

    def test_almost_dead(self) -> None:
        """One that comes back just before it is dead counts as one that has just come: others may have read what was known of it before, and go by that."""
        self.stop()
        before = {each.id: each for each in self.known()}["other"]
        self.clock.advance((before.noted_until - LEFT - self.now()) / 1000)
        self.long_reads.startService()
        after = {each.id: each for each in self.known()}["other"]
        self.assertEqual((after.since, before.since < after.since), (self.now(), True))

    def test_newcomer(self) -> None:
        """One that has come, and not noted anything yet, is nobody's to forget."""
        self.write(join, "new", "")
        self.clock.pump([EVERY] * round((SILENCE - EVERY) / EVERY))
        self.assertIn("new", {each.id for each in self.known()})
        self.clock.pump([EVERY] * 6)
        self.assertNotIn("new", {each.id for each in self.known()})
