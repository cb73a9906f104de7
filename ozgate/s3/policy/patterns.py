"""Patterns of policies, matched in time that nobody's pattern can blow up.

No regular expression is made of them: one that goes back and forth over a text may take hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from .wildcards import Part, Wild

__all__ = ["Patterns", "match_one", "may_be", "may_begin"]


class Patterns:
    """Patterns without variables, of which one has to match.

    Between stars, text is looked for from left to right, which finds a match where there is one. Where there are ``?``, or many patterns, all
    places in all of them are followed at once, a bit each: no character of the text is looked at twice.

    :param patterns: of :func:`read` or :func:`filled`.
    :param in_arns: whether a wildcard crosses a colon behind the fifth alone, so that each of the six parts of an ARN is matched by itself.
    :ivar patterns: as they were given.
    """

    __slots__ = (
        "_beginnings",
        "_bits",
        "_exact",
        "_heads",
        "_in_arns",
        "_pieces",
        "_shortest",
        "_wild",
        "patterns",
    )

    def __init__(
        self, patterns: Iterable[Sequence[Part]], in_arns: bool = False
    ) -> None:
        exact: list[str] = []
        beginnings: list[str] = []
        wild: list[Sequence[Part]] = []
        self.patterns = tuple(patterns)
        for parts in self.patterns:
            if all(isinstance(part, str) for part in parts):
                exact.append(_text(parts))
            elif _is_beginning(parts, in_arns):
                beginnings.append(_text(parts))
            else:
                wild.append(parts)
        self._exact = frozenset(exact)
        # What all that begins so matches, as most patterns of keys are.
        self._beginnings = tuple(beginnings)
        self._wild = wild
        self._in_arns = in_arns
        self._bits: _Bits | None = None
        self._heads = tuple(_head(parts) for parts in wild)
        self._shortest = min(map(_shortest, wild), default=0)
        # Of each pattern its parts between colons, of those what is between stars.
        self._pieces: list[list[list[str]]] | None = None
        if len(wild) <= FEW and not any(Wild.ONE in parts for parts in wild):
            split = _in_six if in_arns else _whole
            self._pieces = [list(map(_pieces_of, split(parts))) for parts in wild]

    def match(self, text: str) -> bool:
        """Whether one of the patterns matches a text, all of it."""
        if text in self._exact or text.startswith(self._beginnings):
            return True
        if (
            not self._wild
            or len(text) < self._shortest
            or not text.startswith(self._heads)
        ):
            return False
        if self._pieces is not None:
            texts = text.split(":", 5) if self._in_arns else [text]
            return any(_fit(pieces, texts) for pieces in self._pieces)
        if self._bits is None:
            self._bits = _Bits(self._wild, self._in_arns)
        return self._bits.match(text)


FEW: Final = 16
"""Patterns that are matched one by one."""


def _is_beginning(parts: Sequence[Part], in_arns: bool) -> bool:
    """Whether a pattern is text and then a star, which crosses all colons."""
    if parts[-1] is not Wild.MANY or not all(isinstance(p, str) for p in parts[:-1]):
        return False
    return not in_arns or _text(parts).count(":") >= 5


def _text(parts: Iterable[Part]) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def _head(parts: Sequence[Part]) -> str:
    for place, part in enumerate(parts):
        if not isinstance(part, str):
            return _text(parts[:place])
    return _text(parts)


def _shortest(parts: Iterable[Part]) -> int:
    return sum(
        len(part) if isinstance(part, str) else part is Wild.ONE for part in parts
    )


def _pieces_of(parts: Iterable[Part]) -> list[str]:
    """What is between the stars."""
    pieces: list[list[str]] = [[]]
    for part in parts:
        if isinstance(part, str):
            pieces[-1].append(part)
        else:
            pieces.append([])
    return ["".join(piece) for piece in pieces]


def _whole(parts: Sequence[Part]) -> list[Sequence[Part]]:
    return [parts]


def _in_six(parts: Sequence[Part]) -> list[Sequence[Part]]:
    """A pattern of ARNs, between its first five colons."""
    split: list[list[Part]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            split[-1].append(part)
            continue
        first, *others = part.split(":", 6 - len(split))
        split[-1].append(first)
        split += [[other] for other in others]
    return list(split)


def _fit(pieces: list[list[str]], texts: list[str]) -> bool:
    if len(pieces) != len(texts):
        return False
    for piece, text in zip(pieces, texts, strict=True):
        if not _in_order(piece, text):
            return False
    return True


def _in_order(pieces: list[str], text: str) -> bool:
    """Whether a text is what is before a star, between stars and behind one, in this order."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    place, end = len(first), len(text) - len(last)
    if place > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in pieces[1:-1]:
        found = text.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True


