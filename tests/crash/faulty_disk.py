"""What can fail under an operation, and a disk on which it does."""

from __future__ import annotations

import errno
import os
from typing import Any

from attrs import define, evolve, field, frozen

from tests.crash.disk import Disk
from tests.crash.tapping import DURABLE, Call, Real, Tap

SHORT = "SHORT"
"""The failure that is none: fewer bytes are taken than were given."""

NAMES = frozenset("create create_unnamed link rename unlink mkdir truncate".split())
GROWING = frozenset("allocate create create_unnamed link rename mkdir write".split())
OPENING = frozenset("create create_unnamed open sync_folder".split())

FAILURES = {
    "EIO": DURABLE | {"read", "open", "allocate"},
    "ENOSPC": GROWING,
    "EDQUOT": GROWING,
    "EROFS": NAMES | {"write"},
    "EMFILE": OPENING,
    SHORT: frozenset(("write",)),
}
"""What each fails."""

WATCHED = DURABLE | {"read", "open", "allocate"}

READING = frozenset(("read", "open"))
"""A disk that cannot be read either is no disk to go on with: these fail once."""

FULL = ("ENOSPC", "EDQUOT")


@frozen
class Fault:
    """What fails.

    :ivar operation: under which.
    :ivar at: number of the call, from 1, as it goes when nothing fails.
    :ivar name: of the error, or :data:`SHORT`.
    :ivar lasting: whether every call of that sort fails from then on.
    """

    operation: str
    at: int
    name: str
    lasting: bool = False

    def __str__(self) -> str:
        return (
            f"{self.operation}@{self.at}/{self.name}/{'on' if self.lasting else 'once'}"
        )

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read what ``str`` gives."""
        operation, _, rest = text.partition("@")
        at, name, lasting = rest.split("/")
        return cls(operation, int(at), name, lasting == "on")


@define
class Faulty(Tap):
    """A disk that fails, and another that remembers what it did.

    :ivar fault: what fails now; ``None`` for nothing.
    :ivar calls: those counted, in order.
    :ivar struck: how often it failed.
    """

    disk: Disk
    fault: Fault | None = None
    counting: bool = False
    calls: list[Call] = field(factory=list)
    struck: int = 0

    def call(self, call: Call, real: Real[Any]) -> Any:
        """See :class:`Tap`."""
        if self._fails(call):
            self.struck += 1
            assert self.fault is not None
            if self.fault.name == SHORT:
                return self._shorten(call, real)
            if call.kind == "sync":
                self.disk.lose(call.path)
            number: int = getattr(errno, self.fault.name)
            raise OSError(number, os.strerror(number))
        result = real()
        if call.kind in DURABLE and (call.layer != "sqlite" or not result):
            data = call.data
            if call.kind == "write" and call.layer == "blobs" and data is not None:
                data = data[:result]
            self.disk.do(evolve(call, data=data))
        return result

    def _fails(self, call: Call) -> bool:
        if not self.counting or call.kind not in WATCHED:
            return False
        self.calls.append(call)
        if self.fault is None or call.kind not in FAILURES[self.fault.name]:
            return False
        if self.fault.lasting:
            fails = self.fault.name == "EMFILE" or call.kind not in READING
            return fails and len(self.calls) >= self.fault.at
        return len(self.calls) == self.fault.at

    def _shorten(self, call: Call, real: Real[Any]) -> Any:
        most = call.size // 2
        assert call.data is not None
        result = real(most)
        self.disk.do(evolve(call, data=call.data[:most], size=most))
        return result

    def write_something(self, folder: str) -> None:
        """What the kernel answers to whoever asks whether there is room; see :mod:`tests.crash.test_quota`."""
        if self.counting and self.fault is not None and self.fault.name in FULL:
            number: int = getattr(errno, self.fault.name)
            raise OSError(number, os.strerror(number))
