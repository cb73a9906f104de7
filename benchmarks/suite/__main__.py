"""The same work on ozgate and on other S3 servers, in turns, and what ozgate is to reach. Needs wrk; nginx is one of the limits, where it is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.suite import beside
from benchmarks.suite.groups import (
    deep,
    idle,
    lists,
    parts,
    requests,
    start,
    tls,
    transfers,
    workers,
)
from benchmarks.suite.options import Wanted, read
from benchmarks.suite.report import limit_lines, report
from benchmarks.suite.turns import Turns

GROUPS = tuple(
    module.GROUP
    for module in (
        requests,
        transfers,
        lists,
        tls,
        idle,
        start,
        parts,
        workers,
        deep,
    )
)


def list_rows(wanted: Wanted) -> None:
    """Print the names of the rows."""
    for group in GROUPS:
        print(group.name)
        for row in group.rows(wanted.scale):
            if wanted.chosen(group.name, row.name):
                print(f"  {row.name}")


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)


def run(wanted: Wanted) -> bool:
    """Measure and report; whether nothing misses its limit."""
    load, _, _ = os.getloadavg()
    with contextlib.ExitStack() as stack:
        first = wanted.endpoint
        if first is None:
            first = stack.enter_context(beside.ozgate(workers=wanted.workers))
        servers = [first, *wanted.peers]
        turns = Turns(servers, wanted.scale, wanted.chosen, say)
        own = wanted.endpoint is None
        try:
            found = turns.run(GROUPS, own=own, beside=wanted.beside)
        except KeyboardInterrupt:
            say("interrupted: this is what there is so far")
            found = turns.found
    text = report(found, servers, wanted.scale, load, whole=not wanted.patterns)
    print(text)
    if wanted.markdown:
        Path(wanted.markdown).write_text(text)
    lines = limit_lines(found, servers, wanted.scale)
    return bool(found.table) and all(line[3] != "missed" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Measure what the command line asks for; 1 when something misses its limit."""
    wanted = read(arguments, __doc__)
    if wanted.listing:
        list_rows(wanted)
        return 0
    if shutil.which("wrk") is None:
        say("wrk is not installed")
        return 2
    # Servers start as installed ones do: what was compiled is kept.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # What was made on servers is removed, whoever ends this.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return 0 if run(wanted) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
