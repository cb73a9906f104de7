"""ListObjectVersions."""

from __future__ import annotations

from urllib.parse import quote, unquote_plus

from tests.operations.support import OperationTestCase, Response

V1, V2, V3 = "1" * 32, "2" * 32, "3" * 32


class ListObjectVersionsTests(OperationTestCase):
    """ListObjectVersions."""

    async def list(self, **parameters: str) -> Response:
        """List the bucket; underscores in parameter names stand for hyphens."""
        query = "".join(
            f"&{name.replace('_', '-')}={quote(value, safe='')}"
            for name, value in parameters.items()
        )
        return await self.client.request("GET", f"/bucket?versions{query}")

    async def three_versions(self) -> None:
        """The key ``k`` with two versions below a delete marker, and ``z`` without versions."""
        await self.add_objects("k", version_id=V1)
        await self.add_objects("k", version_id=V2)
        await self.add_objects("k", version_id=V3, is_delete_marker=True)
        await self.add_objects("z")

    async def test_empty(self) -> None:
        """An empty bucket has an empty, last page."""
        response = await self.list()
        self.assertEqual(response.xml().tag, "ListVersionsResult")
        self.assertEqual(
            response.names(),
            [
                "Name",
                "Prefix",
                "KeyMarker",
                "VersionIdMarker",
                "MaxKeys",
                "IsTruncated",
            ],
        )

    async def test_null_versions(self) -> None:
        """An object of an unversioned bucket is its null version, and the latest."""
        await self.add_objects("key", size=7)
        (row,) = (await self.list()).xml().findall("Version")
        self.assertEqual(
            [child.tag for child in row],
            [
                "Key",
                "VersionId",
                "IsLatest",
                "LastModified",
                "ETag",
                "Size",
                "Owner",
                "StorageClass",
            ],
        )
        self.assertEqual(row.findtext("VersionId"), "null")
        self.assertEqual(row.findtext("IsLatest"), "true")
        self.assertEqual(row.findtext("Size"), "7")

    async def test_versions(self) -> None:
        """Versions of a key come newest first, delete markers among them."""
        await self.three_versions()
        response = await self.list()
        rows = [
            (child.tag, child.findtext("VersionId"), child.findtext("IsLatest"))
            for child in response.xml()
            if child.tag in ("Version", "DeleteMarker")
        ]
        self.assertEqual(
            rows,
            [
                ("DeleteMarker", V3, "true"),
                ("Version", V2, "false"),
                ("Version", V1, "false"),
                ("Version", "null", "true"),
            ],
        )
        marker = response.xml().find("DeleteMarker")
        assert marker is not None
        self.assertEqual(
            [child.tag for child in marker],
            ["Key", "VersionId", "IsLatest", "LastModified", "Owner"],
        )

    async def test_pages(self) -> None:
        """Following both markers visits each version once."""
        await self.three_versions()
        seen: list[tuple[str | None, str | None]] = []
        more: dict[str, str] = {}
        while True:
            response = await self.list(max_keys="1", **more)
            seen += [
                (child.findtext("Key"), child.findtext("VersionId"))
                for child in response.xml()
                if child.tag in ("Version", "DeleteMarker")
            ]
            if response.text("IsTruncated") == "false":
                break
            more = {
                "key_marker": response.text("NextKeyMarker") or "",
                "version_id_marker": response.text("NextVersionIdMarker") or "",
            }
        self.assertEqual(seen, [("k", V3), ("k", V2), ("k", V1), ("z", "null")])
        self.assertIsNone(response.text("NextKeyMarker"))
        self.assertIsNone(response.text("NextVersionIdMarker"))
        self.assertEqual(response.text("KeyMarker"), "k")
        self.assertEqual(response.text("VersionIdMarker"), V1)

    async def test_key_marker(self) -> None:
        """A key marker alone skips all versions of the key."""
        await self.three_versions()
        response = await self.list(key_marker="k")
        self.assertEqual(response.texts("Version/Key"), ["z"])

    async def test_delimiter(self) -> None:
        """Keys are rolled up, and a common prefix is no place for a version marker."""
        await self.add_objects("a/1", "a/2", "b")
        response = await self.list(delimiter="/", max_keys="1")
        self.assertEqual(response.texts("CommonPrefixes/Prefix"), ["a/"])
        self.assertEqual(response.text("NextKeyMarker"), "a/")
        self.assertIsNone(response.text("NextVersionIdMarker"))
        response = await self.list(delimiter="/", key_marker="a/")
        self.assertEqual(response.texts("Version/Key"), ["b"])
        self.assertEqual(response.texts("CommonPrefixes/Prefix"), [])
        inside = await self.list(delimiter="/", key_marker="a/1")
        self.assertEqual(inside.texts("Version/Key"), ["b"])
        self.assertEqual(inside.texts("CommonPrefixes/Prefix"), [])
        self.assertEqual(inside.text("KeyMarker"), "a/1")

    async def test_prefix(self) -> None:
        """A prefix selects."""
        await self.add_objects("a/1", "b")
        response = await self.list(prefix="a")
        self.assertEqual(response.texts("Version/Key"), ["a/1"])

    async def test_encoding(self) -> None:
        """encoding-type=url encodes keys and key markers."""
        await self.add_objects("a b", "c d", "e f")
        response = await self.list(encoding_type="url", key_marker="a b", max_keys="1")
        for path, plain in (
            ("KeyMarker", "a b"),
            ("NextKeyMarker", "c d"),
            ("Version/Key", "c d"),
        ):
            shown = response.text(path) or ""
            self.assertNotIn(" ", shown)
            self.assertEqual(unquote_plus(shown), plain)

    async def test_bad_markers(self) -> None:
        """A version marker needs a key, and the form of a version id."""
        for bad in (
            {"version_id_marker": "null"},
            {"key_marker": "k", "version_id_marker": ""},
            {"key_marker": "k", "version_id_marker": "no version"},
        ):
            response = await self.refused(self.list(**bad), 400, "InvalidArgument")
            self.assertEqual(response.text("ArgumentName"), "version-id-marker")

    async def test_max_keys(self) -> None:
        """More than 1000 keys are asked for in vain, and the answer says so."""
        response = await self.list(max_keys="9999")
        self.assertEqual(response.text("MaxKeys"), "1000")

    async def test_bad_max_keys(self) -> None:
        """max-keys is a number that fits, and what is below zero is refused in this listing's own words."""
        response = await self.refused(self.list(max_keys="x"), 400, "InvalidArgument")
        self.assertEqual(response.text("ArgumentValue"), "x")
        response = await self.refused(self.list(max_keys="-1"), 400, "InvalidArgument")
        self.assertEqual(response.text("Message"), "max-keys cannot be negative")
        self.assertEqual(response.text("ArgumentName"), "max-keys")
        self.assertIsNone(response.text("ArgumentValue"))

    async def test_region(self) -> None:
        """A page says where its bucket is, as on S3, and so does the refusal of what it is asked; a missing bucket is nowhere."""
        response = await self.list()
        self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        for bad in ({"max_keys": "-1"}, {"version_id_marker": "x"}):
            response = await self.refused(self.list(**bad), 400, "InvalidArgument")
            self.assertEqual(response.headers["x-amz-bucket-region"], "us-east-1")
        await self.client.request("DELETE", "/bucket")
        response = await self.refused(self.list(), 404, "NoSuchBucket")
        self.assertNotIn("x-amz-bucket-region", response.headers)

    async def test_missing_bucket(self) -> None:
        """There must be a bucket."""
        await self.refused(
            self.client.request("GET", "/absent?versions"), 404, "NoSuchBucket"
        )
