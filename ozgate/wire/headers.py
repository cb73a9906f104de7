"""The headers of a request, as values."""

from __future__ import annotations


class Headers:
    """Request headers, each name once.

    Lower-case names; a header sent more than once is joined with ``,``. Values are text,
    decoded as UTF-8 where that works, else as Latin-1.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """The value of a header, surrounding white space removed, or ``None``."""
        return self._values.get(name)

    def items(self) -> list[tuple[str, str]]:
        """All of them."""
        return list(self._values.items())

    def __contains__(self, name: str) -> bool:
        return name in self._values
