"""What runs over PostgreSQL, in stages: tests that start servers of their own, whole suites of others (:mod:`tests.elsewhere`), and long runs."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest

from tests.engines.postgresql import programs, shared
from tests.engines.runs import Outcome, trial
from tests.running import ROOT

LONGEST = 7200.0
"""Seconds of a stage."""
SKIPPED = 3
"""What a run ends with that has not what it needs."""
ELSEWHERE = {"OZGATE_TEST_METADATA": "postgresql", "OZGATE_TEST_BLOBS": "s3"}


def run(asked: Any, tell: Callable[[str], None]) -> Outcome:
    """Run the stages that are asked for, or all; or some tests, over both engines where a stage is named; or a server to try things with."""
    try:
        programs()
        if asked.wait:
            return _wait(tell)
    except (SkipTest, RuntimeError) as error:
        tell(str(error))
        return Outcome(failed=1)
    if asked.tests:
        environment = ELSEWHERE if asked.only else {}
        return trial("", asked.tests, LONGEST, more=environment)
    outcome = Outcome()
    for stage in asked.only or STAGES:
        tell(f"stage {stage}")
        outcome += STAGES[stage]()
    return outcome


def _wait(tell: Callable[[str], None]) -> Outcome:
    tell(f"PostgreSQL is up: {shared().database()}")
    tell("Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
    return Outcome(passed=1)


def _contract() -> Outcome:
    """What starts servers of its own."""
    found = sorted(Path(ROOT, "tests", "contract").glob("test_postgresql*.py"))
    contract = [f"tests.contract.{each.stem}" for each in found]
    return trial("", [*contract, "tests.gateways"], LONGEST)


def _operations() -> Outcome:
    return trial("", ["-j2", "tests.operations"], LONGEST, more=ELSEWHERE)


def _clients() -> Outcome:
    return trial("", ["-j2", "tests.clients"], LONGEST, more=ELSEWHERE)


def _history() -> Outcome:
    return sum((history(each, 12) for each in ("one", "pair", "pgbouncer")), Outcome())


def history(database: str, troubles: int) -> Outcome:
    """A history of a minute, and of what troubles last; one that cannot be explained is a failure."""
    options = ("--database", database, "--clients", "9", "--troubles", str(troubles))
    return _module("linear_run", *options)


def _model() -> Outcome:
    """Three gateways against the model, with either engine of bytes."""
    return sum(
        (
            _module("model_run", "--rounds", "1", "--engine", engine)
            for engine in ("files", "s3")
        ),
        Outcome(),
    )


def _upgrade() -> Outcome:
    """A store with a million keys becomes one on PostgreSQL."""
    return trial("", ["tests.gateways.upgrade"], LONGEST)


def _module(name: str, *options: str) -> Outcome:
    command = [sys.executable, "-m", f"tests.gateways.{name}", *options]
    ended = subprocess.run(command, cwd=ROOT, check=False, timeout=LONGEST)
    if ended.returncode == SKIPPED:
        return Outcome(skipped=1)
    return Outcome(failed=1) if ended.returncode else Outcome(passed=1)


STAGES: dict[str, Callable[[], Outcome]] = {
    "contract": _contract,
    "history": _history,
    "model": _model,
    "operations": _operations,
    "clients": _clients,
    "upgrade": _upgrade,
}
