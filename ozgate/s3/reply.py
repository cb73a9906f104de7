"""What an operation answers, before it is HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from ..content.outlet import Streams


@define
class Reply:
    """An answer: a status, headers, and a document or byte sources.

    :ivar headers: (name, value) pairs in the order to be sent; names as S3 writes them. Values are text; what is
        not ISO 8859-1 must have been encoded (RFC 2047) by whoever put it here. CR and LF are refused at render.
    :ivar body: the document, sent with its Content-Length.
    :ivar sources: what to send instead of ``body``: stored bytes.
    :ivar length: the bytes of ``sources`` in all, or the Content-Length of an answer to HEAD.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(factory=list)
    body: bytes = b""
    sources: Streams | None = None
    length: int | None = None


def xml_reply(document: bytes) -> Reply:
    """A reply with an XML document as its body."""
    return Reply(200, [("Content-Type", "application/xml")], document)
