"""A version that is named, in every operation that takes one; and what is said of delete markers."""

from __future__ import annotations

from attrs import frozen

from tests.operations.support import Response, checked
from tests.operations.uploads import SMALL
from tests.operations.versioned import UNKNOWN, VersionedTestCase

TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"


@frozen
class Way:
    """One way to name a version.

    :ivar status: of success.
    """

    method: str
    query: str = ""
    status: int = 200


WAYS = (
    Way("GET"),
    Way("HEAD"),
    Way("GET", "attributes"),
    Way("GET", "tagging"),
    Way("PUT", "tagging"),
    Way("DELETE", "tagging", 204),
)
"""Every operation that reads or changes a version that is named; deletes and copies apart."""


class VersionIdTests(VersionedTestCase):
    """Objects with a null version, two versions and a marker."""

    async def _open(self) -> None:
        await super()._open()
        await self.put(b"null", "/bucket/key")
        await self.versioning("Enabled")
        self.old = await self.store(b"older")
        self.new = await self.store(b"newest")

    async def on(self, way: Way, version: str | None, key: str = "key") -> Response:
        """Ask in one way."""
        named = None if version is None else f"versionId={version}"
        query = "&".join(filter(None, (way.query, named)))
        target = f"/bucket/{key}?{query}".rstrip("?")
        headers = {"x_amz_object_attributes": "ObjectSize"}
        body = TAGS if way.method == "PUT" else b""
        if body:
            headers["content_md5"] = checked(body)["content-md5"]
        return await self.ask(way.method, target, body, **headers)

    async def test_named(self) -> None:
        """Each answers for the version that is named, or the latest, and says which one it was."""
        for way in WAYS:
            for asked, meant in (
                (None, self.new),
                (self.new, self.new),
                (self.old, self.old),
                ("null", "null"),
            ):
                answer = await self.on(way, asked)
                self.assertEqual(answer.status, way.status, way)
                self.assertEqual(answer.headers["x-amz-version-id"], meant, way)
                self.assertNotIn("x-amz-delete-marker", answer.headers)
        for version, body in ((self.old, b"older"), ("null", b"null")):
            self.assertEqual((await self.on(WAYS[0], version)).body, body)
            head = await self.on(WAYS[1], version)
            self.assertEqual(head.headers["content-length"], str(len(body)))
            shown = await self.on(WAYS[2], version)
            self.assertEqual(shown.text("ObjectSize"), str(len(body)))

    async def test_never_versioned(self) -> None:
        """In a bucket that never was versioned the null version can be named, and nothing is said of ids."""
        await self.ask("PUT", "/other")
        await self.put(SMALL, "/other/key")
        for query in ("", "?versionId=null"):
            for method in ("GET", "HEAD"):
                answer = await self.ask(method, f"/other/key{query}")
                self.assertEqual(answer.status, 200)
                self.assertNotIn("x-amz-version-id", answer.headers)
        answer = await self.get(f"/other/key?versionId={UNKNOWN}")
        self.assertEqual((answer.status, answer.code), (404, "NoSuchVersion"))

    async def test_tags_of_one(self) -> None:
        """Tags are of one version, and others keep theirs."""
        await self.on(Way("PUT", "tagging"), self.old)
        tags = {
            version: (await self.on(Way("GET", "tagging"), version)).texts(
                "TagSet/Tag/Key"
            )
            for version in (None, self.old, "null")
        }
        self.assertEqual(tags, {None: [], self.old: ["a"], "null": []})
        await self.on(Way("DELETE", "tagging"), self.old)
        got = await self.on(Way("GET"), self.old)
        self.assertNotIn("x-amz-tagging-count", got.headers)

    async def test_absent(self) -> None:
        """A version that is not there is NoSuchVersion, one that cannot be is InvalidArgument; of a HEAD, the status."""
        for way in WAYS:
            for version, status, code in (
                (UNKNOWN, 404, "NoSuchVersion"),
                ("x", 400, "InvalidArgument"),
                ("", 400, "InvalidArgument"),
            ):
                answer = await self.on(way, version)
                self.assertEqual(answer.status, status, way)
                if way.method != "HEAD":
                    self.assertEqual(answer.code, code, way)
                    if code == "NoSuchVersion":
                        self.assertEqual(answer.text("VersionId"), UNKNOWN)

    async def test_latest_marker(self) -> None:
        """Where a marker is the latest, the key is not there, and the marker is named."""
        marker = await self.mark()
        for way in WAYS:
            answer = await self.on(way, None)
            self.assertEqual(answer.status, 404, way)
            self.assertEqual(answer.headers["x-amz-delete-marker"], "true", way)
            self.assertEqual(answer.headers["x-amz-version-id"], marker, way)
            if way.method != "HEAD":
                self.assertEqual(answer.code, "NoSuchKey")
            self.assertEqual((await self.on(way, self.old)).status, way.status)

    async def test_marker_named(self) -> None:
        """A marker that is named can only be deleted: 405, which says so, and since when it is there."""
        marker = await self.mark()
        await self.store()
        for way in WAYS:
            answer = await self.on(way, marker)
            self.assertEqual(answer.status, 405, way)
            self.assertEqual(answer.headers["x-amz-delete-marker"], "true")
            self.assertEqual(answer.headers["x-amz-version-id"], marker)
            self.assertEqual(answer.headers["allow"], "DELETE")
            self.assertIn("last-modified", answer.headers)
            if way.method == "HEAD":
                self.assertEqual(answer.body, b"")
            else:
                self.assertEqual(answer.code, "MethodNotAllowed")
                self.assertEqual(answer.text("Method"), way.method)
                self.assertEqual(answer.text("ResourceType"), "DeleteMarker")

    async def test_null_marker(self) -> None:
        """A null marker is told like any other."""
        await self.versioning("Suspended")
        await self.mark()
        for version, status in ((None, 404), ("null", 405)):
            answer = await self.on(WAYS[0], version)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["x-amz-delete-marker"], "true")
            self.assertEqual(answer.headers["x-amz-version-id"], "null")

    async def test_marker_is_not_told(self) -> None:
        """Who may read, but not list, is not told that a key is hidden, nor that a version is not there."""
        await self.mark()
        await self.grant("user:other:r")
        other = self.client.as_user("other")
        for target in ("/bucket/key", f"/bucket/key?versionId={UNKNOWN}"):
            asked = other.request("GET", target)
            answer = await self.refused(asked, 403, "AccessDenied")
            self.assertNotIn("x-amz-delete-marker", answer.headers)
            self.assertNotIn("x-amz-version-id", answer.headers)
        answer = await other.request("GET", f"/bucket/key?versionId={self.old}")
        self.assertEqual((answer.status, answer.body), (200, b"older"))

    async def test_copy_of_version(self) -> None:
        """Copies, whole or of a part, are of the version that is named, and say which one it was."""
        for version, body in ((self.old, b"older"), ("null", b"null")):
            source = f"bucket/key?versionId={version}"
            copied = await self.ask("PUT", "/bucket/copy", x_amz_copy_source=source)
            self.assertEqual(copied.headers["x-amz-copy-source-version-id"], version)
            self.assertEqual((await self.get("/bucket/copy")).body, body)
            upload_id = await self.begin("/bucket/parts")
            target = f"/bucket/parts?partNumber=1&uploadId={upload_id}"
            part = await self.ask("PUT", target, x_amz_copy_source=source)
            self.assertEqual(part.headers["x-amz-copy-source-version-id"], version)
            self.assertNotIn("x-amz-version-id", part.headers)
            etag = part.text("ETag") or ""
            await self.complete(upload_id, [(1, etag)], "/bucket/parts")
            self.assertEqual((await self.get("/bucket/parts")).body, body)

    async def test_copy_of_marker(self) -> None:
        """A marker cannot be copied: by its name that is a bad request, else its key is not there."""
        marker = await self.mark()
        upload_id = await self.begin("/bucket/parts")
        for target in (
            "/bucket/copy",
            f"/bucket/parts?partNumber=1&uploadId={upload_id}",
        ):
            named = f"bucket/key?versionId={marker}"
            await self.refused(
                self.ask("PUT", target, x_amz_copy_source=named), 400, "InvalidRequest"
            )
            unnamed = self.ask("PUT", target, x_amz_copy_source="bucket/key")
            await self.refused(unnamed, 404, "NoSuchKey")
            absent = f"bucket/key?versionId={UNKNOWN}"
            await self.refused(
                self.ask("PUT", target, x_amz_copy_source=absent), 404, "NoSuchVersion"
            )

    async def test_links(self) -> None:
        """Through a link, versions are the bucket's."""
        await self.link("link", "bucket")
        made = await self.store(b"through", "/link/key")
        marker = await self.mark("/link/key")
        got = await self.get(f"/link/key?versionId={made}")
        self.assertEqual(
            (got.body, got.headers["x-amz-version-id"]), (b"through", made)
        )
        self.assertEqual(await self.history("/link"), await self.history())
        await self.delete(f"/link/key?versionId={marker}")
        self.assertEqual((await self.get()).body, b"through")

    async def test_listings(self) -> None:
        """Listings of objects show no hidden key, nor a common prefix of nothing else; those of versions show all."""
        await self.store(b"", "/bucket/a/hidden")
        marker = await self.mark("/bucket/a/hidden")
        await self.store(b"", "/bucket/b/shown")
        for query in ("", "list-type=2&"):
            listed = await self.ask("GET", f"/bucket?{query}delimiter=/")
            self.assertEqual(listed.texts("CommonPrefixes/Prefix"), ["b/"])
            self.assertEqual(listed.texts("Contents/Key"), ["key"])
            self.assertEqual(listed.texts("Contents/Size"), ["6"])
        listed = await self.ask("GET", "/bucket?versions&delimiter=/")
        self.assertEqual(listed.texts("CommonPrefixes/Prefix"), ["a/", "b/"])
        self.assertEqual(
            listed.texts("Version/VersionId"), [self.new, self.old, "null"]
        )
        listed = await self.ask("GET", "/bucket?versions&prefix=a/")
        self.assertEqual(listed.texts("DeleteMarker/VersionId"), [marker])
