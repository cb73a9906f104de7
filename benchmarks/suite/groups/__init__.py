"""Rows that share what is prepared for them, and the servers that they run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from attrs import frozen

from benchmarks.suite.sample import Row
from benchmarks.suite.scale import Scale
from benchmarks.suite.server import Server


def nothing(server: Server, scale: Scale) -> None:
    """What is prepared where nothing needs to be."""


@frozen
class Group:
    """A group of rows.

    :ivar rows: those of a scale.
    :ivar prepare: what the rows need on a server, its bucket being there.
    :ivar beside: servers that the others are held against; each has rows of its kind.
    :ivar own: servers that take the place of those that were asked for, started for this group alone.
    """

    name: str
    rows: Callable[[Scale], Sequence[Row]]
    prepare: Callable[[Server, Scale], None] = nothing
    beside: Callable[[Scale], AbstractContextManager[Sequence[Server]]] | None = None
    own: Callable[[Scale], AbstractContextManager[Sequence[Server]]] | None = None
