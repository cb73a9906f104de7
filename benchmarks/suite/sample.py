"""What one row found on one server in one round, and the rows' own description."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from benchmarks.suite.scale import Scale
    from benchmarks.suite.server import Server


@frozen
class Unit:
    """How a row's figures are shown.

    :ivar result: unit of what is reached, such as ``req/s``.
    :ivar cost: unit of the server's CPU for it, such as ``ms/request``.
    :ivar lower: whether less is better.
    """

    result: str
    cost: str = ""
    lower: bool = False


@frozen
class Sample:
    """What was measured once.

    :ivar result: what was reached, in the row's unit.
    :ivar cost: the server's CPU, in the row's unit; ``nan`` where its processes are not known, as in what follows.
    :ivar memory: MiB of all its processes at their highest.
    :ivar p50: the median of the latencies in ms, and ``p99`` its 99th percentile.
    :ivar client: the generator's CPU, of one core.
    :ivar failed: requests that failed.
    """

    result: float
    cost: float = math.nan
    memory: float = math.nan
    p50: float = math.nan
    p99: float = math.nan
    client: float = math.nan
    failed: int = 0


class NotHere(Exception):
    """A server has not what a row needs; the message says what."""


@frozen
class Row:
    """One kind of work.

    :ivar work: does it on a server, once; may raise :class:`NotHere`.
    :ivar on: the kind of server that it is for (:class:`~benchmarks.suite.server.Server`).
    :ivar space: bytes that it needs on the server's disk.
    """

    name: str
    unit: Unit
    work: Callable[[Server, Scale], Sample]
    on: str = "s3"
    space: int = 0


Table = dict[tuple[str, str], list[Sample]]
"""By the row's name and the server's: a sample for each round."""


@frozen
class Found:
    """What was found in all.

    :ivar rows: those that were wanted on the servers that were asked for, by the group they are in.
    :ivar own: those of groups that have servers of their own.
    :ivar started: the names of the servers that were started for a group, by its name.
    :ivar notes: by why it was not, what was not measured.
    """

    rows: dict[str, list[Row]] = field(factory=dict)
    own: dict[str, list[Row]] = field(factory=dict)
    started: dict[str, list[str]] = field(factory=dict)
    table: Table = field(factory=dict)
    notes: dict[str, list[str]] = field(factory=dict)


def median(samples: Sequence[Sample], figure: str) -> float:
    """Of one figure of several samples; ``nan`` where there is none."""
    known = [
        value for each in samples if not math.isnan(value := getattr(each, figure))
    ]
    return statistics.median(known) if known else math.nan


def ratios(
    over: Sequence[Sample], under: Sequence[Sample], figure: str, other: str = ""
) -> list[float]:
    """Of the samples of the same rounds; those that are known.

    :param other: the figure of those below, if it is not the same.
    """
    pairs = zip(over, under, strict=False)
    found = [
        getattr(above, figure) / below
        for above, beneath in pairs
        if (below := getattr(beneath, other or figure)) > 0
    ]
    return [each for each in found if not math.isnan(each)]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that so many are not above, of values in order; ``nan`` of none."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
