"""The headers of a request, as values."""

from __future__ import annotations

from collections.abc import Iterable


class Headers:
    """Request headers, each name once.

    Lower-case names; a header sent more than once is joined with ``,``. Values are text,
    decoded as UTF-8 where that works, else as Latin-1.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    @classmethod
    def of(cls, pairs: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Headers as they were sent: names in lower case, values without white space around them."""
        values: dict[str, str] = {}
        repeated: dict[str, list[str]] = {}
        for raw_name, raw_value in pairs:
            name, value = raw_name.decode("ascii"), _text(raw_value)
            if name in values:
                repeated.setdefault(name, [values[name]]).append(value)
            else:
                values[name] = value
        for name, each in repeated.items():
            values[name] = ",".join(each)
        return cls(values)

    def get(self, name: str) -> str | None:
        """The value of a header, surrounding white space removed, or ``None``."""
        return self._values.get(name)

    def items(self) -> list[tuple[str, str]]:
        """All of them."""
        return list(self._values.items())

    def __contains__(self, name: str) -> bool:
        return name in self._values


def _text(value: bytes) -> str:
    """A header's value as text: UTF-8 where that works, else Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
