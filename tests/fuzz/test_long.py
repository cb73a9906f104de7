"""Long inputs cost what they are long: no parser looks back over what it has read, whatever was sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.claims import _header_signer
from ozgate.auth.signedtimes import http_date
from ozgate.config.authtolocal import parse_rules
from ozgate.errors import S3Error
from ozgate.s3.conditions import matches
from ozgate.s3.documents import escape, read
from ozgate.s3.headers import _decoded
from ozgate.s3.params import copy_source, copy_source_range, parse_range, url_encode
from ozgate.s3.tags import from_header
from ozgate.s3.times import parse_http_date
from ozgate.s3.tokens import decode_token
from ozgate.values import Acl
from ozgate.wire.head import parse_head
from ozgate.wire.target import parse_address
from tests.fuzz import address, claims, documents, head, headers, values

LENGTH = 32 << 10
"""Bytes of a head, the most that a header may have."""

MOST = 1.0
"""Seconds of processor time for one input. The slowest takes 0.014; one that is quadratic took 2."""

PARSERS: tuple[Callable[[str], Any], ...] = (
    lambda value: parse_range(value, 1000),
    lambda value: copy_source_range(value, 1000),
    lambda value: matches(value, "0123", weak=True),
    *(copy_source, from_header, decode_token, parse_http_date, url_encode, escape),
    *(_decoded, _header_signer.__wrapped__, http_date, parse_rules, Acl.parse),
)


class LongTests(SynchronousTestCase):
    """Words that mean something, over and over."""

    def within(self, parse: Callable[[Any], Any], data: Any) -> None:
        """Read something; what comes of it does not matter here."""
        begun = time.thread_time()
        try:
            parse(data)
        except (S3Error, ValueError):
            pass
        spent = time.thread_time() - begun
        self.assertLess(spent, MOST, data[:60])

    def test_values(self) -> None:
        """Values of headers and parameters."""
        words = {*values.WORDS, *headers.WORDS, *claims.WORDS, b"=?a?b?x", b" ", b"a"}
        for word in sorted(words):
            long = (word * (LENGTH // len(word))).decode("latin-1")
            for parse in PARSERS:
                self.within(parse, long)

    def test_targets(self) -> None:
        """Request targets and heads."""
        for word in {*address.WORDS, *head.WORDS}:
            long = word * (LENGTH // len(word))
            for target in (b"/" + long, b"/bucket/" + long, b"/bucket?" + long):
                self.within(lambda sent: parse_address(sent, b"h", ("s3",)), target)
            self.within(lambda sent: parse_head(sent, LENGTH, 500), long)

    def test_documents(self) -> None:
        """Documents, eight times as long."""
        for word in documents.WORDS:
            long = word * (8 * LENGTH // len(word))
            self.within(lambda sent: read(sent, "Delete"), b"<Delete>" + long)
