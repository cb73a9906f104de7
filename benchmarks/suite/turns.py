"""The order in which all is done: in each round each row on each server in turn, so that what the machine does meanwhile meets all."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable, Iterator, Sequence

from benchmarks.suite import cleaning
from benchmarks.suite.groups import Group
from benchmarks.suite.sample import Found, NotHere, Row
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server

TROUBLE = (NotHere, RuntimeError, OSError, http.client.HTTPException)
"""What keeps a row from being measured, and is noted."""

Chosen = Callable[[str, str], bool]
"""Whether a row is wanted: of its group's name and its own."""
Say = Callable[[str], None]
"""Tells whoever waits."""


class Turns:
    """One run.

    :ivar servers: those that were asked for; the first is the one that the others are compared to.
    """

    def __init__(
        self, servers: Sequence[Server], scale: Scale, chosen: Chosen, say: Say
    ) -> None:
        self.servers, self.scale = servers, scale
        self.chosen, self.say = chosen, say
        self.found = Found()
        self.failed: set[tuple[str, str]] = set()

    def note(self, what: str, why: object, server: Server | None = None) -> None:
        """Remember what was not measured."""
        reason = f"{server.name}: {why}" if server else f"{why}"
        self.found.notes.setdefault(reason, []).append(what)
        self.say(f"     {what}: {reason}")

    def run(self, groups: Sequence[Group], *, own: bool, beside: bool) -> Found:
        """Measure the rows of some groups that are wanted.

        :param own: whether groups are that start ozgates of their own.
        :param beside: whether what servers are held against is started.
        """
        for group in groups:
            rows = [row for row in group.rows(self.scale) if self._fits(group, row)]
            if not beside:
                rows = [row for row in rows if group.own or row.on == "s3"]
            if rows and (own or not group.own):
                kept = self.found.own if group.own else self.found.rows
                kept[group.name] = rows
                self._run_group(group, rows)
        return self.found

    def _fits(self, group: Group, row: Row) -> bool:
        if not self.chosen(group.name, row.name):
            return False
        if row.space > self.scale.space:
            need = size_name(row.space)
            self.note(row.name, f"it needs {need} of disk (--space)")
            return False
        return True

    def _run_group(self, group: Group, rows: Sequence[Row]) -> None:
        with contextlib.ExitStack() as stack:
            servers: list[Server] = []
            try:
                if group.own:
                    servers += stack.enter_context(group.own(self.scale))
                elif group.beside and any(row.on != "s3" for row in rows):
                    servers += stack.enter_context(group.beside(self.scale))
            except TROUBLE as trouble:
                self.note(group.name, trouble)
            self.found.started[group.name] = [server.name for server in servers]
            if group.own:
                servers = [each for each in servers if self._prepared(group, each)]
            else:
                there = self._buckets(stack, group)
                servers = [*there, *servers]
            for number in range(self.scale.rounds if servers else 0):
                self.say(f"{group.name}, round {number + 1} of {self.scale.rounds}")
                for row in rows:
                    for server in servers:
                        self._measure(row, server)

    def _buckets(self, stack: contextlib.ExitStack, group: Group) -> list[Server]:
        """The servers that were asked for and are prepared; what they have for it goes when the stack ends."""
        found = []
        for server in self.servers:
            try:
                cleaning.make(server)
            except TROUBLE as trouble:
                self.note(group.name, trouble, server)
                continue
            stack.enter_context(self._removing(server))
            if self._prepared(group, server):
                found.append(server)
        return found

    @contextlib.contextmanager
    def _removing(self, server: Server) -> Iterator[None]:
        try:
            yield
        finally:
            try:
                cleaning.remove(server)
            except TROUBLE as trouble:
                self.note(f"the bucket {server.bucket} is left", trouble, server)

    def _prepared(self, group: Group, server: Server) -> bool:
        try:
            if server.kind == "s3":
                group.prepare(server, self.scale)
        except TROUBLE as trouble:
            self.note(group.name, trouble, server)
            return False
        return True

    def _measure(self, row: Row, server: Server) -> None:
        """One sample, unless one was in vain before."""
        key = (row.name, server.name)
        if row.on != server.kind or key in self.failed:
            return
        try:
            sample = row.work(server, self.scale)
        except TROUBLE as trouble:
            self.failed.add(key)
            self.note(row.name, trouble, server)
            return
        self.found.table.setdefault(key, []).append(sample)
        self.say(
            f"     {row.name}: {server.name} {sample.result:,.4g} {row.unit.result}"
        )
