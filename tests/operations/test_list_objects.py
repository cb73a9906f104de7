"""ListObjects, the first version."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

from tests.operations.support import OperationTestCase, Response

KEYS = ("a/1", "a/2", "a/sub/3", "b", "c/4", "d")


class ListObjectsTests(OperationTestCase):
    """ListObjects; what it has in common with ListObjectsV2 is tested there."""

    async def list(self, **parameters: str) -> Response:
        """List the bucket; underscores in parameter names stand for hyphens."""
        query = "&".join(
            f"{name.replace('_', '-')}={quote(value, safe='')}"
            for name, value in parameters.items()
        )
        return await self.client.request("GET", f"/bucket?{query}")

    async def test_empty(self) -> None:
        """An empty bucket has an empty, last page, without the members of version 2."""
        response = await self.list()
        self.assertEqual(
            response.names(), ["Name", "Prefix", "Marker", "MaxKeys", "IsTruncated"]
        )
        self.assertEqual(response.text("IsTruncated"), "false")

    async def test_contents(self) -> None:
        """An object is always shown with its owner."""
        await self.add_objects("key")
        (row,) = (await self.list()).xml().findall("Contents")
        self.assertEqual(
            [child.tag for child in row],
            ["Key", "LastModified", "ETag", "Size", "Owner", "StorageClass"],
        )
        self.assertEqual(row.findtext("Owner/DisplayName"), "testuser")

    async def test_marker(self) -> None:
        """A listing goes on after the marker, which is said again."""
        await self.add_objects(*KEYS)
        response = await self.list(marker="a/2")
        self.assertEqual(response.texts("Contents/Key"), ["a/sub/3", "b", "c/4", "d"])
        self.assertEqual(response.text("Marker"), "a/2")

    async def test_next_marker(self) -> None:
        """The next marker is named with a delimiter only; without, it is the last key."""
        await self.add_objects(*KEYS)
        response = await self.list(max_keys="2")
        self.assertEqual(response.text("IsTruncated"), "true")
        self.assertIsNone(response.text("NextMarker"))
        response = await self.list(max_keys="2", delimiter="/")
        self.assertEqual(response.texts("Contents/Key"), ["b"])
        self.assertEqual(response.texts("CommonPrefixes/Prefix"), ["a/"])
        self.assertEqual(response.text("NextMarker"), "b")

    async def test_common_prefix_as_marker(self) -> None:
        """A common prefix that is the next marker is not shown again."""
        await self.add_objects(*KEYS)
        first = await self.list(max_keys="1", delimiter="/")
        self.assertEqual(first.text("NextMarker"), "a/")
        second = await self.list(max_keys="1", delimiter="/", marker="a/")
        self.assertEqual(second.texts("Contents/Key"), ["b"])
        self.assertEqual(second.texts("CommonPrefixes/Prefix"), [])
        last = await self.list(delimiter="/", marker="c/")
        self.assertEqual(last.texts("Contents/Key"), ["d"])
        self.assertIsNone(last.text("NextMarker"))

    async def test_marker_in_common_prefix(self) -> None:
        """A marker inside a common prefix goes on after all of it; one before it does not, nor one outside the prefix."""
        await self.add_objects(*KEYS)
        for prefix, delimiter, marker, names in (
            ("", "/", "a/1", ["b", "d", "c/"]),
            ("", "/", "a/sub/3", ["b", "d", "c/"]),
            ("", "/", "a", ["b", "d", "a/", "c/"]),
            ("a/", "/", "a/1", ["a/2", "a/sub/"]),
            ("a/", "/", "a/sub/", []),
            ("b", "/", "a/1", ["b"]),
            ("", "/s", "a/sub/1", ["b", "c/4", "d"]),
        ):
            page = await self.list(prefix=prefix, delimiter=delimiter, marker=marker)
            found = page.texts("Contents/Key") + page.texts("CommonPrefixes/Prefix")
            self.assertEqual(found, names, marker)
            self.assertEqual(page.text("Marker"), marker)

    async def test_second_version(self) -> None:
        """Parameters of the second version are refused, empty or not."""
        for name, called in (
            ("continuation-token", "continuation-token"),
            ("start-after", "startAfter"),
        ):
            for value in ("x", ""):
                response = await self.refused(
                    self.list(**{name: value}), 400, "InvalidArgument"
                )
                self.assertEqual(
                    response.text("Message"),
                    f"{called} only supported in REST.GET.BUCKET with list-type=2",
                )
                self.assertEqual(response.text("ArgumentName"), name)
                self.assertIsNone(response.text("ArgumentValue"))

    async def test_other_list_types(self) -> None:
        """Whatever other list-type is asked for, this version answers."""
        for value in ("1", "0", "", "bogus"):
            response = await self.list(list_type=value)
            self.assertEqual(
                response.names(), ["Name", "Prefix", "Marker", "MaxKeys", "IsTruncated"]
            )

    async def test_encoding(self) -> None:
        """encoding-type=url encodes the markers too."""
        await self.add_objects("a b/1", "c d/2", "e")
        response = await self.list(
            encoding_type="url", delimiter="/", marker="a a", max_keys="1"
        )
        self.assertEqual(response.text("EncodingType"), "url")
        self.assertEqual(unquote_plus(response.text("Marker") or ""), "a a")
        self.assertNotIn(" ", response.text("Marker") or "")
        self.assertEqual(unquote_plus(response.text("NextMarker") or ""), "a b/")
        self.assertNotIn(" ", response.text("NextMarker") or "")

    async def test_no_max_keys(self) -> None:
        """max-keys=0 is an empty page that is not truncated."""
        await self.add_objects(*KEYS)
        response = await self.list(max_keys="0", delimiter="/")
        self.assertEqual(response.text("IsTruncated"), "false")
        self.assertIsNone(response.text("NextMarker"))

    async def test_bad_parameters(self) -> None:
        """What version 2 refuses is refused here."""
        for bad in ({"max_keys": "-1"}, {"encoding_type": "x"}):
            await self.refused(self.list(**bad), 400, "InvalidArgument")

    async def test_region(self) -> None:
        """A page says where its bucket is, as on S3, and so does the refusal of what it is asked; a missing bucket is nowhere."""
        response = await self.list()
        self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        for bad in ({"max_keys": "-1"}, {"encoding_type": "x"}):
            response = await self.refused(self.list(**bad), 400, "InvalidArgument")
            self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        await self.client.request("DELETE", "/bucket")
        response = await self.refused(self.list(), 404, "NoSuchBucket")
        self.assertNotIn("x-amz-bucket-region", response.headers)

    async def test_missing_bucket(self) -> None:
        """There must be a bucket."""
        await self.refused(self.client.request("GET", "/absent"), 404, "NoSuchBucket")
