"""A part of a sweep, where the whole would take too long: ``--part 2/8`` is the second of eight, which together are the whole."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen
class Part:
    """One of several, all of about one size.

    :ivar number: which, from 1.
    :ivar of: how many there are.
    """

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return "whole" if self.of == 1 else f"part {self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``2/8``.

        :raises ArgumentTypeError: it is something else.
        """
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 0 < int(number) <= int(of)):
            raise ArgumentTypeError(f"{text!r} is no part, as 2/8 is one")
        return cls(int(number), int(of))

    def take(self, whole: Sequence[T]) -> list[T]:
        """What is in this part of something: all of it in order, or what was drawn for it, the same each time."""
        found = list(whole)
        if self.of > 1:
            Random(self.of).shuffle(found)
        return found[self.number - 1 :: self.of]


def add_part(parser: ArgumentParser) -> None:
    """Give a command ``--part``."""
    parser.add_argument(
        "--part",
        type=Part.parse,
        default=Part(),
        metavar="K/N",
        help="with --all: the K-th of N parts, drawn by lot",
    )
