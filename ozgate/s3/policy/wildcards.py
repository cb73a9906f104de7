"""Patterns of policies, as they are written: wildcards and policy variables.

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
    "Variable",
    "Wild",
    "condition_key",
    "filled",
    "has_variable",
    "read",
]

_VARIABLE = re.compile(r"\$\{([^}{,'$]+|\$)(?:,\s*'([^']*)')?\s*\}")
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
