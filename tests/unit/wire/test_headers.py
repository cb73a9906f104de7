"""Tests of :mod:`ozgate.wire.headers`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.headers import Headers


class HeadersTests(SynchronousTestCase):
    """What a request says in its headers."""

    def test_repeated(self) -> None:
        """A header that was sent more than once is one, joined in the order sent, however many others are between."""
        headers = Headers.of([(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"a", b"")])
        self.assertEqual(list(headers.items()), [("a", "1,3,"), ("b", "2")])
        self.assertNotIn("c", headers)

    def test_encodings(self) -> None:
        """A value is UTF-8, or Latin-1 where it is not that."""
        headers = Headers.of([(b"a", "é".encode()), (b"b", "é".encode("latin-1"))])
        self.assertEqual((headers.get("a"), headers.get("b")), ("é", "é"))
