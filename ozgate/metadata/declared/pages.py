"""A page as it was found, whatever it was found in."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from ...immutable import frozen
from ...values import Traits
from .columns import Row
from .conversions import traits_of
from .rowchecks import damaged


@frozen
class Gathered:
    """A page as it was found.

    :ivar rows: those shown as themselves, in order.
    :ivar prefixes: common prefixes, in order.
    :ivar more: whether there is something after this page.
    :ivar ends_in_prefix: whether the last entry is a common prefix.
    """

    rows: list[Row]
    prefixes: list[str]
    more: bool = False
    ends_in_prefix: bool = False

    @property
    def last(self) -> str | None:
        """The last key or common prefix if a page follows, else ``None``."""
        if not self.more:
            return None
        return self.prefixes[-1] if self.ends_in_prefix else self.rows[-1][0]

    def check_progress(self, after: str) -> None:
        """Where keys are out of order, a page could lead back, and a client in circles.

        :param after: where the page began.
        :raises Damaged: it does.
        """
        last = self.last
        if last is None or last > after or after.startswith(last):
            return
        raise damaged("versions", "order", after, last)


def traits_in(rows: Iterable[Row]) -> dict[Hashable, Traits]:
    """The traits of rows whose fifth column has them, which most of them share, by their text.

    :raises Damaged: one is none.
    """
    return {text: traits_of(text) for text in {row[4] for row in rows}}
