"""Object tags: the rules, the header, the document."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import BadRequest, InvalidArgument, InvalidTag, MalformedXML
from ozgate.s3.tags import from_document, from_header, to_document

SIGNS = st.one_of(
    st.characters(categories=("L", "N", "Z")), st.sampled_from("+-=._:/@ ")
)
TAGS = st.dictionaries(
    st.text(SIGNS, min_size=1, max_size=20).filter(lambda key: key[:4] != "aws:"),
    st.text(SIGNS, max_size=20),
    max_size=10,
)


def tagging(*pairs: tuple[str, str]) -> bytes:
    """A document ``Tagging``."""
    rows = "".join(
        f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in pairs
    )
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()


class HeaderTests(SynchronousTestCase):
    """The header ``x-amz-tagging``."""

    def test_pairs(self) -> None:
        """Pairs are decoded as a query string, a missing value being empty."""
        self.assertEqual(
            from_header("a=1&b+c=%2B+%C3%A9&flag&empty="),
            {"a": "1", "b c": "+ é", "flag": "", "empty": ""},
        )

    def test_empty(self) -> None:
        """An empty header names no tags."""
        self.assertEqual(from_header(""), {})

    def test_duplicate(self) -> None:
        """A key that is there twice is a bad header."""
        error = self.assertRaises(InvalidArgument, from_header, "a=1&a=2")
        self.assertEqual(error.members["ArgumentName"], "x-amz-tagging")
        self.assertEqual(error.members["ArgumentValue"], "a=1&a=2")

    def test_not_utf8(self) -> None:
        """Escapes that are no UTF-8 are a bad header."""
        self.assertRaises(InvalidArgument, from_header, "a=%ff")

    def test_no_query_string(self) -> None:
        """A value without a key and a percent sign without two digits are a bad header, in S3's own words."""
        for text in ("=", "=v", "a=1&=", "k=%zz", "k=%", "k=%4", "%=v", "k%2=v"):
            error = self.assertRaises(InvalidArgument, from_header, text)
            self.assertEqual(
                error.message,
                "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
            )
            self.assertEqual(error.members["ArgumentValue"], text)
        for text in ("&", "&&", "a=1&&b=2", "a&", "a=b%3d"):
            from_header(text)

    def test_too_many(self) -> None:
        """Ten tags are legal, eleven are not, in S3's own words."""
        ten = "&".join(f"k{number}=v" for number in range(10))
        self.assertEqual(len(from_header(ten)), 10)
        error = self.assertRaises(BadRequest, from_header, f"{ten}&k10=v")
        self.assertEqual(error.message, "Object tags cannot be greater than 10")

    @settings(deadline=None)
    @given(st.one_of(st.text(max_size=40), st.text("ab=&%+2026", max_size=40)))
    def test_any_text(self, text: str) -> None:
        """Whatever is sent is at most ten tags that obey the rules, or one of three errors."""
        try:
            tags = from_header(text)
        except (BadRequest, InvalidArgument, InvalidTag):
            return
        self.assertLessEqual(len(tags), 10)
        self.assertEqual(tags, dict(parse_qsl(text, keep_blank_values=True)))
        self.assertEqual(from_document(to_document(tags)), tags)

    @given(TAGS)
    def test_round_trip(self, tags: dict[str, str]) -> None:
        """Tags as a client encodes them are the tags that it meant, in the header and in the document."""
        self.assertEqual(from_header(urlencode(tags)), tags)
        self.assertEqual(from_header(urlencode(tags, quote_via=quote)), tags)
        self.assertEqual(from_document(to_document(tags)), tags)


class RuleTests(SynchronousTestCase):
    """What a key and a value may be."""

    def test_lengths(self) -> None:
        """A key has 1 to 128 characters, a value 0 to 256; characters, not bytes."""
        self.assertEqual(
            from_document(tagging(("é" * 128, "ü" * 256))), {"é" * 128: "ü" * 256}
        )
        for pair in (("", "v"), ("k" * 129, "v"), ("k", "v" * 257)):
            self.assertRaises(InvalidTag, from_document, tagging(pair))

    def test_characters(self) -> None:
        """Letters and digits of any script, spaces and a few signs are legal; others are not."""
        legal = "aZ0 +-=._:/@日本語٣"
        self.assertEqual(from_document(tagging((legal, legal))), {legal: legal})
        for bad in "!#*,;'()[]{}|~^%$?\\😀\n":
            self.assertRaises(InvalidTag, from_document, tagging((f"k{bad}", "v")))
            self.assertRaises(InvalidTag, from_document, tagging(("k", f"v{bad}")))

    def test_reserved(self) -> None:
        """Keys that start with aws: are the system's; AWS: and values are not."""
        error = self.assertRaises(InvalidTag, from_document, tagging(("aws:x", "v")))
        self.assertEqual(error.members, {"TagKey": "aws:x"})
        self.assertEqual(from_document(tagging(("AWS:x", "aws:v"))), {"AWS:x": "aws:v"})

    def test_members(self) -> None:
        """The error names the key or value that is wrong."""
        error = self.assertRaises(InvalidTag, from_document, tagging(("a!", "v")))
        self.assertEqual(error.message, "The TagKey you have provided is invalid")
        self.assertEqual(error.members, {"TagKey": "a!"})
        error = self.assertRaises(InvalidTag, from_document, tagging(("a", "v!")))
        self.assertEqual(error.message, "The TagValue you have provided is invalid")
        self.assertEqual(error.members, {"TagKey": "a", "TagValue": "v!"})


class DocumentTests(SynchronousTestCase):
    """The document ``Tagging``."""

    def test_round_trip(self) -> None:
        """What is written is read again, in order."""
        tags = {"b": "2", "a": "1", "c": ""}
        read = from_document(to_document(tags))
        self.assertEqual(list(read.items()), list(tags.items()))

    def test_empty_set(self) -> None:
        """A set without tags is legal."""
        self.assertEqual(from_document(b"<Tagging><TagSet/></Tagging>"), {})
        self.assertEqual(from_document(to_document({})), {})

    def test_duplicate(self) -> None:
        """A key that is there twice is no valid tag."""
        data = tagging(("a", "1"), ("a", "2"))
        error = self.assertRaises(InvalidTag, from_document, data)
        self.assertEqual(
            error.message, "Cannot provide multiple Tags with the same key"
        )

    def test_too_many(self) -> None:
        """Eleven tags are refused."""
        data = tagging(*((f"k{number}", "v") for number in range(11)))
        self.assertRaises(BadRequest, from_document, data)

    def test_malformed(self) -> None:
        """Other documents, and tags without a key or a value, are malformed."""
        for data in (
            b"<Tagging/>",
            b"<Tagging><TagSet/><TagSet/></Tagging>",
            b"<Tagging><Tag/></Tagging>",
            b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
            b"<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>",
            b"<Tagging><TagSet><Other/></TagSet></Tagging>",
            b"<Other><TagSet/></Other>",
            b"<Tagging><TagSet>",
        ):
            self.assertRaises(MalformedXML, from_document, data)
