"""The tables and the limits, of samples made up."""

from __future__ import annotations

import math

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.suite.limits import Limit, behind, plain, ratio
from benchmarks.suite.report import limit_lines, number, report
from benchmarks.suite.sample import Found, Row, Sample, Unit, ratios
from benchmarks.suite.scale import QUICK, Scale
from benchmarks.suite.server import Server

FIRST = Server("ozgate", "http://127.0.0.1:1", durability="all of it", durable=True)
PEER = Server("peer", "http://127.0.0.1:2", durability="nothing")


def unused(server: Server, scale: Scale) -> Sample:
    """The work of a row that is not run."""
    raise AssertionError(server, scale)


RATE = Row("GET 4 KiB, c=16", Unit("req/s", "ms/request"), unused)
TIME = Row("Complete", Unit("ms", "ms", lower=True), unused)


def found(**samples: list[Sample]) -> Found:
    """Samples of both rows on both servers.

    :param samples: by ``rate`` or ``time``, and ``_peer`` for that server's.
    """
    made = Found(rows={"group": [RATE, TIME]})
    for name, each in samples.items():
        row, _, whose = name.partition("_")
        key = {"rate": RATE, "time": TIME}[row].name, whose or "ozgate"
        made.table[key] = each
    return made


class ReportTests(SynchronousTestCase):
    """What is printed."""

    def lines(self, what: Found, servers: tuple[Server, ...]) -> list[list[str]]:
        """The cells of all lines of tables."""
        text = report(what, servers, QUICK, 0)
        return [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines()
            if line.startswith("|")
        ]

    def test_ratios(self) -> None:
        """Beside a figure stands how many times better it is than the first server's: in rates more is better, in times and in CPU less."""
        both = found(
            rate=[Sample(100, 2)],
            rate_peer=[Sample(250, 1)],
            time=[Sample(10, 4)],
            time_peer=[Sample(20, 5)],
        )
        lines = self.lines(both, (FIRST, PEER))
        self.assertIn(["GET 4 KiB, c=16", "req/s", "100", "250 (2.5)", ""], lines)
        self.assertIn(["Complete", "ms", "10", "20 (0.5)", ""], lines)
        self.assertIn(["GET 4 KiB, c=16", "ms/request", "2", "1 (2)"], lines)
        self.assertIn(["Complete", "ms", "4", "5 (0.8)"], lines)

    def test_rounds(self) -> None:
        """The ratio is the median of those of each round, not that of the medians: what slowed a round slowed both."""
        both = found(
            rate=[Sample(100), Sample(10), Sample(50)],
            rate_peer=[Sample(200), Sample(20), Sample(50)],
        )
        self.assertIn(
            ["GET 4 KiB, c=16", "req/s", "50", "50 (2)", ""],
            self.lines(both, (FIRST, PEER)),
        )

    def test_marks(self) -> None:
        """A row says that requests failed, that the generator was busy, and how busy it was at most."""
        both = found(
            rate=[Sample(100, client=0.2, failed=1)],
            rate_peer=[Sample(100, client=0.95)],
        )
        self.assertIn(
            ["GET 4 KiB, c=16", "req/s", "100!", "100~ (1)", "95%"],
            self.lines(both, (FIRST, PEER)),
        )

    def test_unknown(self) -> None:
        """What is not known of a server is left out: its figure, its ratio, and tables of which nobody has anything."""
        both = found(rate=[Sample(100, 2)], rate_peer=[Sample(100)], time=[Sample(10)])
        lines = self.lines(both, (FIRST, PEER))
        self.assertIn(["GET 4 KiB, c=16", "ms/request", "2", ""], lines)
        self.assertIn(["Complete", "ms", "10", "", ""], lines)
        text = report(both, (FIRST, PEER), QUICK, 0)
        self.assertNotIn("p99", text.partition("## Limits")[0])
        self.assertNotIn("nan", text)

    def test_said(self) -> None:
        """What a 200 of each server means is said, what was not measured and why, and that the machine was busy, if it was."""
        made = found(rate=[Sample(100)])
        made.notes["peer: it has no TLS"] = ["GET", "PUT"]
        text = report(made, (FIRST, PEER), QUICK, 9)
        for said in (
            "**ozgate**: all of it",
            "**peer**: nothing",
            "- peer: it has no TLS: GET; PUT",
            "machine was busy",
        ):
            self.assertIn(said, text)
        self.assertNotIn("machine was busy", report(made, (FIRST,), QUICK, 0))

    def test_numbers(self) -> None:
        """Figures have three digits that mean something."""
        shown = [number(each) for each in (12345.6, 123.4, 12.34, 0.01234, math.nan)]
        self.assertEqual(shown, ["12,346", "123", "12.3", "0.0123", ""])


class LimitTests(SynchronousTestCase):
    """What is to be reached."""

    def test_verdicts(self) -> None:
        """A limit is kept, missed or not run; at the limit it is kept."""
        table = {("row", "a"): [Sample(3)], ("row", "b"): [Sample(2)]}
        half = ratio(("row", "a"), ("row", "b"), "result")
        for limit, verdict in (
            (Limit("", half, 1.5), "ok"),
            (Limit("", half, 1.4), "missed"),
            (Limit("", half, 1.5, at_most=False), "ok"),
            (Limit("", half, 1.6, at_most=False), "missed"),
            (Limit("", plain(("other", "a")), 1), "not run"),
            (Limit("", ratio(("row", "a"), ("row", "c"), "result"), 1), "not run"),
        ):
            self.assertEqual(limit.verdict(table), verdict, limit)

    def test_all(self) -> None:
        """Each limit of the issue has a line, whatever was run, and a figure once it was."""
        lines = limit_lines(Found(), (FIRST,), QUICK)
        self.assertEqual({line[3] for line in lines}, {"not run"})
        self.assertGreater(len(lines), 35)
        self.assertEqual(len({line[0] for line in lines}), len(lines))
        made = found(rate=[Sample(1, p50=1, p99=5)])
        made.table["GET 4 KiB, c=1", "ozgate"] = [Sample(1, p50=1, p99=5)]
        lines = limit_lines(made, (FIRST,), QUICK)
        self.assertIn(
            ["p99 to p50 of GET 4 KiB, c=1", "5", "at most 4", "missed"], lines
        )

    def test_behind(self) -> None:
        """A peer that promises as much may be ahead in no row; beside one that promises less ozgate is level within 5 %."""
        both = found(
            rate=[Sample(100)],
            rate_peer=[Sample(104)],
            time=[Sample(10)],
            time_peer=[Sample(5)],
        )
        self.assertEqual(behind(both, FIRST, PEER), ["Complete (2.00)"])
        durable = evolve(PEER, durable=True)
        self.assertEqual(
            behind(both, FIRST, durable), ["GET 4 KiB, c=16 (1.04)", "Complete (2.00)"]
        )
        line = limit_lines(both, (FIRST, durable), QUICK)[-1]
        self.assertEqual(
            line, ["ahead of peer", "behind in 2", "in every row", "missed"]
        )

    def test_zero(self) -> None:
        """What took no CPU that could be seen gives no ratio."""
        self.assertEqual(ratios([Sample(1, 2)], [Sample(1, 0)], "cost"), [])
