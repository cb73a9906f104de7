"""Parameters: numbers, ranges, copy sources and encoded names."""

from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote, unquote, unquote_plus

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import (
    InvalidArgument,
    InvalidBucketName,
    InvalidRange,
    KeyTooLongError,
    S3Error,
)
from ozgate.s3.call import Call
from ozgate.s3.params import (
    copy_source,
    copy_source_range,
    encoding_type,
    integer,
    parse_range,
    url_encode,
)
from ozgate.values import ByteRange
from ozgate.wire.target import parse_query
from tests.fuzz import values

PIECES = st.one_of(st.sampled_from(values.WORDS), st.binary(max_size=4))
KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=100)


def call(query: bytes) -> Call:
    """A call with that query and nothing else; the functions here look no further."""
    return cast(Call, SimpleNamespace(query=parse_query(query).get))


class ValueTests(SynchronousTestCase):
    """Any value, read as each parameter."""

    @settings(deadline=None, max_examples=200)
    @given(st.lists(PIECES, max_size=6).map(b"".join))
    def test_any_value(self, value: bytes) -> None:
        """Whatever is sent as a number, range, source, tag, token, date or ETag: a value that fits, or one of S3's errors."""
        values.one_input(value)


class IntegerTests(SynchronousTestCase):
    """Numbers in the query."""

    def test_numbers(self) -> None:
        """Numbers in range are taken; one that is missing or empty is the default."""
        for query, number in (
            (b"max-keys=5", 5),
            (b"max-keys=0", 0),
            (b"max-keys=%2B5", 5),
            (b"max-keys=007", 7),
            (b"max-keys=2147483647", 2147483647),
            (b"max-keys=", 1000),
            (b"max-keys", 1000),
            (b"other=3", 1000),
        ):
            self.assertEqual(integer(call(query), "max-keys", 1000), number)

    def test_refused(self) -> None:
        """What is no number, or out of range, is InvalidArgument with name and value."""
        for value in (
            "a",
            "1.0",
            "1e3",
            "0x5",
            "-1",
            "-2147483648",
            "-2147483649",
            "2147483648",
            "9" * 5000,
            "١",
            "1_0",
            " 1",
        ):
            error = self.assertRaises(
                InvalidArgument,
                integer,
                call(b"max-keys=" + quote(value).encode()),
                "max-keys",
                1000,
            )
            name = "maxKeys" if value in ("-1", "-2147483648") else "max-keys"
            self.assertEqual(
                error.members, {"ArgumentName": name, "ArgumentValue": value}
            )

    def test_bounds(self) -> None:
        """An operation's own bounds hold."""
        for value in (b"0", b"10001"):
            self.assertRaises(
                InvalidArgument,
                integer,
                call(b"partNumber=" + value),
                "partNumber",
                1,
                1,
                10000,
            )

    @given(st.text(max_size=30))
    def test_any_text(self, text: str) -> None:
        """Any text is a number in range or InvalidArgument."""
        asked = cast(Call, SimpleNamespace(query={"n": text}.get))
        try:
            self.assertTrue(0 <= integer(asked, "n", 0) <= 2147483647)
        except InvalidArgument:
            pass


class EncodingTests(SynchronousTestCase):
    """``encoding-type=url``."""

    def test_asked(self) -> None:
        """Without it names are as they are; with it they are encoded; others are refused."""
        self.assertEqual(encoding_type(call(b""))("a b"), "a b")
        self.assertEqual(encoding_type(call(b"encoding-type="))("a b"), "a b")
        for url in (b"url", b"URL"):
            encode = encoding_type(call(b"encoding-type=" + url))
            self.assertEqual(encode("a b"), "a%20b")
        error = self.assertRaises(
            InvalidArgument, encoding_type, call(b"encoding-type=base64")
        )
        self.assertEqual(error.members["ArgumentName"], "encoding-type")

    def test_names(self) -> None:
        """Slashes stay; everything XML or a URL cannot carry is escaped."""
        for name, encoded in (
            ("a/b-c_d.e", "a/b-c_d.e"),
            ("test_file(3).png", "test_file%283%29.png"),
            ("a+b c", "a%2Bb%20c"),
            ("\x01\n\r\x00", "%01%0A%0D%00"),
            ("ä\ufffe", "%C3%A4%EF%BF%BE"),
            ("<&>%", "%3C%26%3E%25"),
        ):
            self.assertEqual(url_encode(name), encoded)

    @given(KEYS)
    def test_every_client_decodes(self, key: str) -> None:
        """Clients that take ``+`` for a space and clients that do not both get the key."""
        encoded = url_encode(key)
        self.assertTrue(encoded.isascii())
        self.assertEqual(encoded, quote(key, safe="/"))
        self.assertEqual(unquote(encoded), key)
        self.assertEqual(unquote_plus(encoded), key)


