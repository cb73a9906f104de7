"""Addresses: what a raw target and a Host header name."""

from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import (
    BadRequest,
    InvalidBucketName,
    InvalidURI,
    KeyTooLongError,
    S3Error,
)
from ozgate.wire.target import (
    Address,
    Query,
    Scope,
    parse_address,
    parse_page,
    parse_query,
)
from tests.fuzz import address as fuzzed

DOMAINS = ("S3.example.com:9878", "example.com", ".zone.test.")


def parse(target: bytes, host: bytes | None = b"127.0.0.1:9878") -> Address:
    """Parse with the domains of these tests."""
    return parse_address(target, host, DOMAINS)


class PathStyleTests(SynchronousTestCase):
    """Bucket and key in the path."""

    def test_scopes(self) -> None:
        """The root is the service, a name a bucket, what follows a key; a lone slash is no key."""
        for target, scope, bucket, key in (
            (b"/", Scope.SERVICE, "", ""),
            (b"/?x-id=ListBuckets", Scope.SERVICE, "", ""),
            (b"/bucket", Scope.BUCKET, "bucket", ""),
            (b"/bucket/", Scope.BUCKET, "bucket", ""),
            (b"/bucket?acl", Scope.BUCKET, "bucket", ""),
            (b"/bucket/?acl", Scope.BUCKET, "bucket", ""),
            (b"/bucket/key", Scope.OBJECT, "bucket", "key"),
            (b"/bucket/key?acl", Scope.OBJECT, "bucket", "key"),
        ):
            address = parse(target)
            self.assertEqual(
                (address.scope, address.bucket, address.key),
                (scope, bucket, key),
                target,
            )
            self.assertFalse(address.virtual_host)

    def test_keys_byte_for_byte(self) -> None:
        """No key is merged, normalized or read as anything but itself."""
        for raw, key in (
            (b"a//b", "a//b"),
            (b"/a", "/a"),
            (b"/", "/"),
            (b"//", "//"),
            (b"a/", "a/"),
            (b".", "."),
            (b"..", ".."),
            (b"a/../b", "a/../b"),
            (b"%2e%2e/b", "../b"),
            (b"a%2Fb", "a/b"),
            (b"%2Fa", "/a"),
            (b"a+b", "a+b"),
            (b"a%2Bb", "a+b"),
            (b"a%20b", "a b"),
            (b"a%0Ab%0D", "a\nb\r"),
            (b"%00", "\0"),
            (b"%25zz", "%zz"),
            (b"%F0%9F%A7%9A", "\N{FAIRY}"),
            (b"a;x=1&y", "a;x=1&y"),
            (b"a#b", "a#b"),
            (b"a\\b<>|{}^`\"'", "a\\b<>|{}^`\"'"),
            (b"http://x/", "http://x/"),
        ):
            self.assertEqual(parse(b"/bucket/" + raw).key, key, raw)

    def test_raw_parts(self) -> None:
        """The path, the query and the host are also kept as sent, for the signature."""
        for target, path, query in (
            (b"/bucket/a%20b?x=%2F&y", b"/bucket/a%20b", b"x=%2F&y"),
            (b"/bucket/a?x=?", b"/bucket/a", b"x=?"),
            (b"/bucket/a?", b"/bucket/a", b""),
            (b"/bucket/a", b"/bucket/a", b""),
        ):
            address = parse(target, b"Host.Test:80")
            self.assertEqual(address.raw_path, path)
            self.assertEqual(address.raw_query, query)
            self.assertEqual(address.host, "Host.Test:80")

    def test_resource(self) -> None:
        """Error documents name the resource in path style, whatever the address was."""
        self.assertEqual(parse(b"/").resource, "/")
        self.assertEqual(parse(b"/bucket/").resource, "/bucket")
        self.assertEqual(parse(b"/bucket/a%20b?x").resource, "/bucket/a b")
        self.assertEqual(parse(b"/k/l", b"bucket.example.com").resource, "/bucket/k/l")

    def test_bad_bucket_names(self) -> None:
        """A path whose first segment no bucket can have as its name is refused, with the name."""
        for target, name in (
            (b"//b/k", ""),
            (b"//", ""),
            (b"/b%2Fk", "b/k"),
            (b"/bu%63ket%00", "bucket\0"),
            (b"/Bucket/key", "Bucket"),
            (b"/ab/key", "ab"),
            (b"/a..b/key", "a..b"),
            (b"/192.168.0.1/key", "192.168.0.1"),
            (b"/%2e%2e/key", ".."),
            (b"/%C3%A4%C3%B6%C3%BC", "äöü"),
        ):
            error = self.assertRaises(InvalidBucketName, parse, target)
            self.assertEqual(error.members, {"BucketName": name})

    def test_invalid_uri(self) -> None:
        """Bad escapes, bytes that are no UTF-8, control characters and pathless targets are refused."""
        for target in (
            b"/bucket/%zz",
            b"/bucket/%2",
            b"/bucket/%",
            b"/bucket/%FF",
            b"/bucket/%ED%A0%80",
            b"/bucket/%C0%80",
            b"/bu%zzcket/key",
            b"/bucket?x=%zz",
            b"/bucket?x=%FF",
            b"/bucket?%zz",
            b"/bucket/a\x01b",
            b"/bucket/a\x7fb",
            b"/bucket/\xff",
            b"/bucket?x=\xff",
            b"/bucket/a b",
            b"*",
            b"",
            b"bucket/key",
            b"example.com:80",
            b"ftp://h/bucket/key",
        ):
            error = self.assertRaises(InvalidURI, parse, target)
            self.assertIn("URI", error.members)

    def test_raw_utf8(self) -> None:
        """A key sent as raw UTF-8, against RFC 9112, is still that key."""
        self.assertEqual(parse("/bucket/ä".encode()).key, "ä")

    def test_key_length(self) -> None:
        """1024 bytes of UTF-8 are a key, one more is too long, however it is written."""
        self.assertEqual(len(parse(b"/bucket/" + b"k" * 1024).key), 1024)
        self.assertEqual(len(parse(b"/bucket/" + b"%C3%A4" * 512).key), 512)
        for raw in (b"k" * 1025, b"%6b" * 1025, b"%C3%A4" * 512 + b"k"):
            error = self.assertRaises(KeyTooLongError, parse, b"/bucket/" + raw)
            self.assertEqual(error.members, {"Size": 1025, "MaxSizeAllowed": 1024})

    def test_object_lambda_path(self) -> None:
        """The model's one path without a bucket is the service's, not a bad bucket name."""
        self.assertIs(parse(b"/WriteGetObjectResponse").scope, Scope.SERVICE)

    @given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200))
    def test_any_key(self, key: str) -> None:
        """Every UTF-8 key, percent-encoded, comes out as it went in, in both styles."""
        raw = quote(key, safe="/").encode()
        self.assertEqual(parse(b"/bucket/" + raw).key, key)
        self.assertEqual(parse(b"/" + raw, b"bucket.example.com").key, key)

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.one_of(st.sampled_from(fuzzed.WORDS), st.binary(max_size=3)), max_size=12
        ).map(b"".join),
        st.sampled_from([b"", b"\nlocalhost:80", b"\nbucket.s3.example.com"]),
    )
    def test_both_ways(self, target: bytes, host: bytes) -> None:
        """The quick way of plain targets and the way of all agree, with each other and with the standard library."""
        fuzzed.one_input(b"/" + target.replace(b"\n", b"") + host)
        fuzzed.one_input(b"/bucket/" + target.replace(b"\n", b"") + host)

    @given(st.binary(max_size=40), st.one_of(st.none(), st.binary(max_size=20)))
    def test_any_bytes(self, target: bytes, host: bytes | None) -> None:
        """Whatever is sent is an address or one of S3's errors, with either style's host."""
        for target_sent in (target, b"/" + target, b"/bucket/" + target):
            for host_sent in (host, b"bucket.example.com"):
                try:
                    address = parse(target_sent, host_sent)
                except S3Error:
                    continue
                self.assertEqual(bool(address.key), address.scope is Scope.OBJECT)
                self.assertEqual(
                    bool(address.bucket), address.scope is not Scope.SERVICE
                )


