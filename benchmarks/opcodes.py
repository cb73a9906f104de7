"""Where a signed GET and a durable PUT of 4 KiB spend their Python: opcodes of the service by room and by function.

They are counted, not timed, so a busy machine says the same as a quiet one; what C does (hashing, SQLite, the kernel) is not in them.
Run ``python -m benchmarks.opcodes [requests]``; it prints tables in Markdown.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import ozgate
from benchmarks.measure import Gateway, argument
from benchmarks.suite.report import table

PACKAGE = str(Path(ozgate.__file__).parent) + os.sep
_BY_ATTRS = re.compile(
    r"<attrs generated \w+ ozgate\.(?P<module>[\w.]+)\.(?P<name>\w+)>"
)
MOST = 15
"""Functions that are named."""


class Counted(Gateway):
    """A gateway that counts."""

    command = (sys.executable, "-m", "benchmarks.counted")

    def toggle(self) -> None:
        """Have it begin to count, or end."""
        # What follows an answer, such as a line of a log, is to be over.
        time.sleep(0.2)
        os.kill(self.pid, signal.SIGUSR2)
        time.sleep(0.2)

    def counts(self) -> list[tuple[str, str, int]]:
        """What it said last: path, function and opcodes."""
        lines = Path(self.log.name).read_text().splitlines()
        said = [line for line in lines if line.startswith("opcodes: ")]
        found: list[tuple[str, str, int]] = json.loads(said[-1].partition(" ")[2])
        return found


def place(path: str, name: str) -> tuple[str, str]:
    """Where a function is, in a module of ours or in somebody else's package, and what it is called."""
    if path.startswith(PACKAGE):
        return path[len(PACKAGE) :], name
    if made := _BY_ATTRS.fullmatch(path):
        return f"{made['module'].replace('.', '/')}.py", f"{made['name']}.{name}"
    if path.startswith(("<read of ", "<row of ")):
        # Compiled from the tables.
        return "metadata/declared/functions.py", path
    _, found, rest = path.partition("site-packages" + os.sep)
    return rest.partition(os.sep)[0] if found else "Python's own", name


def room(where: str) -> str:
    """The room that a module of ours is in, or whose code it is."""
    return where.rpartition("/")[0] or where


def counted(
    server: Counted, ask: Callable[[], object], requests: int
) -> Counter[tuple[str, str]]:
    """Opcodes of a request, by place and function, after some that do not count."""
    for _ in range(50):
        ask()
    server.toggle()
    for _ in range(requests):
        ask()
    server.toggle()
    found: Counter[tuple[str, str]] = Counter()
    for path, name, opcodes in server.counts():
        found[place(path, name)] += opcodes
    return found


def show(name: str, found: Counter[tuple[str, str]], requests: int) -> None:
    """Print the tables."""
    rooms: Counter[str] = Counter()
    for (where, _), opcodes in found.items():
        rooms[room(where)] += opcodes
    total = found.total()

    def line(what: str, opcodes: int) -> list[str]:
        return [what, f"{opcodes / requests:,.0f}", f"{opcodes / total:.1%}"]

    print(f"### {name}: {total / requests:,.0f} opcodes\n")
    several = [line(each, opcodes) for each, opcodes in rooms.most_common()]
    print(table(["where", "opcodes", "share"], several) + "\n")
    several = [
        line(f"{where}: {function}", opcodes)
        for (where, function), opcodes in found.most_common(MOST)
    ]
    print(table(["function", "opcodes", "share"], several) + "\n", flush=True)


def main() -> None:
    """Count and print."""
    requests = int(argument(__doc__, "requests", 100))
    with tempfile.TemporaryDirectory(prefix="ozgate-opcodes-") as folder:
        server = Counted(os.path.join(folder, "data"))
        try:
            server.must("PUT", "/bucket")
            server.must("PUT", "/bucket/small", os.urandom(4096))
            number, body = count(), os.urandom(4096)
            for name, ask in (
                ("GET of 4 KiB", lambda: server.must("GET", "/bucket/small")),
                (
                    "PUT of 4 KiB",
                    lambda: server.must("PUT", f"/bucket/{next(number)}", body),
                ),
            ):
                show(name, counted(server, ask, requests), requests)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