class RangeTests(SynchronousTestCase):
    """``Range``."""

    def test_ranges(self) -> None:
        """First, last, open and suffix ranges of ten bytes."""
        for header, start, length in (
            ("bytes=0-0", 0, 1),
            ("bytes=0-9", 0, 10),
            ("bytes=0-", 0, 10),
            ("bytes=9-", 9, 1),
            ("bytes=9-9", 9, 1),
            ("bytes=3-1000", 3, 7),
            (f"bytes=3-{'9' * 5000}", 3, 7),
            (f"bytes={'0' * 5000}3-4", 3, 2),
            ("bytes=-1", 9, 1),
            ("bytes=-10", 0, 10),
            ("bytes=-11", 0, 10),
            (f"bytes=-{'9' * 5000}", 0, 10),
            ("Bytes=1-2", 1, 2),
            ("bytes= 1-2 ", 1, 2),
        ):
            self.assertEqual(
                parse_range(header, 10), ByteRange(start, length), header[:30]
            )

    def test_whole_object(self) -> None:
        """No range, what is none, a backward one and several give the whole object."""
        for header in (
            None,
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-3",
            "bytes=a-b",
            "bytes=0-b",
            "bytes=1",
            "bytes=--1",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes=1-2-3",
            "bytes=1 - 2",
            "bytes=0-1,3-4",
            "bytes=0-1,",
            "bytes 0-1",
            "items=0-1",
            "bytes=٠-٥",
            "bytes=0-1\n",
            "bytes=99-5",
        ):
            self.assertIsNone(parse_range(header, 10), header)

    def test_last_bytes_of_nothing(self) -> None:
        """The last bytes of an empty object are all of it, however many are asked for (RFC 9110, 14.1.2)."""
        for header in ("bytes=-1", "bytes=-01", f"bytes=-{'9' * 5000}"):
            self.assertIsNone(parse_range(header, 0), header)

    def test_unsatisfiable(self) -> None:
        """Past the end, the last nothing, and any range of an empty object that names a byte of it are 416."""
        for header, size in (
            ("bytes=10-", 10),
            ("bytes=10-20", 10),
            ("bytes=11-12", 10),
            (f"bytes={'9' * 5000}-", 10),
            ("bytes=-0", 10),
            ("bytes=-0000", 10),
            ("bytes=0-", 0),
            ("bytes=0-0", 0),
            ("bytes=-0", 0),
        ):
            error = self.assertRaises(InvalidRange, parse_range, header, size)
            self.assertEqual(error.status, 416)
            self.assertEqual(
                error.members, {"RangeRequested": header, "ActualObjectSize": size}
            )

    @given(
        st.integers(0, 50),
        st.one_of(st.none(), st.integers(0, 60)),
        st.one_of(st.none(), st.integers(0, 60)),
    )
    def test_against_slices(
        self, size: int, first: int | None, last: int | None
    ) -> None:
        """A range gives the bytes that Python's slices give, or none of them."""
        data = bytes(range(size))
        header = (
            f"bytes={'' if first is None else first}-{'' if last is None else last}"
        )
        if first is None:
            expected = data[-last:] if last else b""
        else:
            expected = data[first : None if last is None else last + 1]
        try:
            found = parse_range(header, size)
        except InvalidRange:
            self.assertEqual(expected, b"")
            return
        if found is None:
            if first is None:
                self.assertTrue(last is None or not size)
            else:
                self.assertTrue(last is not None and first > last)
            return
        self.assertEqual(data[found.offset : found.end], expected)
        self.assertEqual(found.length, len(expected))

    @given(st.text(max_size=30), st.integers(0, 1 << 50))
    def test_any_header(self, text: str, size: int) -> None:
        """Any header is a range inside the object, the whole object or 416."""
        for header in (text, f"bytes={text}"):
            try:
                found = parse_range(header, size)
            except InvalidRange:
                continue
            if found is not None:
                self.assertTrue(0 <= found.offset < found.end <= size)


