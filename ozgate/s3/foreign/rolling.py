"""Names rolled up at a delimiter, while they come in order from another system, a page at a time."""

from __future__ import annotations

from typing import Final

_LAST: Final = "\U0010ffff"
"""The last of all characters, in the order of UTF-8 too."""


def utf8(text: str) -> bytes:
    """What names are in order of."""
    return text.encode("utf-8", "surrogatepass")


class Rolling:
    """A page of names in the making.

    :param after: as that of a listing: names and common prefixes come that are after it.
    :param limit: names and common prefixes of the page, at most.
    :ivar prefixes: common prefixes of the page.
    :ivar last: the last name or common prefix of the page.
    :ivar is_full: whether more would have come.
    """

    def __init__(self, prefix: str, after: str, delimiter: str, limit: int) -> None:
        self.prefixes: list[str] = []
        self.last = ""
        self.is_full = False
        self._prefix, self._after = prefix, utf8(after)
        self._delimiter, self._limit = delimiter, limit
        self._count = 0
        self._group = self._skipped = ""

    @property
    def missing(self) -> int:
        """Names that the page may still have, and one more, which tells whether it is the last."""
        return self._limit + 1 - self._count

    def takes(self, name: str) -> bool:
        """Whether a name is one of the page; it is not where it is rolled up, nor where the page is full."""
        group = ""
        if self._delimiter:
            rest = name[len(self._prefix) :]
            before, sign, _ = rest.partition(self._delimiter)
            group = f"{self._prefix}{before}{sign}" if sign else ""
        if group and (group == self._group or utf8(group) <= self._after):
            self._group = group
            return False
        if self._count == self._limit:
            self.is_full = True
            return False
        self._count += 1
        self.last = group or name
        if group:
            self._group = group
            self.prefixes.append(group)
        return not group

    def past(self, position: str) -> str:
        """After which name to go on, so that what is rolled up is skipped; ``""``: after the last that came."""
        group = self._group
        if group in ("", self._skipped) or not position.startswith(group):
            return ""
        self._skipped = group
        return group + _LAST
