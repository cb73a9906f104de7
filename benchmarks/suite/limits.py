"""What ozgate is to reach, each a row with its limit."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from attrs import frozen

from benchmarks.suite import beside
from benchmarks.suite.groups import deep, start, workers
from benchmarks.suite.sample import Found, Row, Sample, Table, ratios
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server

LEVEL = 1.05
"""Up to which nobody is taken to be ahead, where what differs by less is the machine."""

Key = tuple[str, str]
"""A row's name and a server's."""
Values = Callable[[Table], list[float]]
"""A figure for each round."""


@frozen
class Limit:
    """A figure that is to be at most, or at least, so much."""

    name: str
    values: Values
    bound: float
    at_most: bool = True
    unit: str = ""

    def value(self, table: Table) -> float:
        """The median; ``nan`` if it was not measured."""
        found = self.values(table)
        return statistics.median(found) if found else math.nan

    def verdict(self, table: Table) -> str:
        """``ok``, ``missed`` or ``not run``."""
        value = self.value(table)
        if math.isnan(value):
            return "not run"
        holds = value <= self.bound if self.at_most else value >= self.bound
        return "ok" if holds else "missed"


def ratio(over: Key, under: Key, figure: str, other: str = "") -> Values:
    """Of two rows, round by round.

    :param other: the figure of the second, if it is not the same.
    """
    return lambda table: ratios(
        table.get(over, ()), table.get(under, ()), figure, other
    )


def plain(key: Key, figure: str = "result") -> Values:
    """A figure as it is."""

    def values(table: Table) -> list[float]:
        found = [getattr(each, figure) for each in table.get(key, ())]
        return [each for each in found if not math.isnan(each)]

    return values


def _keys_per_second(key: Key) -> Values:
    """Thousands of keys for a second of CPU, of a row whose cost is in µs a key."""
    return lambda table: [1e3 / cost for cost in plain(key, "cost")(table) if cost > 0]


def limits(scale: Scale, first: str) -> list[Limit]:
    """All that do not speak of other servers.

    :param first: name of the server that is held to them.
    """
    return [
        *_requests(first),
        *_tails(scale, first),
        *_workers(),
        *_transfers(scale, first),
        *_depth(scale),
        *_moments(scale),
    ]


def _requests(first: str) -> list[Limit]:
    """The CPU of small requests."""
    hello = (f"{beside.HELLO}, c=16", beside.HELLO)
    found = [
        Limit(
            f"CPU of {name} signed by headers, c=16, to {beside.HELLO}'s",
            ratio((f"{name} signed by headers, c=16", first), hello, "cost"),
            bound,
        )
        for name, bound in (
            ("GET 4 KiB", 0.9),
            ("HEAD", 0.8),
            ("304", 0.8),
            ("PUT 4 KiB", 1.5),
        )
    ]
    for over, under, bound in (
        ("GET 64 KiB, c=16", "GET 4 KiB, c=16", 1.3),
        ("PUT 64 KiB, c=16", "PUT 4 KiB, c=16", 2),
        ("HEAD, c=16", "GET 4 KiB, c=16", 1),
    ):
        values = ratio((over, first), (under, first), "cost")
        found.append(Limit(f"CPU of {over} to that of {under}", values, bound))
    page = plain(("LIST page of 1,000 prefixes, c=1", first), "cost")
    return [*found, Limit("CPU of a page of 1,000 prefixes", page, 3, unit=" ms")]


def _tails(scale: Scale, first: str) -> list[Limit]:
    """How much slower the slowest of a client alone are."""
    names = ("GET 4 KiB", "PUT 4 KiB", "DELETE", "HEAD")
    rows = [*names, f"64 KiB range of {size_name(scale.large)}"]
    keys = [(f"{name}, c=1", first) for name in rows]
    return [
        Limit(f"p99 to p50 of {key[0]}", ratio(key, key, "p99", "p50"), 4)
        for key in keys
    ]


def _workers() -> list[Limit]:
    """What a second worker is good for. What is not to be slower may seem so by what the machine does."""
    found = []
    bounds = {"GET 4 KiB, c=16": 1.6, "PUT 4 KiB, c=16": 1.3}
    for row in workers.ROWS:
        values = ratio((row, workers.TWO), (row, workers.ONE), "result")
        bound = bounds.get(row, 1 / LEVEL)
        name = f"{row}: rate with two workers to one's"
        found.append(Limit(name, values, bound, at_most=False))
    return found


def _transfers(scale: Scale, first: str) -> list[Limit]:
    """The largest object beside nginx and the bare loop."""
    name = size_name(scale.large)
    found = []
    for row, bound in ((f"GET {name}, c=1", 0.95), (f"GET {name} over TLS, c=1", 0.8)):
        ours, theirs = (row, first), (f"{beside.NGINX}: {row}", beside.NGINX)
        found += [
            Limit(
                f"{row}: rate to nginx's", ratio(ours, theirs, "result"), bound, False
            ),
            # What is reached for a second of CPU: the other's seconds to ours.
            Limit(
                f"{row}: nginx's CPU to ours", ratio(theirs, ours, "cost"), bound, False
            ),
        ]
    for clients, bound in ((1, 0.9), (4, 0.8)):
        row = f"PUT {name}, c={clients}"
        values = ratio((row, first), (f"{beside.LOOP}: {row}", beside.LOOP), "result")
        whose = "the bare loop's" if clients == 1 else f"{clients} bare loops'"
        found.append(Limit(f"{row}: rate to {whose}", values, bound, False))
    return found


def _depth(scale: Scale) -> list[Limit]:
    """Listings, and how flat everything is."""
    shallow, much = deep.depth(deep.SHALLOW), deep.depth(scale.deep)
    found = [
        Limit(
            f"LIST of {much}, keys for a second of CPU",
            _keys_per_second((deep.MANY, much)),
            300,
            at_most=False,
            unit=" thousand",
        ),
        Limit(
            f"CPU of {deep.PAGE}, {much} to {shallow}",
            ratio((deep.PAGE, much), (deep.PAGE, shallow), "cost"),
            1.2,
        ),
    ]
    for row in ("GET 4 KiB, c=16", "PUT 4 KiB, c=16", "DELETE, c=16"):
        values = ratio((row, much), (row, deep.EMPTY), "cost")
        found.append(Limit(f"CPU of {row}, {much} to an empty store", values, 1.2))
    return found


def _moments(scale: Scale) -> list[Limit]:
    """Starts, memory, and what moves no bytes."""
    crowd = start.crowd_name(scale)
    parts = f"Complete of {scale.parts:,} parts, alone"
    copied = f"CopyObject of {size_name(scale.copied)}, alone"
    return [
        *(
            Limit(row, plain((row, start.FRESH)), bound, unit=unit)
            for name, bound, unit in (
                (start.FIRST, 800, " ms"),
                (start.IDLE, 80, " MiB"),
            )
            for several in start.WORKERS
            for row in [f"{name}, {several}"]
        ),
        Limit(crowd, plain((crowd, start.FRESH)), 5, unit=" KiB"),
        Limit(parts, plain((parts, "ozgate")), 400, unit=" ms"),
        Limit(copied, plain((copied, "ozgate")), 10, unit=" ms"),
    ]


def better(row: Row, over: Sequence[Sample], under: Sequence[Sample]) -> float:
    """How many times better one server is than another in a row, in the median; ``nan`` if that is not known."""
    found = ratios(over, under, "result")
    if not found:
        return math.nan
    value = statistics.median(found)
    return 1 / value if row.unit.lower else value


def behind(found: Found, first: Server, peer: Server) -> list[str]:
    """The rows in which a peer is ahead: or, if a 200 of it promises less, in which it is not level.

    Where both promise the same, nothing but to be ahead will do.
    """
    most = 1.0 if peer.durable else LEVEL
    return [
        f"{row.name} ({value:.2f})"
        for rows in found.rows.values()
        for row in rows
        if (
            value := better(
                row,
                found.table.get((row.name, peer.name), ()),
                found.table.get((row.name, first.name), ()),
            )
        )
        > most
    ]
