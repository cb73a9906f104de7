"""Names rolled up at a delimiter, while they come in order from another system, a page at a time."""

from __future__ import annotations

from typing import Final

_LAST: Final = "\U0010ffff"
"""The last of all characters, in the order of UTF-8 too."""


class Rolling:
    """A page of names in the making.

    :param after: only names after it count; where it is a common prefix, none of those that are rolled up there.
    :param limit: names and common prefixes of the page, at most.
    :ivar prefixes: common prefixes of the page.
    :ivar last: the last name or common prefix of the page.
    :ivar is_full: whether more would have come.
    """

    def __init__(self, prefix: str, after: str, delimiter: str, limit: int) -> None:
        self.prefixes: list[str] = []
        self.last = ""
        self.is_full = False
        self._prefix, self._delimiter, self._limit = prefix, delimiter, limit
        self._count = 0
        self._group = self._skipped = ""
        if self._group_of(after) == after:
            self._group = after

    @property
    def missing(self) -> int:
        """Names to ask for: those that the page may still have, and where names are rolled up one more, which tells whether it is the last page."""
        return self._limit - self._count + (self._delimiter != "")

    def more(self) -> bool:
        """Told that more names follow; whether they may still be of the page. Where nothing is rolled up, each would be an entry of its own."""
        self.is_full = not self.missing
        return not self.is_full

    def takes(self, name: str) -> bool:
        """Whether a name is one of the page; it is not where it is rolled up, nor where the page is full."""
        group = self._group_of(name)
        if group and group == self._group:
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

    def _group_of(self, name: str) -> str:
        """The common prefix that a name is rolled up in; ``""`` for none."""
        if not self._delimiter or not name.startswith(self._prefix):
            return ""
        rest = name[len(self._prefix) :]
        before, sign, _ = rest.partition(self._delimiter)
        return f"{self._prefix}{before}{sign}" if sign else ""
