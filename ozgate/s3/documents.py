"""XML documents out and in: a writer of strings, and a strict reader.

The writer escapes as Amazon S3 does. The reader takes no DOCTYPE, hence no entity but XML's
own five, and is bounded in depth and in elements; its input was bounded in bytes before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from xml.parsers import expat

from ..errors import MalformedXML, MissingRequestBodyError, S3Error

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_DEPTH: Final = 20
MAX_ELEMENTS: Final = 200_000
"""More than 10,000 parts with every checksum each."""

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

_special = re.compile('[&<>"\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]')
_unnamed = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_unfit = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML 1.0 document has (its section 2.2), as references neither."""


def _reference(match: re.Match[str]) -> str:
    return f"&#x{ord(match[0]):x};"


def escape(text: str) -> str:
    """Text as it may stand in an element.

    Characters that XML cannot carry become numeric references, as in S3's documents: a
    strict reader fails on them, which is what ``encoding-type=url`` is for.
    """
    if _special.search(text) is None:
        return text
    # One after the other, at a tenth of the cost of a call for each that is found: listings escape all their names at once.
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace('"', "&quot;").replace("\r", "&#13;")
    return _unnamed.sub(_reference, text)


def element(name: str, value: str | int | bool | None) -> str:
    """An element with text in it; nothing at all when the value is ``None``."""
    if value is None:
        return ""
    if value is True or value is False:
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    return f"<{name}>{escape(value) if isinstance(value, str) else value}</{name}>"


def document(root: str, *children: str) -> bytes:
    """A document in S3's namespace, of children already serialized."""
    return (
        f'{_DECLARATION}<{root} xmlns="{NAMESPACE}">{"".join(children)}</{root}>'
    ).encode()


ECHOED: Final = 4 << 10
"""Bytes of an error document that may be the request's, more or less: who has no key is not to be answered with many times what
was sent.
"""

_LONGEST_MESSAGE: Final = 512


def error_document(error: S3Error, resource: str, request_id: str) -> bytes:
    """The document of an error: without a namespace, as S3's are.

    Every reader can read it: characters that XML cannot carry become U+FFFD, since a client that fails
    on the document does not learn the code. A member that would make more than :data:`ECHOED` bytes of it, with those before it,
    is left out: those of SignatureDoesNotMatch say four times what was signed.
    """
    text = fit(error.message)
    if len(text) > _LONGEST_MESSAGE:
        text = text[:_LONGEST_MESSAGE] + "\u2026"
    message = element("Message", text).encode()
    where = _echo("Resource", resource, ECHOED - len(message))
    left = ECHOED - len(message) - len(where)
    members = []
    for name, value in error.members.items():
        member = _echo(name, value, left)
        left -= len(member)
        members.append(member)
    return (
        f"{_DECLARATION}<Error>{element('Code', error.code)}".encode()
        + message
        + b"".join(members)
        + where
        + element("RequestId", request_id).encode()
        + element("HostId", request_id).encode()
        + b"</Error>"
    )


def _echo(name: str, value: str | int, most: int) -> bytes:
    """A member of an error document; nothing where it has more bytes."""
    if not isinstance(value, str):
        return element(name, value).encode()
    if len(value) > most:
        return b""
    rendered = element(name, fit(value)).encode()
    return rendered if len(rendered) <= most else b""


def fit(text: str) -> str:
    """Text that every reader can read: characters that XML cannot carry are U+FFFD."""
    return _unfit.sub("\ufffd", text)


# Reading


class Element:
    """One element of a request's document.

    :ivar attributes: by name; that of one in a namespace begins with it, and a space. S3 acts on one only, the type of a grantee.
    """

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(
        self, name: str, attributes: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.name = name
        self.attributes = attributes
        self.text = ""
        self.children: list[Element] = []

    def child(self, name: str) -> Element | None:
        """The child of that name.

        :raises MalformedXML: there is more than one.
        """
        found = None
        for child in self.children:
            if child.name == name:
                if found is not None:
                    raise MalformedXML()
                found = child
        return found

    def all(self, name: str) -> list[Element]:
        """The children of that name."""
        return [child for child in self.children if child.name == name]

    def text_of(self, name: str) -> str | None:
        """The text of the child of that name, white space and all; ``None`` where there is none."""
        found = self.child(name)
        return None if found is None else found.text

    def allow(self, *names: str) -> None:
        """Refuse children of any other name.

        :raises MalformedXML: there is one.
        """
        for child in self.children:
            if child.name not in names:
                raise MalformedXML()


def read(data: bytes, root: str | tuple[str, ...]) -> Element:
    """Read a document, in S3's namespace or in none.

    :param root: the name of its root, or the names it may have.
    :raises MissingRequestBodyError: it is empty.
    :raises MalformedXML: it is not well formed, not UTF-8, has another root, another
        namespace, a DOCTYPE, a processing instruction, text between elements, or more than
        20 levels or 200,000 elements.
    """
    if not data:
        raise MissingRequestBodyError()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedXML() from None
    if b"\0" in data:
        # UTF-16 and UTF-32 without a mark are valid UTF-8, and expat would guess them.
        raise MalformedXML()
    builder = _Builder()
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.XmlDeclHandler = _declared
    parser.StartDoctypeDeclHandler = _refused
    parser.ProcessingInstructionHandler = _refused
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        raise MalformedXML() from None
    found = builder.top.children[0]
    if found.name not in ((root,) if isinstance(root, str) else root):
        raise MalformedXML()
    return found


def _declared(version: str, encoding: str | None, standalone: int) -> None:
    if encoding is not None and encoding.upper() not in ("UTF-8", "UTF8", "US-ASCII"):
        raise MalformedXML()


def _refused(*ignored: object) -> None:
    raise MalformedXML()


class _Builder:
    """Builds elements from expat's calls."""

    def __init__(self) -> None:
        self.top = Element("")
        self._open = [self.top]
        self._pieces: list[str] = []
        self._count = 0
        self._names: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins.

        :param name: its namespace, a space, its name; the name alone where it is in no namespace.
        :raises MalformedXML: it may not be here.
        """
        # A document of 30,000 elements has few names.
        local = self._names.get(name)
        if local is None:
            local = self._names[name] = _local(name)
        self._count += 1
        if len(self._open) > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise MalformedXML()
        if self._pieces:
            self._between()
        started = Element(local, attributes) if attributes else Element(local)
        self._open[-1].children.append(started)
        self._open.append(started)

    def end(self, name: str) -> None:
        """The element ends that began last and has not ended.

        :raises MalformedXML: it has text besides children.
        """
        ended = self._open.pop()
        if not self._pieces:
            return
        if ended.children:
            self._between()
        else:
            ended.text = "".join(self._pieces)
            self._pieces.clear()

    def characters(self, text: str) -> None:
        """A piece of text; what belongs together may come in several."""
        self._pieces.append(text)

    def _between(self) -> None:
        """Drop what stands between elements, which may only be white space."""
        if not "".join(self._pieces).isspace():
            raise MalformedXML()
        self._pieces.clear()


def _local(name: str) -> str:
    """The name of an element in S3's namespace, or in none.

    :raises MalformedXML: it is in another.
    """
    namespace, separator, local = name.rpartition(" ")
    if separator and namespace != NAMESPACE:
        raise MalformedXML()
    return local
