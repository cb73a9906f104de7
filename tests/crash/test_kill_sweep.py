"""A sample of the kill sweep, and what it would find."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest import SkipTest
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from tests.crash import kill_sweep
from tests.crash.gate import Gate
from tests.crash.kill_points import MIGRATION, SCRIPT_PLAN, START, Kill
from tests.crash.kill_sweep import Place
from tests.crash.tapping import unavailable
from tests.crash.workload import OPERATIONS
from tests.running import ROOT

SEED = 20261122


def python(*arguments: str) -> str:
    """What a Python without a reactor says, whose end must be good: processes are forked from it."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if ended.returncode:
        raise AssertionError(ended.stdout + ended.stderr)
    return ended.stdout


class KillSweepTests(SynchronousTestCase):
    """:mod:`tests.crash.kill_sweep`."""

    def setUp(self) -> None:
        """See that calls can be counted."""
        if reason := unavailable():
            raise SkipTest(reason)

    def test_sample(self) -> None:
        """Processes killed at calls drawn by lot leave folders in which every invariant holds."""
        said = python(
            "-m", "tests.crash.kill_sweep", "--count=24", f"--seed={SEED}", "--jobs=2"
        )
        self.assertIn("24 kill points", said)
        self.assertIn(" 0 invariants broken", said)

    def test_script(self) -> None:
        """The script has every operation, and calls of every kind, those of a checkpoint among them."""
        python("-c", f"from {__name__} import look_at_script; look_at_script()")

    def test_plans(self) -> None:
        """A call has the same number in every process, whatever it did before."""
        python("-c", f"from {__name__} import look_at_two; look_at_two()")

    def test_found(self) -> None:
        """An operation that was acknowledged and not done is found."""
        python("-c", f"from {__name__} import forget; forget()")

    def test_names(self) -> None:
        """A kill is found again by its name."""
        kill = Kill("migration2", 17, 0.5, 3)
        self.assertEqual(Kill.parse(str(kill)), kill)


def look_at_script() -> None:
    """In a process of its own: whether the plans are what they are said to be."""
    assert set(kill_sweep.SCRIPT) == {*OPERATIONS, "restart"}
    killing = Place(0).killing()
    plan = killing.plan(SCRIPT_PLAN)
    assert list(plan.names) == list(kill_sweep.SCRIPT)
    made = {(call.layer, call.kind) for call in plan.calls}
    blobs = {
        ("blobs", kind)
        for kind in "create_unnamed write sync sync_folder link unlink".split()
    }
    sqlite = {("sqlite", kind) for kind in "create write sync truncate unlink".split()}
    assert blobs | sqlite <= made, made
    # What a checkpoint writes goes to the database itself.
    writes = [call for call in plan.calls if call.kind == "write"]
    assert any(call.path.endswith("metadata.db") for call in writes)
    assert ("blobs", "mkdir") in {
        (call.layer, call.kind) for call in killing.plan(START).calls
    }


def look_at_two() -> None:
    """In a process of its own: whether a plan is the same whatever was tried before it."""
    killing = Place(0).killing()
    killing.plan(f"{MIGRATION}1")
    later = killing.plan(SCRIPT_PLAN).calls
    first = Place(0).killing().plan(SCRIPT_PLAN).calls
    assert [each.kind for each in later] == [each.kind for each in first]


def forget() -> None:
    """In a process of its own: a gateway that says it copied, and did not."""
    killing = Place(0).killing()
    plan = killing.plan(SCRIPT_PLAN)
    at = plan.marks[plan.names.index("copy")]
    assert not killing.kill(Kill(SCRIPT_PLAN, at)).broken
    real = kill_sweep.perform

    def perform(gate: Gate, name: str) -> None:
        if name == "copy":
            gate.loop.advance(86_400)
            gate.turn += 1
        else:
            real(gate, name)

    with patch.object(kill_sweep, "perform", perform):
        found = killing.kill(Kill(SCRIPT_PLAN, at))
    assert found.broken, found
    assert found.broken[0].startswith("I1"), found
