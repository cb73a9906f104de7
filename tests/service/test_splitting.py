"""What clients say and answers repeat: nothing of it ends a header or a document early, and all of it comes back as it was."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from ozgate.auth.presign import presign
from tests.running import ACCESS_KEY, REGION, SECRET_KEY
from tests.service.talking import Heard, TalkCase

OVERRIDES = (
    *("response-content-type", "response-content-language", "response-expires"),
    *("response-cache-control", "response-content-disposition"),
    "response-content-encoding",
)
STORED = (
    *("content-type", "cache-control", "content-disposition", "content-language"),
    *("expires", "x-amz-meta-a", "x-amz-website-redirect-location", "x-amz-tagging"),
)
EVIL = "\r\nSet-Cookie: evil\r\n\r\n<html>"
SPLITTING = ("a\r\nSet-Cookie: evil", "a\nSet-Cookie: evil", "a\rSet-Cookie: evil", "a\0b", "\r\n\r\n<html>", "a\x0bb", "a\x7fb")  # fmt: skip

KEYS = {
    "a+b": ("a+b", "a%2Bb"),
    "a b": ("a%20b",),
    "a/b": ("a/b", "a%2Fb", "a%2fb"),
    "a%2Fb": ("a%252Fb",),
    "a//b": ("a//b", "a/%2Fb"),
    "/a": ("/a", "%2Fa"),
    "a/": ("a/", "a%2F"),
    "a/./b": ("a/./b", "a/%2E/b"),
    "a/../b": ("a/../b", "a/%2e%2e/b"),
    "..": ("..", "%2E%2E"),
    "../../etc/passwd": ("../../etc/passwd", "..%2F..%2Fetc%2Fpasswd"),
    ".": (".", "%2e"),
    "a\\b": ("a%5Cb",),
    "a\0b": ("a%00b",),
    "a\x01\x1f\x7fb": ("a%01%1F%7Fb",),
    "a\r\nb": ("a%0D%0Ab",),
    "a&<>\"'b": ("a&%3C%3E%22'b", "a%26%3C%3E%22%27b"),
    "a?b#c": ("a%3Fb%23c",),
    "ä": ("%C3%A4",),
    "a\u0308": ("a%CC%88",),
    "\U0001f600": ("%F0%9F%98%80",),
    "\ufffe\uffff": ("%EF%BF%BE%EF%BF%BF",),
    "\u2028\u202e\ufeff": ("%E2%80%A8%E2%80%AE%EF%BB%BF",),
}
"""Key → the ways to write it in a URL."""


class SplittingTests(TalkCase):
    """28: CR and LF never end a header."""

    def assert_whole(self, heard: Heard) -> None:
        """No header is of the client's making, and the body is a document or the object."""
        names = [name for name, _ in heard.headers]
        self.assertNotIn("set-cookie", names)
        self.assertNotIn(b"<html>", heard.body)
        for _, value in heard.headers:
            self.assertNotRegex(value, "[\0-\x08\x0a-\x1f\x7f]")

    def ask(self, method: str, target: str, *lines: str, **headers: str) -> Heard:
        """A signed request, and its one answer, behind which the connection has no more to say."""
        head = self.head(method, target, *lines, "Connection: close", **headers)
        heard = self.only(head, method)
        self.assert_whole(heard)
        return heard

    def test_overrides(self) -> None:
        """No response-* parameter splits an answer, of GET or HEAD; what is harmless goes out as it came."""
        for name in OVERRIDES:
            for value in SPLITTING:
                target = f"/bucket/kept?{name}={quote(value, safe='')}"
                for method in ("GET", "HEAD"):
                    self.assertEqual(
                        self.ask(method, target).status, 400, (name, value)
                    )
            heard = self.ask("GET", f"/bucket/kept?{name}=text%2Fplain%3B%20a%3Db")
            header = name.removeprefix("response-")
            self.assertEqual(heard.header(header), "text/plain; a=b")

    def test_presigned(self) -> None:
        """What a presigned URL carries as headers is stored only if a header could have it."""
        url = f"{self.server.url}/bucket/bad"
        for name in STORED:
            if not name.startswith("x-amz-"):
                continue
            for value in SPLITTING:
                made = presign(
                    "PUT",
                    url,
                    ACCESS_KEY,
                    SECRET_KEY,
                    REGION,
                    60,
                    time.time(),
                    {name: value},
                )
                target = made.removeprefix(self.server.url)
                head = f"PUT {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                heard = self.only(head.encode())
                self.assertEqual(heard.status, 400, (name, value))
                self.assert_whole(heard)

    def test_encoded_words(self) -> None:
        """Metadata that hide line ends in RFC 2047's encoded words are refused, by every operation that takes metadata."""
        for value in SPLITTING:
            word = f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="
            quoted = f"=?utf-8?q?{''.join(f'={byte:02X}' for byte in value.encode())}?="
            for hidden in (word, quoted):
                for method, target, more in (
                    ("PUT", "/bucket/bad", {}),
                    ("POST", "/bucket/bad?uploads", {}),
                    ("PUT", "/bucket/bad", {"x_amz_copy_source": "/bucket/kept", "x_amz_metadata_directive": "REPLACE"}),
                ):  # fmt: skip
                    heard = self.ask(
                        method, target, "Content-Length: 0", x_amz_meta_a=hidden, **more
                    )
                    self.assertEqual(
                        (heard.status, heard.code), (400, "InvalidArgument"), hidden
                    )

    def test_stored_headers(self) -> None:
        """Percent-encoded line ends in headers that are stored stay percent-encoded; a redirect must be one."""
        for name in STORED:
            if name in ("x-amz-tagging", "x-amz-website-redirect-location"):
                continue
            value = "a%0D%0ASet-Cookie:%20evil"
            named = {name.replace("-", "_"): value}
            self.assertEqual(
                self.ask("PUT", "/bucket/split", "Content-Length: 0", **named).status,
                200,
            )
            for method in ("GET", "HEAD"):
                self.assertEqual(self.ask(method, "/bucket/split").header(name), value)
        heard = self.ask(
            "PUT",
            "/bucket/split",
            "Content-Length: 0",
            x_amz_website_redirect_location="%0d%0aa",
        )
        self.assertEqual(heard.code, "InvalidRedirectLocation")
        self.ask("DELETE", "/bucket/split")

    def test_keys(self) -> None:
        """A key with line ends in it splits nothing: not Location, not an error's document, not a listing."""
        target = "/bucket/" + quote(EVIL, safe="")
        self.assertEqual(self.ask("GET", target).code, "NoSuchKey")
        begun = self.ask("POST", target + "?uploads", "Content-Length: 0")
        upload = re.search(rb"<UploadId>(.*?)</UploadId>", begun.body)[1].decode()  # type: ignore[index]
        part = self.server.request(
            "PUT", f"{target}?partNumber=1&uploadId={upload}", body=b"x"
        )
        tag = part[1]["etag"]
        document = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        status, headers, body = self.server.request(
            "POST", f"{target}?uploadId={upload}", {}, document.encode()
        )
        self.assertEqual(status, 200, body)
        self.assertNotIn("set-cookie", headers)
        found = ElementTree.fromstring(body)
        self.assertEqual(found.findtext("{*}Key"), EVIL)
        for listing in (
            "?list-type=2",
            "?versions",
            "?list-type=2&prefix=" + quote(EVIL[:4]),
            "?list-type=2&encoding-type=url",
        ):
            self.assertNotIn(b"<html>", self.ask("GET", "/bucket" + listing).body)
        self.assertEqual(self.ask("DELETE", target).status, 204)

    def test_configuration(self) -> None:
        """CVE-2020-10753 (GHSA-cggp): no configuration of a bucket becomes a header.

        That one was CORS' ExposeHeader with a line end in it: the configuration is refused, and no answer
        to a page of another site has headers of CORS.
        """
        document = (
            b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>"
            b"<ExposeHeader>a&#13;&#10;Set-Cookie: evil</ExposeHeader></CORSRule></CORSConfiguration>"
        )
        digest = base64.b64encode(hashlib.md5(document).digest()).decode()
        status, _, body = self.server.request(
            "PUT", "/bucket?cors", {"content-md5": digest}, document
        )
        self.assertEqual(status, 400, body)
        for method in ("GET", "OPTIONS"):
            heard = self.ask(
                method,
                "/bucket/kept",
                "Origin: http://example.com",
                "Access-Control-Request-Method: GET",
            )
            self.assertFalse(
                [
                    name
                    for name, _ in heard.headers
                    if name.startswith("access-control-")
                ]
            )

    def test_what_is_repeated(self) -> None:
        """Bucket names, query names and request ids of the client's come back in documents only, as text."""
        for target in (
            "/bucket/" + quote(EVIL),
            "/bucket?" + quote(EVIL),
            f"/bucket/kept?versionId={quote(EVIL)}",
            "/" + quote(EVIL),
        ):
            heard = self.ask("GET", target, x_amz_request_id="evil")
            self.assertIn(heard.status, (200, 400, 404, 501))
            self.assertNotIn("evil", heard.header("x-amz-request-id"))


