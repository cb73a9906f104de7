"""What :mod:`ozgate.metadata.sqlite.logcheck` makes of logs that SQLite wrote: of torn ones, and of damaged ones."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Unavailable
from ozgate.metadata.sqlite import connections
from ozgate.metadata.sqlite.connections import prepare_database
from ozgate.metadata.sqlite.logcheck import check_log, mark_relaxed, unmark_relaxed
from ozgate.metadata.sqlite.schema import migrate

HEADER, HEAD, PAGE = 32, 24, 4096
FRAME = HEAD + PAGE
TRANSACTIONS = 7


class LogCase(SynchronousTestCase):
    """A database with a log, and images of the two as a crash may leave them."""

    def setUp(self) -> None:
        """Make a database whose tables are in its file, and nothing in its log."""
        folder = self.mktemp()
        os.mkdir(folder)
        self.path = os.path.join(folder, "written.db")
        self.image = os.path.join(folder, "image %41?#.db")
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(self.connection.close)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "PRAGMA wal_autocheckpoint = 0",
        ):
            self.connection.execute(statement)
        migrate(self.connection)
        self.empty_log()

    def empty_log(self) -> None:
        """Move everything into the database."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def write(self, pages: int) -> None:
        """A transaction that writes some pages, or a few more."""
        self.connection.execute(
            "INSERT INTO bodies (body) VALUES (?)", (os.urandom(pages * PAGE),)
        )

    def written(self) -> bytearray:
        """The log as it is now."""
        with open(f"{self.path}-wal", "rb") as file:
            return bytearray(file.read())

    def said(self, log: bytes) -> str:
        """What is lost in a copy of the database with that log."""
        if not os.path.exists(self.image):
            shutil.copyfile(self.path, self.image)
        with open(f"{self.image}-wal", "wb") as file:
            file.write(log)
        found = check_log(self.image, accept=True)
        with open(f"{self.image}-wal", "rb") as file:
            self.assertEqual(file.read(), log, "the check changed the log")
        return found

    def ends(self, log: bytes) -> list[int]:
        """The numbers of the frames that end transactions, from 0."""
        return [
            number
            for number in range((len(log) - HEADER) // FRAME)
            if log[at(number) + 4 : at(number) + 8] != bytes(4)
        ]


def at(frame: int) -> int:
    """Where a frame begins, numbered from 0."""
    return HEADER + frame * FRAME


def flipped(log: bytes, offset: int) -> bytes:
    """A log in which a bit is another."""
    return log[:offset] + bytes((log[offset] ^ 0x10,)) + log[offset + 1 :]


def some_of(parts: Sequence[int], frames: int) -> Iterator[tuple[int, ...]]:
    """How much of each frame arrives: each way for one frame with the others there or not, and some of all the others."""
    for frame, part, rest in itertools.product(range(frames), parts, (0, FRAME)):
        yield tuple(part if each == frame else rest for each in range(frames))
    chance = Random(20261123)
    for _ in range(60):
        yield tuple(chance.choice(parts) for _ in range(frames))


class DamageTests(LogCase):
    """Bits that flip."""

    def setUp(self) -> None:
        """Write some transactions, one after the other."""
        super().setUp()
        for number in range(TRANSACTIONS):
            self.write(1 + number % 3)
        self.log = bytes(self.written())
        self.commits = self.ends(self.log)
        self.assertEqual(len(self.commits), TRANSACTIONS)

    def test_sound(self) -> None:
        """A log that is as it was written has lost nothing; nor one that is empty, absent, or a header alone."""
        for log in (self.log, b"", self.log[:HEADER], self.log[: HEADER + 10]):
            self.assertEqual(self.said(log), "")
        os.unlink(f"{self.image}-wal")
        self.assertEqual(check_log(self.image, accept=False), "")

    def test_frames(self) -> None:
        """Damage anywhere in a frame is told, with how many commits it takes, when a transaction was written after it."""
        before_last = self.commits[-2]
        for frame in range(before_last + 1):
            lost = sum(1 for commit in self.commits if commit >= frame)
            for offset in (1, 5, 9, 13, 17, 21, HEAD, HEAD + 2000, FRAME - 1):
                if frame == before_last and 16 <= offset < HEAD:
                    # Nothing can be checked by it, and one commit may be one that was torn.
                    continue
                said = self.said(flipped(self.log, at(frame) + offset))
                self.assertIn("the write-ahead log is damaged", said, (frame, offset))
                if offset not in (5, 9, 13):
                    self.assertIn(f"several: {lost}", said, (frame, offset))

    def test_pages(self) -> None:
        """A sector or a page of the log that reads as something else is told, wherever transactions were written after it."""
        for size in (512, PAGE):
            end = at(self.commits[-3]) - size
            for offset in range(size, end, 5 * size):
                for mask in (0xFF, 0x01):
                    there = self.log[offset : offset + size]
                    junk = bytes(byte ^ mask for byte in there)
                    log = self.log[:offset] + junk + self.log[offset + size :]
                    self.assertIn("is damaged", self.said(log), (size, offset))

    def test_header(self) -> None:
        """Damage to the header is told, but for the one word that is torn when a log begins anew."""
        for offset in range(HEADER):
            said = self.said(flipped(self.log, offset))
            if 12 <= offset < 16:
                self.assertEqual(said, "", offset)
            else:
                self.assertIn("damaged (its header)", said, offset)
                self.assertIn(f"several: {TRANSACTIONS}", said, offset)

    def test_refusal(self) -> None:
        """The refusal is one line that says what to do; and accepted, or in a log that was written relaxed, there is none."""
        self.said(flipped(self.log, at(3) + 100))
        said = str(self.assertRaises(Unavailable, check_log, self.image, False))
        self.assertIn("ozgate.metadata.accept-lost-writes=true", said)
        self.assertNotIn("\n", said)
        mark_relaxed(self.image)
        self.assertEqual(check_log(self.image, False), "")
        unmark_relaxed(self.image)
        self.assertRaises(Unavailable, check_log, self.image, False)


class TearTests(LogCase):
    """What a power cut may leave."""

    def assert_quiet(self, log: bytes, why: object) -> None:
        """Nothing is lost in a log."""
        self.assertEqual(self.said(log), "", why)

    def test_torn_transaction(self) -> None:
        """Of the last transaction each write may be there, be missing, be zeros or be torn: nothing is lost."""
        for _ in range(3):
            self.write(1)
        before = bytes(self.written())
        self.write(3)
        log = bytes(self.written())
        frames = range(len(before), len(log), FRAME)
        self.assertGreater(len(frames), 3)
        for kept in some_of((0, HEAD, FRAME // 2, FRAME), len(frames)):
            torn = bytearray(len(log))
            torn[: len(before)] = before
            for start, size in zip(frames, kept, strict=True):
                torn[start : start + size] = log[start : start + size]
            self.assert_quiet(bytes(torn), kept)

    def test_over_what_was_rolled_back(self) -> None:
        """A torn transaction over the frames of a longer one that was rolled back: nothing is lost."""
        self.write(1)
        self.connection.execute("PRAGMA cache_size = 2")
        self.connection.execute("BEGIN")
        for _ in range(8):
            self.write(3)
        self.connection.execute("ROLLBACK")
        stale = bytes(self.written())
        self.assertGreater(len(stale), at(20))
        self.connection.execute("PRAGMA cache_size = 2000")
        self.write(3)
        log = bytes(self.written())
        self.assertEqual(len(log), len(stale))
        first, last = self.ends(log)
        self.assertGreater(last, first + 3)
        frames = range(first + 1, last + 1)
        for kept in some_of((0, 12, HEAD, FRAME // 2, FRAME), len(frames)):
            torn = bytearray(stale)
            for frame, size in zip(frames, kept, strict=True):
                start = at(frame)
                torn[start : start + size] = log[start : start + size]
            self.assert_quiet(bytes(torn), kept)

    def test_over_a_log_before(self) -> None:
        """A log that begins anew over the frames of the one before, torn at every place, its header too: nothing is lost."""
        for _ in range(4):
            self.write(2)
        old = bytes(self.written())
        self.connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        self.write(2)
        new = bytes(self.written())
        self.assertEqual(len(new), len(old))
        self.assertNotEqual(new[:HEADER], old[:HEADER])
        for torn in (HEADER // 2, HEADER):
            self.assert_quiet(new[:torn] + old[torn:], torn)
        (end, *_) = self.ends(new)
        for kept in some_of((0, 12, HEAD, FRAME // 2, FRAME), end + 1):
            log = bytearray(new[:HEADER] + old[HEADER:])
            for frame, size in enumerate(kept):
                log[at(frame) : at(frame) + size] = new[at(frame) : at(frame) + size]
            self.assert_quiet(bytes(log), kept)

    def test_zeros(self) -> None:
        """A file that is longer than what was written to it, and one that ends in the middle: nothing is lost."""
        self.write(2)
        log = bytes(self.written())
        self.assert_quiet(log + bytes(10 * FRAME), "zeros")
        for size in range(0, len(log), 500):
            self.assert_quiet(log[:size], size)


class RelaxedTests(LogCase):
    """The note that a log was written without syncing."""

    def test_strict_after_relaxed(self) -> None:
        """The note is there as long as the log may have gaps, and goes when a strict start has emptied it."""
        note = f"{self.path}-relaxed"
        mark_relaxed(self.path)
        prepare_database(self.path, relaxed=True).close()
        self.assertTrue(os.path.exists(note))
        reader = sqlite3.connect(self.path, isolation_level=None)
        with closing(reader):
            self.write(1)
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM bodies").fetchall()
            self.write(1)
            self.patch(connections, "BUSY_SECONDS", 0.01)
            prepare_database(self.path).close()
            self.assertTrue(os.path.exists(note), "somebody reads: it is not empty")
        prepare_database(self.path).close()
        self.assertFalse(os.path.exists(note))
