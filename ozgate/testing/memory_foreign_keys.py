"""Keys of another system in memory."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define

from ..errors import Refused
from ..values import ForeignObject, ForeignPage, Precondition


@define(eq=False)
class Key:
    """A key and its bytes.

    :ivar parts: number and size of those that it was made of, in order.
    """

    shown: ForeignObject
    data: bytes
    parts: tuple[tuple[int, int], ...] = ()


def order(name: str) -> bytes:
    """What names are in order of."""
    return name.encode("utf-8", "surrogatepass")


def check_wanted(found: Key | None, wanted: Precondition) -> None:
    """Hold what is wanted against what is there.

    :raises Refused: it is not so.
    """
    if wanted.absent and found is not None:
        raise Refused("KEY_ALREADY_EXISTS", "Key already exists")
    if wanted.etag is not None:
        if found is None:
            raise Refused("KEY_NOT_FOUND", "Key not found during If-Match")
        if not found.shown.etag:
            raise Refused("ETAG_NOT_AVAILABLE", "Key does not have an ETag")
        if found.shown.etag != wanted.etag:
            raise Refused("ETAG_MISMATCH", "ETag does not match")


def part_of(found: Key, number: int) -> tuple[int, int]:
    """Where a part of a key begins, and its bytes.

    :raises Refused: there is no such part.
    """
    start = 0
    for each, size in found.parts or ((1, len(found.data)),):
        if each == number:
            return start, size
        start += size
    raise Refused("INVALID_PART", f"no part {number}")


def page_of(found: Sequence[ForeignObject], limit: int) -> ForeignPage:
    """A page of keys.

    :param found: one more than fit, where there are more.
    """
    rows = [
        (each.key, each.modified, each.size, each.etag, each.owner)
        for each in found[:limit]
    ]
    folders = frozenset(each.key for each in found if each.is_folder)
    return ForeignPage(rows, len(found) <= limit, folders)
