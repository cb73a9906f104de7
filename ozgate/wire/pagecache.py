"""What of the kernel's page cache large answers leave to others.

By sendfile the kernel takes each page of a large file for one that is used again and again: 64 KiB at a time, of pages that it has by the megabyte.
So a file that is larger than memory drives everything out, however often that is used: of 100 MiB that were read at random meanwhile,
in 512 MiB of memory, none were left after 2 GiB. A PUT of as many left 95 MiB, and so did a GET that reads.
"""

from __future__ import annotations

import os
from contextlib import suppress

BEFORE = 4 << 20
"""Bytes before those that were just sent that are dropped with them: the kernel keeps what is still on its way, and what it has as one with what follows."""


def half_of_memory() -> int:
    """Bytes: a body of as many is not kept along with much else."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def drop_sent(fd: int, offset: int, count: int) -> None:
    """Have the kernel forget bytes of a file that were just sent, as far as it is done with them. Promises nothing."""
    before = min(offset, BEFORE)
    with suppress(OSError):
        os.posix_fadvise(fd, offset - before, count + before, os.POSIX_FADV_DONTNEED)