class KeyTests(TalkCase):
    """29: keys byte for byte."""

    def test_every_spelling(self) -> None:
        """Each key is one object, however it is written in the URL, and no other key's; listings say it as it is."""
        for place, (key, spellings) in enumerate(KEYS.items()):
            body = b"%d" % place
            target = "/bucket/" + spellings[0]
            self.assertEqual(self.server.request("PUT", target, body=body)[0], 200, key)
        for place, (key, spellings) in enumerate(KEYS.items()):
            for spelling in spellings:
                status, _, body = self.server.request("GET", "/bucket/" + spelling)
                self.assertEqual((status, body), (200, b"%d" % place), (key, spelling))
        for query, read in (("", str), ("&encoding-type=url", unquote)):
            listing = self.server.request("GET", "/bucket?list-type=2" + query)[
                2
            ].decode()
            self.assertEqual({read(each) for each in keys_in(listing)}, {"kept", *KEYS})
        for spellings in KEYS.values():
            self.assertEqual(
                self.server.request("DELETE", "/bucket/" + spellings[-1])[0], 204
            )

    def test_encoded_listing(self) -> None:
        """With encoding-type=url a listing is well-formed XML whatever the keys, U+FFFE and control characters among them."""
        strange = [
            "\ufffe",
            "\uffff",
            "\0",
            "\x01",
            "\x0b",
            "\x1f",
            "\x7f",
            "\U0001fffe",
        ]
        for key in strange:
            self.assertEqual(
                self.server.request("PUT", "/bucket/" + quote(key))[0], 200
            )
        for listing in ("?list-type=2", "?versions", ""):
            joined = "&" if listing else "?"
            body = self.server.request(
                "GET", f"/bucket{listing}{joined}encoding-type=url"
            )[2]
            root = ElementTree.fromstring(body)
            self.assertEqual(root.findtext("{*}EncodingType"), "url")
            keys = {unquote(each.text or "") for each in root.iterfind(".//{*}Key")}
            self.assertEqual(keys, {"kept", *strange})
        for key in strange:
            self.server.request("DELETE", "/bucket/" + quote(key))

    def test_no_keys(self) -> None:
        """What is no UTF-8, or no percent-encoding, is no key, in the path and in a listing's parameters."""
        for written in (
            "%FF",
            "%C3",
            "%C3%28",
            "%ED%A0%80",
            "%F4%90%80%80",
            "%C0%AF",
            "%E0%80%AF",
            "%F0%80%80%AF",
            "%",
            "%2",
            "%zz",
        ):
            for method, target in (
                ("GET", f"/bucket/{written}"),
                ("PUT", f"/bucket/{written}"),
                ("GET", f"/bucket?list-type=2&prefix={written}"),
            ):
                head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                heard = self.only(head.encode())
                self.assertIn(
                    (heard.status, heard.code),
                    (
                        (400, "InvalidURI"),
                        (400, "InvalidArgument"),
                        (403, "AccessDenied"),
                    ),
                    target,
                )
                if "prefix" not in target:
                    self.assertEqual(heard.code, "InvalidURI")


