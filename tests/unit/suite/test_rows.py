"""The rows that there are."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.suite.__main__ import GROUPS
from benchmarks.suite.limits import limits
from benchmarks.suite.sample import Sample, Table
from benchmarks.suite.scale import FULL, MINUTES, QUICK, Scale

NAMES = ("ozgate", "Klein hello-world", "nginx", "bare loop", "fresh ozgate")


def samples(scale: Scale) -> Table:
    """A sample of each row on every server that there may be."""
    servers = [*NAMES, "1 worker", "2 workers", "empty", "10,000 objects"]
    servers.append(f"{scale.deep:,} objects")
    return {
        (row.name, server): [Sample(1, 1, 1, 1, 1)]
        for group in GROUPS
        for row in group.rows(scale)
        for server in servers
    }


class RowTests(SynchronousTestCase):
    """Of all groups."""

    def test_names(self) -> None:
        """No two rows that run on the same servers have one name, by which they are found again."""
        for scale in (QUICK, MINUTES, FULL):
            shared = Counter(
                row.name
                for group in GROUPS
                if not group.own
                for row in group.rows(scale)
            )
            twice = [name for name, count in shared.items() if count > 1]
            self.assertEqual(twice, [], scale)
            for group in GROUPS:
                names = [row.name for row in group.rows(scale)]
                self.assertEqual(len(set(names)), len(names), group.name)

    def test_limits_are_of_rows(self) -> None:
        """Each limit speaks of rows that there are, at every scale: when all is run, each has a figure."""
        for scale in (QUICK, MINUTES, FULL):
            table = samples(scale)
            missing = [
                limit.name
                for limit in limits(scale, "ozgate")
                if limit.verdict(table) == "not run"
            ]
            self.assertEqual(missing, [])

    def test_asked_for(self) -> None:
        """At the full scale there is each kind of work that was asked for, at each number of clients."""
        names = {row.name for group in GROUPS for row in group.rows(FULL)}
        sizes = ("4 KiB", "64 KiB", "1 MiB", "64 MiB", "1 GiB")
        wanted = {
            f"{work}, c={clients}"
            for clients in (1, 16, 64)
            for work in (
                *(f"GET {size}" for size in sizes),
                *(f"PUT {size}" for size in sizes),
                *("HEAD", "304", "mixed", "DELETE", "64 KiB range of 1 GiB"),
            )
        }
        wanted |= {
            "DeleteObjects of 1,000",
            "64 parts of 8 MiB, 8 at a time",
            "Complete of 64 parts",
            "CopyObject of 1 GiB",
            "GET 4 KiB over TLS, c=16",
            "PUT 1 GiB over TLS, c=1",
            "1,000 idle connections",
            "10,000 idle connections",
            "Complete of 10,000 parts, alone",
            "CopyObject of 5 GiB, alone",
        }
        self.assertEqual(wanted - names, set())