class HostTests(SynchronousTestCase):
    """The Host header, and the bucket it may name."""

    def test_virtual_host(self) -> None:
        """A host below one of the domains names a bucket; case, port and a last dot do not matter."""
        for host, bucket in (
            (b"bucket.example.com", "bucket"),
            (b"bucket.example.com:9878", "bucket"),
            (b"BUCKET.Example.COM", "bucket"),
            (b"bucket.example.com.", "bucket"),
            (b"my.bucket.example.com", "my.bucket"),
            (b"bucket.s3.example.com", "bucket"),
            (b"bucket.zone.test", "bucket"),
        ):
            address = parse(b"/a/b?acl", host)
            self.assertEqual((address.bucket, address.key), (bucket, "a/b"), host)
            self.assertIn("acl", address.query)
            self.assertTrue(address.virtual_host)

    def test_virtual_host_paths(self) -> None:
        """All of the path is the key then, leading slashes included; the root is the bucket."""
        for target, key in (
            (b"/", ""),
            (b"/?acl", ""),
            (b"//", "/"),
            (b"//b/k", "/b/k"),
            (b"/b%2Fk", "b/k"),
            (b"/a//b", "a//b"),
            (b"/WriteGetObjectResponse", "WriteGetObjectResponse"),
        ):
            address = parse(target, b"bucket.example.com")
            self.assertEqual((address.bucket, address.key), ("bucket", key))

    def test_path_style_beside_it(self) -> None:
        """A domain itself, addresses, other hosts and no host at all are path style at once."""
        for host in (
            b"example.com",
            b"s3.example.com:9878",
            b"127.0.0.1:9878",
            b"[::1]:9878",
            b"[2001:db8::1]",
            b"localhost",
            b"badexample.com",
            b"bucket.example.com.evil.test",
            b"host_with_underscore:1",
            None,
        ):
            address = parse(b"/bucket/key", host)
            self.assertEqual((address.bucket, address.key), ("bucket", "key"), host)

    def test_longest_domain_wins(self) -> None:
        """With a domain inside another, the bucket is what stands before the longer one."""
        self.assertEqual(parse(b"/k", b"b-1.s3.example.com").bucket, "b-1")
        self.assertEqual(parse(b"/k", b"b-1.s4.example.com").bucket, "b-1.s4")

    def test_bad_bucket_in_host(self) -> None:
        """A host below a domain that is no bucket's name is refused, not read as path style."""
        for host in (b"ab.example.com", b"xn--a.example.com", b"a_b.example.com"):
            self.assertRaises(InvalidBucketName, parse, b"/bucket/key", host)

    def test_bad_hosts(self) -> None:
        """What is no host is refused before anything looks it up or encodes it."""
        for host in (
            b"",
            b" ",
            b"a..b",
            b".a",
            b".",
            b"a" * 64,
            b"a." * 127 + b"com",
            b"h\xc3\xb6st",
            b"h\x00st",
            b"a\r\nb",
            b"a b",
            b"a,b",
            b"a/b",
            b"user@a",
            b"a:b",
            b"a:65536",
            b"a:1:2",
            b"::1",
            b"[::1",
            b"[::g]",
            b"[1.2.3.4]",
            b"[::1%25eth0]",
            b"[::1]x",
            b"%61",
        ):
            self.assertRaises(BadRequest, parse, b"/bucket/key", host)

    @given(st.from_regex(r"[a-z0-9.\-_:\[\]]{1,70}", fullmatch=True))
    def test_hosts_do_not_upset_idna(self, host: str) -> None:
        """Every host that passes can be encoded as the router below encodes it."""
        try:
            address = parse(b"/", host.encode())
        except S3Error:
            return
        address.host.partition(":")[0].encode("idna")

    def test_absolute_form(self) -> None:
        """A whole URL is a target too; it may not name another host than the signed header."""
        for target, host in (
            (b"http://h/bucket/key?acl", b"h"),
            (b"HTTPS://H:80/bucket/key?acl", b"h:80"),
            (b"http://h/bucket/key?acl", None),
        ):
            address = parse(target, host)
            self.assertEqual((address.bucket, address.key), ("bucket", "key"))
            self.assertEqual(address.raw_path, b"/bucket/key")
            self.assertIn("acl", address.query)
        self.assertIs(parse(b"http://h", b"h").scope, Scope.SERVICE)
        self.assertIs(parse(b"http://h?x=1", b"h").query.get("x"), "1")
        self.assertEqual(parse(b"http://b-1.example.com/k", None).bucket, "b-1")
        for target in (b"http://other/bucket", b"http:///bucket", b"http://u@h/bucket"):
            self.assertRaises(BadRequest, parse, target, b"h")


