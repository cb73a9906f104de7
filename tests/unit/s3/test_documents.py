"""Documents: what is written, what is read, what is refused."""

from xml.dom.minidom import parseString

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import MalformedXML, MissingRequestBodyError, NoSuchKey, S3Error
from ozgate.s3.documents import (
    MAX_ELEMENTS,
    NAMESPACE,
    document,
    element,
    error_document,
    escape,
    read,
)
from tests.fuzz import documents

TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
)
ELEMENTS = st.sampled_from(
    [
        *(*documents.ROOTS, "Object", "Key", "VersionId", "Quiet", "ETag", "Size"),
        *("TagSet", "Tag", "Value", "Part", "PartNumber", "ChecksumCRC32", "Other"),
        *("LocationConstraint", "Location", "Tags"),
    ]
)


def nested(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Elements with such things in them."""
    return st.builds(
        lambda name, children: f"<{name}>{''.join(children)}</{name}>",
        ELEMENTS,
        st.lists(inside, max_size=3),
    )


DOCUMENTS = nested(
    st.recursive(
        st.one_of(
            st.sampled_from(["1", "true", "k", "0", " ", "null", "10001", "1_0", "+1"]),
            st.builds(escape, TEXTS),
        ),
        nested,
        max_leaves=12,
    )
)
"""Documents of elements that S3 knows, sensible or not."""


class WriterTests(SynchronousTestCase):
    """Documents out."""

    def test_escape(self) -> None:
        """Markup becomes entities; what XML cannot carry numeric references, as at AWS."""
        for text, escaped in (
            ("plain", "plain"),
            ("<a&b>", "&lt;a&amp;b&gt;"),
            ('"etag"', "&quot;etag&quot;"),
            ("\x00\x01\x1f", "&#x0;&#x1;&#x1f;"),
            ("a\tb\nc\rd", "a\tb\nc&#13;d"),
            ("\x7f\x85", "&#x7f;&#x85;"),
            ("\ufffe\uffff", "&#xfffe;&#xffff;"),
            ("it's \N{FAIRY}", "it's \N{FAIRY}"),
        ):
            self.assertEqual(escape(text), escaped)

    @given(
        st.text(
            st.sampled_from(
                "ab&<>\"'\t\n\r\0\x0b\x1f\x7f\x9f\xa0ä\ud7ff\ufffe\uffff;#x"
            )
        )
    )
    def test_escaped_one_by_one(self, text: str) -> None:
        """A text is escaped as its characters are, one after the other."""
        self.assertEqual(escape(text), "".join(map(escape, text)))

    def test_element(self) -> None:
        """Numbers and booleans have S3's spelling; nothing is written for None."""
        self.assertEqual(element("A", "x<"), "<A>x&lt;</A>")
        self.assertEqual(element("A", ""), "<A></A>")
        self.assertEqual(element("A", 0), "<A>0</A>")
        self.assertEqual(element("A", True), "<A>true</A>")
        self.assertEqual(element("A", False), "<A>false</A>")
        self.assertEqual(element("A", None), "")

    def test_document(self) -> None:
        """A document is declared, in S3's namespace, and UTF-8."""
        self.assertEqual(
            document("Root", element("A", "ä"), element("B", 1)),
            b'<?xml version="1.0" encoding="UTF-8"?>\n'
            b'<Root xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            b"<A>\xc3\xa4</A><B>1</B></Root>",
        )

    def test_error_document(self) -> None:
        """Errors have no namespace; their own members follow code and message, in order."""
        self.assertEqual(
            error_document(NoSuchKey(Key="a&b", Number=1), "/bucket/a&b", "id"),
            b'<?xml version="1.0" encoding="UTF-8"?>\n'
            b"<Error><Code>NoSuchKey</Code>"
            b"<Message>The specified key does not exist.</Message>"
            b"<Key>a&amp;b</Key><Number>1</Number>"
            b"<Resource>/bucket/a&amp;b</Resource>"
            b"<RequestId>id</RequestId><HostId>id</HostId></Error>",
        )

    @given(TEXTS)
    def test_other_readers_agree(self, text: str) -> None:
        """What is written, another XML parser reads as the same text."""
        parsed = parseString(document("Root", element("A", text)))
        node = parsed.getElementsByTagName("A")[0]
        self.assertEqual("".join(child.data for child in node.childNodes), text)


class ReaderTests(SynchronousTestCase):
    """Documents in."""

    def test_read(self) -> None:
        """Elements have names, text and children, with or without S3's namespace."""
        for opening in (
            b"<Delete>",
            b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
            b'<?xml version="1.0"?><Delete>',
            b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<Delete>',
            b'<?xml version="1.0" encoding="US-ASCII"?><Delete>',
            b"\xef\xbb\xbf<Delete>",
            b"<!-- a comment -->\n<Delete>",
        ):
            root = read(
                opening
                + b"\n <Object><Key> a&amp;&#98;<![CDATA[<c>]]>\n</Key></Object>"
                b"<Object><Key/></Object> <Quiet>true</Quiet></Delete>\n",
                "Delete",
            )
            self.assertEqual(root.name, "Delete")
            self.assertEqual(
                [item.text_of("Key") for item in root.all("Object")],
                [" a&b<c>\n", ""],
            )
            self.assertEqual(root.text_of("Quiet"), "true")
            self.assertIsNone(root.text_of("Other"))
            self.assertIsNone(root.child("Other"))

    def test_prefixed_names_and_attributes(self) -> None:
        """A prefix for S3's namespace and attributes such as xsi:type are tolerated."""
        root = read(
            b'<s:A xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"'
            b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            b'<s:Grantee xsi:type="CanonicalUser" other="1">x</s:Grantee></s:A>',
            "A",
        )
        self.assertEqual(root.text_of("Grantee"), "x")

    def test_character_references(self) -> None:
        """A carriage return and other characters survive as references."""
        self.assertEqual(read(b"<K>a&#13;&#x1F9DA;&#xe4;</K>", "K").text, "a\r🧚ä")

    def test_one_of_several_roots(self) -> None:
        """A reader may take more than one root."""
        for name in ("A", "B"):
            self.assertEqual(read(f"<{name}/>".encode(), ("A", "B")).name, name)

    def test_doubled_and_unknown_children(self) -> None:
        """A child asked for as the only one may not be doubled; allow() refuses the unknown."""
        root = read(b"<A><B/><B/><C/></A>", "A")
        self.assertRaises(MalformedXML, root.child, "B")
        self.assertRaises(MalformedXML, root.text_of, "B")
        root.allow("B", "C", "D")
        self.assertRaises(MalformedXML, root.allow, "B")

    def test_empty(self) -> None:
        """No document at all is an error of its own."""
        self.assertRaises(MissingRequestBodyError, read, b"", "A")

    def test_malformed(self) -> None:
        """What is not well formed, not ours or not allowed at all is MalformedXML."""
        for data in (
            b" ",
            b"text",
            b"{}",
            b"<A>",
            b"<A></B>",
            b"<A/><A/>",
            b"<A/>text",
            b"<A",
            b"<A><B></A></B>",
            b"<A>&nbsp;</A>",
            b"<A>&#0;</A>",
            b"<A>&#x1;</A>",
            b"<A>\x00</A>",
            b"<A>\x01</A>",
            b"<A>\xff</A>",
            b"<A>\xed\xa0\x80</A>",
            b"<A b='1' b='2'/>",
            b"<A x:b='1'/>",
            b"<x:A/>",
            b"<B/>",
            b"<a/>",
            b'<A xmlns="http://example.com/"/>',
            b'<A><B xmlns="urn:other"/></A>',
            b"<A>text<B/></A>",
            b"<A><B/>text</A>",
            b"<A><?php echo 1 ?></A>",
            b"<?xml-stylesheet href='x'?><A/>",
            b" <?xml version='1.0'?><A/>",
        ):
            self.assertRaises(MalformedXML, read, data, "A")

    def test_document_type(self) -> None:
        """A DOCTYPE is refused, whether it brings entities, a bomb, a file or nothing."""
        for data in (
            b"<!DOCTYPE A><A/>",
            b'<!DOCTYPE A SYSTEM "http://example.com/a.dtd"><A/>',
            b'<!DOCTYPE A [<!ENTITY e SYSTEM "file:///etc/passwd">]><A>&e;</A>',
            b'<!DOCTYPE A [<!ENTITY % p SYSTEM "http://example.com/">%p;]><A/>',
            b'<!DOCTYPE A [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><A>&b;</A>',
            b'<?xml version="1.0"?>\n<!-- c --><!DOCTYPE A><A/>',
        ):
            self.assertRaises(MalformedXML, read, data, "A")

    def test_encodings(self) -> None:
        """Only UTF-8 is read: another encoding is refused, declared, marked or guessed."""
        for data in (
            b'<?xml version="1.0" encoding="ISO-8859-1"?><A/>',
            b'<?xml version="1.0" encoding="UTF-16"?><A/>',
            b'<?xml version="1.0" encoding="no-such-thing"?><A/>',
            "<A/>".encode("utf-16"),
            "<A/>".encode("utf-16-be"),
            '<?xml version="1.0" encoding="UTF-16"?><A/>'.encode("utf-16"),
            "<A/>".encode("utf-32"),
        ):
            self.assertRaises(MalformedXML, read, data, "A")

    def test_depth(self) -> None:
        """Twenty levels are read, one more is refused."""
        read(b"<A>" * 20 + b"</A>" * 20, "A")
        self.assertRaises(MalformedXML, read, b"<A>" * 21 + b"</A>" * 21, "A")
        self.assertRaises(MalformedXML, read, b"<A>" * 100_000, "A")

    def test_number_of_elements(self) -> None:
        """More elements than any of S3's documents has are refused."""
        data = b"<A>" + b"<B/>" * MAX_ELEMENTS + b"</A>"
        self.assertRaises(MalformedXML, read, data, "A")

    def test_long_text_and_attributes(self) -> None:
        """Text and attributes of a megabyte are just read."""
        root = read(
            b'<A b="' + b"x" * 1_000_000 + b'">' + b"y" * 1_000_000 + b"</A>", "A"
        )
        self.assertEqual(len(root.text), 1_000_000)

    @given(st.binary(max_size=60))
    def test_any_bytes(self, data: bytes) -> None:
        """Whatever is sent is an element, or refused."""
        for sent in (data, b"<A>" + data + b"</A>", b"<A " + data):
            try:
                self.assertEqual(read(sent, "A").name, "A")
            except (MalformedXML, MissingRequestBodyError):
                pass

    @given(TEXTS)
    def test_round_trip(self, text: str) -> None:
        """What the writer writes, the reader reads."""
        self.assertEqual(
            read(document("A", element("B", text)), "A").text_of("B"), text
        )

    def test_namespace(self) -> None:
        """The namespace is S3's of 2006."""
        self.assertTrue(NAMESPACE.endswith("/2006-03-01/"))


class ConsumerTests(SynchronousTestCase):
    """Each kind of document that a request brings, whatever is in it."""

    @settings(deadline=None, max_examples=300)
    @given(DOCUMENTS, st.sampled_from(["", "", f' xmlns="{NAMESPACE}"', ' xmlns="x"']))
    def test_any_document(self, text: str, attribute: str) -> None:
        """Documents of the elements that are known, in any order and number: what was meant, or an error."""
        documents.one_input(text.replace(">", f"{attribute}>", 1).encode())

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from(documents.SEEDS),
        st.integers(0, 10**6),
        st.one_of(st.binary(max_size=3), st.sampled_from(documents.WORDS)),
        st.integers(0, 5),
    )
    def test_any_change(self, data: bytes, at: int, put: bytes, cut: int) -> None:
        """Documents that are right but for some bytes."""
        at %= len(data)
        documents.one_input(data[:at] + put + data[at + cut :])