class _Bits:
    """Patterns as one automaton, a bit for each place in them: its steps are those of whole numbers."""

    __slots__ = ("_any", "_begins", "_colons", "_ends", "_loops", "_of")

    def __init__(self, patterns: Iterable[Sequence[Part]], in_arns: bool) -> None:
        places: dict[str, list[int]] = {}
        any_one: list[int] = []
        loops: list[int] = []
        begins: list[int] = []
        ends: list[int] = []
        # Places from which a wildcard crosses a colon.
        crossing: list[int] = []
        place = 0
        for parts in patterns:
            begins.append(place)
            colons = 5 if in_arns else 0
            for part in parts:
                if isinstance(part, str):
                    for character in part:
                        places.setdefault(character, []).append(place)
                        place += 1
                        colons -= character == ":"
                    continue
                if colons <= 0:
                    crossing.append(place)
                if part is Wild.ONE:
                    any_one.append(place)
                    place += 1
                else:
                    loops.append(place)
            ends.append(place)
            place += 1
        self._of = {each: _number(at) for each, at in places.items()}
        self._any, self._loops = _number(any_one), _number(loops)
        self._begins, self._ends = _number(begins), _number(ends)
        self._colons = _number(crossing)

    def after(self, text: str) -> int:
        """Where in the patterns one may be after a text: a bit for each place, none: nowhere."""
        of, any_one, loops = self._of, self._any, self._loops
        places = self._begins
        for character in text:
            if character == ":":
                free = places & self._colons
                further = places & of.get(character, 0) | free & any_one
                places = free & loops | further << 1
            else:
                further = places & (of.get(character, 0) | any_one)
                places = places & loops | further << 1
            if not places:
                break
        return places

    def match(self, text: str) -> bool:
        return bool(self.after(text) & self._ends)


def _number(places: Iterable[int]) -> int:
    """A number with a bit for each place."""
    listed = bytearray()
    for place in places:
        at = place >> 3
        if at >= len(listed):
            listed.extend(bytes(at + 1 - len(listed)))
        listed[at] |= 1 << (place & 7)
    return int.from_bytes(listed, "little")


def match_one(parts: Sequence[Part], text: str) -> bool:
    """Whether one pattern, which is not kept, matches a text."""
    if _shortest(parts) > len(text):
        return False
    if Wild.ONE in parts:
        return _Bits([parts], False).match(text)
    return _in_order(_pieces_of(parts), text)


def may_begin(parts: Iterable[Part], text: str) -> bool:
    """Whether a pattern may match something that begins with a text, whatever its variables are."""
    return _Bits([_beginning(parts, len(text) + 1)], False).after(text) != 0


def may_be(parts: Iterable[Part], text: str) -> bool:
    """Whether a pattern may match a text, whatever its variables are."""
    return _Bits([_beginning(parts, len(text) + 1)], False).match(text)


def _beginning(parts: Iterable[Part], longest: int) -> list[Part]:
    """So much of a pattern as a text can reach; a variable may be anything.

    :param longest: characters, each of which takes a place in the pattern; a pattern that has more is cut where it has as many.
    """
    found: list[Part] = []
    for part in parts:
        if longest <= 0:
            break
        if isinstance(part, str):
            found.append(part[:longest])
            longest -= len(part)
        elif part is Wild.ONE:
            found.append(part)
            longest -= 1
        else:
            found.append(Wild.MANY)
    return found
