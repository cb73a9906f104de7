"""What large answers leave in the page cache."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.pagecache import BEFORE, drop_sent, half_of_memory


class DropTests(SynchronousTestCase):
    """Dropping what was sent."""

    def test_range(self) -> None:
        """What was sent goes, and what was on its way the time before, from the file's beginning at most."""
        asked: list[tuple[int, ...]] = []
        self.patch(os, "posix_fadvise", lambda *values: asked.append(values))
        drop_sent(7, 1000, 500)
        drop_sent(7, BEFORE + 1000, 500)
        dont_need = os.POSIX_FADV_DONTNEED
        self.assertEqual(
            asked, [(7, 0, 1500, dont_need), (7, 1000, BEFORE + 500, dont_need)]
        )

    def test_file(self) -> None:
        """The file keeps its bytes; where there is none, nothing is said."""
        path = self.mktemp()
        with open(path, "wb+") as file:
            file.write(b"bytes")
            file.flush()
            drop_sent(file.fileno(), 0, 5)
            self.assertEqual(os.pread(file.fileno(), 9, 0), b"bytes")
            fd = file.fileno()
        drop_sent(fd, 0, 5)

    def test_memory(self) -> None:
        """Half of the memory is more than a blob's block and less than an exabyte."""
        self.assertTrue(1 << 18 < half_of_memory() < 1 << 60)