class ErrorDocumentTests(SynchronousTestCase):
    """Errors of any shape become documents that can be read."""

    @given(TEXTS, TEXTS)
    def test_any_member(self, value: str, resource: str) -> None:
        """Whatever a member or a resource says, the document is well formed."""
        root = read(error_document(S3Error("m", Value=value), resource, "id"), "Error")
        self.assertEqual(root.text_of("Value"), value)
        self.assertEqual(root.text_of("Resource"), resource)
        self.assertEqual(root.text_of("Code"), "S3Error")

    def test_characters_xml_has_not(self) -> None:
        """A key with control characters does not keep a client from reading the code."""
        error = NoSuchKey(Key="a\x00\x1f\ufffe\tb")
        root = read(error_document(error, "/bucket/\x01", "id"), "Error")
        self.assertEqual(root.text_of("Key"), "a\ufffd\ufffd\ufffd\tb")
        self.assertEqual(root.text_of("Resource"), "/bucket/\ufffd")

    def test_members_that_are_too_much(self) -> None:
        """Members that would make a document of more than 4 KiB are left out, whatever they look like once they are escaped."""
        for long in ("a" * 4096, '"' * 700, "\u00e4" * 2048):
            error = S3Error("m", First="1", Long=long, Last=2)
            root = read(error_document(error, "/bucket/key", "id"), "Error")
            self.assertIsNone(root.text_of("Long"))
            self.assertEqual((root.text_of("First"), root.text_of("Last")), ("1", "2"))
            self.assertEqual(root.text_of("Resource"), "/bucket/key")
        several = {name: name * 1000 for name in "ABCDEF"}
        document = error_document(S3Error("m", **several), "/b/" + "k" * 1024, "id")
        self.assertLess(len(document), 4096 + 300)
        self.assertIn(b"<C>", document)
        self.assertNotIn(b"<D>", document)
        document = error_document(S3Error("m" * 9999), '"' * 9999, "id")
        self.assertLess(len(document), 1500)

    def test_message_that_cites(self) -> None:
        """A message that cites control characters, as those on credentials do, is no worse."""
        root = read(error_document(S3Error("date \x00", Value="v"), "", "id"), "Error")
        self.assertEqual(root.text_of("Message"), "date \ufffd")