class QueryTests(SynchronousTestCase):
    """Query strings."""

    def test_most(self) -> None:
        """A query has 500 parameters at most, repeated and empty ones too."""
        self.assertEqual(len(parse_query(b"&".join([b"a=b"] * 500)).items()), 500)
        for many in ([b"a=b"] * 501, [b"%41"] * 501, [b""] * 501):
            error = self.assertRaises(InvalidURI, parse_query, b"&".join(many))
            self.assertEqual(error.members, {})

    def test_names_and_values(self) -> None:
        """Names without a value are kept, only ``&`` separates, escapes and pluses are undone."""
        query = parse_query(b"tagging&a=1&&b=x;y=z&c=d=e&f=%26%3D+%2B&%C3%A4=")
        self.assertEqual(
            query.items(),
            [
                ("tagging", ""),
                ("a", "1"),
                ("b", "x;y=z"),
                ("c", "d=e"),
                ("f", "&= +"),
                ("ä", ""),
            ],
        )
        self.assertEqual(query.get("tagging"), "")
        self.assertIsNone(query.get("missing"))
        self.assertIn("a", query)
        self.assertNotIn("A", query)

    def test_repeated_names(self) -> None:
        """A repeated name keeps all its pairs; its first value is its value."""
        query = parse_query(b"a=1&a=2&b=&a=3")
        self.assertEqual(query.get("a"), "1")
        self.assertEqual(sorted(query.names()), ["a", "b"])
        self.assertEqual([v for n, v in query.items() if n == "a"], ["1", "2", "3"])

    def test_empty(self) -> None:
        """A query without names is false."""
        self.assertFalse(Query())
        self.assertFalse(parse(b"/bucket?").query)
        self.assertFalse(parse(b"/bucket?&").query)
        self.assertTrue(parse(b"/bucket?a").query)

    @given(
        st.lists(
            st.tuples(
                st.text(st.characters(exclude_categories=("Cs",)), min_size=1),
                st.text(st.characters(exclude_categories=("Cs",))),
            ),
            max_size=6,
        )
    )
    def test_round_trip(self, pairs: list[tuple[str, str]]) -> None:
        """Every list of pairs, encoded, is read back as it was, in order."""
        raw = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in pairs)
        self.assertEqual(parse_query(raw.encode()).items(), pairs)


class PageTests(SynchronousTestCase):
    """Pages of websites: the host names the bucket, and all of the path is the key."""

    def test_hosts(self) -> None:
        """A name below a domain is the bucket's, and any other name by all of it."""
        for host, bucket in (
            (b"bucket.s3.example.com", "bucket"),
            (b"BUCKET.s3.example.com:80", "bucket"),
            (b"www.other.org", "www.other.org"),
            (b"WWW.other.org.:8080", "www.other.org"),
            (b"s3.example.com", "s3.example.com"),
        ):
            address = parse_page(b"/bucket/key?a=b", host, DOMAINS)
            self.assertEqual(address.bucket, bucket, host)
            self.assertEqual((address.key, address.virtual_host), ("bucket/key", True))
            self.assertEqual(parse_page(b"/", host, DOMAINS).key, "")

    def test_no_bucket(self) -> None:
        """An address is no name, nor is none at all."""
        for host in (b"127.0.0.1:80", b"[::1]", b"a", None):
            with self.assertRaises(InvalidBucketName):
                parse_page(b"/key", host, DOMAINS)
