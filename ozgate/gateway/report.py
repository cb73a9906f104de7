"""What a worker tells its parent when somebody reads the metrics, and how the reports of all are added up.

What a worker has counted since its last report is lost with it when it is killed. What was told once stays in the sums, so that no counter ever
goes back.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..immutable import frozen
from .tally import Tally

if TYPE_CHECKING:
    from .gateway import Gateway


@frozen
class Report:
    """What one worker has to tell.

    :ivar hashing: requests that stored bytes are hashed for, and ``waiting`` those that wait for that.
    :ivar cpu: seconds of processors that the process has used.
    :ivar resident: bytes of memory that it has.
    """

    tally: Tally
    hashing: int
    waiting: int
    cpu: float
    resident: int


@frozen
class Reports:
    """What all workers of a service have to tell.

    :ivar each: the last report of each worker that runs, by its number from 1 on.
    :ivar gone: what those have counted that are no more.
    :ivar connections: open connections of each.
    :ivar starts: how many processes were started.
    """

    each: Mapping[int, Report]
    gone: Tally
    connections: Mapping[int, int]
    starts: int


def report_of(gateway: Gateway) -> Report:
    """What this process has to tell."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", "rb") as file:
        pages = int(file.read().split()[1])
    turns = gateway.turns
    tally = Tally()
    tally.include(gateway.tally)
    return Report(
        tally,
        turns.in_flight,
        turns.waiting,
        used.ru_utime + used.ru_stime,
        pages * resource.getpagesize(),
    )


def total(own: Tally, reports: Reports) -> Tally:
    """What a service has counted, in all of its processes."""
    every = Tally()
    for each in (
        own,
        reports.gone,
        *(report.tally for report in reports.each.values()),
    ):
        every.include(each)
    return every
