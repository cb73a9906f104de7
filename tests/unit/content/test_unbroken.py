"""Tests of :mod:`ozgate.content.unbroken`, with what a gateway notes of itself and others do when it falls silent."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.background.longreads import BEAT, EVERY, SILENCE, LongReads, join
from ozgate.content.readers import MARGIN, Readers
from ozgate.content.unbroken import FRESH, check_unbroken
from ozgate.errors import Unavailable
from ozgate.testing.memory_metadata import MemoryMetadataStore
from tests.started import started


class UnbrokenTests(SynchronousTestCase):
    """A gateway, and another one that shares its store."""

    def setUp(self) -> None:
        """Both come, and show life."""
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.metadata = MemoryMetadataStore(self.clock)
        self.successResultOf(started(self.metadata))
        self.readers = Readers("own")
        self.own, self.other = (
            LongReads(self.metadata, readers, self.clock, process, is_shared=True)
            for process, readers in (("own", self.readers), ("other", Readers()))
        )
        for process in ("own", "other"):
            self.successResultOf(self.metadata.write(join, process, ""))
        self.live(60, self.own, self.other)

    def live(self, seconds: float, *alive: LongReads) -> None:
        """Let time pass, in which some show life."""
        for _ in range(int(seconds // EVERY)):
            self.clock.advance(EVERY)
            for each in alive:
                self.successResultOf(Deferred.fromCoroutine(each.work()))

    def now(self) -> int:
        """The time, in milliseconds."""
        return int(self.clock.seconds() * 1000)

    def check(self, began: int, process: str = "own") -> None:
        """Name what was begun then."""
        named = self.metadata.write(check_unbroken, process, began)
        self.successResultOf(named)

    def assert_refused(self, began: int) -> None:
        """It is refused, as what was surely not done."""
        named = self.metadata.write(check_unbroken, "own", began)
        self.failureResultOf(named, Unavailable)

    def test_long(self) -> None:
        """What takes for hours is named, as long as its gateway shows life."""
        began = self.now()
        self.readers.enter(began - MARGIN)
        self.live(5 * 3600, self.own, self.other)
        self.check(began)

    def test_young(self) -> None:
        """What is young is named, whoever wrote it: a gateway of which nobody knows yet, too."""
        self.check(self.now(), "stranger")
        self.check(self.now() - FRESH + 1, "stranger")
        named = self.metadata.write(check_unbroken, "stranger", self.now() - FRESH)
        self.failureResultOf(named, Unavailable)

    def test_frozen(self) -> None:
        """What was begun before a gateway fell silent for long is not named: neither before it shows life again, nor after; what comes then is."""
        began = self.now()
        self.live(SILENCE + 2 * BEAT, self.other)
        self.assert_refused(began)
        self.live(EVERY, self.own)
        self.assert_refused(began)
        later = self.now()
        self.live(FRESH / 1000 + EVERY, self.own, self.other)
        self.assert_refused(began)
        self.check(later)

    def test_nobody_looked(self) -> None:
        """So it is where the others did not come to forget it, but only might have taken what it wrote for left over."""
        began = self.now()
        self.clock.advance(SILENCE + 1)
        self.live(EVERY, self.own)
        self.assert_refused(began)

    def test_short(self) -> None:
        """A gateway that is silent for some minutes names what it has."""
        began = self.now()
        self.live(FRESH / 1000 + 60, self.other)
        self.check(began)
