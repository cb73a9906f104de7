"""Heads of requests under Hypothesis; the malformed ones by name are in :mod:`tests.wire.test_malformed`."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv6Address

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import BadRequest, RequestHeaderSectionTooLarge
from ozgate.wire.head import after_empty_lines, parse_head, split_target, valid_host
from tests.fuzz import head

PIECES = st.sampled_from([*head.WORDS, b":", b"/", b"x", b"\r", b"\n", b"\0", b"12"])
NAMES = st.from_regex(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}", fullmatch=True)
VALUES = st.from_regex(
    rb"[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,9}[!-~])?", fullmatch=True
)
FRAMING = (b"host", b"content-length", b"transfer-encoding", b"expect", b"connection")


class HeadTests(SynchronousTestCase):
    """Request line and header section."""

    @settings(deadline=None, max_examples=300)
    @given(
        st.one_of(st.binary(max_size=80), st.lists(PIECES, max_size=20).map(b"".join))
    )
    def test_any_bytes(self, data: bytes) -> None:
        """Whatever is sent is refused as one of two errors, or means the same to a reader of another make."""
        head.one_input(data)
        head.one_input(b"GET / HTTP/1.1\r\nHost: h\r\n" + data)

    @given(st.lists(st.sampled_from((b"\r\n", b"\r", b"\n", b"GET")), max_size=9))
    def test_empty_lines(self, pieces: list[bytes]) -> None:
        """Whole empty lines at the front are passed over, as often as they come, and nothing else is."""
        data = rest = b"".join(pieces)
        while rest[:2] == b"\r\n":
            rest = rest[2:]
        self.assertEqual(after_empty_lines(data), rest)

    def test_many_empty_lines(self) -> None:
        """As many as there are bytes for: had each its own copy of the rest, this would not end."""
        self.assertEqual(after_empty_lines(b"\r\n" * (4 << 20) + b"GET"), b"GET")

    @given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
    def test_any_headers(self, pairs: list[tuple[bytes, bytes]]) -> None:
        """Headers that are headers are kept in order, names in lower case, whatever blanks are around values."""
        pairs = [pair for pair in pairs if pair[0].lower() not in FRAMING]
        lines = b"".join(b"\r\n%b:\t %b \t" % pair for pair in pairs)
        found = parse_head(b"GET / HTTP/1.1\r\nHost: h" + lines, 99, 99)
        expected = [(name.lower(), value) for name, value in pairs]
        self.assertEqual(found.pairs, [(b"host", b"h"), *expected])
        self.assertEqual((found.length, found.persistent), (0, True))

    @given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 9))
    def test_limits(self, longest: int, length: int, lines: int) -> None:
        """A request line has as many bytes as are allowed, a section as many lines, and not one more."""
        block = b"GET /" + b"x" * length + b" HTTP/1.0" + b"\r\na: b" * lines
        for max_line, max_lines in ((longest, 9), (99, longest)):
            allowed = length + 14 <= max_line and lines <= max_lines
            try:
                parse_head(block, max_line, max_lines)
                self.assertTrue(allowed)
            except RequestHeaderSectionTooLarge:
                self.assertFalse(allowed)


class HostTests(SynchronousTestCase):
    """The Host header, and the authority of a target."""

    @settings(max_examples=300)
    @given(
        st.one_of(
            st.from_regex(rb"[A-Za-z0-9._:\[\]-]{0,70}", fullmatch=True),
            st.from_regex(rb"\[[0-9a-f:.]{0,20}\](:[0-9]{0,6})?", fullmatch=True),
            st.binary(max_size=10),
        )
    )
    def test_any_host(self, value: bytes) -> None:
        """A host is what a slow reading of the rule says."""
        self.assertEqual(valid_host(value), _is_host(value.decode("latin-1")), value)

    @given(st.from_regex(rb"[!-~]{1,30}", fullmatch=True))
    def test_any_target(self, rest: bytes) -> None:
        """A target is split where its path or query begins, and nothing of it is lost."""
        for target in (b"/" + rest, b"http://" + rest):
            authority, path = split_target(target)
            self.assertTrue(path.startswith(b"/"))
            self.assertFalse(set(authority) & set(b"/?"))
            if target.startswith(b"/"):
                self.assertEqual((authority, path), (b"", target))
            else:
                # A path is there even where the query follows the authority at once.
                said = target.removeprefix(b"http://" + authority)
                self.assertIn(path, (said, b"/" + said))

    def test_authority_of_the_target(self) -> None:
        """The authority of a target in absolute form is a host like any other."""
        for target in (
            b"http://a b/",
            b"http:///",
            b"http://u@h/",
            b"*",
            b"h:1",
            b"ftp://h/",
        ):
            with self.assertRaises(BadRequest):
                parse_head(b"GET " + target + b" HTTP/1.1\r\nHost: h", 99, 9)


def _is_host(text: str) -> bool:
    """The rule in small steps: an IPv6 address in brackets or labels of 1 to 63 characters, perhaps a port."""
    if not text.isascii() or len(text) > 300:
        return False
    name, colon, port = text, "", ""
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        colon, port = rest[:1], rest[1:]
        if not bracket or colon not in ("", ":"):
            return False
        try:
            IPv6Address(name[1:])
        except AddressValueError:
            return False
    else:
        name, colon, port = text.partition(":")
        labels = name.removesuffix(".").split(".")
        allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
        if not all(1 <= len(each) <= 63 and not each.strip(allowed) for each in labels):
            return False
    return not port or (port.isdigit() and len(port) <= 5 and int(port) <= 65535)
