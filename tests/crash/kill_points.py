"""Where a process is killed, in which plan, and what that led to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from tests.crash.tapping import Call
from tests.crash.views import View

SCRIPT_PLAN = "script"

START = "start"
"""The script that begins with an empty folder, and does no more than open it."""

MIGRATION = "migration"
"""Before the number of a schema: the start that finds a database of that schema."""


@frozen
class Plan:
    """A script as it goes when nobody dies.

    :ivar views: what is there before its first operation, and after each.
    :ivar calls: all it makes, the start among them.
    :ivar marks: how many of them were made when each operation was acknowledged.
    :ivar rows: what a migrated database says.
    """

    name: str
    names: Sequence[str] = ()
    views: tuple[View, ...] = ()
    calls: Sequence[Call] = ()
    marks: Sequence[int] = ()
    rows: Sequence[Any] = ()


@frozen
class Kill:
    """Where a process dies.

    :ivar at: number of the call, from 1.
    :ivar part: how much of it is done.
    :ivar again: number of the call at which the next process dies, in its recovery; 0 for none.
    """

    plan: str
    at: int
    part: float = 0.0
    again: int = 0

    def __str__(self) -> str:
        return f"{self.plan}@{self.at}/{self.part}/{self.again}"

    @classmethod
    def parse(cls, text: str) -> Kill:
        """Read what ``str`` gives."""
        plan, _, rest = text.partition("@")
        at, part, again = rest.split("/")
        return cls(plan, int(at), float(part), int(again))


@frozen
class Found:
    """What a kill led to.

    :ivar acknowledged: how many operations were by then.
    :ivar killed: how many processes died of it: where a recovery has fewer calls than asked for, one less.
    :ivar broken: what is broken, one line each.
    """

    kill: Kill
    acknowledged: int
    killed: int
    broken: tuple[str, ...]
