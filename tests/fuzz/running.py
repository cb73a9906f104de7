"""Runs of one target, each in a process of its own under atheris, and what libFuzzer said of them.

Everything that a run leaves is in the folder ``.fuzz`` of the checkout, which git ignores: the corpus as it grows, and in
``crashes`` each input that broke a promise, with its traceback beside it. ``corpus/`` here is what is committed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from attrs import frozen

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CORPUS = HERE / "corpus"
WORK = ROOT / ".fuzz"
CRASHES = WORK / "crashes"

TARGETS = (
    *("head", "framing", "address", "claims", "awschunked", "values", "headers"),
    *("documents", "policies", "config", "blobs", "request", "operation", "admin"),
)

FOUND = "found-"
"""How the names of those inputs in the corpus begin that once broke a promise."""

LONGEST = 4096
"""Bytes of an input."""

HANG = 60
"""Seconds after which an input is taken for one that hangs; most take less than a millisecond."""

_COVERAGE = re.compile(r"#\d+\s+[A-Z]+\s+cov: (\d+) ft: (\d+)")
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")


@frozen
class Run:
    """What came of a run.

    :ivar executed: inputs tried.
    :ivar coverage: edges and branches reached: by the corpus at the beginning, and in the end.
    :ivar failed: whether the process ended otherwise than by its time running out.
    """

    name: str
    seconds: float
    executed: int
    coverage: tuple[int, int]
    failed: bool


def options(name: str, target: ModuleType) -> list[str]:
    """libFuzzer's options for a target: where its words are, where crashes go, what is too long, too slow, too large."""
    words = WORK / "words"
    words.mkdir(parents=True, exist_ok=True)
    lines = [
        '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"' for word in target.WORDS
    ]
    (words / name).write_text("\n".join([*lines, ""]), encoding="ascii")
    crashes = CRASHES / name
    crashes.mkdir(parents=True, exist_ok=True)
    return [
        f"-dict={words / name}",
        f"-artifact_prefix={crashes}/",
        f"-max_len={LONGEST}",
        f"-timeout={HANG}",
        "-rss_limit_mb=1500",
        "-len_control=20",
        "-print_final_stats=1",
    ]


def found(name: str) -> list[Path]:
    """The inputs of a target that broke a promise, so far."""
    folder = CRASHES / name
    return sorted(each for each in folder.glob("*") if each.suffix != ".txt")


def run(name: str, seconds: float, show: bool = False) -> Run:
    """Fuzz a target for some seconds.

    :param show: whether libFuzzer's own lines are shown as they come.
    """
    begun = _begin(name)
    covered: list[int] = []
    executed = 0
    command = [f"-max_total_time={int(seconds)}", str(begun), str(CORPUS / name)]
    with _process(name, command) as process:
        for line in _lines(process):
            if show or line.startswith("FOUND"):
                print(line, end="", flush=True)
            if match := _COVERAGE.match(line):
                covered.append(int(match[1]))
            if match := _EXECUTED.match(line):
                executed = int(match[1])
    ends = (covered[0], covered[-1]) if covered else (0, 0)
    return Run(name, seconds, executed, ends, process.returncode != 0)


def minimize(name: str) -> int:
    """Make the committed corpus the smallest that reaches what the grown one does, and keep what was found; gives the number of its files."""
    grown, kept = _begin(name), CORPUS / name
    fresh = WORK / "minimized" / name
    fresh.mkdir(parents=True, exist_ok=True)
    for each in fresh.iterdir():
        each.unlink()
    # Edges alone, not how often each was passed: files by the hundred otherwise.
    command = [
        "-set_cover_merge=1",
        "-use_counters=0",
        str(fresh),
        str(grown),
        str(kept),
    ]
    with _process(name, command) as process:
        for _ in _lines(process):
            pass
    inputs = [each.read_bytes() for each in fresh.iterdir()]
    if process.returncode or not inputs:
        raise RuntimeError(f"{name}: the corpus could not be minimized")
    for each in kept.iterdir():
        if not each.name.startswith(FOUND):
            each.unlink()
    for each in fresh.iterdir():
        each.rename(kept / each.name[:12])
    return len(list(kept.iterdir()))


def fuzz(name: str) -> None:
    """What a target does when it is run: fuzz for a minute, or as many seconds as the command line says; exit with 1 if it found something."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    done = run(name, seconds, show=True)
    sys.exit(1 if done.failed or found(name) else 0)


def _begin(name: str) -> Path:
    """The folder of the growing corpus, with the seeds in it."""
    grown = WORK / "corpus" / name
    for folder in (grown, CORPUS / name):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(import_module(f"tests.fuzz.{name}").SEEDS):
        (grown / f"seed{number}").write_bytes(seed)
    return grown


def _process(name: str, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.engine", name, *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stderr is not None
    return iter(process.stderr)
