"""Files of blobs: whatever became of one, a read gives the bytes that were stored, or says that they are damaged."""

from __future__ import annotations

import atexit
import struct
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from ozgate.blobs.files.blobfile import BLOCK
from ozgate.blobs.files.store import FileBlobStore
from ozgate.errors import Damaged
from ozgate.testing.blob_contract import Reader
from ozgate.testing.inmemory import settle
from ozgate.values import BlobRef, ByteRange
from tests.fuzz.running import fuzz
from tests.started import started

_RANGE = struct.Struct("<II")
_CHANGE = struct.Struct("<IB")
BYTES = bytes(range(251)) * 1100
"""A blob of two blocks, the second of them short."""

SEEDS = (
    _RANGE.pack(0, len(BYTES)),
    _RANGE.pack(10, 20) + _CHANGE.pack(5, 1),
    _RANGE.pack(BLOCK - 1, 2) + _CHANGE.pack(BLOCK, 0x80),
    _RANGE.pack(0, 1) + _CHANGE.pack(len(BYTES) + 3, 4),
    _RANGE.pack(0, 1) + _CHANGE.pack(len(BYTES) + 20, 4),
    _RANGE.pack(BLOCK, 9) + _CHANGE.pack(len(BYTES), 0),
)
WORDS = tuple(
    struct.pack("<I", place)
    for place in (0, BLOCK - 1, BLOCK, *range(len(BYTES), len(BYTES) + 56, 4))
)


class _Kept:
    """The store, its one blob, and the file of it as it was written."""

    def __init__(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="ozgate-fuzz-")
        atexit.register(folder.cleanup)
        self.clock = Clock()
        self.store = FileBlobStore(folder.name, "files", self.clock, maybeDeferred, 0)
        _result(started(self.store))
        sink = self.store.create(len(BYTES))
        sink.write(BYTES)
        self.blob: BlobRef = _result(sink.commit())
        [self.path] = Path(folder.name).glob(f"**/{self.blob.id}")
        self.stored = self.path.read_bytes()


_kept: list[_Kept] = []


def one_input(data: bytes) -> None:
    """Read a range of a file after changes to it: a place and what is flipped there, or to where the file is cut."""
    if len(data) < _RANGE.size:
        return
    if not _kept:
        _kept.append(_Kept())
    kept, blob = _kept[0], _kept[0].blob
    first, count = _RANGE.unpack_from(data)
    first %= blob.length
    wanted = ByteRange(first, min(count, blob.length - first))
    changed = bytearray(kept.stored)
    for at in range(_RANGE.size, len(data) - _CHANGE.size + 1, _CHANGE.size):
        place, flipped = _CHANGE.unpack_from(data, at)
        place %= len(kept.stored)
        if not flipped:
            del changed[place:]
        elif place < len(changed):
            changed[place] ^= flipped
    kept.path.write_bytes(changed)
    intact = changed == kept.stored
    try:
        assert _result(kept.store.verify(blob.id)) == blob.length
        assert intact, "a change that nobody sees"
    except Damaged:
        assert not intact
    try:
        read = _read(kept, wanted)
    except Damaged:
        assert not intact
        return
    assert read == BYTES[wanted.offset : wanted.end], wanted


def _read(kept: _Kept, wanted: ByteRange) -> bytes:
    source: Any = _result(kept.store.open(kept.blob, wanted))
    try:
        reader = Reader()
        sending = source.send_to(reader)
        settle(kept.clock)
        _result(sending)
        return bytes(reader.data)
    finally:
        source.close()


def _result(deferred: Deferred[Any]) -> Any:
    """What a Deferred has fired with."""
    outcome: list[Any] = []
    deferred.addBoth(outcome.append)
    [found] = outcome
    if isinstance(found, Failure):
        found.raiseException()
    return found


if __name__ == "__main__":
    fuzz("blobs")
