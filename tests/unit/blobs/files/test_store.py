"""The file blob store where the disk misbehaves: what the contract cannot ask of every provider."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import threading

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.blobs.files import syscalls
from ozgate.blobs.files.blobfile import BLOCK, TRAILER, file_size
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import Absent, ClientGone, Damaged, NoSpace, Unavailable
from ozgate.testing.blob_contract import Feeder, Reader
from ozgate.values import BlobRef, ByteRange
from tests.fuzz import blobs
from tests.started import started

MIB = 1 << 20

REAL = {name: getattr(syscalls, name) for name in syscalls.__all__}
"""The functions of :mod:`ozgate.blobs.files.syscalls`, unbroken."""


def at_once(function, *args):
    """A thread pool that is done before one looks."""
    return maybeDeferred(function, *args)


class FilesCase(SynchronousTestCase):
    """A store whose threads run at once, on a clock that stands."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.path = self.mktemp()
        self.store = self.make()

    def make(self, path: str | None = None, name: str = "files") -> FileBlobStore:
        store = FileBlobStore(
            path or self.path, name, self.clock, at_once, inline_below=10
        )
        self.successResultOf(started(store))
        self.addCleanup(store.close_store)
        return store

    def put(self, data: bytes) -> BlobRef:
        sink = self.store.create(len(data))
        sink.write(data)
        return self.successResultOf(sink.commit())

    def get(self, blob: BlobRef) -> bytes:
        source = self.successResultOf(self.store.open(blob, ByteRange(0, blob.length)))
        reader = Reader()
        sending = source.send_to(reader)
        while reader.producer is not None:
            self.clock.advance(0)
        self.successResultOf(sending)
        source.close()
        return reader.data

    def file(self, blob: BlobRef) -> str:
        return f"{self.path}/data/{blob.id[-2:]}/{blob.id}"

    def files(self) -> list[str]:
        """Every file the store holds, but FORMAT."""
        return [
            f"{folder}/{name}"
            for part in ("data", "staging")
            for folder, _, names in os.walk(f"{self.path}/{part}")
            for name in names
        ]

    def open_blobs(self) -> list[str]:
        """The files in ``data`` that this process has open."""
        inside = os.path.abspath(self.path) + "/data/"
        links = []
        for fd in os.listdir("/proc/self/fd"):
            try:
                links.append(os.readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue  # the listing's own
        return [link for link in links if link.startswith(inside)]

    def record(self, *names: str) -> list[str]:
        """Note the calls of some functions of :mod:`ozgate.blobs.files.syscalls`."""
        calls: list[str] = []
        for name in names:

            def recording(*args, name=name):
                calls.append(name)
                return REAL[name](*args)

            self.patch(syscalls, name, recording)
        return calls

    def break_call(self, name: str, number: int, at: int = 1) -> list[int]:
        """Let a function of :mod:`ozgate.blobs.files.syscalls` fail from its n-th call on; returns how often it was called."""
        calls = [0]
        real = REAL[name]

        def failing(*args):
            calls[0] += 1
            if calls[0] >= at:
                raise OSError(number, os.strerror(number))
            return real(*args)

        self.patch(syscalls, name, failing)
        return calls

    def mend(self, name: str) -> None:
        """Let a function of :mod:`ozgate.blobs.files.syscalls` work again."""
        self.patch(syscalls, name, REAL[name])

    def nothing_left(self) -> None:
        """Check that no file is there, named or open."""
        self.assertEqual(self.files(), [])
        self.assertEqual(self.open_blobs(), [])


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


class IdTests(FilesCase):
    """Ids and where they lead."""

    def test_clock_goes_back(self) -> None:
        """Ids go on rising when the clock goes back."""
        made = [self.put(b"x").id]
        self.clock.rightNow -= 3600
        made += [self.put(b"x").id for _ in range(3)]
        self.clock.rightNow += 7200
        made.append(self.put(b"x").id)
        self.assertEqual(made, sorted(made))

    def test_many_in_a_moment(self) -> None:
        """More ids in one millisecond than the counter holds still rise."""
        ids = [self.store.next_id("00000000") for _ in range(70_000)]
        self.assertEqual(len(set(ids)), 70_000)
        self.assertEqual(ids, sorted(ids))

    def test_time_of_commit(self) -> None:
        """A blob counts as made when it is committed, however long it was written."""
        sink = self.store.create(None)
        sink.write(b"x" * MIB)
        self.clock.advance(7200)
        now = int(self.clock.seconds() * 1000)
        blob = self.successResultOf(sink.commit())
        self.assertEqual(self.successResultOf(self.store.list(now)), [])
        self.assertEqual(self.successResultOf(self.store.list(now + 1)), [blob.id])

    def test_strangers_are_not_listed(self) -> None:
        """Files that are no blobs are not listed, and so never swept."""
        with open(f"{self.path}/data/ab/lost+found", "w"):
            pass
        self.assertEqual(self.successResultOf(self.store.list(1 << 47)), [])


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


class OpeningTests(FilesCase):
    """Opening the store."""

    def refusal(self, path: str, name: str = "files") -> str:
        store = FileBlobStore(path, name, self.clock, at_once, 10)
        return str(self.failureResultOf(started(store), Unavailable).value)

    def test_leftovers(self) -> None:
        """Files that were being written when the process died are removed at the next start."""
        self.store.close_store()
        with open(f"{self.path}/staging/abc", "w") as file:
            file.write("half")
        self.store = self.make()
        self.nothing_left()

    def test_leftovers_of_others(self) -> None:
        """Who opens the store beside another removes nothing that one is writing, also where files have staging names."""
        with open(f"{self.path}/staging/abc", "w") as file:
            file.write("half")
        other = FileBlobStore(self.path, "files", self.clock, at_once, 10)
        self.successResultOf(other.open_store())
        self.assertEqual(os.listdir(f"{self.path}/staging"), ["abc"])
        self.successResultOf(other.close_store())
        os.unlink(f"{self.path}/staging/abc")

    def test_not_prepared(self) -> None:
        """A folder that nobody prepared is refused by who only opens it, and nothing is put there."""
        path = self.mktemp()
        os.mkdir(path)
        store = FileBlobStore(path, "files", self.clock, at_once, 10)
        error = self.failureResultOf(store.open_store(), Unavailable)
        self.assertIn("not prepared", str(error.value))
        self.assertEqual(os.listdir(path), [])

    def test_in_use_by_two(self) -> None:
        """As long as anybody has the store open it cannot be prepared, whoever prepared it before."""
        other = FileBlobStore(self.path, "files", self.clock, at_once, 10)
        self.successResultOf(other.open_store())
        self.store.close_store()
        self.assertIn("in use", self.refusal(self.path))
        self.successResultOf(other.close_store())
        self.store = self.make()

    def test_half_made(self) -> None:
        """A start that was cut off while making the folders is taken up by the next."""
        for made in ("", "FORMAT.new", "FORMAT", "data", "data/00"):
            path = self.mktemp()
            store = FileBlobStore(path, "files", self.clock, at_once, 10)
            self.successResultOf(started(store))
            self.successResultOf(store.close_store())
            if made in ("", "FORMAT.new"):
                path = self.mktemp()
                os.mkdir(path)
                if made:
                    with open(f"{path}/FORMAT.new", "w") as file:
                        file.write("oz")
            else:
                os.rmdir(f"{path}/data/ff")
            self.make(path)
            self.assertEqual(len(os.listdir(f"{path}/data")), 256)

    def test_name(self) -> None:
        """A folder keeps the name of its store: under another one its blobs would be taken for nameless."""
        self.successResultOf(self.store.close_store())
        self.assertIn("called 'files'", self.refusal(self.path, "disk2"))
        path = self.mktemp()
        self.successResultOf(self.make(path, "disk2").close_store())
        for name in ("files", "disk3"):
            self.assertIn("called 'disk2'", self.refusal(path, name))
        self.successResultOf(self.make(path, "disk2").close_store())
        # Cut off before it had its format, it may still become anybody's.
        os.unlink(f"{path}/FORMAT")
        for part in ("data", "staging"):
            shutil.rmtree(f"{path}/{part}")
        self.make(path, "disk3")

    def test_identity(self) -> None:
        """A folder is told from every other one of its name: by the same for ever, also one that has none yet."""
        identity = self.store.identity
        self.assertRegex(identity, "^[0-9a-f]{16}$")
        self.successResultOf(self.store.close_store())
        again = self.make(self.path)
        self.assertEqual(again.identity, identity)
        beside = FileBlobStore(self.path, "files", self.clock, at_once, 10)
        self.successResultOf(beside.open_store())
        self.assertEqual(beside.identity, identity)
        for each in (again, beside):
            self.successResultOf(each.close_store())
        self.assertNotEqual(self.make(self.mktemp()).identity, identity)
        # From the time before.
        os.unlink(f"{self.path}/NAME")
        later = self.make(self.path)
        self.assertRegex(later.identity, "^[0-9a-f]{16}$")
        self.assertNotEqual(later.identity, identity)

    def test_gone(self) -> None:
        """While another folder is in the place of the one that was opened, or none, blobs are out of reach, and not lost."""
        blob = self.put(b"abc")
        os.rename(self.path, f"{self.path}-away")
        for is_there in (False, True):
            if is_there:
                store = self.make(self.path)
                self.successResultOf(store.close_store())
            for asked in (
                self.store.open(blob, ByteRange(0, 1)),
                self.store.inspect([blob]),
                self.store.verify(blob.id),
            ):
                error = self.failureResultOf(asked, Unavailable).value
                self.assertIn("is its disk mounted?", str(error))
        shutil.rmtree(self.path)
        os.rename(f"{self.path}-away", self.path)
        self.assertEqual(self.successResultOf(self.store.inspect([blob])), {})
        os.unlink(self.file(blob))
        self.failureResultOf(self.store.open(blob, ByteRange(0, 1)), Absent)

    def test_identity_on_a_full_disk(self) -> None:
        """A full disk keeps no identity, and the store opens without; it gets one when there is room."""
        self.successResultOf(self.store.close_store())
        os.unlink(f"{self.path}/NAME")
        real = syscalls.open_new

        def open_new(path: str) -> int:
            if path.endswith("/NAME.new"):
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(path)

        self.patch(syscalls, "open_new", open_new)
        store = self.make(self.path)
        self.assertEqual(store.identity, "")
        self.successResultOf(store.close_store())
        self.patch(syscalls, "open_new", real)
        self.assertNotEqual(self.make(self.path).identity, "")

    def test_newer_format(self) -> None:
        """A store that a newer ozgate wrote is refused, saying so."""
        self.store.close_store()
        with open(f"{self.path}/FORMAT", "w") as file:
            file.write("ozgate blobs 2\n")
        self.assertIn("have format 2", self.refusal(self.path))

    def test_foreign_format(self) -> None:
        """A FORMAT file of something else is refused."""
        self.store.close_store()
        with open(f"{self.path}/FORMAT", "w") as file:
            file.write("something else\n")
        self.assertIn("does not say that ozgate", self.refusal(self.path))

    def test_foreign_folder(self) -> None:
        """A folder with other things in it is refused, and nothing is put there."""
        path = self.mktemp()
        os.mkdir(path)
        with open(f"{path}/thesis.txt", "w"):
            pass
        self.assertIn("'thesis.txt'", self.refusal(path))
        self.assertEqual(os.listdir(path), ["thesis.txt"])

    def test_in_use(self) -> None:
        """A store that is open elsewhere is refused: its sweep would take what the other is writing."""
        self.assertIn("in use", self.refusal(self.path))

    def test_not_a_folder(self) -> None:
        """A path below a file is refused in one line."""
        message = self.refusal(f"{self.path}/FORMAT/blobs")
        self.assertIn("blobs cannot be kept in", message)
        self.assertNotIn("\n", message)

    def test_read_only(self) -> None:
        """A folder that may not be written to is refused when the store opens, not at the first PUT."""
        self.store.close_store()
        self.break_call("open_unnamed", errno.EROFS)
        self.assertIn("Read-only file system", self.refusal(self.path))

    def test_private(self) -> None:
        """Nobody else may read blobs."""
        blob = self.put(b"abc")
        self.assertEqual(os.stat(self.path).st_mode & 0o77, 0)
        self.assertEqual(os.stat(self.file(blob)).st_mode & 0o77, 0)


class ThreadTests(TestCase):
    """What happens while a thread is at work."""

    async def setUp(self) -> None:
        self.path = self.mktemp()
        self.store = FileBlobStore(self.path, "files", reactor, deferToThread, 10)
        await started(self.store)
        self.addCleanup(self.store.close_store)
        self.gate = threading.Event()
        self.entered: Deferred[None] = Deferred()
        self.active = 0
        self.most = 0
        real = syscalls.writev

        def held(fd, chunks):
            self.active += 1
            self.most = max(self.most, self.active)
            if not self.gate.is_set():
                reactor.callFromThread(self._note)
            self.gate.wait(60)
            try:
                return real(fd, chunks)
            finally:
                self.active -= 1

        self.patch(syscalls, "writev", held)
        self.addCleanup(self.gate.set)

    def _note(self) -> None:
        if not self.entered.called:
            self.entered.callback(None)

    async def test_abort_during_a_write(self) -> None:
        """An abort while a thread writes waits for the thread, then leaves nothing."""
        sink = self.store.create(None)
        sink.write(b"x" * MIB)
        await self.entered
        aborting = sink.abort()
        await deferLater(reactor, 0)
        self.assertFalse(aborting.called)
        self.gate.set()
        await aborting
        self.assertEqual(list(await self.store.list(1 << 47)), [])

    async def test_abort_during_commit(self) -> None:
        """An abort while the commit is in a thread takes the blob back, and the commit fails."""
        sink = self.store.create(None)
        sink.write(b"abc")
        committing = sink.commit()
        await self.entered
        aborting = sink.abort()
        self.gate.set()
        await self.assertFailure(committing, Unavailable)
        await aborting
        self.assertEqual(list(await self.store.list(1 << 47)), [])

    async def test_close_during_a_write(self) -> None:
        """Closing the store waits for the threads."""
        self.store.create(None).write(b"x" * MIB)
        await self.entered
        closing = self.store.close_store()
        await deferLater(reactor, 0)
        self.assertFalse(closing.called)
        self.gate.set()
        await closing

    async def test_bounded(self) -> None:
        """A slow disk holds the producer up: no more than 1.25 MiB are taken, and one write is under way."""
        sink = self.store.create(None)
        feeder = Feeder(sink, iter([b"x" * 65536 for _ in range(80)]))
        feeder.resumeProducing()
        await self.entered
        await deferLater(reactor, 0)
        self.assertEqual(feeder.pauses, 1)
        self.assertLessEqual(feeder.written, 1_250_000)
        self.gate.set()
        await feeder.done
        blob = await sink.commit()
        self.assertEqual(blob.length, 80 * 65536)
        self.assertEqual(self.most, 1)

    async def test_failure_resumes(self) -> None:
        """A producer that is paused when the disk fails is resumed, so that it hears of it."""

        def full(fd, chunks):
            self.gate.wait(60)
            raise OSError(errno.ENOSPC, "full")

        self.patch(syscalls, "writev", full)
        sink = self.store.create(None)
        feeder = Feeder(sink, iter([b"x" * 65536 for _ in range(80)]))
        feeder.resumeProducing()
        self.assertEqual(feeder.pauses, 1)
        self.gate.set()
        await self.assertFailure(feeder.done, NoSpace)
        await self.assertFailure(sink.commit(), NoSpace)

    async def test_given_up(self) -> None:
        """A sink whose commit nobody awaits any more still ends well."""
        sink = self.store.create(None)
        sink.write(b"abc")
        committing = sink.commit()
        committing.cancel()
        self.gate.set()
        blob = await committing
        self.assertEqual(blob.length, 3)
