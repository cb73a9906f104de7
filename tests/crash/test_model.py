"""Histories of requests, faults and crashes, drawn by Hypothesis: the gateway against the model.

A longer run: ``python -m tests.crash.model_run --minutes N``.
"""

from __future__ import annotations

import os
from typing import Any
from unittest import SkipTest

from attrs import evolve
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    get_state_machine_test,
    invariant,
    precondition,
    rule,
)
from twisted.trial.unittest import SynchronousTestCase

from ozgate.background.uploads import UploadExpiry
from tests.crash import drawing, tapping
from tests.crash.drawing import BUCKETS, Known
from tests.crash.model import Conditions
from tests.crash.object_operations import PutObject, PutObjectTagging
from tests.crash.operations import Operation
from tests.crash.sidebyside import SideBySide
from tests.crash.trouble import LOST, REFUSED, TROUBLES, Trouble, possible
from tests.crash.upload_operations import ListObjectsV2

DATA = st.data()


class GatewayMachine(SideBySide, RuleBasedStateMachine):
    """What may happen, as rules."""

    def teardown(self) -> None:
        """The end: all that must hold, also after the process died at rest."""
        try:
            if not self.site.is_open:
                return
            self.make_room()
            self.verify()
            self.restart()
            self.sweep()
            self.verify()
            self.check_database()
        finally:
            self.close()

    @invariant()
    def listed(self) -> None:
        """A list shows what the model holds, and what is counted is what is there."""
        for bucket in BUCKETS:
            operation = ListObjectsV2(bucket=bucket)
            outcome = self.heard(operation)
            assert outcome == operation.meant(self.models[0]), (bucket, outcome)
        self.check_usage()

    @rule(data=DATA, trouble=TROUBLES, sweeping=st.booleans())
    def several(self, data: Any, trouble: Trouble, sweeping: bool) -> None:
        """Two or three requests at once, of which one begins an upload at most."""
        count = data.draw(st.integers(2, 3))
        kinds = drawing.ON_OBJECTS + (drawing.ON_UPLOADS * 2 if self.uploads else ())
        operations = [
            data.draw(st.sampled_from(kinds))(data.draw, self.known)
            for _ in range(count)
        ]
        self.ask(operations, trouble, sweeping)

    @rule(data=DATA, trouble=TROUBLES)
    def begins(self, data: Any, trouble: Trouble) -> None:
        """An upload begins."""
        self.one(drawing.create_upload, data, trouble)

    @rule(data=DATA)
    def pages(self, data: Any) -> None:
        """A listing, page after page."""
        asked: Any = drawing.listing(data.draw, self.known)
        while True:
            answer = self.clock.until(self.begin(asked))
            expected = asked.meant(self.models[0])
            assert asked.heard(answer, {}) == expected, (asked, answer, expected)
            if expected.code or not expected.says[2]:
                break
            asked = asked.following(self.models[0], answer)

    @precondition(lambda self: not self.disk.full)
    @rule()
    def sweep(self) -> None:
        """The reaper finds everything that has no name, and takes nothing else."""
        self.pass_to(self.highest + 1)
        self.site.sweep()
        with self.database() as connection:
            named = {
                row[0]
                for row in connection.execute("SELECT blob FROM extents").fetchall()
            }
            assert connection.execute("SELECT * FROM doomed").fetchall() == []
        assert self.site.blob_ids() == named

    @precondition(lambda self: not self.disk.full)
    @rule()
    def expire(self) -> None:
        """Uploads expire, those in progress and those that are completed."""
        self.pass_to(self.highest + 1)
        gateway = self.site.gateway
        expiry = UploadExpiry(gateway.metadata, self.clock, "test", 0.0, 1.0)
        expiry.running = 1
        self.clock.until(expiry.work())
        for each in self.models:
            each.uploads = {}

    @rule(again=st.integers(0, 30))
    def dies(self, again: int) -> None:
        """The process dies while nothing is under way, and again while it starts."""
        self.restart(again=again)
        self.verify()

    @rule(full=st.booleans(), steps=st.integers(1, 6))
    def fills(self, full: bool, steps: int) -> None:
        """The disk is full, or almost full, for a few steps."""
        self.disk.full = full
        self.set_low(not full)
        self.until_room = steps

    @rule(seconds=st.sampled_from((1.0, -1.0, 3600.0, -3600.0, 86400.0, -86400.0)))
    def jumps(self, seconds: float) -> None:
        """The clock is set, either way."""
        self.highest = max(self.highest, self.clock.seconds())
        self.clock.rightNow += seconds

    def pass_to(self, moment: float) -> None:
        """Time passes."""
        self.clock.rightNow = self.highest = max(moment, self.clock.seconds() + 1)

    def one(self, kind: Any, data: Any, trouble: Trouble) -> None:
        """One request."""
        self.ask([kind(data.draw, self.known)], trouble)

    @property
    def known(self) -> Known:
        """What operations are drawn from."""
        return Known(self.models[0], self.uploads)


def _rule_for(kind: Any, needs_upload: bool) -> Any:
    """A rule for one kind of request."""

    def asks(self: GatewayMachine, data: Any, trouble: Trouble) -> None:
        self.one(kind, data, trouble)

    asks.__name__ = asks.__qualname__ = f"asks_{kind.__name__}"
    if needs_upload:
        asks = precondition(lambda self: bool(self.uploads))(asks)
    return rule(data=DATA, trouble=TROUBLES)(asks)


