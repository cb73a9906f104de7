"""Documents as they are declared: what a request's may hold, and how an answer's is written.

A declaration says of each member which element it is, how often that may be there, and what may be in it; the reader and the
writer are made of that, so that there is one of each. A test holds the declarations against botocore's model. The order of
elements is free, as S3 takes them, but that of equal ones is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Generic, Protocol, TypeVar

from ..errors import MalformedXML
from ..immutable import frozen
from .documents import Element, document, element, read
from .times import exact_timestamp, parse_timestamp

V = TypeVar("V")
_INTEGER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


class Kind(Protocol[V]):
    """What may be in an element."""

    def read(self, found: Element) -> V:
        """The value of an element.

        :raises MalformedXML: it is none of this kind.
        """

    def write(self, name: str, value: V) -> str:
        """The element of a value."""


@frozen
class Words(Generic[V]):
    """An element with nothing but text in it.

    :ivar parse: the value of a text; ``ValueError`` where it has none.
    :ivar show: the text of a value.
    :ivar choices: the texts there are; empty where they cannot be told.
    """

    parse: Callable[[str], V]
    show: Callable[[V], str] = str
    choices: tuple[str, ...] = ()

    def read(self, found: Element) -> V:
        """See :class:`Kind`."""
        if found.children:
            raise MalformedXML()
        try:
            return self.parse(found.text)
        except ValueError:
            raise MalformedXML() from None

    def write(self, name: str, value: V) -> str:
        """See :class:`Kind`."""
        return element(name, self.show(value))


def one_of(*choices: str) -> Words[str]:
    """One of a few words, which are told apart by their capitals, as S3 does."""

    def parse(text: str) -> str:
        if text.strip() not in choices:
            raise ValueError(text)
        return text.strip()

    return Words(parse, choices=choices)


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise ValueError(text)
    return int(text)


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in ("true", "false"):
        raise ValueError(text)
    return word == "true"


def _flag_text(value: bool) -> str:
    return "true" if value else "false"


TEXT: Final = Words(str)
INTEGER: Final = Words(_integer)
FLAG: Final = Words(_flag, _flag_text)
TIME: Final = Words(parse_timestamp, exact_timestamp)
"""Milliseconds since the epoch."""


@frozen
class One(Generic[V]):
    """An element that is there once, or not at all: then the member is ``None``.

    :ivar is_needed: whether it must be there.
    """

    name: str
    kind: Kind[V]
    is_needed: bool = False

    def read(self, parent: Element) -> V | None:
        """The value of the child.

        :raises MalformedXML: it is there twice, or not where it is needed, or not of its kind.
        """
        found = parent.child(self.name)
        if found is None:
            if self.is_needed:
                raise MalformedXML()
            return None
        return self.kind.read(found)

    def write(self, value: V | None) -> str:
        """The child; nothing of ``None``."""
        return "" if value is None else self.kind.write(self.name, value)


@frozen
class Many(Generic[V]):
    """An element that may be there any number of times: the member is a tuple.

    :ivar inside: the element that all of them are in, once; ``""`` where they are beside the others.
    :ivar is_needed: whether that one must be there, be it empty.
    :ivar least: how many there must be; in an element that may be left out, where it is not.
    :ivar most: how many there may be.
    """

    name: str
    kind: Kind[V]
    inside: str = ""
    is_needed: bool = False
    least: int = 0
    most: int = 1000

    def read(self, parent: Element) -> tuple[V, ...]:
        """The values of the children, in their order.

        :raises MalformedXML: they are too few, too many, or not of their kind.
        """
        within = parent
        if self.inside:
            inner = parent.child(self.inside)
            if inner is None:
                if self.is_needed:
                    raise MalformedXML()
                return ()
            inner.allow(self.name)
            within = inner
        found = within.all(self.name)
        if not self.least <= len(found) <= self.most:
            raise MalformedXML()
        return tuple(map(self.kind.read, found))

    def write(self, values: tuple[V, ...]) -> str:
        """The children."""
        if self.inside and self.least > len(values):
            return ""
        written = "".join([self.kind.write(self.name, value) for value in values])
        return f"<{self.inside}>{written}</{self.inside}>" if self.inside else written


class Structure(Generic[V]):
    """An element made of others.

    :param make: the class of its value; what it refuses with an error of S3's is refused.
    :param members: the value's attributes, and their elements in the order in which they are written.
    """

    def __init__(self, make: Callable[..., V], **members: One[Any] | Many[Any]) -> None:
        self.make = make
        self.members = members
        self._names = [member_name(each) for each in members.values()]

    def read(self, found: Element) -> V:
        """See :class:`Kind`."""
        found.allow(*self._names)
        if found.text.strip():
            raise MalformedXML()
        values = {name: each.read(found) for name, each in self.members.items()}
        return self.make(**values)

    def write(self, name: str, value: V) -> str:
        """See :class:`Kind`."""
        return f"<{name}>{''.join(self._written(value))}</{name}>"

    def _written(self, value: V) -> list[str]:
        return [each.write(getattr(value, name)) for name, each in self.members.items()]


def member_name(member: One[Any] | Many[Any]) -> str:
    """The element that a member is among its parent's children."""
    return (isinstance(member, Many) and member.inside) or member.name


class Document(Structure[V]):
    """A whole document.

    :param root: the name of its root.
    :param shape: what botocore's model calls it, where that is another name.
    """

    def __init__(
        self,
        root: str,
        make: Callable[..., V],
        shape: str = "",
        **members: One[Any] | Many[Any],
    ) -> None:
        super().__init__(make, **members)
        self.root = root
        self.shape = shape or root

    def parse(self, data: bytes) -> V:
        """The value of a request's document.

        :raises MissingRequestBodyError: it is empty.
        :raises MalformedXML: it is another document.
        """
        return self.read(read(data, self.root))

    def render(self, value: V) -> bytes:
        """A value as a document; :meth:`parse` reads it."""
        return document(self.root, *self._written(value))
