"""How much is done: a look, minutes, or all that was promised."""

from __future__ import annotations

from attrs import frozen

from benchmarks.measure import GIB, MIB


@frozen
class Scale:
    """Sizes and counts of the rows.

    :ivar seconds: of each measurement that has no end of its own.
    :ivar rounds: whose medians count.
    :ivar large: bytes of the object that stands for the largest.
    :ivar space: bytes that a row may need on a server's disk.
    :ivar keys: of the listings.
    :ivar deep: objects of the store that is held against an empty one.
    :ivar parts: of the upload that is completed alone.
    :ivar copied: bytes of the object that is copied without a byte being moved.
    :ivar idle: how many idle connections.
    """

    seconds: int
    rounds: int
    large: int
    space: int
    keys: int
    deep: int
    parts: int
    copied: int
    idle: tuple[int, ...]


QUICK = Scale(1, 1, 64 * MIB, GIB, 1_000, 20_000, 100, GIB, (100,))
MINUTES = Scale(2, 3, GIB, 4 * GIB, 5_000, 200_000, 1_000, GIB, (1_000,))
FULL = Scale(4, 5, GIB, 64 * GIB, 10_000, 5_000_000, 10_000, 5 * GIB, (1_000, 10_000))


def size_name(size: int) -> str:
    """Bytes as one says them, such as ``64 KiB``."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"
