"""A small world: one in which the same operations make the same calls, and in which what is rare elsewhere happens often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest.mock import patch

from ozgate.content import outlet as bytes_out
from ozgate.metadata.sqlite import connections, retired
from ozgate.s3 import versions
from ozgate.s3.perform import completing, multipart

ENDINGS = tuple(f"{number:02x}" for number in range(8))
"""Where all blobs of a small world lie."""


@contextmanager
def drawn_ids(seed: int = 0) -> Iterator[None]:
    """Have ids drawn from a seed, those of blobs so that they lie in few folders."""
    random = Random(seed)

    def draw(count: int) -> bytes:
        return random.randbytes(count - 1) + bytes([random.randrange(len(ENDINGS))])

    with (
        patch.object(os, "urandom", draw),
        patch.object(multipart, "token_hex", lambda count: draw(count).hex()),
        patch.object(versions, "urandom", draw),
    ):
        yield


@contextmanager
def small_world(seed: int = 0) -> Iterator[None]:
    """Have ids drawn from a seed, parts of any size, a write-ahead log that is emptied often, blobs in few folders."""
    with (
        drawn_ids(seed),
        patch.object(completing, "MIN_PART", 1),
        # A multipart object has more, any other body no more: both ways of ending are gone.
        patch.object(retired, "EXTENTS_AT_ONCE", 2),
        patch.object(bytes_out, "EXTENTS_AT_ONCE", 2),
        patch.object(connections, "CHECKPOINT_PAGES", 24),
    ):
        yield
