"""All targets, in turns: ``python -m tests.fuzz --minutes 60 --processes 2``; then ``--minimize`` for the committed corpus.

Every target gets the same time, in rounds, so that what one finds shows early. Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.running import TARGETS, Run, found, minimize, run

ROUND = 120
"""Seconds of one target in one round, about."""

START = 5
"""Seconds until a process has imported everything, about."""


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minimize", action="store_true", help="and do not fuzz")
    parser.add_argument("target", nargs="*", choices=[[], *TARGETS])
    asked = parser.parse_args()
    names = asked.target or list(TARGETS)
    if asked.minimize:
        for name in names:
            print(f"{name}: {minimize(name)} files", flush=True)
        return 0
    if find_spec("atheris") is None:
        parser.error("atheris is not installed: pip install -e '.[test,fuzz]'")
    return _fuzz(names, asked.minutes * 60, asked.processes)


def _fuzz(names: list[str], seconds: float, processes: int) -> int:
    begun = time.monotonic()
    rounds = max(1, round(seconds * processes / len(names) / ROUND))
    turns = [name for _ in range(rounds) for name in names]
    done: list[Run] = []

    def take_turn(turn: int) -> Run | None:
        left = begun + seconds - time.monotonic()
        given = min(left, left * processes / (len(turns) - turn)) - START
        return run(turns[turn], given) if given >= 1 else None

    with ThreadPoolExecutor(processes) as pool:
        for one in filter(None, pool.map(take_turn, range(len(turns)))):
            done.append(one)
            print(_line(one, time.monotonic() - begun, seconds), flush=True)
    if not done:
        print("there was no time for any target: give it more --minutes")
        return 1
    print(f"\n{'target':12}{'executed':>12}{'seconds':>9}{'coverage':>15}  found")
    crashes: list[Path] = []
    for name in names:
        runs = [each for each in done if each.name == name]
        crashes += found(name)
        if not runs:
            continue
        reached = f"{runs[0].coverage[0]} to {runs[-1].coverage[1]}"
        executed, spent = sum(r.executed for r in runs), sum(r.seconds for r in runs)
        print(f"{name:12}{executed:12}{spent:9.0f}{reached:>15}  {len(found(name))}")
    print(f"{sum(r.executed for r in done)} inputs, {time.monotonic() - begun:.0f} s")
    for each in crashes:
        print(f"found: {each}")
    return 1 if crashes or any(each.failed for each in done) else 0


def _line(one: Run, passed: float, whole: float) -> str:
    return (
        f"{passed:6.0f} of {whole:.0f} s  {one.name:12}{one.executed:10} inputs, "
        f"coverage {one.coverage[0]} to {one.coverage[1]}, {len(found(one.name))} found"
        f"{', ENDED EARLY' if one.failed else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
