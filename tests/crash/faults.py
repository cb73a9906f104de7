"""Calls of blob stores to the disk, of which one fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

from attrs import define, field

SILENT = ("close", "listdir", "preadv_nowait", "start_writeback", "will_need")
"""Functions of :mod:`ozgate.blobs.files.syscalls` that do not fail, or whose failures are looked at on their own."""

MAKE_DESCRIPTORS = (
    "open_named",
    "open_new",
    "open_regular",
    "open_unnamed",
    "open_within",
)


@define
class Faults:
    """Fails one call of many.

    :ivar at: number of the call that fails, from 1; 0 for none.
    :ivar done_first: whether the call takes effect before it fails.
    :ivar calls: the names of the calls so far.
    :ivar off: whether nothing is counted or failed just now.
    """

    at: int = 0
    off: bool = False
    number: int = errno.EIO
    done_first: bool = False
    calls: list[str] = field(factory=list)

    def arm(self, at: int, number: int = 0, done_first: bool = False) -> None:
        """Count from here; fail the call of that number."""
        self.at, self.number, self.done_first = at, number, done_first
        self.calls.clear()

    def call(self, name: str, real: Callable[..., Any], *args: Any) -> Any:
        """Do a call, or fail it."""
        if self.off:
            return real(*args)
        self.calls.append(name)
        if len(self.calls) != self.at:
            return real(*args)
        if self.done_first and name not in MAKE_DESCRIPTORS:
            real(*args)
        raise OSError(self.number, os.strerror(self.number))


def refuse_unnamed(folder: str) -> int:
    """A file system without nameless files."""
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


def at_once(function: Callable[..., Any], *args: Any) -> Any:
    """A pool of threads that is done before one looks."""
    from twisted.internet.defer import maybeDeferred

    return maybeDeferred(function, *args)
