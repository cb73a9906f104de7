"""Writing to the file blob store: in which order a blob becomes durable, and what the disk may fail at."""

from __future__ import annotations

import errno
import os
import struct

from twisted.internet.defer import Deferred

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.blobfile import BLOCK, TRAILER, file_size
from ozgate.errors import NoSpace, Unavailable
from tests.unit.blobs.files.support import MIB, REAL, FilesCase, at_once


class WritingTests(FilesCase):
    """Making a blob durable, and failing to."""

    def test_order(self) -> None:
        """The file is durable before it has its name, and the name before the commit fires."""
        calls = self.record("writev", "fsync", "link_unnamed", "fsync_folder", "close")
        self.put(b"x" * 100)
        self.assertEqual(
            calls,
            ["writev", "writev", "fsync", "link_unnamed", "fsync_folder", "close"],
        )

    def test_order_when_staged(self) -> None:
        """So it is where a file has a staging name first."""
        self.break_call("open_unnamed", errno.EOPNOTSUPP)
        self.store.close_store()
        self.store = self.make()
        calls = self.record("writev", "fsync", "rename", "fsync_folder")
        blob = self.put(b"x" * 100)
        self.assertEqual(calls, ["writev", "writev", "fsync", "rename", "fsync_folder"])
        self.assertEqual(self.files(), [self.file(blob)])

    def test_no_proc(self) -> None:
        """Without ``/proc`` a file without a name cannot get one, so staging names are used."""
        self.break_call("link_unnamed", errno.ENOENT)
        self.store.close_store()
        self.store = self.make()
        self.assertEqual(self.get(self.put(b"abc")), b"abc")

    def test_short_writes(self) -> None:
        """Writes that take a part of what they are given are gone on with."""
        real = syscalls.writev
        self.patch(
            syscalls,
            "writev",
            lambda fd, chunks: real(fd, [bytes(chunks[0])[: 1 + len(chunks[0]) // 2]]),
        )
        data = os.urandom(300_000)
        self.assertTrue(self.get(self.put(data)) == data)

    def test_write_of_nothing(self) -> None:
        """A disk that takes no bytes and reports no error does not hang the writer."""
        self.patch(syscalls, "writev", lambda fd, chunks: 0)
        sink = self.store.create(None)
        sink.write(b"abc")
        self.failureResultOf(sink.commit(), Unavailable)
        self.nothing_left()

    def test_errors_while_writing(self) -> None:
        """Each error of each write fails the blob as what it is, and leaves nothing."""
        for number, error in (
            (errno.ENOSPC, NoSpace),
            (errno.EDQUOT, NoSpace),
            (errno.EIO, Unavailable),
            (errno.EROFS, Unavailable),
        ):
            for at in (1, 2, 3, 4):
                # Two batches, then the rest, then the footer.
                patched = self.break_call("writev", number, at)
                sink = self.store.create(None)
                try:
                    for _ in range(20):
                        sink.write(b"x" * 65536)
                except error:
                    pass
                self.failureResultOf(sink.commit(), error)
                self.nothing_left()
                self.assertEqual(patched[0], at)
                self.mend("writev")

    def test_errors_while_opening(self) -> None:
        """Too many open files, or no room for an inode, fail the blob and leave nothing."""
        for number, error in ((errno.EMFILE, Unavailable), (errno.ENOSPC, NoSpace)):
            self.break_call("open_unnamed", number)
            sink = self.store.create(None)
            sink.write(b"abc")
            self.failureResultOf(sink.commit(), error)
            self.nothing_left()

    def test_no_room_for_the_hint(self) -> None:
        """A disk that cannot hold what was announced refuses at the first batch, before the rest has come."""
        self.break_call("allocate", errno.ENOSPC)
        sink = self.store.create(100 * MIB)
        sink.write(b"x" * MIB)
        self.assertRaises(NoSpace, sink.write, b"x")
        self.successResultOf(sink.abort())
        self.nothing_left()

    def test_announced_and_not_there(self) -> None:
        """More than the disk has is refused at the first batch, though no more than that batch is reserved."""
        self.patch(syscalls, "free", lambda fd: 100 * MIB - 1)
        sink = self.store.create(100 * MIB)
        sink.write(b"x" * MIB)
        self.assertRaises(NoSpace, sink.write, b"x")
        self.successResultOf(sink.abort())
        self.nothing_left()

    def test_reserved_as_it_comes(self) -> None:
        """Room is reserved for about as much again as has come, in few calls, so that a promise takes nothing from others."""
        counts: list[int] = []

        def allocate(fd: int, count: int) -> None:
            counts.append(count)
            REAL["allocate"](fd, count)

        self.patch(syscalls, "allocate", allocate)
        size = 64 * MIB
        sink = self.store.create(size)
        for sent in range(1, 65):
            sink.write(bytes(MIB))
            self.assertLessEqual(counts[-1], 2 * sent * MIB)
            self.assertGreaterEqual(counts[-1], sent * MIB)
        blob = self.successResultOf(sink.commit())
        self.assertLessEqual(len(counts), 8)
        self.assertEqual(counts[-1], file_size(size))
        taken = os.stat(self.file(blob)).st_blocks * 512
        self.assertLessEqual(taken, file_size(size) + MIB)

    def test_fsync_is_final(self) -> None:
        """A failed fsync is not tried again: the second would succeed, and the bytes would be gone."""
        calls = self.break_call("fsync", errno.EIO)
        sink = self.store.create(None)
        sink.write(b"abc")
        self.failureResultOf(sink.commit(), Unavailable)
        self.assertEqual(calls[0], 1)
        self.nothing_left()

    def test_disk_full_at_fsync(self) -> None:
        """File systems that give out room late say only at fsync that there is none."""
        self.break_call("fsync", errno.ENOSPC)
        sink = self.store.create(None)
        sink.write(b"abc")
        self.failureResultOf(sink.commit(), NoSpace)
        self.nothing_left()

    def test_name_fails(self) -> None:
        """A blob that cannot be named leaves nothing."""
        self.break_call("link_unnamed", errno.ENOSPC)
        sink = self.store.create(None)
        sink.write(b"abc")
        self.failureResultOf(sink.commit(), NoSpace)
        self.nothing_left()

    def test_folder_fails(self) -> None:
        """A blob whose name may not be durable has no name."""
        self.break_call("fsync_folder", errno.EIO)
        sink = self.store.create(None)
        sink.write(b"abc")
        self.failureResultOf(sink.commit(), Unavailable)
        self.nothing_left()

    def test_staged_failures(self) -> None:
        """With staging names, too, no failure leaves a file."""
        self.break_call("open_unnamed", errno.EOPNOTSUPP)
        self.store.close_store()
        self.store = self.make()
        for name in ("writev", "fsync", "rename", "fsync_folder"):
            self.break_call(name, errno.EIO)
            sink = self.store.create(None)
            sink.write(b"x" * MIB)
            self.failureResultOf(sink.commit(), Unavailable)
            self.nothing_left()
            self.mend(name)

    def test_goes_on(self) -> None:
        """After a failure the store takes the next blob."""
        self.break_call("fsync", errno.ENOSPC)
        sink = self.store.create(None)
        sink.write(b"abc")
        self.failureResultOf(sink.commit(), NoSpace)
        self.mend("fsync")
        self.assertEqual(self.get(self.put(b"abc")), b"abc")

    def test_early_writeback(self) -> None:
        """Large blobs begin to be written to the disk before the commit."""
        calls = self.record("start_writeback", "fsync")
        self.put(b"x" * (9 * MIB))
        self.assertEqual(calls, ["start_writeback", "fsync"])

    def test_many_chunks(self) -> None:
        """More chunks than one writev takes (IOV_MAX) are written all the same."""
        sink = self.store.create(None)
        data = os.urandom(5000)
        hold: Deferred = Deferred()
        sink._run_in_thread = lambda f, *args: hold.addCallback(lambda _: f(*args))
        sink.write(b"y" * MIB)
        for n in range(5000):
            sink.write(data[n : n + 1])
        sink._run_in_thread = at_once
        committing = sink.commit()
        hold.callback(None)
        blob = self.successResultOf(committing)
        self.assertTrue(self.get(blob) == b"y" * MIB + data)

    def test_file(self) -> None:
        """A blob's file is its bytes, a checksum for each block, and a trailer that says how many."""
        data = os.urandom(BLOCK * 2 + 5)
        blob = self.put(data)
        with open(self.file(blob), "rb") as file:
            stored = file.read()
        self.assertEqual(len(stored), file_size(len(data)))
        self.assertTrue(stored.startswith(data))
        magic, block, blocks, length, crc, _ = TRAILER.unpack(stored[-TRAILER.size :])
        self.assertEqual(magic, b"ozgblob1")
        self.assertEqual((block, blocks, length), (BLOCK, 3, len(data)))
        self.assertEqual(crc, blob.crc64nvme)
        self.assertEqual(len(struct.unpack_from("<3Q", stored, len(data))), 3)
