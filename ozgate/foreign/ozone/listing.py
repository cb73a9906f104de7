"""Pages of keys, in the order of UTF-8 bytes.

The OM reads a page's keys in that order, but sorts and cuts the page in the order of UTF-16, in which what is beyond U+FFFF comes before U+E000: so the key
that it cuts off may be one before others that it tells, and whoever goes on after the last of them never gets it. It cuts none off where the page begins
after a key that is there: it reads one more than it was asked for, and that is this key. Source: ``OmMetadataManagerImpl.listKeys`` of Ozone 2.2.0, and a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import Refused
from ...values import ForeignPage, ForeignRow
from .found import sorted_by_bytes
from .keys import Place, head, is_tree
from .treelisting import list_tree

if TYPE_CHECKING:
    from .client import Client

MOST = 1000
"""Keys that the OM tells at once."""

_FIRST_BEYOND = "\U00010000"
_LATER_IN_UTF16 = range(0xE000, 0x10000)
"""What comes after everything beyond U+FFFF there, and before it in UTF-8."""


def list_keys(
    client: Client, place: Place, prefix: str, after: str, limit: int
) -> ForeignPage:
    """A page of keys: so many, unless they are the last.

    :param after: only keys after this string.
    """
    found: list[ForeignRow] = []
    is_known = False
    while len(found) < limit:
        asked = min(limit - len(found), MOST)
        page = _page(client, place, prefix, after, asked, is_known)
        if not found and not page.rows and page.is_last and is_tree(client, place):
            return list_tree(client, place, prefix, after, limit)
        found += page.rows
        if page.is_last:
            return ForeignPage(found)
        after, is_known = found[-1][0], True
    return ForeignPage(found, False)


def _page(
    client: Client, place: Place, prefix: str, after: str, limit: int, is_known: bool
) -> ForeignPage:
    """Keys that come next, of which none is missing; at least one, unless they are the last.

    :param is_known: whether there is a key ``after``, or there was a moment ago.
    """
    told, is_cut = _told(client, place, prefix, after, limit)
    if not is_cut or not any(map(_has_beyond, told)):
        return ForeignPage(told, not is_cut)
    if is_known or (after and _is_there(client, place, after)):
        return ForeignPage(told, False)
    sure = []
    for each in told:
        if _has_beyond(each):
            break
        sure.append(each)
    if sure:
        return ForeignPage(sure, False)
    return ForeignPage([_first(client, place, prefix, after, told[0])], False)


def _first(
    client: Client, place: Place, prefix: str, after: str, told: ForeignRow
) -> ForeignRow:
    """The key that comes next: that one, or the one that was cut off although it is before it. There is one of these at most.

    It begins as that one, up to what is beyond U+FFFF. Where no more than a thousand begin so, all are told; else it can only be asked for by the
    character that comes then, which is thousands of calls: so much a page takes whose first thousand names have something beyond U+FFFF in one place.
    """
    key = told[0]
    begin = key[: next(at for at, each in enumerate(key) if each >= _FIRST_BEYOND)]
    begin = max(begin, prefix, key=len)
    every, is_cut = _told(client, place, begin, after, MOST)
    if not is_cut:
        return every[0]
    for code in _LATER_IN_UTF16:
        found, _ = _told(client, place, begin + chr(code), after, 2)
        if found:
            return found[0]
    return told


def _told(
    client: Client, place: Place, prefix: str, after: str, limit: int
) -> tuple[Sequence[ForeignRow], bool]:
    """A page as the OM tells it, sorted, and whether it was cut."""
    if after < prefix:
        # The OM begins after what it is given, and stops at the first key that has not the prefix.
        after = ""
    elif not after.startswith(prefix):
        return [], False
    page = client.manager.listKeysLight(*place, after, prefix, limit)
    told = client.columns.rows(page.getKeys())
    if after:
        told = [each for each in told if each[0] > after]
    return sorted_by_bytes(told), bool(page.isTruncated())


def _has_beyond(found: ForeignRow) -> bool:
    return not found[0].isascii() and max(found[0]) >= _FIRST_BEYOND


def _is_there(client: Client, place: Place, key: str) -> bool:
    try:
        head(client, place, key)
    except Exception as error:
        return not _is_not_found(error)
    return True


def _is_not_found(error: Exception) -> bool:
    if isinstance(error, Refused):
        return error.code == "KEY_NOT_FOUND"
    return hasattr(error, "getResult") and str(error.getResult()) == "KEY_NOT_FOUND"
