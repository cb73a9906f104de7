"""The sequences of operations of :mod:`tests.crash.sweep`, what crashes in them leave, and what a sweep comes to."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from attrs import define, field, frozen

from tests.crash.disk import Disk, Image
from tests.crash.tapping import Call
from tests.crash.views import View
from tests.crash.workload import OPERATIONS

LONGEST = 3
START = "start"
"""The one sequence that begins with an empty folder."""

RESTART = "restart"
STAGED = "staged:"
"""Before a sequence: on a file system without files that have no name."""

RELAXED = "relaxed:"
"""Before a sequence: what is written is acknowledged before it survives a power cut."""

AGAIN = "again:"
"""Before a sequence: the power goes once more during the recovery from one of its states."""

Views = tuple[View, ...]


@frozen
class State:
    """A crash state.

    :ivar id: says how to have it again.
    :ivar allowed: what may be found after it.
    """

    id: str
    image: Image
    allowed: Views
    digest: bytes


@frozen
class Outcome:
    """What became of a sequence.

    :ivar digests: of the states recovered from.
    :ivar broken: the id of a state, and what is broken.
    """

    sequence: str
    digests: tuple[bytes, ...]
    broken: tuple[tuple[str, str], ...]


@frozen
class Log:
    """What an operation did to the disk.

    :ivar disk: as it was when the operation began.
    :ivar calls: what it did, in order.
    :ivar history: what was there before each operation, the one before it last.
    :ivar after: what is there when it was acknowledged.
    """

    disk: Disk
    calls: Sequence[Call]
    history: Views
    after: View


def sequences() -> list[str]:
    """All of them: ``put-small+copy+delete``."""
    names = [*OPERATIONS]
    found = [START, *(STAGED + name for name in names)]
    for length in range(1, LONGEST + 1):
        found += map("+".join, itertools.product(names, repeat=length))
    # A stop and a start are no operation of anybody's, but what they do to the disk counts.
    found += [f"{name}+{RESTART}" for name in names]
    found += [f"{RELAXED}{name}" for name in names]
    found += [f"{RELAXED}{name}+expire" for name in names]
    found += [f"{AGAIN}{first}+{second}" for first in names for second in names]
    return found


@define
class Tally:
    """What a sweep came to.

    :ivar most: distinct states at which it ends; 0: all.
    :ivar seconds: after which it ends; 0: all the time it takes.
    """

    most: int = 0
    seconds: float = 0.0
    began: float = field(factory=time.monotonic)
    sequences: int = 0
    digests: set[bytes] = field(factory=set)
    recovered: int = 0
    broken: list[tuple[str, str]] = field(factory=list)

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    @property
    def is_over(self) -> bool:
        """Whether no more is wanted."""
        return bool(
            (self.most and len(self.digests) >= self.most)
            or (self.seconds and self.passed >= self.seconds)
        )

    def add(self, outcome: Outcome) -> None:
        """Count what became of a sequence."""
        self.sequences += 1
        self.recovered += len(outcome.digests)
        self.digests.update(outcome.digests)
        self.broken += outcome.broken

    def __str__(self) -> str:
        return (
            f"{len(self.digests)} distinct crash states of {self.sequences} sequences recovered"
            f" in {self.passed:.0f} s, {len(self.broken)} invariants broken"
        )
