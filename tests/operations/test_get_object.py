"""GetObject."""

from __future__ import annotations

from urllib.parse import quote

from tests.operations.uploads import (
    LARGE,
    PART,
    SMALL,
    ObjectTestCase,
    checksum_of,
    etag_of,
)

MODIFIED = "Wed, 18 Nov 2026 11:06:40 GMT"


class GetObjectTests(ObjectTestCase):
    """GetObject."""

    async def test_whole(self) -> None:
        """An object comes with its validators and the default type."""
        for body in (SMALL, LARGE):
            await self.put(body)
            response = await self.get()
            self.assertEqual((response.status, response.body), (200, body))
            self.assertEqual(
                response.own_headers,
                {
                    "last-modified": MODIFIED,
                    "etag": etag_of(body),
                    "content-type": "binary/octet-stream",
                    "accept-ranges": "bytes",
                    "content-length": str(len(body)),
                },
            )
            self.assert_no_reader()

    async def test_missing(self) -> None:
        """A missing key and a missing bucket are told apart."""
        response = await self.refused(self.get(), 404, "NoSuchKey")
        self.assertEqual(response.text("Key"), "key")
        await self.refused(self.get("/absent/key"), 404, "NoSuchBucket")
        self.assert_no_reader()

    async def test_ranges(self) -> None:
        """One range of bytes is 206 with just these, in the row and in a blob."""
        for body in (SMALL, LARGE):
            await self.put(body)
            size = len(body)
            for asked, low, high in (
                ("bytes=0-0", 0, 0),
                ("bytes=5-9", 5, 9),
                ("bytes=5-", 5, size - 1),
                ("bytes=-5", size - 5, size - 1),
                (f"bytes=0-{size * 2}", 0, size - 1),
                (f"bytes=-{size * 2}", 0, size - 1),
            ):
                response = await self.get(range=asked)
                self.assertEqual(response.status, 206, asked)
                self.assertEqual(response.body, body[low : high + 1])
                self.assertEqual(
                    response.headers["content-range"], f"bytes {low}-{high}/{size}"
                )
                self.assertEqual(
                    response.headers["content-length"], str(high - low + 1)
                )

    async def test_range_past_the_end(self) -> None:
        """A range that starts past the end is 416, and says how large the object is."""
        await self.put()
        response = await self.refused(
            self.get(range=f"bytes={len(SMALL)}-"), 416, "InvalidRange"
        )
        self.assertEqual(response.text("ActualObjectSize"), str(len(SMALL)))
        self.assertEqual(response.text("RangeRequested"), f"bytes={len(SMALL)}-")
        await self.put(b"")
        await self.refused(self.get(range="bytes=0-"), 416, "InvalidRange")

    async def test_ranges_ignored(self) -> None:
        """What is no single range of bytes is ignored."""
        await self.put()
        for asked in ("bytes=9-5", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", ""):
            response = await self.get(range=asked)
            self.assertEqual((response.status, response.body), (200, SMALL), asked)

    async def test_range_over_parts(self) -> None:
        """A range that crosses blobs comes from both."""
        await self.upload(PART, LARGE)
        response = await self.get(range=f"bytes={len(PART) - 3}-{len(PART) + 2}")
        self.assertEqual(response.body, PART[-3:] + LARGE[:3])
        response = await self.get(range=f"bytes={len(PART)}-")
        self.assertEqual(response.body, LARGE)
        self.assert_no_reader()

    async def test_if_range(self) -> None:
        """A range holds only while the object is the one its If-Range means."""
        await self.put()
        for condition, status in (
            (etag_of(SMALL), 206),
            ('"other"', 200),
            (MODIFIED, 206),
            ("Wed, 18 Nov 2026 11:06:41 GMT", 200),
        ):
            response = await self.get(range="bytes=0-0", if_range=condition)
            self.assertEqual(response.status, status, condition)

    async def test_conditions(self) -> None:
        """Conditions on the ETag and the time decide, before the range does."""
        await self.put()
        for headers, status in (
            ({"if-match": etag_of(SMALL)}, 200),
            ({"if-match": '"other"'}, 412),
            ({"if-none-match": '"other"'}, 200),
            ({"if-none-match": etag_of(SMALL)}, 304),
            ({"if-modified-since": MODIFIED}, 304),
            ({"if-unmodified-since": "Wed, 18 Nov 2026 11:06:39 GMT"}, 412),
            ({"if-match": '"other"', "range": "bytes=99999-"}, 412),
        ):
            response = await self.client.request("GET", "/bucket/key", headers)
            self.assertEqual(response.status, status, headers)

    async def test_not_modified(self) -> None:
        """304 has the validators, what tells a cache how long to keep the object (RFC 9110, 15.4.5), and nothing else.

        The query overrides headers of successful answers only.
        """
        kept = {"last-modified": MODIFIED, "etag": etag_of(SMALL)}
        await self.put(x_amz_meta_a="1")
        response = await self.get(if_none_match=etag_of(SMALL))
        self.assertEqual(response.body, b"")
        self.assertEqual(response.own_headers, kept)
        caching = {"cache-control": "max-age=60", "expires": "never"}
        await self.put(**caching, content_language="en")
        response = await self.get(if_none_match=etag_of(SMALL))
        self.assertEqual(response.own_headers, kept | caching)
        response = await self.get(
            "/bucket/key?response-cache-control=no-store", if_none_match=etag_of(SMALL)
        )
        self.assertEqual(response.own_headers, kept | caching)

    async def test_last_bytes_of_nothing(self) -> None:
        """The last bytes of an empty object are the whole of it (RFC 9110, 14.1.2), so S3 answers 200 with none."""
        await self.put(b"")
        response = await self.get(range="bytes=-5", x_amz_checksum_mode="ENABLED")
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertNotIn("content-range", response.headers)
        self.assertEqual(
            response.headers["x-amz-checksum-crc64nvme"], checksum_of("CRC64NVME", b"")
        )
        await self.refused(self.get(range="bytes=-0"), 416, "InvalidRange")

    async def test_checksum_mode(self) -> None:
        """The checksum is there when asked for, and only for what it is of."""
        await self.put(LARGE)
        value = checksum_of("CRC64NVME", LARGE)
        for asked, shown in (
            ({}, True),
            ({"range": f"bytes=0-{len(LARGE)}"}, True),
            ({"range": "bytes=0-9"}, False),
        ):
            response = await self.get(x_amz_checksum_mode="ENABLED", **asked)
            self.assertEqual(
                response.headers.get("x-amz-checksum-crc64nvme"),
                value if shown else None,
            )
            self.assertEqual(
                response.headers.get("x-amz-checksum-type"),
                "FULL_OBJECT" if shown else None,
            )
        self.assertNotIn("x-amz-checksum-crc64nvme", (await self.get()).headers)

    async def test_overrides(self) -> None:
        """The six response-* parameters set headers of the answer."""
        await self.put(content_type="text/plain")
        response = await self.get(
            "/bucket/key?response-content-type=a%2Fb&response-content-language=de"
            "&response-expires=never&response-cache-control=no-store"
            "&response-content-disposition=attachment%3B%20filename%3D%22x%22"
            "&response-content-encoding=br"
        )
        self.assertEqual(response.headers["content-type"], "a/b")
        self.assertEqual(response.headers["content-language"], "de")
        self.assertEqual(response.headers["expires"], "never")
        self.assertEqual(response.headers["cache-control"], "no-store")
        self.assertEqual(
            response.headers["content-disposition"], 'attachment; filename="x"'
        )
        self.assertEqual(response.headers["content-encoding"], "br")
        name = 'attachment; filename="\xfc"'
        response = await self.get(
            f"/bucket/key?response-content-disposition={quote(name)}"
        )
        self.assertEqual(response.headers["content-disposition"], name)

    async def test_unknown_overrides(self) -> None:
        """What no response-* parameter overrides is refused by name, and so are other capitals; HEAD refuses alike."""
        await self.put()
        for name, value in (
            ("response-foo", "1"),
            ("response-", ""),
            ("response-Content-Type", "a/b"),
            ("response-etag", "x"),
        ):
            target = f"/bucket/key?{name}={quote(value)}"
            response = await self.refused(self.get(target), 400, "InvalidArgument")
            self.assertEqual(response.text("ArgumentName"), name)
            self.assertEqual(response.text("ArgumentValue"), value)
            self.assertEqual((await self.ask("HEAD", target)).status, 400)
        response = await self.get("/bucket/key?Response-Foo=1")
        self.assertEqual(response.status, 200)

    async def test_overrides_cannot_split(self) -> None:
        """A line break in an override is refused, and so is what no header can carry."""
        await self.put()
        for value in ("a%0D%0Ab", "a%0Ab", "a%00b", "%E2%82%AC"):
            await self.refused(
                self.get(f"/bucket/key?response-content-type={value}"),
                400,
                "InvalidArgument",
            )

    async def test_versions(self) -> None:
        """The null version can be named; others are not there, or are no ids."""
        await self.put()
        self.assertEqual((await self.get("/bucket/key?versionId=null")).body, SMALL)
        await self.refused(
            self.get(f"/bucket/key?versionId={'a' * 32}"), 404, "NoSuchVersion"
        )
        for bad in ("", "short", "%20"):
            await self.refused(
                self.get(f"/bucket/key?versionId={bad}"), 400, "InvalidArgument"
            )

    async def test_delete_markers(self) -> None:
        """A delete marker is 404 as the latest and 405 when named, and says what it is."""
        await self.add_objects("key", is_delete_marker=True)
        response = await self.refused(self.get(), 404, "NoSuchKey")
        self.assertEqual(response.headers["x-amz-delete-marker"], "true")
        response = await self.refused(
            self.get("/bucket/key?versionId=null"), 405, "MethodNotAllowed"
        )
        self.assertEqual(response.headers["x-amz-delete-marker"], "true")
        self.assertEqual(response.headers["allow"], "DELETE")

    async def test_customer_key(self) -> None:
        """A customer's key does not fit an object that is not encrypted."""
        await self.put()
        await self.refused(
            self.get(x_amz_server_side_encryption_customer_algorithm="AES256"),
            400,
            "InvalidRequest",
        )

    async def test_encryption(self) -> None:
        """How to encrypt cannot be said of what is read."""
        await self.put()
        for method, target in (
            ("GET", "/bucket/key"),
            ("HEAD", "/bucket/key"),
            ("GET", "/bucket/key?attributes"),
        ):
            response = await self.ask(
                method,
                target,
                x_amz_server_side_encryption="AES256",
                x_amz_object_attributes="ETag",
            )
            self.assertEqual(response.status, 400, (method, target))
            if method == "GET":
                self.assertEqual(response.code, "InvalidArgument")
                self.assertEqual(
                    response.text("ArgumentName"), "x-amz-server-side-encryption"
                )
