"""Reading from the file blob store: what is damaged, cut or gone, and the turns and threads that a reading takes."""

from __future__ import annotations

import errno
import os
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.blobfile import BLOCK, TRAILER, file_size
from ozgate.errors import Absent, ClientGone, Damaged, Unavailable
from ozgate.testing.blob_contract import Reader
from ozgate.values import BlobRef, ByteRange
from tests.fuzz import blobs
from tests.unit.blobs.files.support import FilesCase


class ReadingTests(FilesCase):
    """Reading what is damaged, cut, or gone."""

    def source(self, blob: BlobRef, offset: int = 0, length: int = -1):
        count = blob.length - offset if length < 0 else length
        source = self.successResultOf(self.store.open(blob, ByteRange(offset, count)))
        self.addCleanup(source.close)
        return source

    def flip(self, blob: BlobRef, offset: int) -> None:
        with open(self.file(blob), "r+b") as file:
            file.seek(offset, os.SEEK_END if offset < 0 else os.SEEK_SET)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))

    def test_every_part_is_checked(self) -> None:
        """A bit flipped in the data, the table, or what a reader goes by in the trailer fails closed."""
        length = BLOCK + 10
        for offset in (
            0,
            BLOCK - 1,
            BLOCK,
            length - 1,
            length,
            length + 15,
            -TRAILER.size,
            -TRAILER.size + 8,
            -TRAILER.size + 12,
            -TRAILER.size + 16,
        ):
            blob = self.put(os.urandom(length))
            self.flip(blob, offset)
            reader = Reader()
            sending = self.source(blob).send_to(reader)
            self.failureResultOf(sending, Damaged)
            self.assertIn(len(reader.data), (0, BLOCK))

    @settings(deadline=None, max_examples=60)
    @given(
        st.integers(0, len(blobs.BYTES)),
        st.sampled_from([0, 1, 20, BLOCK, len(blobs.BYTES)]),
        st.lists(
            st.tuples(
                st.one_of(
                    st.integers(0, len(blobs.BYTES)),
                    st.integers(len(blobs.BYTES), file_size(len(blobs.BYTES))),
                ),
                st.integers(0, 255),
            ),
            max_size=4,
        ),
    )
    def test_any_change(
        self, first: int, count: int, changes: list[tuple[int, int]]
    ) -> None:
        """Whatever bytes of a file are changed or cut off, a range of it is right or damaged."""
        packed = [struct.pack("<IB", *change) for change in changes]
        blobs.one_input(struct.pack("<II", first, count) + b"".join(packed))

    def test_undamaged_blocks_can_be_read(self) -> None:
        """A range that touches no bad block is sent."""
        data = os.urandom(3 * BLOCK)
        blob = self.put(data)
        self.flip(blob, BLOCK + 1)
        reader = Reader()
        self.successResultOf(self.source(blob, 2 * BLOCK, 100).send_to(reader))
        self.assertEqual(reader.data, data[2 * BLOCK : 2 * BLOCK + 100])

    def test_truncated_under_a_reader(self) -> None:
        """A file that is cut while it is sent fails the sending; there is no SIGBUS, nothing is mapped."""
        blob = self.put(os.urandom(4 * BLOCK))
        reader = Reader(lambda r: r.producer.pauseProducing())
        sending = self.source(blob).send_to(reader)
        os.truncate(self.file(blob), BLOCK)
        reader.producer.resumeProducing()
        self.failureResultOf(sending, Damaged)
        self.assertEqual(len(reader.data), BLOCK)

    def test_deleted_under_a_reader(self) -> None:
        """A reader keeps the bytes of a blob that is deleted meanwhile."""
        data = os.urandom(2 * BLOCK)
        blob = self.put(data)
        source = self.source(blob)
        self.successResultOf(self.store.delete(blob.id))
        reader = Reader()
        self.successResultOf(source.send_to(reader))
        self.assertTrue(reader.data == data)

    def test_short_reads(self) -> None:
        """Reads that give a part of what was asked for are gone on with."""
        data = os.urandom(BLOCK + 1000)
        blob = self.put(data)
        real = syscalls.pread
        self.patch(
            syscalls, "preadv_nowait", lambda fd, view, offset: min(len(view), 1)
        )
        self.patch(syscalls, "pread", lambda fd, n, at: real(fd, 1 + n // 2, at))
        self.assertTrue(self.get(blob) == data)

    def test_disk_error(self) -> None:
        """A disk that cannot read fails the sending."""
        blob = self.put(os.urandom(1000))
        self.patch(syscalls, "preadv_nowait", lambda fd, view, offset: 0)
        self.break_call("pread", errno.EIO)
        self.failureResultOf(self.source(blob).send_to(Reader()), Unavailable)

    def test_errors_of_open(self) -> None:
        """Too many open files is a passing trouble; a missing file is not."""
        blob = self.put(b"abc")
        self.break_call("open_named", errno.EMFILE)
        opening = self.store.open(blob, ByteRange(0, 3))
        self.failureResultOf(opening, Unavailable)
        self.mend("open_named")
        os.unlink(self.file(blob))
        self.failureResultOf(self.store.open(blob, ByteRange(0, 3)), Absent)

    def test_failed_open_keeps_no_file(self) -> None:
        """A blob that is too short is not left open."""
        blob = self.put(b"abc")
        os.truncate(self.file(blob), 10)
        self.failureResultOf(self.store.open(blob, ByteRange(0, 3)), Damaged)
        self.assertEqual(self.open_blobs(), [])

    def test_takes_turns(self) -> None:
        """A consumer that never pauses does not keep the reactor from its other work."""
        blob = self.put(os.urandom(20 * BLOCK))
        reader = Reader()
        sending = self.source(blob).send_to(reader)
        self.assertNoResult(sending)
        self.assertLess(len(reader.data), 10 * BLOCK)
        while not sending.called:
            self.clock.advance(0)
        self.assertEqual(len(reader.data), 20 * BLOCK)

    def test_close_between_turns(self) -> None:
        """A source closed between two turns leaves no delayed call."""
        source = self.source(self.put(os.urandom(20 * BLOCK)))
        sending = source.send_to(Reader())
        source.close()
        self.failureResultOf(sending, ClientGone)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pause_in_a_thread_read(self) -> None:
        """A block that arrives from a thread while the consumer is paused waits for it."""
        data = os.urandom(2 * BLOCK)
        blob = self.put(data)
        self.patch(syscalls, "preadv_nowait", lambda fd, view, offset: 0)
        source = self.source(blob)
        waiting: list = []

        def later(function, *args):
            done: Deferred = Deferred()
            waiting.append(lambda: done.callback(function(*args)))
            return done

        source.run_in_thread = later
        reader = Reader()
        sending = source.send_to(reader)
        reader.producer.pauseProducing()
        waiting.pop()()
        reader.producer.resumeProducing()
        reader.producer.pauseProducing()
        waiting.pop()()
        self.assertEqual(reader.chunks, [])
        reader.producer.resumeProducing()
        self.assertEqual(reader.data, data[:BLOCK])
        waiting.pop()()
        self.successResultOf(sending)
        self.assertTrue(reader.data == data)

    def test_close_in_a_thread_read(self) -> None:
        """A file is not closed under the thread that reads it, but right after."""
        blob = self.put(os.urandom(100))
        self.patch(syscalls, "preadv_nowait", lambda fd, view, offset: 0)
        source = self.source(blob)
        done: Deferred = Deferred()
        source.run_in_thread = lambda function, *args: done
        sending = source.send_to(Reader())
        source.close()
        self.failureResultOf(sending, ClientGone)
        self.assertEqual(len(self.open_blobs()), 1)
        done.callback(b"whatever")
        self.assertEqual(self.open_blobs(), [])
