"""What is counted while requests are answered: plain numbers, made into metrics when somebody asks.

All of it happens in the reactor's thread, so nothing is locked: a request costs about a microsecond.
Imports nothing of ozgate.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")

SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of the buckets of durations."""

INTERACTIONS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
"""Upper bounds of the buckets of what one commit holds, or one sync of a folder."""


class Spread:
    """How values are spread: a histogram.

    :ivar bounds: upper bounds of the buckets, each included; one more bucket has the rest.
    :ivar counts: values in each bucket.
    :ivar total: the values' sum.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def include(self, other: Spread) -> None:
        """Count what another one has counted, too."""
        self.counts = [
            sum(pair) for pair in zip(self.counts, other.counts, strict=True)
        ]
        self.total += other.total


class Traffic:
    """The requests of one operation.

    :ivar statuses: how many had each HTTP status.
    :ivar seconds: how long they took.
    :ivar received: bytes of their bodies, as they were on the wire.
    :ivar sent: bytes of the bodies of their answers.
    """

    __slots__ = ("received", "seconds", "sent", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.seconds = Spread(SECONDS)
        self.received = 0
        self.sent = 0

    def include(self, other: Traffic) -> None:
        """Count what another one has counted, too."""
        _add(self.statuses, other.statuses)
        self.seconds.include(other.seconds)
        self.received += other.received
        self.sent += other.sent


class Tally:
    """Everything that is counted.

    :ivar operations: by S3's names; ``-`` where none was found.
    :ivar errors: how often each code was the answer, or the end without one.
    :ivar in_flight: requests that are being answered.
    :ivar refused: how often a limit was the reason to refuse, by the last word of its key.
    :ivar damaged: how often something did not read well, by its kind: ``blob``, ``inline``, ``metadata``.
    :ivar commits: interactions in each commit of the metadata store.
    :ivar syncs: blobs whose names each sync of a folder made durable.
    """

    __slots__ = (
        "commits",
        "damaged",
        "errors",
        "in_flight",
        "operations",
        "refused",
        "syncs",
    )

    def __init__(self) -> None:
        self.operations: dict[str, Traffic] = {}
        self.errors: dict[str, int] = {}
        self.in_flight = 0
        self.refused: dict[str, int] = {}
        self.damaged: dict[str, int] = {}
        self.commits = Spread(INTERACTIONS)
        self.syncs = Spread(INTERACTIONS)

    def note(
        self, operation: str, status: int, seconds: float, received: int, sent: int
    ) -> None:
        """Count a request that is over.

        :param status: HTTP status.
        :param seconds: from its head to its answer's end.
        :param received: bytes of its body.
        :param sent: bytes of its answer's body.
        """
        traffic = self.operations.get(operation)
        if traffic is None:
            traffic = self.operations[operation] = Traffic()
        statuses = traffic.statuses
        statuses[status] = statuses.get(status, 0) + 1
        spread = traffic.seconds
        spread.counts[bisect_left(SECONDS, seconds)] += 1
        spread.total += seconds
        traffic.received += received
        traffic.sent += sent

    def is_full(self, most: int) -> bool:
        """Whether as many requests are being answered as may be."""
        return self.in_flight >= most

    def failed(self, code: str) -> None:
        """Count what a request failed with, by S3's code."""
        self.errors[code] = self.errors.get(code, 0) + 1

    def refuse(self, limit: str) -> None:
        """Count something that was one too many."""
        self.refused[limit] = self.refused.get(limit, 0) + 1

    def damage(self, kind: str) -> None:
        """Count something that does not read well."""
        self.damaged[kind] = self.damaged.get(kind, 0) + 1

    def include(self, other: Tally) -> None:
        """Count what another one has counted, too."""
        for name, traffic in other.operations.items():
            self.operations.setdefault(name, Traffic()).include(traffic)
        self.in_flight += other.in_flight
        self.commits.include(other.commits)
        self.syncs.include(other.syncs)
        _add(self.errors, other.errors)
        _add(self.refused, other.refused)
        _add(self.damaged, other.damaged)


def _add(counts: dict[K, int], others: Mapping[K, int]) -> None:
    for key, count in others.items():
        counts[key] = counts.get(key, 0) + count