class CopySourceTests(SynchronousTestCase):
    """``x-amz-copy-source`` and its range."""

    def test_sources(self) -> None:
        """Bucket, key and version, encoded in the ways that clients have."""
        for header, source in (
            ("bucket/key", ("bucket", "key", None)),
            ("/bucket/key", ("bucket", "key", None)),
            ("bucket/a/b/", ("bucket", "a/b/", None)),
            ("bucket//a", ("bucket", "/a", None)),
            ("bucket%2Fkey", ("bucket", "key", None)),
            ("%2Fbucket%2Fa%2Fb", ("bucket", "a/b", None)),
            ("bucket/../../x", ("bucket", "../../x", None)),
            ("bucket/%2e%2e", ("bucket", "..", None)),
            ("bucket/a+b", ("bucket", "a b", None)),
            ("bucket/a%20b%2B", ("bucket", "a b+", None)),
            ("bucket/ä", ("bucket", "ä", None)),
            ("bucket/%C3%A4", ("bucket", "ä", None)),
            ("bucket/a?b=c", ("bucket", "a?b=c", None)),
            ("bucket/a%3FversionId=b", ("bucket", "a?versionId=b", None)),
            ("bucket/key?versionId=null", ("bucket", "key", "null")),
            ("bucket/key?versionId=a%2Fb", ("bucket", "key", "a/b")),
        ):
            self.assertEqual(copy_source(header), source, header)

    def test_refused(self) -> None:
        """What names no bucket and key, or an empty version, is InvalidArgument."""
        for header in (
            "",
            "/",
            "bucket",
            "/bucket",
            "bucket/",
            "//bucket/key",
            "bucket/%zz",
            "bucket/%FF",
            "bucket/key?versionId=",
            "bucket/key?versionId=%zz",
        ):
            error = self.assertRaises(InvalidArgument, copy_source, header)
            self.assertEqual(
                error.members,
                {"ArgumentName": "x-amz-copy-source", "ArgumentValue": header},
            )
        self.assertRaises(InvalidBucketName, copy_source, "Bu/key")
        self.assertRaises(InvalidBucketName, copy_source, "../key")
        self.assertRaises(KeyTooLongError, copy_source, "bucket/" + "k" * 1025)

    @given(KEYS)
    def test_any_key(self, key: str) -> None:
        """Every key can be a source."""
        header = f"bucket/{quote(key, safe='')}?versionId=1"
        self.assertEqual(copy_source(header), ("bucket", key, "1"))

    @given(st.text(max_size=40))
    def test_any_header(self, text: str) -> None:
        """Any header names something or is one of S3's errors."""
        for header in (text, f"bucket/{text}"):
            try:
                bucket, key, _ = copy_source(header)
            except S3Error:
                continue
            self.assertTrue(bucket and key)

    def test_range(self) -> None:
        """Both ends are needed and have to be inside the source."""
        self.assertEqual(copy_source_range("bytes=0-9", 10), ByteRange(0, 10))
        self.assertEqual(copy_source_range("bytes=9-9", 10), ByteRange(9, 1))
        for header in (
            "",
            "bytes=0-",
            "bytes=-5",
            "bytes=5-3",
            "bytes=0-10",
            "bytes=10-10",
            "0-9",
            "bytes=0-1,2-3",
            "bytes= 0-9",
            "bytes=0-" + "9" * 5000,
            "bytes=" + "9" * 5000 + "-" + "9" * 5000,
        ):
            error = self.assertRaises(InvalidArgument, copy_source_range, header, 10)
            self.assertEqual(error.members["ArgumentValue"], header)
        self.assertRaises(InvalidArgument, copy_source_range, "bytes=0-0", 0)

    @given(st.text("bytes=0123456789-, ", max_size=20), st.integers(0, 1000))
    def test_any_range(self, header: str, size: int) -> None:
        """Any range is inside the source or InvalidArgument."""
        found: Any
        try:
            found = copy_source_range(header, size)
        except InvalidArgument:
            return
        self.assertTrue(0 <= found.offset < found.end <= size)
