"""SQLite's files beside the database, as a killed server left them, and as somebody damaged them then."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from ozgate.metadata.sqlite.logcheck import ACCEPTING
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

    def refused(self) -> str:
        """Start it, which is refused; the line that says why."""
        with open(self.server.log, "wb"):
            pass
        self.assertRaises(RuntimeError, self.server.start)
        said = self.server.output().splitlines()
        (line,) = [each for each in said if each.startswith("ozgate: ")]
        return line

    def start_accepting(self) -> None:
        """Start it once, with the property that the refusal names."""
        settings = self.server.settings
        self.server.settings = (*settings, f"{ACCEPTING}=true")
        self.server.start()
        self.server.settings = settings

    def test_frames(self) -> None:
        """A bit flips in the log: the start is refused; when that is accepted, what was acknowledged before is there, in its order, and nothing else."""
        frames = (os.path.getsize(self.log) - HEADER) // FRAME
        self.assertGreater(frames, 2 * KEYS)
        chance = Random(20261122)
        kept = []
        for part in (0.3, 0.8):
            self.again()
            frame = HEADER + int(frames * part) * FRAME
            self.flip(frame + chance.choice((0, 8, 16, chance.randrange(24, FRAME))))
            said = self.refused()
            self.assertIn("the write-ahead log is damaged (frame ", said)
            self.assertIn(f"{ACCEPTING}=true", said)
            self.start_accepting()
            found = self.found()
            self.assertEqual(found, list(range(len(found))))
            kept.append(len(found))
            self.assertEqual(self.put("after", SMALL), 200)
            self.server.kill()
            self.server.start()
            self.assert_there(after=SMALL)
            self.server.kill()
        self.assertGreater(kept[0], KEYS * 0.1)
        self.assertGreater(kept[1], kept[0])
        self.assertLess(kept[1], KEYS)

    def test_relaxed(self) -> None:
        """What a service with relaxed durability wrote may have gaps after a power cut: no start is refused for them."""
        self.server.settings = (*self.server.settings, "ozgate.durability=relaxed")
        self.server.start()
        for number in range(KEYS):
            self.assertEqual(self.put(f"{number:03}", self.body(number)), 200)
        self.server.kill()
        self.server.settings = self.server.settings[:-1]
        self.flip(HEADER + 20 * FRAME + 100)
        self.server.start()
        self.assertEqual(self.found(), list(range(KEYS)))
        self.server.kill()

    def test_header(self) -> None:
        """A bit flips in the log's header: service and commands refuse it, and leave it as it is; when that is accepted, what the database held is there."""
        self.flip(9)
        log = Path(self.log).read_bytes()
        said = self.refused()
        self.assertIn("the write-ahead log is damaged (its header)", said)
        command = [sys.executable, "-m", "ozgate", "admin", "fsck"]
        done = subprocess.run(
            [*command, "--data", self.server.data],
            capture_output=True,
            text=True,
            env=self.server.environment(),
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(said.removeprefix("ozgate: "), done.stderr)
        self.assertTrue(Path(self.log).read_bytes() == log)
        self.start_accepting()
        self.assert_sound()

    def test_cut_off(self) -> None:
        """The log is gone, or cut off in a transaction: what the database held before is there, and it is sound."""
        for damage in ("unlink", "truncate"):
            self.again()
            if damage == "unlink":
                os.unlink(self.log)
            else:
                os.truncate(self.log, HEADER + FRAME + 100)
            self.server.start()
            self.assert_sound()
            self.server.kill()

    def assert_sound(self) -> None:
        """The server holds some first of the objects, and stores more."""
        found = self.found()
        self.assertEqual(found, list(range(len(found))))
        if self.server.request("HEAD", "/bucket")[0] == 404:
            self.assertEqual(self.server.request("PUT", "/bucket")[0], 200)
        self.assertEqual(self.put("after", SMALL), 200)
        self.assert_there(after=SMALL)

    def flip(self, offset: int) -> None:
        """Flip a bit of the log."""
        with open(self.log, "r+b", buffering=0) as file:
            (byte,) = os.pread(file.fileno(), 1, offset)
            os.pwrite(file.fileno(), bytes((byte ^ 0x10,)), offset)