for _kind in drawing.ON_OBJECTS:
    setattr(GatewayMachine, _kind.__name__, _rule_for(_kind, False))
for _kind in drawing.ON_UPLOADS:
    setattr(GatewayMachine, _kind.__name__, _rule_for(_kind, True))


SEED = 20261122

EXAMPLES = 16
"""Histories in a test run."""

STEPS = 40
"""Rules in a history."""


def profile(examples: int, steps: int = STEPS, shrink: bool = True) -> settings:
    """How many histories, of how many rules; whether one that fails is made short."""
    phases = (Phase.generate, *([Phase.shrink] if shrink else []))
    return settings(
        phases=phases,
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        report_multiple_bugs=False,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def run_histories(number: int, settings: settings) -> None:
    """Run the histories of a seed; one that fails is printed, as a program."""
    seed(number)(get_state_machine_test(GatewayMachine, settings=settings))()


class ModelCase(SynchronousTestCase):
    """A test with a disk that can be tapped."""

    def setUp(self) -> None:
        """Skip where SQLite cannot be tapped."""
        if reason := tapping.unavailable():
            raise SkipTest(reason)


class ModelTests(ModelCase):
    """The gateway against the model."""

    def test_histories(self) -> None:
        """Whatever is asked, fails, fills or dies: the gateway holds and says what the model does.

        ``python -m tests.crash.model_run --rounds 1 --seed 20261122 --examples 16`` does the same, and makes a history that
        fails short.
        """
        # Each request that failed with its disk is logged.
        self.addCleanup(self.flushLoggedErrors)
        run_histories(SEED, profile(EXAMPLES, shrink=False))


class FoundTests(ModelCase):
    """What histories found, each as a short one."""

    def setUp(self) -> None:
        """A gateway and its model."""
        super().setUp()
        self.both = SideBySide()
        self.addCleanup(self.both.close)
        self.addCleanup(self.flushLoggedErrors)

    def test_commit_in_doubt(self) -> None:
        """What reads find undone after a commit failed stays so when the process dies."""
        struck = True
        for at in range(1, 40):
            tags = {"n": str(at)}
            asked = PutObjectTagging(bucket="one", key="a", tags=tags)
            before = self.both.done["error in mid-request"]
            self.both.ask([asked], Trouble("error", at, done=1))
            struck = self.both.done["error in mid-request"] > before
            self.both.restart()
            self.both.verify()
        self.assertFalse(struck)

    def test_dies_while_the_disk_is_full(self) -> None:
        """On a full disk the process starts again, and reads."""
        self.both.disk.full = True
        self.both.restart()
        self.both.verify()


class BrokenTests(ModelCase):
    """The comparison finds what is wrong, each kind of it: a check that cannot fail is worth nothing."""

    def setUp(self) -> None:
        """A gateway and its model, which agree."""
        super().setUp()
        self.both = SideBySide()
        self.addCleanup(self.both.close)
        self.both.verify()

    def assert_found(self) -> None:
        """They do not agree any more."""
        with self.assertRaises(AssertionError):
            self.both.verify()

    def break_rows(self, statement: str) -> None:
        """Change rows behind the gateway."""
        with self.both.database() as connection, connection:
            self.assertGreater(connection.execute(statement).rowcount, 0)

    def test_lost(self) -> None:
        """An acknowledged object that is gone."""
        self.break_rows("DELETE FROM versions WHERE key = 'a'")
        self.assert_found()

    def test_other_traits(self) -> None:
        """Tags that nobody set."""
        self.both.clock.until(
            self.both.begin(PutObjectTagging(bucket="one", key="a", tags={"x": "y"}))
        )
        self.assert_found()

    def test_lost_part(self) -> None:
        """An acknowledged part that is gone."""
        self.break_rows("DELETE FROM parts")
        self.assert_found()

    def test_miscounted(self) -> None:
        """A bucket whose use is not what is in it."""
        self.break_rows("UPDATE buckets SET used_bytes = used_bytes + 1")
        self.assert_found()

    def test_lost_bytes(self) -> None:
        """A blob that is gone."""
        self.addCleanup(self.flushLoggedErrors)
        for name in self.both.site.blob_ids():
            os.unlink(f"{self.both.site.folder}/blobs/data/{name[-2:]}/{name}")
        self.assert_found()

    def test_done_though_refused(self) -> None:
        """A write that was done and answered 503."""
        put = PutObject(bucket="one", key="b", body=b"refused")
        self.both.clock.until(self.both.begin(put))
        self.both.models = possible(self.both.models, [put], [REFUSED])
        self.assert_found()

    def test_half_done(self) -> None:
        """Of two writes without an answer either, both or none may have been done, but none by half."""
        puts = [PutObject(bucket="one", key=key, body=b"lost") for key in "ab"]
        self.both.models = possible(self.both.models, puts, [LOST, LOST])
        self.assertEqual(len(self.both.models), 4)
        half = evolve(puts[0], tags={"half": "done"})
        self.both.clock.until(self.both.begin(half))
        self.assert_found()

    def test_wrong_order(self) -> None:
        """Answers that no order of the requests explains."""
        creating = Conditions(if_none_match=True)
        puts: list[Operation] = [
            PutObject(bucket="one", key="b", body=body, conditions=creating)
            for body in (b"one", b"two")
        ]
        both_won = [put.meant(self.both.models[0].copy()) for put in puts]
        self.assertEqual(possible(self.both.models, puts, both_won), [])
