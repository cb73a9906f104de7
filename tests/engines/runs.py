"""Trial, run in a process of its own over a cluster, and what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from threading import Timer

from attrs import frozen

from tests.engines.given import VARIABLE
from tests.forking import die_with_parent
from tests.running import ROOT, program

_SUMMARY = re.compile(r"^(?:PASSED|FAILED)(?: \((?P<counts>.*)\))?$")
_BAD = ("failures", "errors", "unexpectedSuccesses")


@frozen
class Outcome:
    """What came of some tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
        )


def trial(
    cluster: str,
    tests: Sequence[str],
    longest: float,
    variable: str = VARIABLE,
    more: Mapping[str, str] | None = None,
) -> Outcome:
    """Run tests, and show what trial shows.

    :param cluster: what the variable is that names it.
    :param tests: modules or folders of modules, and options before them.
    :param longest: seconds after which they are ended, and count as one failure.
    :param more: further variables.
    """
    with tempfile.TemporaryDirectory(prefix="ozgate-trial-") as folder:
        where = f"--temp-directory={folder}/t"
        command = [program("trial"), where, *tests]
        return _shown(
            command, {**os.environ, variable: cluster, **(more or {})}, longest
        )


def _shown(
    command: Sequence[str], environment: Mapping[str, str], longest: float
) -> Outcome:
    last = ""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=die_with_parent,
    ) as process:
        alarm = Timer(longest, process.kill)
        alarm.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                last = line.strip() if _SUMMARY.match(line.strip()) else last
        except BaseException:
            # It ends its services first; who is killed cannot.
            process.terminate()
            raise
        finally:
            alarm.cancel()
    return read_summary(last, process.returncode)


def read_summary(line: str, code: int) -> Outcome:
    """What the last line of trial says.

    :param line: ``""`` where it did not come as far as that.
    :param code: with which it ended.
    """
    found = _SUMMARY.match(line)
    counts = dict[str, int]()
    if found and found["counts"]:
        for each in found["counts"].split(", "):
            name, _, number = each.partition("=")
            counts[name] = int(number)
    failed = sum(counts.get(each, 0) for each in _BAD)
    if code and not failed:
        failed = 1
    return Outcome(counts.get("successes", 0), failed, counts.get("skips", 0))
