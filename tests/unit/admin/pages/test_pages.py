"""What operators look at: health with a clock, reloads, and documents that name what there is."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.pages.conf import properties
from ozgate.admin.pages.health import KEPT, PATIENCE, Health, Probe
from ozgate.admin.pages.metrics import Metrics, Snapshot
from ozgate.admin.pages.reload import TAKEN_UP, Outcomes, Reload
from ozgate.config.settings import Settings, knobs
from ozgate.config.sitefile import ConfigurationError
from ozgate.content.stores import BlobStores
from ozgate.errors import Unavailable
from ozgate.gateway.onreload import ReloadingParts
from ozgate.gateway.report import Reports
from ozgate.gateway.tally import SECONDS, Spread, Tally
from ozgate.testing.memory_blobs import MemoryBlobStore
from tests.operations.support import make_gateway

ROOT = Path(__file__).parents[4]


class ProbeTests(SynchronousTestCase):
    """Asking one store."""

    def setUp(self) -> None:
        """A store that answers when the test has it."""
        self.clock = Clock()
        self.owed: list[Deferred[None]] = []

    def probe(self) -> Probe:
        """A probe of that store."""

        def ask() -> Deferred[None]:
            self.owed.append(Deferred())
            return self.owed[-1]

        return Probe("it", ask, self.clock)

    def test_answers(self) -> None:
        """A store that answers is well, and is asked anew each time."""
        probe = Probe("it", lambda: succeed(None), self.clock)
        for _ in range(2):
            asked = Deferred.fromCoroutine(probe.trouble())
            self.assertIsNone(self.successResultOf(asked))

    def test_fails(self) -> None:
        """A store that fails is unwell; why is for the log."""
        probe = Probe("it", lambda: fail(Unavailable("/secret/place")), self.clock)
        asked = Deferred.fromCoroutine(probe.trouble())
        self.assertEqual(self.successResultOf(asked), "it does not answer")

    def test_said_once(self) -> None:
        """However often somebody asks, the log says once what is wrong, and once that it is not any more."""
        answers = iter([Unavailable("down")] * 3 + [None] * 2)

        def ask() -> Deferred[None]:
            error = next(answers)
            return fail(error) if error is not None else succeed(None)

        probe = Probe("it", ask, self.clock)
        with capturedLogs() as captured:
            for _ in range(5):
                self.successResultOf(Deferred.fromCoroutine(probe.trouble()))
        said = [event["reason"] for event in captured if "reason" in event]
        self.assertEqual(said, ["down", "is well"])

    def test_hangs(self) -> None:
        """A store that hangs is unwell after a while, and is not asked again before it has answered."""
        probe = self.probe()
        asked = Deferred.fromCoroutine(probe.trouble())
        self.assertNoResult(asked)
        self.clock.advance(PATIENCE)
        self.assertEqual(self.successResultOf(asked), "it does not answer")
        again = Deferred.fromCoroutine(probe.trouble())
        self.assertEqual(self.successResultOf(again), "it does not answer")
        self.assertEqual(len(self.owed), 1)
        self.owed[0].callback(None)
        self.assertNoResult(Deferred.fromCoroutine(probe.trouble()))
        self.assertEqual(len(self.owed), 2)
        self.owed[1].callback(None)


class SlowBlobs(MemoryBlobStore):
    """A blob store that lists when the test has it."""

    def __init__(self, clock: MemoryReactorClock) -> None:
        super().__init__(clock)
        self.owed = deque[Deferred[Sequence[str]]]()

    def list(self, before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """Owe an answer."""
        self.owed.append(Deferred())
        return self.owed[-1]


class HealthTests(SynchronousTestCase):
    """The health of a gateway."""

    def setUp(self) -> None:
        """A gateway whose stores are not open yet."""
        self.clock = MemoryReactorClock()
        self.gateway = make_gateway(self.clock)
        self.health = Health(self.gateway)

    def troubles(self) -> list[str]:
        """What is wrong with it."""
        asked = Deferred.fromCoroutine(self.health.troubles())
        self.clock.pump([0.0] * 5)
        return self.successResultOf(asked)

    def test_stages(self) -> None:
        """A service that starts or stops is not ready, whatever its stores say; answers are kept for a while."""
        self.assertEqual(self.troubles(), ["the service is starting"])
        self.health.stage = "serving"
        unwell = ["the metadata store does not answer"]
        self.assertEqual(self.troubles(), unwell)
        self.successResultOf(self.gateway.metadata.open())
        self.assertEqual(self.troubles(), unwell)
        self.clock.advance(KEPT)
        self.assertEqual(self.troubles(), [])
        self.health.stage = "stopping"
        self.assertEqual(self.troubles(), ["the service is stopping"])

    def test_blob_stores(self) -> None:
        """Each blob store is asked; with several, the one that does not answer is named."""
        self.successResultOf(self.gateway.metadata.open())
        slow = SlowBlobs(self.clock)
        slow.name = "disk2"
        self.gateway.blobs = BlobStores(self.gateway.blobs.default, [slow])
        self.health = Health(self.gateway)
        self.health.stage = "serving"
        asked = Deferred.fromCoroutine(self.health.troubles())
        self.clock.pump([0.0] * 5)
        self.clock.advance(PATIENCE)
        unwell = ["the blob store disk2 does not answer"]
        self.assertEqual(self.successResultOf(asked), unwell)

    def test_together(self) -> None:
        """Those who ask at once wait for one examination, which goes on when one of them goes."""
        self.health.stage = "serving"
        self.successResultOf(self.gateway.metadata.open())
        blobs = SlowBlobs(self.clock)
        self.gateway.blobs = BlobStores(blobs)
        self.health = Health(self.gateway)
        self.health.stage = "serving"
        first = Deferred.fromCoroutine(self.health.troubles())
        second = Deferred.fromCoroutine(self.health.troubles())
        self.assertNoResult(first)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertNoResult(second)
        [owed] = blobs.owed
        owed.callback([])
        self.assertEqual(self.successResultOf(second), [])


class ReloadTests(SynchronousTestCase):
    """Reading the settings again."""

    def setUp(self) -> None:
        """A service, and the settings that it will read."""
        self.gateway = make_gateway(MemoryReactorClock())
        self.read = self.started_with = Settings()
        self.gateway.settings = self.started_with
        self.seen: list[Settings] = []

    def reload(self) -> Reload:
        """A reload of that service."""
        made = Reload(self.gateway, self.started_with, self.reread, ReloadingParts())
        made.follow(self.seen.append)
        return made

    def run_reload(self, reload: Reload) -> Outcomes:
        """What comes of it."""
        return self.successResultOf(Deferred.fromCoroutine(reload.run()))

    def reread(self) -> Settings:
        """What is read, or what is wrong with it."""
        return self.read

    def test_every_field(self) -> None:
        """A changed field is taken up if it is one of those, else it is kept as it was; it is said which."""
        other = {bool: lambda v: not v, int: lambda v: v + 1, float: lambda v: v + 1}
        for each in knobs():
            change = other.get(type(each.default), lambda v: type(v)(("x",)))
            if isinstance(each.default, str):
                changed: object = "x"
            else:
                changed = change(each.default)
            self.gateway.settings = self.started_with
            self.read = evolve(
                self.started_with,
                **{each.name: changed},
                origins={each.metadata["key"]: "-D"},
            )
            [(key, outcome)] = self.run_reload(self.reload())
            self.assertEqual(key, each.metadata["key"])
            taken_up = each.name in TAKEN_UP
            self.assertTrue(
                outcome.endswith("in force" if taken_up else "needs a restart"), outcome
            )
            in_force = changed if taken_up else each.default
            self.assertEqual(getattr(self.gateway.settings, each.name), in_force)
            [shown] = [
                p
                for p in properties(self.gateway.settings)
                if p.key == each.metadata["key"]
            ]
            self.assertEqual(shown.source, "-D" if taken_up else "default")

    def test_refused(self) -> None:
        """A part that refuses the new settings, or settings that cannot be read, leave everything as it was."""

        def refuse(settings: Settings) -> None:
            raise ValueError("no")

        reload = self.reload()
        reload.follow(refuse)
        self.read = evolve(self.started_with, max_keys=5)
        wrong = [("configuration", "failed, nothing changed: no")]
        self.assertEqual(self.run_reload(reload), wrong)
        self.assertEqual(self.gateway.settings, self.started_with)

        def fail_to_read() -> Settings:
            raise ConfigurationError("no")

        made = Reload(self.gateway, self.started_with, fail_to_read, ReloadingParts())
        self.assertEqual(self.run_reload(made), wrong)


class TallyTests(SynchronousTestCase):
    """Counting."""

    def test_bounds(self) -> None:
        """A value on a bound is in that bucket, one above the last bound in the one beyond."""
        spread = Spread(SECONDS)
        for value in (SECONDS[0], SECONDS[0] * 1.01, SECONDS[-1], SECONDS[-1] * 2):
            spread.add(value)
        self.assertEqual(spread.counts[:2], [1, 1])
        self.assertEqual(spread.counts[-2:], [1, 1])
        self.assertAlmostEqual(spread.total, SECONDS[0] * 2.01 + SECONDS[-1] * 3)


class ConfTests(SynchronousTestCase):
    """What is shown of the settings."""

    def test_passwords(self) -> None:
        """A password inside a URL is masked like a secret; the rest of it is shown."""
        settings = Settings(metadata_provider="postgres://user:pass@host/db")
        [shown] = [p for p in properties(settings) if p.key == "ozgate.metadata"]
        self.assertEqual(shown.value, "postgres://user:********@host/db")


class DocumentTests(SynchronousTestCase):
    """Documents against the code."""

    def test_metrics(self) -> None:
        """docs/metrics.md names every metric that there is, and no other."""
        gateway = make_gateway(MemoryReactorClock())
        metrics = Metrics(gateway, lambda: 0)
        metrics._snapshot = Snapshot((), {}, (0, 0))
        metrics._reports = Reports({}, Tally(), {}, 0)
        there = {
            family.name + ("_total" if family.type == "counter" else "")
            for family in metrics.collect()
        }
        text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
        self.assertEqual(set(re.findall(r"^\| `(ozgate_\w+)` ", text, re.M)), there)

    def test_taken_up(self) -> None:
        """docs/operations.md names every key that a reload takes up, and no other."""
        text = (ROOT / "docs" / "operations.md").read_text("utf-8")
        named = text.partition("<!-- begin: taken up -->")[2].partition("<!-- end")[0]
        keys = {e.metadata["key"] for e in knobs() if e.name in TAKEN_UP}
        self.assertEqual(set(re.findall(r"`([^`]+)`", named)), keys)
        self.assertEqual(len(keys), len(TAKEN_UP))
