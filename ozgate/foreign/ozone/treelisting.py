"""Pages of keys of a bucket that is a tree of files and folders, in the order of their paths' UTF-8 bytes.

The OM tells one folder at a time, by names: ``a`` before ``a-b`` and ``a.txt``. As a path the folder ``a`` is ``a/``, and comes after both. So a
folder is held back until a name comes that is after its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING

from ...values import ForeignListed, ForeignPage
from .found import object_of

if TYPE_CHECKING:
    from .client import Client
    from .keys import Place

_MOST = 1000
"""Entries of a folder that are asked for at once."""

_ABSENT = frozenset({"DIRECTORY_NOT_FOUND", "FILE_NOT_FOUND", "KEY_NOT_FOUND"})


def list_tree(
    client: Client, place: Place, prefix: str, after: str, limit: int
) -> ForeignPage:
    """A page of files and folders: so many, unless they are the last.

    :param after: only paths after this string.
    """
    folder = prefix[: prefix.rfind("/") + 1]
    walk = _Walk(client, place, prefix, after, min(limit + 1, _MOST))
    found = list(islice(walk.from_folder(folder), limit + 1))
    rows = [each[:5] for each in found[:limit]]
    folders = frozenset(each.key for each in found if each.is_folder)
    return ForeignPage(rows, len(found) <= limit, folders)


class _Walk:
    """A walk through a tree.

    :param at_once: entries that are asked for at once.
    """

    def __init__(
        self, client: Client, place: Place, prefix: str, after: str, at_once: int
    ) -> None:
        self._client = client
        self._place = place
        self._prefix = prefix
        self._after = after
        self._at_once = at_once

    def from_folder(self, folder: str) -> Iterator[ForeignListed]:
        """A folder, where that is wanted, and what is wanted below it."""
        if folder and folder == self._prefix and folder > self._after:
            there = self._look_up(folder.rstrip("/"))
            if there is not None and there.is_folder:
                yield there
        yield from self.below(folder)

    def below(self, folder: str) -> Iterator[ForeignListed]:
        """What is wanted of the entries of a folder and of those in it, in order.

        :param folder: its path, with the slash at its end; ``""``: the bucket.
        """
        for each in self._ordered(folder):
            if not each.key.startswith(self._prefix):
                # It may be on the way to what has the prefix.
                continue
            if each.key > self._after:
                yield each
            if each.is_folder:
                yield from self.below(each.key)

    def _ordered(self, folder: str) -> Iterator[ForeignListed]:
        """The entries of a folder that may be, or hold, what is wanted, by their paths."""
        held: list[tuple[str, ForeignListed]] = []
        for each in self._entries(folder):
            while held and held[0][0] < each.key.rstrip("/"):
                yield heappop(held)[1]
            heappush(held, (each.key, each))
        while held:
            yield heappop(held)[1]

    def _entries(self, folder: str) -> Iterator[ForeignListed]:
        """The entries of a folder by their names, from the first that may be wanted."""
        wanted = max(self._after, self._prefix)
        start = ""
        if wanted.startswith(folder):
            name = wanted[len(folder) :].partition("/")[0]
            yield from self._folders_before(folder, name)
            start = folder + name if name else ""
        while True:
            page = self._page(folder, start)
            is_cut = len(page) >= self._at_once
            if is_cut:
                page = _sure(page)
            for each in page:
                if each.key.rstrip("/") != start and self._may_be_wanted(each):
                    yield each
            if not is_cut:
                return
            start = page[-1].key.rstrip("/")
            if start > self._prefix and not start.startswith(self._prefix):
                return

    def _folders_before(self, folder: str, name: str) -> Iterator[ForeignListed]:
        """Folders that are before a name, but after it as paths, as ``a`` is before ``a-b``; and the entry of that name."""
        ends = [at for at, each in enumerate(name) if at and each < "/"]
        for path in [folder + name[:at] for at in ends] + [folder + name] * bool(name):
            found = ForeignListed(f"{path}/", 0, 0, "", "", True)
            if path == folder + name or self._may_be_wanted(found):
                there = self._look_up(path)
                if there is not None and self._may_be_wanted(there):
                    yield there

    def _look_up(self, path: str) -> ForeignListed | None:
        try:
            status = self._client.protocol.getOzoneFileStatus(*self._place, path)
        except Exception as error:
            if _is_absent(error):
                return None
            raise
        found = object_of(self._client, status.getKeyInfo())
        listed = ForeignListed(
            path, found.modified, found.size, found.etag, found.owner
        )
        return _entry(listed, bool(status.isDirectory()))

    def _may_be_wanted(self, found: ForeignListed) -> bool:
        key, prefix, after = found.key, self._prefix, self._after
        if not key.startswith(prefix) and not (
            found.is_folder and prefix.startswith(key)
        ):
            return False
        return key > after or (found.is_folder and after.startswith(key))

    def _page(self, folder: str, start: str) -> list[ForeignListed]:
        ask = self._client.protocol.listStatusLight
        try:
            found = ask(
                *self._place, folder.rstrip("/"), False, start, self._at_once, False
            )
        except Exception as error:
            if _is_absent(error):
                return []
            raise
        entries = [
            _entry(ForeignListed(*row), is_folder)
            for row, is_folder in self._client.columns.entries(found)
        ]
        return sorted(entries, key=lambda each: each.key.rstrip("/"))


def _entry(found: ForeignListed, is_folder: bool) -> ForeignListed:
    """With the path that S3 lists, where it is a folder."""
    if not is_folder:
        return found
    return found._replace(key=f"{found.key.rstrip('/')}/", is_folder=True)


def _is_absent(error: Exception) -> bool:
    return hasattr(error, "getResult") and str(error.getResult()) in _ABSENT


def _sure(page: list[ForeignListed]) -> list[ForeignListed]:
    """What of a page that was cut is surely next: not from the first name beyond U+FFFF on, which the OM sorts before others (see :mod:`.listing`)."""
    beyond = (at for at, each in enumerate(page) if max(each.key) > "\uffff")
    return page[: next(beyond, len(page))] or page
