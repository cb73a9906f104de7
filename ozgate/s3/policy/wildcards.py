"""Patterns of policies: wildcards and policy variables, matched in time that nobody's pattern can blow up.

``*`` stands for any run of characters, slashes and none included, ``?`` for one. In documents of version 2012-10-17, ``${name}`` stands for what the
request has for a condition key, ``${name, 'text'}`` for the text where it has nothing, and ``${*}``, ``${?}``, ``${$}`` for the
character itself. What a variable brings is never a wildcard.

Sources: IAM User Guide, "IAM JSON policy elements: Resource", "Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from ...immutable import frozen

__all__ = [
    "Glob",
    "Variable",
    "Wild",
    "condition_key",
    "filled",
    "has_variable",
    "read",
]

_VARIABLE = re.compile(r"\$\{([^}{,'$]*|\$)(?:,\s*'([^']*)')?\s*\}")
_THEMSELVES = ("*", "?", "$")


class Wild(Enum):
    """A wildcard."""

    MANY = "*"
    ONE = "?"


@frozen
class Variable:
    """A policy variable.

    :ivar key: as :func:`condition_key` makes it.
    :ivar default: what stands where the request has nothing; ``None``: nothing does.
    """

    key: str
    default: str | None


Part = str | Wild | Variable
Look = Callable[[str], Sequence[str] | None]
"""What a request has for a condition key; ``None`` for what it has not."""


def condition_key(name: str) -> str:
    """A condition key, or a variable, as it is looked up: in lower case up to the first slash, after which the name of a tag is what it is."""
    family, slash, rest = name.strip().partition("/")
    return family.lower() + slash + rest


def read(text: str, *, wild: bool, variables: bool) -> tuple[Part, ...]:
    """Take a pattern apart.

    :param wild: whether ``*`` and ``?`` are wildcards.
    :param variables: whether variables are read, or just text.
    :raises ValueError: a variable is not written as one.
    """
    if not variables or "${" not in text:
        return tuple(_pieces(text) if wild else [text])
    parts: list[Part] = []
    place = 0
    while (start := text.find("${", place)) >= 0:
        variable = _VARIABLE.match(text, start)
        if variable is None:
            raise ValueError(text)
        before = text[place:start]
        parts += _pieces(before) if wild else [before]
        name, default = variable.groups()
        if name in _THEMSELVES:
            parts.append(name)
        else:
            parts.append(Variable(condition_key(name), default))
        place = variable.end()
    parts += _pieces(text[place:]) if wild else [text[place:]]
    return tuple(parts)


def _pieces(text: str) -> list[Part]:
    wildcards = {wild.value: wild for wild in Wild}
    return [wildcards.get(piece, piece) for piece in re.split(r"([*?])", text) if piece]


def has_variable(parts: Iterable[Part]) -> bool:
    """Whether a pattern hangs on the request."""
    return any(isinstance(part, Variable) for part in parts)


def filled(parts: Iterable[Part], look: Look) -> tuple[str | Wild, ...] | None:
    """A pattern with what the request has; ``None`` where it lacks something, or has several values of it."""
    found: list[str | Wild] = []
    for part in parts:
        if not isinstance(part, Variable):
            found.append(part)
            continue
        values = look(part.key)
        if values is not None and len(values) == 1:
            found.append(values[0])
        elif not values and part.default is not None:
            found.append(part.default)
        else:
            return None
    return tuple(found)


class Glob:
    """A pattern without variables.

    Between stars, text is looked for from left to right, which finds a match where there is one. Where there are ``?``, all places that the pattern
    may be at are followed at once, a bit each: no character of the text is looked at twice.

    :param parts: of :func:`read` or :func:`filled`.
    """

    __slots__ = ("_bits", "_pieces", "_shortest", "_starred")

    def __init__(self, parts: Iterable[Part]) -> None:
        parts = tuple(parts)
        self._starred = Wild.MANY in parts
        self._shortest = sum(
            len(part) if isinstance(part, str) else part is Wild.ONE for part in parts
        )
        self._bits = _Bits(parts) if Wild.ONE in parts else None
        self._pieces = [""]
        for part in parts:
            if isinstance(part, str):
                self._pieces[-1] += part
            elif part is Wild.MANY:
                self._pieces.append("")

    def matches(self, text: str) -> bool:
        """Whether the pattern matches a text, all of it."""
        if len(text) < self._shortest:
            return False
        if self._bits is not None:
            return self._bits.matches(text)
        pieces = self._pieces
        if not self._starred:
            return text == pieces[0]
        if not text.startswith(pieces[0]) or not text.endswith(pieces[-1]):
            return False
        place, end = len(pieces[0]), len(text) - len(pieces[-1])
        for piece in pieces[1:-1]:
            found = text.find(piece, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return True


class _Bits:
    """A pattern as an automaton, a bit for each place in it: its steps are those of whole numbers."""

    __slots__ = ("_any", "_end", "_loops", "_of")

    def __init__(self, parts: Iterable[Part]) -> None:
        self._of: dict[str, int] = {}
        self._any = self._loops = 0
        self._end = 0
        for part in parts:
            if isinstance(part, str):
                for character in part:
                    self._of[character] = self._of.get(character, 0) | 1 << self._end
                    self._end += 1
            elif part is Wild.ONE:
                self._any |= 1 << self._end
                self._end += 1
            else:
                self._loops |= 1 << self._end

    def after(self, text: str) -> int:
        """Where in the pattern one may be after a text: a bit for each place, none: nowhere."""
        places = 1
        for character in text:
            further = places & (self._of.get(character, 0) | self._any)
            places = places & self._loops | further << 1
        return places

    def matches(self, text: str) -> bool:
        return bool(self.after(text) >> self._end & 1)


def may_begin(parts: Iterable[Part], text: str) -> bool:
    """Whether a pattern may match something that begins with a text, whatever its variables are."""
    return _Bits(_loosened(parts)).after(text) != 0


def may_be(parts: Iterable[Part], text: str) -> bool:
    """Whether a pattern may match a text, whatever its variables are."""
    return _Bits(_loosened(parts)).matches(text)


def _loosened(parts: Iterable[Part]) -> list[Part]:
    return [Wild.MANY if isinstance(part, Variable) else part for part in parts]
