"""Room on the disk: what is kept free so that a full disk can still be emptied."""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import frozen

from ..errors import NoSpace

LITTLE = 1 << 20
"""Bytes that must be free for a disk to have room, where nothing is kept free."""


@frozen
class Room:
    """Refuses to store more while too little is free.

    Even a deletion writes: to the metadata store's log. On a disk filled to the last byte nothing could be deleted.

    :ivar path: a folder on the file system in question.
    :ivar reserve: bytes to keep free; 0 turns the check off.
    """

    path: str = "."
    reserve: int = 0

    def check(self, reusable: Callable[[], int] | None = None) -> None:
        """Costs one ``statvfs``.

        :param reusable: tells how many bytes a store can take without the disk; asked only when the disk has too few.
        :raises NoSpace: less than the reserve is free, on the disk and in the store.
        """
        if not self.reserve:
            return
        if self._free() >= self.reserve:
            return
        if reusable is None or reusable() < self.reserve:
            raise NoSpace(f"less than {self.reserve} bytes are free")

    def is_there(self) -> bool:
        """Whether the disk itself has room; what a store can take without it aside. Costs one ``statvfs``."""
        return self._free() >= (self.reserve or LITTLE)

    def _free(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize
