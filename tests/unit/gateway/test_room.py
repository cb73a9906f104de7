"""Room on the disk, and on that of blobs where it is another one."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import NoSpace
from ozgate.gateway.room import Room, make_room


class RoomTests(SynchronousTestCase):
    """Two file systems, with as many bytes free as a test says."""

    def setUp(self) -> None:
        """Both have room."""
        self.free = {"rows": 100, "blobs": 100}
        self.patch(os, "statvfs", self._statvfs)

    def _statvfs(self, path: str) -> Any:
        return SimpleNamespace(f_bavail=self.free[path], f_frsize=1)

    def test_elsewhere(self) -> None:
        """What goes to blobs needs room on both; what goes into rows alone does not ask for that of blobs."""
        room = Room("rows", 50, "blobs")
        room.check()
        self.free["blobs"] = 49
        self.assertRaises(NoSpace, room.check)
        room.check(lambda: 0)
        self.free.update(rows=49, blobs=100)
        self.assertRaises(NoSpace, room.check)
        self.assertRaises(NoSpace, room.check, lambda: 0)
        room.check(lambda: 50)

    def test_is_there(self) -> None:
        """There is room where both have it."""
        room = Room("rows", 50, "blobs")
        self.assertTrue(room.is_there())
        for name in self.free:
            self.free[name] = 49
            self.assertFalse(room.is_there())
            self.free[name] = 100

    def test_where(self) -> None:
        """Blobs are asked for room where they are on another file system, and on this machine."""
        folder = os.path.abspath(self.mktemp())
        os.mkdir(folder)
        made = make_room(folder, 1, folder)
        self.assertEqual(made, Room(folder, 1))
        self.assertEqual(make_room(folder, 1, ""), Room(folder, 1))
        other = "/proc/self"
        self.assertEqual(make_room(folder, 1, other), Room(folder, 1, other))
        self.assertEqual(make_room("", 1, folder), Room("", 1, folder))
        self.assertEqual(make_room("", 1, ""), Room("", 1))

    def test_no_rows(self) -> None:
        """Where rows are in a database elsewhere, only what goes to blobs asks for room on a disk of this machine."""
        room = Room("", 50, "blobs")
        self.free["blobs"] = 49
        self.assertRaises(NoSpace, room.check)
        self.assertFalse(room.is_there())
        room.check(lambda: 0)
        nowhere = Room("", 50)
        nowhere.check()
        self.assertTrue(nowhere.is_there())
