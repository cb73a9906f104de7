"""Hostile XML, sent to every operation that takes a document (F47).

The reader by itself is in ``tests.unit.s3.test_xml``. An operation that is added to the table must come with a document
that it takes (:data:`~tests.attack.requests.DOCUMENTS`), which is then made hostile here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from twisted.internet.defer import Deferred

from ozgate.s3.operations import Body, Operation
from tests.attack.requests import Draft, content_md5
from tests.attack.support import AttackTestCase, Outcome

MALFORMED = (400, "MalformedXML")
SECRET = "this is in a file of the server"
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10)
    for level in range(1, 10)
)
"""Entities that are a thousand million times ``lol``, given that ``l0`` is that."""


def refused(document: bytes, file: str) -> Iterator[tuple[str, bytes]]:
    """(what was done, the result) to a document: nothing of this is taken.

    :param file: one of the server's.
    """
    root, rest = _root_of(document)
    inside = b"</" + root + b">"
    external = f'<!ENTITY e SYSTEM "file://{file}">'.encode()
    for name, subset, text in (
        ("billion laughs", b'<!ENTITY l0 "lol">' + LAUGHS, b"&l9;"),
        ("quadratic blow-up", b'<!ENTITY e "' + b"x" * 50_000 + b'">', b"&e;" * 5000),
        ("external entity", external, b"&e;"),
        ("remote entity", b'<!ENTITY e SYSTEM "http://192.0.2.1/e">', b"&e;"),
        ("entity unused", external, b""),
        ("recursive", b'<!ENTITY a "&b;"><!ENTITY b "&a;">', b"&a;"),
        ("parameter entity", f'<!ENTITY % p SYSTEM "{file}">%p;'.encode(), b""),
        ("notation", b'<!NOTATION n SYSTEM "x"><!ENTITY e SYSTEM "x" NDATA n>', b""),
        ("default attribute", b'<!ATTLIST x y CDATA "z">', b""),
    ):
        typed = b"<!DOCTYPE " + root + b" [" + subset + b"]>" + document
        yield name, typed.replace(inside, text + inside)
    for name, made in (
        ("DTD", b"<!DOCTYPE " + root + b">" + document),
        ("DTD outside", b'<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">' + document),
        ("undeclared entity", document.replace(inside, b"&e;" + inside)),
        ("instruction", b'<?xml-stylesheet href="x"?>' + document),
        ("instruction inside", document.replace(inside, b"<?php 1?>" + inside)),
        ("deep", document.replace(inside, b"<a>" * 100_000 + inside)),
        ("deep and closed", document.replace(inside, _nested(1000) + inside)),
        ("another namespace", b'<x xmlns="urn:x">'.replace(b"x", root, 1) + rest),
        (
            "XInclude",
            document.replace(
                inside,
                f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{file}" parse="text"/>'.encode()
                + inside,
            ),
        ),
        ("prefix undeclared", document.replace(inside, b"<x:y/>" + inside)),
        ("two roots", document + document),
        ("text behind", document + b"x"),
        ("cut", document[:-1]),
        ("a NUL", document.replace(inside, b"\0" + inside)),
        ("not UTF-8", document.replace(inside, b"\xff" + inside)),
        ("a control character", document.replace(inside, b"&#1;" + inside)),
    ):
        yield name, made
    for encoding in ("UTF-16", "ISO-8859-1", "UTF-7", "EBCDIC-CP-US", "none"):
        declared = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
        yield f"declared {encoding}", declared + document
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7"):
        yield f"in {encoding}", f"\ufeff{document.decode()}".encode(encoding)


def harmless(document: bytes) -> Iterator[tuple[str, bytes]]:
    """What is large or odd, but means the same."""
    root, rest = _root_of(document)
    yield "declaration", b'<?xml version="1.0" encoding="utf-8"?>' + document
    yield "huge attribute", b"<" + root + b' a="' + b"x" * 500_000 + b'">' + rest
    many = b"".join(b' a%d="x"' % number for number in range(20_000))
    yield "many attributes", b"<" + root + many + b">" + rest
    yield "huge comment", b"<!--" + b"x" * 500_000 + b"-->" + document
    yield "white space", document + b"\n" * 500_000


def _root_of(document: bytes) -> tuple[bytes, bytes]:
    """The root's name, and what follows its start."""
    start, _, rest = document.partition(b">")
    return start[1:].split()[0], rest


def _nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


class DocumentTests(AttackTestCase):
    """Every operation that takes a document."""

    def setUp(self) -> Deferred[None]:
        """Have a file that must not be read."""
        path = Path(self.mktemp()).absolute()
        path.write_text(SECRET)
        self.file = str(path)
        return super().setUp()

    def ask_with(self, draft: Draft, document: bytes) -> Outcome:
        """The answer to a request with another document, correctly signed; it says nothing of the server's file."""
        if "content-md5" in draft.headers:
            draft = draft.having(content_md5=content_md5(document))
        outcome = self.send_sent(evolve(draft, body=document).signed())
        self.assertNotIn(SECRET.encode(), self.heard)
        return outcome

    def documented(self) -> Iterator[tuple[Operation, Draft, Outcome]]:
        """Operations that take a document, with a request and what is answered to it."""
        for row, draft in self.drafts():
            if row.body is Body.DOCUMENT:
                expected = self.baseline(row, draft.signed())
                self.assertNotEqual(expected, MALFORMED, row.name)
                yield row, draft, expected

    def test_refused(self) -> None:
        """Entities, types, depths, encodings and namespaces are refused by every operation, and nothing changes (Swift CVE-2022-47950).

        Swift read its documents with lxml, entities on: a user could have files of the server in an error's text.
        """
        for row, draft, expected in self.documented():
            if not draft.body.startswith(b"<"):
                continue  # Policies are JSON.
            before = self.holds()
            wanted = MALFORMED if row.perform is not None else expected
            if row.name in ("PutBucketAcl", "PutObjectAcl"):
                # Lists have an error of their own.
                wanted = (400, "MalformedACLError")
            for name, document in refused(draft.body, self.file):
                found = self.ask_with(draft, document)
                self.assertEqual(found, wanted, (row.name, name))
            self.assertEqual(self.holds(), before, row.name)

    def test_harmless(self) -> None:
        """What is large without meaning anything is read past."""
        for row, draft, expected in self.documented():
            if not draft.body.startswith(b"<"):
                continue  # Policies are JSON.
            before = self.holds()
            for name, document in harmless(draft.body):
                found = self.ask_with(draft, document)
                self.assertEqual(found, expected, (row.name, name))
                self.undo(before)

    def test_too_large(self) -> None:
        """More than a document may have is refused before it is read."""
        for row, draft, expected in self.documented():
            size = self.client.gateway.settings.max_document
            document = draft.body + b" " * size
            wanted = (400, "MaxMessageLengthExceeded")
            if row.perform is None:
                wanted = expected
            self.assertEqual(self.ask_with(draft, document), wanted, row.name)
