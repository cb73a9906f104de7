"""The headers of a request, as values."""

from __future__ import annotations

from collections.abc import Iterable


class Headers(dict[str, str]):
    """Request headers, each name once. Nobody changes them once they are made.

    Lower-case names; a header sent more than once is joined with ``,``. Values are text,
    decoded as UTF-8 where that works, else as Latin-1.
    """

    __slots__ = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Headers as they were sent: names in lower case, values without white space around them."""
        values = cls()
        repeated: dict[str, list[str]] = {}
        for raw_name, raw_value in pairs:
            name = raw_name.decode("ascii")
            try:
                value = raw_value.decode("utf-8")
            except UnicodeDecodeError:
                value = raw_value.decode("latin-1")
            if name in values:
                repeated.setdefault(name, [values[name]]).append(value)
            else:
                values[name] = value
        for name, each in repeated.items():
            values[name] = ",".join(each)
        return values