class MetadataTests(TalkCase):
    """29: metadata beyond ASCII."""

    def test_round_trip(self) -> None:
        """However it is sent, in UTF-8, Latin-1 or encoded words, what is not ASCII comes back as RFC 2047 has it."""
        for sent, meant in (
            ("=?UTF-8?B?Z3LDvMOfZQ==?=", "grüße"),
            ("=?UTF-8?Q?gr=C3=BC=C3=9Fe?=", "grüße"),
            ("=?ISO-8859-1?Q?gr=FC=DFe?=", "grüße"),
            ("grüße".encode().decode("latin-1"), "grüße"),
            ("=?UTF-8?B?8J+YgA==?=", "\U0001f600"),
            ("plain", "plain"),
            ("=?UTF-8?B?broken", "=?UTF-8?B?broken"),
            ("=?nonsense?B?YQ==?=", "=?nonsense?B?YQ==?="),
            ("a=?b?=c", "a=?b?=c"),
        ):
            self.put(sent)
            heard = self.only(
                self.head("HEAD", "/bucket/meta", "Connection: close"), "HEAD"
            )
            shown = heard.header("x-amz-meta-a")
            self.assertTrue(shown.isascii())
            if meant.isascii():
                self.assertEqual(shown, meant)
            else:
                word = re.fullmatch(r"=\?UTF-8\?B\?(.*)\?=", shown)
                self.assertEqual(base64.b64decode(word[1]).decode(), meant)  # type: ignore[index]
        self.server.request("DELETE", "/bucket/meta")

    def put(self, value: str) -> None:
        """Store an object with a piece of metadata, sent as those bytes."""
        if value.isascii():
            head = self.head(
                "PUT", "/bucket/meta", "Content-Length: 0", x_amz_meta_a=value
            )
        else:
            signed = self.server.signed(
                "PUT",
                "/bucket/meta",
                {"x-amz-meta-a": value.encode("latin-1").decode()},
            )
            lines = [
                f"{name}: {each}"
                for name, each in signed.items()
                if name != "x-amz-meta-a"
            ]
            raw = "\r\n".join(
                [
                    "PUT /bucket/meta HTTP/1.1",
                    *lines,
                    f"x-amz-meta-a: {value}",
                    "Content-Length: 0",
                    "",
                    "",
                ]
            )
            head = raw.encode("latin-1")
        with self.talk() as talk:
            talk.send(head)
            self.assertEqual(talk.hear().status, 200, value)


def keys_in(listing: str) -> list[str]:
    """The keys of a listing that may name characters which XML 1.0 has not, as S3's own do."""
    found = re.findall(r"<Key>(.*?)</Key>", listing, re.DOTALL)
    number = re.compile(r"&#x([0-9a-fA-F]+);|&#(\d+);")

    def character(match: re.Match[str]) -> str:
        return chr(int(match[1], 16) if match[1] else int(match[2]))

    named = (
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&apos;", "'"),
        ("&amp;", "&"),
    )
    keys = []
    for key in found:
        key = number.sub(character, key)
        for entity, meant in named:
            key = key.replace(entity, meant)
        keys.append(key)
    return keys
