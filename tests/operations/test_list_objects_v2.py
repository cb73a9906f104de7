"""ListObjectsV2."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

from ozgate.values import Checksum
from tests.operations.support import OperationTestCase, Response

KEYS = ("a/1", "a/2", "a/sub/3", "b", "c/4", "d")


class ListObjectsV2Tests(OperationTestCase):
    """ListObjectsV2."""

    async def list(self, **parameters: str) -> Response:
        """List the bucket; underscores in parameter names stand for hyphens."""
        query = "".join(
            f"&{name.replace('_', '-')}={quote(value, safe='')}"
            for name, value in parameters.items()
        )
        return await self.client.request("GET", f"/bucket?list-type=2{query}")

    async def walk(self, **parameters: str) -> list[list[str]]:
        """Keys and common prefixes of every page, following the tokens."""
        pages = []
        more: dict[str, str] = {}
        while True:
            response = await self.list(**parameters, **more)
            self.assertEqual(response.status, 200)
            pages.append(
                response.texts("Contents/Key") + response.texts("CommonPrefixes/Prefix")
            )
            token = response.text("NextContinuationToken")
            truncated = response.text("IsTruncated") == "true"
            self.assertEqual(truncated, token is not None)
            if token is None:
                return pages
            more = {"continuation_token": token}

    async def test_empty(self) -> None:
        """An empty bucket has an empty, last page."""
        response = await self.list()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-type"], "application/xml")
        self.assertEqual(response.xml().tag, "ListBucketResult")
        self.assertEqual(
            response.names(), ["Name", "Prefix", "KeyCount", "MaxKeys", "IsTruncated"]
        )
        self.assertEqual(response.text("Name"), "bucket")
        self.assertEqual(response.text("KeyCount"), "0")
        self.assertEqual(response.text("MaxKeys"), "1000")
        self.assertEqual(response.text("IsTruncated"), "false")

    async def test_contents(self) -> None:
        """An object is shown with what S3 shows, in its order, without an owner."""
        await self.add_objects("key", size=5, etag="abc-2", storage_class="STANDARD_IA")
        response = await self.list()
        (row,) = response.xml().findall("Contents")
        self.assertEqual(
            [child.tag for child in row],
            ["Key", "LastModified", "ETag", "Size", "StorageClass"],
        )
        self.assertEqual(row.findtext("ETag"), '"abc-2"')
        self.assertEqual(row.findtext("Size"), "5")
        self.assertEqual(row.findtext("StorageClass"), "STANDARD_IA")
        self.assertRegex(
            row.findtext("LastModified") or "",
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$",
        )

    async def test_checksum(self) -> None:
        """An object with a checksum says of which algorithm and type it is."""
        await self.add_objects(
            "key", checksum=Checksum("CRC64NVME", "FULL_OBJECT", "AAAAAAAAAAA=")
        )
        response = await self.list()
        self.assertEqual(response.texts("Contents/ChecksumAlgorithm"), ["CRC64NVME"])
        self.assertEqual(response.texts("Contents/ChecksumType"), ["FULL_OBJECT"])

    async def test_owner(self) -> None:
        """The owner is shown on request only."""
        await self.add_objects("key")
        for value, owners in (("true", ["testuser"]), ("false", []), ("TRUE", [])):
            response = await self.list(fetch_owner=value)
            self.assertEqual(response.texts("Contents/Owner/DisplayName"), owners)

    async def test_order(self) -> None:
        """Keys come in order of their UTF-8 bytes."""
        keys = ["Z", "a", "a b", "a-b", "a/b", "é", "\uffee", "😀"]
        await self.add_objects(*reversed(keys))
        response = await self.list()
        self.assertEqual(response.texts("Contents/Key"), keys)

    async def test_prefix(self) -> None:
        """A prefix selects, and is said again."""
        await self.add_objects(*KEYS)
        response = await self.list(prefix="a/")
        self.assertEqual(response.texts("Contents/Key"), ["a/1", "a/2", "a/sub/3"])
        self.assertEqual(response.text("Prefix"), "a/")

    async def test_delimiter(self) -> None:
        """Keys are rolled up at the delimiter after the prefix; both count."""
        await self.add_objects(*KEYS)
        response = await self.list(delimiter="/")
        self.assertEqual(response.texts("Contents/Key"), ["b", "d"])
        self.assertEqual(response.texts("CommonPrefixes/Prefix"), ["a/", "c/"])
        self.assertEqual(response.text("KeyCount"), "4")
        self.assertEqual(response.text("Delimiter"), "/")
        below = await self.list(delimiter="/", prefix="a/")
        self.assertEqual(below.texts("Contents/Key"), ["a/1", "a/2"])
        self.assertEqual(below.texts("CommonPrefixes/Prefix"), ["a/sub/"])
        long = await self.list(delimiter="sub/")
        self.assertEqual(long.texts("CommonPrefixes/Prefix"), ["a/sub/"])

    async def test_empty_delimiter(self) -> None:
        """An empty delimiter is none."""
        await self.add_objects(*KEYS)
        response = await self.list(delimiter="")
        self.assertEqual(response.texts("Contents/Key"), list(KEYS))
        self.assertIsNone(response.text("Delimiter"))

    async def test_pages(self) -> None:
        """Following the tokens visits each key and common prefix once, whatever the page."""
        await self.add_objects(*KEYS)
        self.assertEqual(
            await self.walk(max_keys="2"),
            [["a/1", "a/2"], ["a/sub/3", "b"], ["c/4", "d"]],
        )
        self.assertEqual(
            await self.walk(max_keys="1", delimiter="/"), [["a/"], ["b"], ["c/"], ["d"]]
        )
        self.assertEqual(
            await self.walk(max_keys="3", delimiter="/"), [["b", "a/", "c/"], ["d"]]
        )

    async def test_token_echo(self) -> None:
        """The token of a page is said again in it."""
        await self.add_objects(*KEYS)
        token = (await self.list(max_keys="1")).text("NextContinuationToken") or ""
        self.assertNotIn("a/1", token)
        response = await self.list(continuation_token=token)
        self.assertEqual(response.text("ContinuationToken"), token)

    async def test_token_of_any_key(self) -> None:
        """Tokens carry keys of any characters, up to the longest."""
        keys = sorted(
            ("\x01", "a\nb", "a+b %2F&<", "é😀", "\ufffe", "z" * 1024),
            key=lambda key: key.encode(),
        )
        await self.add_objects(*keys)
        pages = await self.walk(max_keys="1", encoding_type="url")
        self.assertEqual([unquote_plus(page[0]) for page in pages], keys)

    async def test_bad_token(self) -> None:
        """A token that was not given out, a damaged or an empty one is refused."""
        await self.add_objects(*KEYS)
        token = (await self.list(max_keys="1")).text("NextContinuationToken") or ""
        for bad in ("x", "a/1", f"{token}=", f"A{token[1:]}", "é", "", "AAAAAA=="):
            response = await self.refused(
                self.list(continuation_token=bad), 400, "InvalidArgument"
            )
            self.assertEqual(
                response.text("Message"), "The continuation token provided is incorrect"
            )
            self.assertEqual(response.text("ArgumentName"), "continuation-token")
            self.assertIsNone(response.text("ArgumentValue"))

    async def test_first_version(self) -> None:
        """A marker, which is the first version's, is refused, empty or not."""
        for marker in ("a", ""):
            response = await self.refused(
                self.list(marker=marker), 400, "InvalidArgument"
            )
            self.assertEqual(
                response.text("Message"),
                "Marker unsupported with REST.GET.BUCKET in list-type=2",
            )
            self.assertEqual(response.text("ArgumentName"), "marker")
            self.assertIsNone(response.text("ArgumentValue"))

    async def test_start_in_common_prefix(self) -> None:
        """A key inside a common prefix to start after leaves what comes later of it, rolled up."""
        await self.add_objects(*KEYS)
        response = await self.list(start_after="a/1", delimiter="/")
        self.assertEqual(response.texts("CommonPrefixes/Prefix"), ["a/", "c/"])

    async def test_start_after(self) -> None:
        """A listing may start after a key that need not be there; a token beats it."""
        await self.add_objects(*KEYS)
        response = await self.list(start_after="a/25", max_keys="1")
        self.assertEqual(response.texts("Contents/Key"), ["a/sub/3"])
        self.assertEqual(response.text("StartAfter"), "a/25")
        token = response.text("NextContinuationToken") or ""
        response = await self.list(start_after="a/25", continuation_token=token)
        self.assertEqual(response.texts("Contents/Key"), ["b", "c/4", "d"])
        self.assertEqual(response.text("StartAfter"), "a/25")
        empty = await self.list(start_after="")
        self.assertEqual(empty.texts("Contents/Key"), list(KEYS))
        self.assertEqual(empty.text("StartAfter"), "")

    async def test_max_keys(self) -> None:
        """MaxKeys is what holds: what was asked for, but no more than the most; 0 is an empty page that is not truncated."""
        await self.add_objects(*KEYS)
        response = await self.list(max_keys="05000")
        self.assertEqual(response.text("MaxKeys"), "1000")
        response = await self.list(max_keys="0")
        self.assertEqual(response.text("IsTruncated"), "false")
        self.assertEqual(response.text("KeyCount"), "0")
        self.assertEqual(response.text("MaxKeys"), "0")
        client = self.client.with_settings(max_keys=4)
        for query, shown in (("", "4"), ("&max-keys=5", "4")):
            response = await client.request("GET", f"/bucket?list-type=2{query}")
            self.assertEqual(len(response.texts("Contents/Key")), 4)
            self.assertEqual(response.text("MaxKeys"), shown)
            self.assertEqual(response.text("IsTruncated"), "true")

    async def test_bad_max_keys(self) -> None:
        """max-keys is a whole number that fits."""
        for bad in ("-1", "ten", "1.0", "2147483648", "9" * 40):
            response = await self.refused(
                self.list(max_keys=bad), 400, "InvalidArgument"
            )
            name = "maxKeys" if bad == "-1" else "max-keys"
            self.assertEqual(response.text("ArgumentName"), name)
            self.assertEqual(response.text("ArgumentValue"), bad)

    async def test_encoding(self) -> None:
        """encoding-type=url encodes Key, Prefix, Delimiter, StartAfter, and says so."""
        await self.add_objects("p é/k&\x01", "p é/ z/x")
        response = await self.list(
            encoding_type="url", prefix="p é/", delimiter=" z", start_after="a b"
        )
        self.assertEqual(response.text("EncodingType"), "url")
        for path, plain in (
            ("Contents/Key", "p é/k&\x01"),
            ("Prefix", "p é/"),
            ("Delimiter", " z"),
            ("StartAfter", "a b"),
            ("CommonPrefixes/Prefix", "p é/ z"),
        ):
            shown = response.text(path) or ""
            self.assertNotEqual(shown, plain)
            self.assertTrue(shown.isascii())
            self.assertEqual(unquote_plus(shown), plain)

    async def test_encoding_in_capitals(self) -> None:
        """The name of the encoding may have capitals, and is said again as it was sent."""
        await self.add_objects("a b")
        response = await self.list(encoding_type="URL")
        self.assertEqual(response.text("EncodingType"), "URL")
        self.assertNotIn(" ", response.text("Contents/Key") or "")

    async def test_bad_encoding(self) -> None:
        """There is no other encoding than url."""
        response = await self.refused(
            self.list(encoding_type="base64"), 400, "InvalidArgument"
        )
        self.assertEqual(response.text("ArgumentName"), "encoding-type")

    async def test_escaping(self) -> None:
        """Without encoding, what XML has signs for is escaped and comes back unchanged."""
        keys = ["a<b>&\"'", "cr\rlf\ntab\t", "é😀"]
        await self.add_objects(*keys)
        response = await self.list()
        self.assertEqual(response.texts("Contents/Key"), keys)

    async def test_region(self) -> None:
        """A page says where its bucket is, as on S3, and so does the refusal of what it is asked; a missing bucket is nowhere."""
        response = await self.list()
        self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        for bad in ({"max_keys": "-1"}, {"encoding_type": "x"}, {"marker": "a"}):
            response = await self.refused(self.list(**bad), 400, "InvalidArgument")
            self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        await self.client.request("DELETE", "/bucket")
        response = await self.refused(self.list(), 404, "NoSuchBucket")
        self.assertNotIn("x-amz-bucket-region", response.headers)

    async def test_missing_bucket(self) -> None:
        """There must be a bucket."""
        await self.refused(
            self.client.request("GET", "/absent?list-type=2"), 404, "NoSuchBucket"
        )

    async def test_optional_attributes(self) -> None:
        """The attributes of restoring are asked for in vain, as for objects that need none."""
        await self.add_objects("key")
        response = await self.client.request(
            "GET",
            "/bucket?list-type=2",
            {"x-amz-optional-object-attributes": "RestoreStatus"},
        )
        self.assertEqual(response.texts("Contents/RestoreStatus"), [])

    async def test_delete_marker(self) -> None:
        """A key whose latest version is a delete marker is not shown."""
        await self.add_objects("gone", version_id="1" * 32)
        await self.add_objects("gone", version_id="2" * 32, is_delete_marker=True)
        await self.add_objects("here")
        self.assertEqual((await self.list()).texts("Contents/Key"), ["here"])
