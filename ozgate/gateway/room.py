"""Room on the disk: what is kept free so that a full disk can still be emptied."""

from __future__ import annotations

import os
from collections.abc import Callable

from ..errors import NoSpace
from ..immutable import frozen

LITTLE = 1 << 20
"""Bytes that must be free for a disk to have room, where nothing is kept free."""


@frozen
class Room:
    """Refuses to store more while too little is free.

    Even a deletion writes: to the metadata store's log. On a disk filled to the last byte nothing could be deleted.

    :ivar path: a folder on the file system in question; ``""`` where rows are on no disk of this machine.
    :ivar reserve: bytes to keep free; 0 turns the check off.
    :ivar elsewhere: a folder on the file system of new blobs, where that is another one.
    """

    path: str = "."
    reserve: int = 0
    elsewhere: str = ""

    def check(self, reusable: Callable[[], int] | None = None) -> None:
        """Costs one ``statvfs``, or two.

        :param reusable: tells how many bytes a store can take without the disk; asked only when the disk has too few. Only
            of what goes into that store, and no further.
        :raises NoSpace: less than the reserve is free, on the disk and in the store.
        """
        if not self.reserve:
            return
        if self.path and _free(self.path) < self.reserve:
            if reusable is None or reusable() < self.reserve:
                raise NoSpace(f"less than {self.reserve} bytes are free")
        if self.elsewhere and reusable is None and _free(self.elsewhere) < self.reserve:
            raise NoSpace(f"less than {self.reserve} bytes are free for blobs")

    def is_there(self) -> bool:
        """Whether the disk itself has room; what a store can take without it aside. Costs one ``statvfs``, or two."""
        needed = self.reserve or LITTLE
        asked = filter(None, (self.path, self.elsewhere))
        return all(_free(each) >= needed for each in asked)


def make_room(path: str, reserve: int, new_blobs: str) -> Room:
    """The room for rows in a folder, and for new blobs.

    :param path: ``""`` where rows go to no folder.
    :param new_blobs: the folder that they go to, which may be on another file system; ``""`` where they go to no folder.
    """
    if not path or (new_blobs and os.stat(new_blobs).st_dev != os.stat(path).st_dev):
        return Room(path, reserve, new_blobs)
    return Room(path, reserve)


def _free(path: str) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize
