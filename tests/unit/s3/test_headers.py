"""Headers of objects: what is kept, what is refused, what is sent back."""

from __future__ import annotations

from base64 import b64encode
from email.header import Header
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import (
    InvalidArgument,
    InvalidRedirectLocation,
    InvalidRequest,
    InvalidStorageClass,
    MetadataTooLarge,
    NotImplemented,
)
from ozgate.s3.headers import (
    checksum_headers,
    encoded,
    read_object_headers,
    read_tags,
    refuse_encryption,
    refuse_unbuilt,
    version_headers,
)
from ozgate.values import Checksum, ObjectVersion
from ozgate.wire.headers import Headers
from tests.fuzz import headers
from tests.fuzz.judging import text


def call(**headers: str) -> Any:
    """A call of which only the headers matter; ``_`` stands for ``-`` in their names."""
    values = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(headers=Headers(values))


class ReadTests(SynchronousTestCase):
    """What a write's headers say of the object."""

    def test_defaults(self) -> None:
        """Without headers an object is a binary stream of class STANDARD with no metadata."""
        self.assertEqual(
            read_object_headers(call()),
            ({"content-type": "binary/octet-stream"}, {}, "STANDARD"),
        )

    def test_system_headers(self) -> None:
        """The seven system headers are kept as they came."""
        given = {
            "content_type": "text/html; charset=utf-8",
            "cache_control": "no-cache",
            "content_disposition": 'attachment; filename="a.txt"',
            "content_language": "de, en",
            "expires": "whenever",
            "content_encoding": "gzip",
            "x_amz_website_redirect_location": "/other",
        }
        system, _, _ = read_object_headers(call(**given, user_agent="x", range="y"))
        self.assertEqual(
            system, {name.replace("_", "-"): value for name, value in given.items()}
        )

    def test_empty_values(self) -> None:
        """An empty Content-Type is the default one, an empty Cache-Control is none."""
        system, _, _ = read_object_headers(call(content_type="", cache_control=""))
        self.assertEqual(system, {"content-type": "binary/octet-stream"})

    def test_aws_chunked(self) -> None:
        """The coding aws-chunked belongs to the request, not to the object."""
        for sent, kept in (
            ("aws-chunked", None),
            ("aws-chunked,gzip", "gzip"),
            ("gzip, aws-chunked", "gzip"),
            ("AWS-Chunked, gzip, br", "gzip,br"),
        ):
            system, _, _ = read_object_headers(call(content_encoding=sent))
            self.assertEqual(system.get("content-encoding"), kept, sent)

    def test_metadata(self) -> None:
        """User metadata is kept under its names without the prefix, empty values too."""
        _, metadata, _ = read_object_headers(
            call(x_amz_meta_a="1", x_amz_meta_content_type="text/x", x_amz_meta_b="")
        )
        self.assertEqual(metadata, {"a": "1", "content-type": "text/x", "b": ""})

    def test_metadata_decoded(self) -> None:
        """RFC 2047 encoded words are read, in both encodings and any charset."""
        for sent, kept in (
            ("=?UTF-8?B?" + b64encode("grün".encode()).decode() + "?=", "grün"),
            ("=?utf-8?q?gr=C3=BCn?=", "grün"),
            ("=?ISO-8859-1?Q?gr=FCn?=", "grün"),
            ("grün", "grün"),
            ("=?UTF-8?B?YQ==?= =?UTF-8?B?Yg==?=", "ab"),
            ("=?no-such-charset?B?YQ==?=", "=?no-such-charset?B?YQ==?="),
            ("=?not a word", "=?not a word"),
        ):
            _, metadata, _ = read_object_headers(call(x_amz_meta_m=sent))
            self.assertEqual(metadata["m"], kept)

    def test_words_of_no_charset(self) -> None:
        """A charset that is no name of one, or whose text is no Unicode, leaves a value as it is."""
        for sent in (
            "=?é?Q?a?=",
            "=?utf-7?Q?+2AA-?=",
            "=?raw_unicode_escape?B?XHVkODAw?=",
        ):
            _, metadata, _ = read_object_headers(call(x_amz_meta_m=sent))
            self.assertEqual(metadata["m"], sent)

    def test_words_without_end(self) -> None:
        """What follows the last encoded word is no word, however often it begins one; nor is it looked through."""
        for sent, kept in (
            ("=?utf-8?q?a?= =?utf-8?q?b", "a =?utf-8?q?b"),
            ("=?utf-8?q?a?=" + "=?a?b?x" * 200, "a" + "=?a?b?x" * 200),
        ):
            _, metadata, _ = read_object_headers(call(x_amz_meta_m=sent))
            self.assertEqual(metadata["m"], kept)
        # Two seconds each where every word looks for its end.
        for _ in range(20):
            self.assertRaises(
                MetadataTooLarge,
                read_object_headers,
                call(x_amz_meta_m="=?a?b?x" * 4500),
            )

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.one_of(
                st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=9),
                st.sampled_from([text(word) for word in headers.WORDS]),
            ),
            max_size=9,
        ).map("".join)
    )
    def test_any_value(self, value: str) -> None:
        """Whatever is sent in any header that matters is refused as S3 does, or can be kept and sent back."""
        for name in ("x-amz-meta-a", "content-type", "cache-control", "x-amz-tagging"):
            headers.one_input(f"{name}: {value}".encode())
        headers.one_input(value.encode())

    @given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=99))
    def test_metadata_sent_back(self, value: str) -> None:
        """Metadata of any text comes back as what was sent, by a client that reads what it wrote."""
        value = value.strip()
        for sent in (value, encoded(value), Header(value, "utf-8", 2000).encode()):
            if "=?" not in value:
                _, metadata, _ = read_object_headers(call(x_amz_meta_m=sent))
                self.assertEqual(metadata["m"], value)

    def test_metadata_limit(self) -> None:
        """Names and values may have 2048 bytes in UTF-8, the prefix not counted."""
        read_object_headers(call(x_amz_meta_a="v" * 2047))
        read_object_headers(call(x_amz_meta_a="ü" * 1023 + "v"))
        for value in ("v" * 2048, "ü" * 1024):
            error = self.assertRaises(
                MetadataTooLarge, read_object_headers, call(x_amz_meta_a=value)
            )
            self.assertEqual(error.members, {"Size": 2049, "MaxSizeAllowed": 2048})

    def test_line_breaks(self) -> None:
        """A line break hidden in an encoded word is refused, as is any control character."""
        for hidden in ("a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\0b"):
            word = b64encode(hidden.encode()).decode()
            self.assertRaises(
                InvalidArgument,
                read_object_headers,
                call(x_amz_meta_m=f"=?UTF-8?B?{word}?="),
            )
        self.assertRaises(
            InvalidArgument, read_object_headers, call(cache_control="a\rb")
        )

    def test_storage_classes(self) -> None:
        """S3's storage classes are taken, others are refused by name."""
        _, _, kept = read_object_headers(call(x_amz_storage_class="GLACIER_IR"))
        self.assertEqual(kept, "GLACIER_IR")
        error = self.assertRaises(
            InvalidStorageClass,
            read_object_headers,
            call(x_amz_storage_class="standard"),
        )
        self.assertEqual(error.members, {"StorageClassRequested": "standard"})

    def test_redirect(self) -> None:
        """A website redirect leads to a path or a web address, of 2048 bytes at most."""
        for good in ("/a", "http://a/", "https://a/", "/" + "a" * 2047):
            read_object_headers(call(x_amz_website_redirect_location=good))
        for bad in ("a", "ftp://a", "/" + "a" * 2048, "/" + "\xfc" * 1024):
            self.assertRaises(
                InvalidRedirectLocation,
                read_object_headers,
                call(x_amz_website_redirect_location=bad),
            )

    def test_tags(self) -> None:
        """Tags come as a query string; without the header there are none."""
        self.assertEqual(read_tags(call()), {})
        self.assertEqual(read_tags(call(x_amz_tagging="a=1&b=")), {"a": "1", "b": ""})


class RefuseTests(SynchronousTestCase):
    """Headers that ask for what would not happen."""

    def refused(self, kind: type[Exception], **headers: str) -> Exception:
        """Both ways of refusing agree."""
        self.assertRaises(kind, read_object_headers, call(**headers))
        return self.assertRaises(kind, refuse_unbuilt, call(**headers).headers)

    def test_encryption(self) -> None:
        """No kind of server-side encryption is pretended."""
        self.refused(NotImplemented, x_amz_server_side_encryption="AES256")
        self.refused(NotImplemented, x_amz_server_side_encryption="aws:kms")
        self.refused(
            NotImplemented, x_amz_server_side_encryption_customer_algorithm="AES256"
        )
        self.refused(
            NotImplemented,
            x_amz_server_side_encryption_bucket_key_enabled="true",
        )

    def test_offset(self) -> None:
        """A write at an offset is not a write of the whole."""
        self.refused(NotImplemented, x_amz_write_offset_bytes="5")

    def test_beginning(self) -> None:
        """A list, tags and a lock are said where an object begins to be written, and nowhere else, be they as harmless as they may; an event hold is not built."""
        for name, value in (
            ("x-amz-acl", "private"),
            ("x-amz-acl", "public-read"),
            ("x-amz-grant-read", "id=1"),
            ("x-amz-tagging", "a=b"),
            ("x-amz-object-lock-mode", "GOVERNANCE"),
            ("x-amz-object-lock-legal-hold", "ON"),
        ):
            headers = call(**{name.replace("-", "_"): value}).headers
            error = self.assertRaises(InvalidArgument, refuse_unbuilt, headers)
            self.assertEqual(
                str(error), "The specified header is not valid in this context"
            )
            members = {"ArgumentName": name, "ArgumentValue": value}
            self.assertEqual(error.members, members)
        read_object_headers(call(x_amz_object_lock_mode="GOVERNANCE"))
        refuse_unbuilt(call(x_amz_meta_a="b", x_amz_tagging_directive="COPY").headers)
        self.refused(NotImplemented, x_amz_object_lock_event_hold="ON")
        self.refused(NotImplemented, x_amz_object_lock_event_hold_duration_days="1")

    def test_keys_on_reads(self) -> None:
        """A read with a customer's key is an error: nothing is encrypted with one."""
        refuse_encryption(call().headers)
        self.assertRaises(
            InvalidRequest,
            refuse_encryption,
            call(x_amz_server_side_encryption_customer_algorithm="AES256").headers,
        )


class WriteTests(SynchronousTestCase):
    """What the headers of an answer say of an object."""

    def test_all(self) -> None:
        """Validators, metadata and system headers are there, in S3's spelling."""
        version = ObjectVersion(
            key="k",
            sequence=1,
            modified=1_795_000_000_999,
            etag="abc",
            storage_class="GLACIER",
            headers={"content-type": "text/plain", "expires": "soon"},
            metadata={"a": "1", "u": "ü"},
            tags={"x": "1", "y": "2"},
        )
        self.assertEqual(
            version_headers(version),
            [
                ("Last-Modified", "Wed, 18 Nov 2026 11:06:40 GMT"),
                ("ETag", '"abc"'),
                ("x-amz-storage-class", "GLACIER"),
                ("x-amz-tagging-count", "2"),
                ("x-amz-meta-a", "1"),
                ("x-amz-meta-u", "=?UTF-8?B?w7w=?="),
                ("Content-Type", "text/plain"),
                ("Expires", "soon"),
            ],
        )

    def test_plain(self) -> None:
        """STANDARD, no tags and the null version are not mentioned."""
        names = [
            name for name, _ in version_headers(ObjectVersion("k", 1, 0, etag="abc"))
        ]
        self.assertEqual(names, ["Last-Modified", "ETag"])

    def test_version_id(self) -> None:
        """The id of a version is shown as it is to be called."""
        version = ObjectVersion("k", 1, 0)
        for shown in ("v1", "null"):
            headers = version_headers(version, shown)
            self.assertIn(("x-amz-version-id", shown), headers)

    def test_encoded(self) -> None:
        """What is not plain ASCII goes out in encoded words of whole characters, 75 long at most."""
        self.assertEqual(encoded("plain text"), "plain text")
        self.assertEqual(encoded("a\r\nb"), "=?UTF-8?B?YQ0KYg==?=")
        text = "ü€😀" * 60
        words = encoded(text).split(" ")
        self.assertTrue(all(len(word) <= 75 for word in words))
        _, metadata, _ = read_object_headers(call(x_amz_meta_m=encoded(text)))
        self.assertEqual(metadata["m"], text)

    def test_checksum(self) -> None:
        """A checksum is shown with its type."""
        self.assertEqual(checksum_headers(None), [])
        self.assertEqual(
            checksum_headers(Checksum("CRC32C", "COMPOSITE", "abc=-2")),
            [
                ("x-amz-checksum-crc32c", "abc=-2"),
                ("x-amz-checksum-type", "COMPOSITE"),
            ],
        )
