"""Bits that flip in files of blobs, files that are cut or swapped, and what is remembered of those that were verified."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.blobfile import BLOCK, TRAILER, file_size
from ozgate.blobs.files.knownblocks import KnownBlocks
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import Damaged
from ozgate.testing.blob_contract import Reader
from ozgate.values import BlobRef, ByteRange
from tests.crash.bit_rot import SEED
from tests.started import started


class BlobTests(SynchronousTestCase):
    """Files of blobs."""

    def setUp(self) -> None:
        """A store in which threads are calls."""
        self.path = self.mktemp()
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.store = self.opened()

    def opened(self) -> FileBlobStore:
        """A store over the same files, as after a start."""
        store = FileBlobStore(self.path, "files", self.clock, maybeDeferred, 10)
        self.successResultOf(started(store))
        self.addCleanup(store.close_store)
        return store

    def restart(self) -> None:
        """Forget what was verified."""
        self.successResultOf(self.store.close_store())
        self.store = self.opened()

    def put(self, data: bytes) -> BlobRef:
        """Store a blob."""
        sink = self.store.create(len(data))
        sink.write(data)
        return self.successResultOf(sink.commit())

    def file(self, blob: BlobRef) -> str:
        """The path of a blob's file."""
        return self.store.file_of(blob.id)

    def flip(self, blob: BlobRef, bit: int) -> None:
        """Flip one bit of a blob's file."""
        with open(self.file(blob), "r+b") as file:
            file.seek(bit // 8)
            byte = file.read(1)[0]
            file.seek(bit // 8)
            file.write(bytes([byte ^ 1 << bit % 8]))

    def ways(
        self, blob: BlobRef, offset: int, length: int
    ) -> Iterator[Callable[[], bytes | None]]:
        """The ways in which a run of a blob is read, each from a source of its own."""

        def pushed(source: Any) -> bytes:
            reader = Reader()
            found: list[Any] = []
            sending: Deferred[None] = source.send_to(reader)
            sending.addBoth(found.append)
            while not found:
                self.clock.advance(1)
            if found[0] is not None:
                # What came before the damage must be right, too.
                self.partial = reader.data
                found[0].raiseException()
            return reader.data

        def mapped(source: Any) -> bytes | None:
            place = source.as_file()
            return None if place is None else os.pread(place[0], place[2], place[1])

        for way in (lambda source: source.as_bytes(), mapped, pushed):

            def read(way: Callable[[Any], bytes | None] = way) -> bytes | None:
                opening = self.store.open(blob, ByteRange(offset, length))
                source = self.successResultOf(opening.addErrback(lambda f: f.value))
                if isinstance(source, Exception):
                    raise source
                try:
                    return way(source)
                finally:
                    source.close()

            yield read

    def reads(self, blob: BlobRef, data: bytes, offset: int, length: int) -> list[str]:
        """Read a run in every way, and see that none gives wrong bytes: ``right``, ``damaged`` or ``none`` for each."""
        expected = data[offset : offset + length]
        found = []
        for read in self.ways(blob, offset, length):
            self.partial = b""
            try:
                got = read()
            except Damaged:
                self.assertTrue(expected.startswith(self.partial))
                found.append("damaged")
            else:
                self.assertIn(got, (expected, None))
                found.append("none" if got is None else "right")
        return found

    def test_every_bit_of_a_small_file(self) -> None:
        """Whichever bit of a blob of one block flips, data, table or trailer, no way of reading gives a byte of it."""
        data = Random(SEED).randbytes(60)
        blob = self.put(data)
        for bit in range(file_size(len(data)) * 8):
            self.flip(blob, bit)
            self.assertEqual(
                self.reads(blob, data, 0, 60), ["damaged", "none", "damaged"], bit
            )
            self.assertNotIn("right", self.reads(blob, data, 20, 10), bit)
            self.flip(blob, bit)
        self.assertEqual(self.reads(blob, data, 0, 60), ["right", "none", "right"])

    def test_every_part_of_a_large_file(self) -> None:
        """In blobs of several blocks, blocks that no bit flipped in are read; no other byte is, in any way."""
        data = Random(SEED).randbytes(2 * BLOCK + 300)
        blob = self.put(data)
        runs = ((0, len(data)), (10, 100), (BLOCK - 5, 10), (2 * BLOCK, 300))
        end = file_size(len(data))
        table = len(data)
        for position in (
            *(0, 15, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, len(data) - 1),
            *range(table, end - TRAILER.size, 5),
            *range(end - TRAILER.size, end),
        ):
            self.flip(blob, position * 8 + position % 8)
            for offset, length in runs:
                found = self.reads(blob, data, offset, length)
                first, last = offset // BLOCK, (offset + length - 1) // BLOCK
                if position >= table or first <= position // BLOCK <= last:
                    self.assertEqual(found[0::2], ["none", "damaged"], position)
                    self.assertNotEqual(found[1], "right", position)
                else:
                    self.assertEqual(found[2], "right", (position, offset))
            self.flip(blob, position * 8 + position % 8)
        self.assertEqual(self.reads(blob, data, 0, len(data))[2], "right")

    def test_every_length(self) -> None:
        """A file that is cut off, or longer than it was, is damaged at each of its ends."""
        for length in (0, 1, 100, BLOCK, BLOCK + 1):
            data = Random(SEED).randbytes(length)
            blob = self.put(data)
            size = file_size(length)
            for cut in {
                0,
                1,
                length - 1,
                length,
                size - TRAILER.size,
                size - 1,
                size + 1,
            }:
                if cut in (-1, size):
                    continue
                shutil.copy(self.file(blob), f"{self.path}-kept")
                os.truncate(self.file(blob), cut)
                opening = self.store.open(blob, ByteRange(0, length))
                self.failureResultOf(opening, Damaged)
                os.replace(f"{self.path}-kept", self.file(blob))

    def test_swapped(self) -> None:
        """A file in the place of another one of the same length is damage, also where sendfile was allowed before."""
        for length in (100, BLOCK + 100):
            one, other = Random(1).randbytes(length), Random(2).randbytes(length)
            first, second = self.put(one), self.put(other)
            self.assertIn("right", self.reads(first, one, 0, length))
            paths = self.file(first), self.file(second)
            for old, new in (
                (paths[0], f"{self.path}-kept"),
                (paths[1], paths[0]),
                (f"{self.path}-kept", paths[1]),
            ):
                os.replace(old, new)
            for blob, data in ((first, one), (second, other)):
                for offset, count in ((0, length), (50, 10)):
                    found = self.reads(blob, data, offset, count)
                    self.assertNotIn("right", found)
                    self.assertIn("damaged", found)

    def test_sendfile_after_verification(self) -> None:
        """After a start a file is not for sendfile until each of its blocks was read and held against its checksum."""
        data = Random(SEED).randbytes(2 * BLOCK + 1)
        blob = self.put(data)
        everything, end = (0, len(data)), (2 * BLOCK, 1)
        self.assertEqual(self.reads(blob, data, *everything)[1], "right")
        self.restart()
        self.assertEqual(self.reads(blob, data, *end), ["none", "none", "right"])
        self.assertEqual(self.reads(blob, data, *end), ["right"] * 3)
        self.assertEqual(self.reads(blob, data, *everything), ["none", "none", "right"])
        self.assertEqual(
            self.reads(blob, data, *everything), ["none", "right", "right"]
        )

    def test_unnoticed_change(self) -> None:
        """What flips without the file system's knowing is found when a scrub comes by, and by reads when time is up."""
        self.patch(syscalls, "stamp", lambda fd: (os.fstat(fd).st_size, 0, 0))
        now = [0.0]
        for scrub in (True, False):
            data = Random(SEED).randbytes(BLOCK + 1)
            self.store.known = KnownBlocks(60.0, seconds=lambda: now[0])
            blob = self.put(data)
            self.flip(blob, 8)
            [_, mapped, _] = list(self.ways(blob, 0, len(data)))
            self.assertIsNotNone(mapped())
            if scrub:
                self.failureResultOf(self.store.verify(blob.id), Damaged)
            else:
                now[0] += 60
            self.assertEqual(
                self.reads(blob, data, 0, len(data)), ["none", "none", "damaged"]
            )

    def test_deleted(self) -> None:
        """Nothing is remembered of a blob that was deleted."""
        blob = self.put(bytes(BLOCK))
        self.assertEqual(len(self.store.known), 1)
        self.successResultOf(self.store.delete(blob.id))
        self.assertEqual(len(self.store.known), 0)


class VerifiedTests(SynchronousTestCase):
    """The record of what was verified."""

    def setUp(self) -> None:
        """A record of three blobs."""
        self.now = 0.0
        self.known = KnownBlocks(10.0, 3, lambda: self.now)

    def holds(self, blob: str, stamp: int = 1, first: int = 0, last: int = 0) -> bool:
        """Whether blocks are known."""
        return self.known.holds(blob, (stamp, 0, 0), first, last)

    def note(self, blob: str, block: int = 0, blocks: int = 3) -> None:
        """Note a block."""
        self.known.note(blob, (1, 0, 0), block, blocks)

    def test_blocks(self) -> None:
        """A run is known when each of its blocks is."""
        self.note("a", 0)
        self.note("a", 2)
        self.assertTrue(self.holds("a", first=2, last=2))
        self.assertFalse(self.holds("a", first=0, last=2))
        self.note("a", 1)
        self.assertTrue(self.holds("a", first=0, last=2))

    def test_stamp(self) -> None:
        """A file that was changed is not known, whatever was known of it."""
        self.note("a", 0, 1)
        self.assertFalse(self.holds("a", stamp=2))
        self.assertFalse(self.holds("a"))

    def test_age(self) -> None:
        """Time runs from the first block: the others become not known with it."""
        self.note("a", 0)
        self.now = 9.0
        self.note("a", 1)
        self.assertTrue(self.holds("a", last=1))
        self.now = 10.0
        self.assertFalse(self.holds("a", first=1, last=1))

    def test_never(self) -> None:
        """With a time of nothing, nothing is ever known."""
        self.known = KnownBlocks(0.0, 3, lambda: self.now)
        self.known.note_all("a", (1, 0, 0))
        self.assertFalse(self.holds("a"))

    def test_bounded(self) -> None:
        """Of too many blobs, that goes which was used the longest ago."""
        for blob in ("a", "b", "c"):
            self.note(blob)
        self.assertTrue(self.holds("a"))
        self.note("d")
        self.assertEqual(len(self.known), 3)
        self.assertFalse(self.holds("b"))
        self.assertTrue(self.holds("a") and self.holds("c") and self.holds("d"))
