"""The buffered file of a log: when lines leave, how it is moved, and what a full disk does."""

from __future__ import annotations

import errno
import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.logfile import BufferedLog


class BufferedLogTests(SynchronousTestCase):
    """The file."""

    def setUp(self) -> None:
        """A log under a clock."""
        self.clock = Clock()
        self.path = self.mktemp()
        self.log = BufferedLog(self.path, self.clock)
        self.addCleanup(self.log.close)

    def content(self) -> str:
        """What the file has."""
        with open(self.path) as file:
            return file.read()

    def test_second(self) -> None:
        """Lines leave a second after the first, together; an idle log has no timer."""
        self.log.write("a\n")
        self.clock.advance(0.5)
        self.log.write("b\n")
        self.assertEqual(self.content(), "")
        self.clock.advance(0.5)
        self.assertEqual(self.content(), "a\nb\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_batch(self) -> None:
        """A full batch leaves at once."""
        for _ in range(70):
            self.log.write("x" * 1023 + "\n")
        self.assertEqual(len(self.content()), 64 << 10)

    def test_no_clock(self) -> None:
        """Without a clock each line leaves at once."""
        log = BufferedLog(self.path, None)
        self.addCleanup(log.close)
        log.write("a\n")
        self.assertEqual(self.content(), "a\n")

    def test_close(self) -> None:
        """Closing drops nothing, leaves no timer, and can be repeated."""
        self.log.write("a\n")
        self.log.close()
        self.log.close()
        self.log.write("late\n")
        self.assertEqual(self.content(), "a\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_rotation(self) -> None:
        """After a rename and reopen() old lines are in the old file, new ones in the new."""
        self.log.write("old\n")
        os.rename(self.path, self.path + ".1")
        self.log.reopen()
        self.log.write("new\n")
        self.log.close()
        self.assertEqual(self.content(), "new\n")
        with open(self.path + ".1") as file:
            self.assertEqual(file.read(), "old\n")

    def test_reopen_fails(self) -> None:
        """Where the new file cannot be opened the old one goes on."""
        self.log.path = os.path.join(self.path, "no", "folder")
        self.log.reopen()
        self.log.write("a\n")
        self.log.flush()
        self.assertEqual(self.content(), "a\n")

    def files(self) -> dict[str, str]:
        """What is there of the log, by the end of its name."""
        folder, name = os.path.split(os.path.abspath(self.path))
        found = {}
        for each in sorted(os.listdir(folder)):
            if each.startswith(name):
                with open(os.path.join(folder, each)) as file:
                    found[each.removeprefix(name)] = file.read()
        return found

    def test_bounded(self) -> None:
        """A file that is as large as it may be is moved; so many are kept, the newest first, and no line is lost before."""
        self.log.bound(4, 2)
        for text in ("1\n", "2\n", "3\n4\n", "5\n6\n7\n8\n", "9\n"):
            self.log.write(text)
            self.log.flush()
        self.assertEqual(
            self.files(), {"": "9\n", ".1": "5\n6\n7\n8\n", ".2": "3\n4\n"}
        )

    def test_bound_after_start(self) -> None:
        """What was there before counts."""
        self.log.write("old\n")
        self.log.close()
        log = BufferedLog(self.path, self.clock)
        self.addCleanup(log.close)
        log.bound(6, 1)
        log.write("a\n")
        log.flush()
        self.assertEqual(self.files(), {"": "", ".1": "old\na\n"})

    def test_moved_by_others(self) -> None:
        """Where somebody else has moved the file, theirs stay as they are, and a new one begins."""
        self.log.bound(4, 2)
        self.log.write("a\n")
        self.log.flush()
        os.rename(self.path, self.path + ".1")
        self.log.write("b\n")
        self.log.flush()
        self.log.write("c\n")
        self.log.flush()
        self.assertEqual(self.files(), {"": "c\n", ".1": "a\nb\n"})

    def test_cannot_be_moved(self) -> None:
        """A file that cannot be moved goes on, and one that is no file is never moved."""
        os.makedirs(self.path + ".1/full")
        self.log.bound(2, 1)
        for text in ("a\n", "b\n"):
            self.log.write(text)
            self.log.flush()
        self.assertEqual(self.content(), "a\nb\n")
        log = BufferedLog("/dev/null", self.clock)
        self.addCleanup(log.close)
        log.bound(1, 1)
        log.write("a\n")
        log.flush()
        self.assertFalse(os.path.exists("/dev/null.1"))

    def test_none(self) -> None:
        """The path ``-`` is no log."""
        log = BufferedLog("-", self.clock)
        log.write("a\n")
        log.flush()
        log.reopen()
        log.close()
        self.assertFalse(os.path.exists("-"))

    def test_disk_full(self) -> None:
        """A full disk disturbs nobody; lines wait, those beyond the limit are counted and owned up to."""
        real, room = os.write, [3]

        def write(fd: int, data: bytes) -> int:
            if not room[0]:
                raise OSError(errno.ENOSPC, "full")
            count = real(fd, data[: room[0]])
            room[0] -= count
            return count

        self.patch(os, "write", write)
        self.patch(BufferedLog, "most", 8)
        for text in ("one\n", "two\n", "three\n", "four\n"):
            self.log.write(text)
        self.clock.advance(1)
        self.assertEqual(self.content(), "one")
        self.clock.advance(1)
        room[0] = 1000
        self.clock.advance(1)
        self.clock.advance(1)
        self.assertEqual(self.content(), "one\ntwo\n# 2 lines are missing here\n")

    def test_close_while_full(self) -> None:
        """Closing a log that cannot be written ends all the same."""
        log = BufferedLog("/dev/full", self.clock)
        log.write("a\n")
        log.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])
