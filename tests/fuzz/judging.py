"""What every target asks of what it gets: an error that can be told, an answer that is one, a log that stays one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

from attrs import frozen
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.web.http import NO_BODY_CODES
from zope.interface import implementer

from ozgate.errors import S3Error
from ozgate.s3.documents import error_document

_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [ -~]*").fullmatch
_FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+): ([\t -~\x80-\xff]*)").fullmatch
_CODE = re.compile(r"[A-Za-z0-9]+").fullmatch
_LINE = re.compile(r"[ -~]+\n").fullmatch


def check_error(error: S3Error) -> None:
    """An error can be told: every reader reads its document, and its headers are Latin-1."""
    root = ElementTree.fromstring(error_document(error, "/bucket/key", "0" * 16))
    assert root.findtext("Code") == error.code and _CODE(error.code), error.code
    assert 300 <= error.status <= 599 and error.status != 500, error.status
    for name, value in error.headers:
        name.encode("ascii")
        value.encode("latin-1")


def text(data: bytes) -> str:
    """Bytes as text, by the rule by which header values become text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


@frozen
class Answer:
    """One answer of a server.

    :ivar fields: lower-case names and values.
    """

    status: int
    fields: dict[bytes, bytes]
    body: bytes


def read_answers(said: bytes, methods: Sequence[bytes]) -> list[Answer]:
    """All that a server said on a connection, read as strictly as can be.

    :param methods: those of the requests it answered, in order.
    :raises AssertionError: it is not a row of whole answers, one to each request.
    """
    answers = []
    for method in methods:
        said = said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not said:
            break
        head, end, said = said.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        status = _STATUS(line)
        fields = [_FIELD(each) for each in lines]
        assert end and status and all(fields), head
        found = {each[1].lower(): each[2] for each in fields if each}
        assert len(found) == len(lines) or b"www-authenticate" in found, head
        code, size = int(status[1]), 0
        if method != b"HEAD" and code not in NO_BODY_CODES:
            size = int(found[b"content-length"])
        assert len(said) >= size, (head, said)
        answers.append(Answer(code, found, said[:size]))
        said = said[size:]
    assert not said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"), said
    return answers


def check_answer(answer: Answer) -> None:
    """What holds for every answer of S3's: foreseen, and an error is a document that can be read."""
    assert answer.status != 500, answer
    if answer.status >= 400 and answer.body:
        assert answer.fields[b"content-type"] == b"application/xml", answer
        root = ElementTree.fromstring(answer.body)
        assert root.findtext("RequestId"), answer


class Lines:
    """Stands for the file of a log: each line is checked, none is kept."""

    def write(self, line: str) -> None:
        """Take a line: printable ASCII, and one only."""
        assert _LINE(line), line


@implementer(ILogObserver)
class _Failures:
    """Keeps what is logged with a failure."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def __call__(self, event: LogEvent) -> None:
        # The second is the name in twisted.python.log, which Klein uses.
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            self.found.append(failure)


@contextmanager
def nothing_unforeseen() -> Iterator[None]:
    """Raise the first failure that is logged meanwhile: it was none that anybody foresaw."""
    failures = _Failures()
    globalLogPublisher.addObserver(failures)
    try:
        yield
    finally:
        globalLogPublisher.removeObserver(failures)
    if failures.found:
        raise failures.found[0].value
