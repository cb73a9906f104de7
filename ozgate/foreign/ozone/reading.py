"""Keys that were looked up to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from zope.interface import implementer

from ...errors import Damaged, Refused, Unavailable
from ...interfaces import IByteSource, IForeignReading
from ...values import ByteRange, ForeignObject, OnBehalf
from .found import object_of_details
from .keysource import KeySource, Reader

if TYPE_CHECKING:
    from .client import Client
    from .system import Connection

AT_ONCE = 64 << 10
"""Keys of at most this many bytes are read when they are looked up, in the same call."""


@implementer(IForeignReading)
class OzoneReading:
    """A key that was looked up.

    :param found: what is known of it; of a part, its size is the part's.
    :param details: its ``OzoneKeyDetails``, which has its places.
    :param start: where in the whole key what is read begins: 0, or where the part does.
    :param whole: bytes of the whole key.
    :param data: all of it, where it is small.
    """

    def __init__(
        self,
        connection: Connection,
        behalf: OnBehalf,
        found: ForeignObject,
        details: Any,
        start: int,
        whole: int,
        data: bytes | None = None,
    ) -> None:
        self.found = found
        self._connection = connection
        self._behalf = behalf
        self._details = details
        self.start = start
        self.whole = whole
        self._data = data

    def source(self, span: ByteRange) -> IByteSource:
        """See :class:`~ozgate.interfaces.IForeignReading`."""
        reader = Reader(self._details, self.start + span.offset, span.length)
        data = self._data
        if data is not None and span.length < len(data):
            data = data[span.offset : span.end]
        return KeySource(self._connection, self._behalf, reader, data)

    def close(self) -> None:
        """See :class:`~ozgate.interfaces.IForeignReading`."""
        self._details = self._data = None


def look_up(
    client: Client,
    connection: Connection,
    behalf: OnBehalf,
    place: tuple[str, str],
    key: str,
    part: int,
) -> OzoneReading:
    """Find a key, and read it where it is small. In a thread.

    :param place: volume and bucket.
    """
    details = client.protocol.getKeyDetails(*place, key)
    found = object_of_details(client, details)
    check_name(found, key)
    if part:
        start, size = _part(client, place, key, part, found)
        shown = evolve(found, size=size)
        return OzoneReading(connection, behalf, shown, details, start, found.size)
    data = None
    if found.size <= AT_ONCE:
        data = _read_small(details, found.size) if found.size else b""
    return OzoneReading(connection, behalf, found, details, 0, found.size, data)


def check_name(found: ForeignObject, key: str) -> None:
    """Make sure that it is this key that was found: in a tree ``a`` finds the folder ``a/``, and ``a//b`` finds ``a/b``.

    :raises Refused: ``KEY_NOT_FOUND``.
    """
    if found.key != key:
        raise Refused("KEY_NOT_FOUND", f"there is {found.key}")


def _part(
    client: Client, place: tuple[str, str], key: str, part: int, found: ForeignObject
) -> tuple[int, int]:
    """Where a part begins in the key, and how many bytes it has. Its blocks have its number.

    :raises Refused: ``INVALID_PART``.
    """
    info = client.protocol.getKeyInfo(*place, key, False)
    if int(info.getGeneration()) != found.generation:
        raise Unavailable("the key is replaced at this moment")
    start = size = 0
    is_there = False
    for each in info.getLatestVersionLocations().getBlocksLatestVersionOnly():
        number, length = int(each.getPartNumber()), int(each.getLength())
        if number == part:
            is_there = True
            size += length
        elif not is_there:
            start += length
    if not is_there:
        raise Refused("INVALID_PART", "there is no such part")
    return start, size


def _read_small(details: Any, size: int) -> bytes:
    """All of a small key."""
    stream = details.getContent()
    try:
        data = bytes(stream.readNBytes(size))
    finally:
        stream.close()
    if len(data) < size:
        raise Damaged("a key of the cluster ends early")
    return data
