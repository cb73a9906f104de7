"""SQLite's files beside the database, as a killed server left them, and as somebody damaged them then."""

from __future__ import annotations

import os
import re
import shutil
from random import Random

from tests.crash.test_environment import SMALL, ServerCase

KEYS = 60
HEADER, FRAME = 32, 24 + 4096
"""Bytes of a write-ahead log's header, and of a frame: its header and a page (https://www.sqlite.org/fileformat2.html#walformat)."""


class LogDamageTests(ServerCase):
    """A server that is killed with acknowledged writes in its log, and started again on what is left."""

    def setUp(self) -> None:
        """Store some objects, one after the other, and kill the server."""
        self.begin("ozgate.sweep.interval=1h")
        self.log = os.path.join(self.server.data, "metadata.db-wal")
        self.index = os.path.join(self.server.data, "metadata.db-shm")
        for number in range(KEYS):
            self.assertEqual(self.put(f"{number:03}", self.body(number)), 200)
        self.server.kill()
        self.copy = self.server.data + ".copy"
        shutil.copytree(
            self.server.data, self.copy, ignore=shutil.ignore_patterns("*.sock")
        )
        self.addCleanup(shutil.rmtree, self.copy)

    def body(self, number: int) -> bytes:
        """What is stored under a key."""
        return b"%d " % number * 1000

    def found(self) -> list[int]:
        """The objects that are there, each of which reads whole."""
        status, _, listing = self.server.request("GET", "/bucket?list-type=2")
        if status == 404:
            return []
        self.assertEqual(status, 200, listing)
        numbers = [int(key) for key in re.findall("<Key>(.*?)</Key>", listing.decode())]
        for number in numbers:
            _, _, body = self.server.request("GET", f"/bucket/{number:03}")
            self.assertTrue(body == self.body(number), number)
        return numbers

    def again(self) -> None:
        """Have the folder as the kill left it."""
        shutil.rmtree(self.server.data)
        shutil.copytree(self.copy, self.server.data)

    def test_index(self) -> None:
        """Without -shm, or with one that is garbage, everything is there: it is made anew from the log."""
        self.assertTrue(os.path.exists(self.index))
        for damage in (b"\xff" * 32768, None):
            self.again()
            if damage is None:
                os.unlink(self.index)
            else:
                with open(self.index, "wb") as file:
                    file.write(damage)
            self.server.start()
            self.assertEqual(self.found(), list(range(KEYS)))
            self.server.kill()

    def test_frames(self) -> None:
        """A bit flips in the log: what was acknowledged before the damaged frame is there, in its order, and nothing else."""
        frames = (os.path.getsize(self.log) - HEADER) // FRAME
        self.assertGreater(frames, 2 * KEYS)
        chance = Random(20261122)
        kept = []
        for part in (0.2, 0.5, 0.9):
            self.again()
            frame = HEADER + int(frames * part) * FRAME
            self.flip(frame + chance.choice((0, 8, 16, chance.randrange(24, FRAME))))
            self.server.start()
            found = self.found()
            self.assertEqual(found, list(range(len(found))))
            kept.append(len(found))
            self.assertEqual(self.put("after", SMALL), 200)
            self.assert_there(after=SMALL)
            self.server.kill()
        self.assertEqual(kept, sorted(kept))
        self.assertGreater(kept[1], KEYS * 0.2)
        self.assertLess(kept[1], KEYS)
        self.assertGreater(kept[2], KEYS * 0.6)

    def test_header(self) -> None:
        """A bit flips in the log's header, or the log is gone: what the database held before is there, and it is sound."""
        for damage in ("flip", "unlink", "truncate"):
            self.again()
            if damage == "flip":
                self.flip(9)
            elif damage == "unlink":
                os.unlink(self.log)
            else:
                os.truncate(self.log, HEADER + FRAME + 100)
            self.server.start()
            found = self.found()
            self.assertEqual(found, list(range(len(found))))
            if self.server.request("HEAD", "/bucket")[0] == 404:
                self.assertEqual(self.server.request("PUT", "/bucket")[0], 200)
            self.assertEqual(self.put("after", SMALL), 200)
            self.assert_there(after=SMALL)
            self.server.kill()

    def flip(self, offset: int) -> None:
        """Flip a bit of the log."""
        with open(self.log, "r+b", buffering=0) as file:
            (byte,) = os.pread(file.fileno(), 1, offset)
            os.pwrite(file.fileno(), bytes((byte ^ 0x10,)), offset)
