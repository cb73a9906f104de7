"""HeadObject."""

from __future__ import annotations

from tests.operations.uploads import (
    LARGE,
    PART,
    SMALL,
    ObjectTestCase,
    Response,
    etag_of,
)


class HeadObjectTests(ObjectTestCase):
    """HeadObject."""

    async def head(self, target: str = "/bucket/key", **headers: str) -> Response:
        """Ask for the headers of an object."""
        return await self.ask("HEAD", target, **headers)

    async def test_same_as_get(self) -> None:
        """HEAD answers as GET does, but for the body."""
        for body in (SMALL, LARGE, b""):
            await self.put(body, x_amz_meta_a="ü", x_amz_tagging="a=b")
            for headers in (
                {},
                {"x-amz-checksum-mode": "ENABLED"},
                {"if-none-match": etag_of(body)},
                {"range": "bytes=3-5" if body else "bytes=-5"},
            ):
                got = await self.client.request("GET", "/bucket/key", headers)
                head = await self.client.request("HEAD", "/bucket/key", headers)
                self.assertEqual(head.status, got.status)
                self.assertEqual(head.own_headers, got.own_headers)
                self.assertEqual(head.body, b"")

    async def test_parts(self) -> None:
        """A part's number gives its size and the number of parts."""
        await self.upload(PART, LARGE)
        response = await self.head("/bucket/key?partNumber=2")
        self.assertEqual(response.status, 206)
        self.assertEqual(response.headers["content-length"], str(len(LARGE)))
        self.assertEqual(response.headers["x-amz-mp-parts-count"], "2")
        response = await self.head("/bucket/key?partNumber=3")
        self.assertEqual((response.status, response.body), (416, b""))

    async def test_empty_part(self) -> None:
        """An empty part is as long as it is, not as its object."""
        await self.upload(PART, b"")
        response = await self.head("/bucket/key?partNumber=2")
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["content-length"], "0")
        self.assertNotIn("content-range", response.headers)
        self.assertEqual(response.headers["x-amz-mp-parts-count"], "2")

    async def test_whole_multipart(self) -> None:
        """Without a part's number the number of parts is not told."""
        await self.upload(PART, LARGE)
        response = await self.head()
        self.assertEqual(
            response.headers["content-length"], str(len(PART) + len(LARGE))
        )
        self.assertNotIn("x-amz-mp-parts-count", response.headers)

    async def test_missing(self) -> None:
        """A missing object is a bare 404."""
        response = await self.head()
        self.assertEqual((response.status, response.body), (404, b""))

    async def test_range_past_the_end(self) -> None:
        """416 has no body either."""
        await self.put()
        response = await self.head(range="bytes=999-")
        self.assertEqual((response.status, response.body), (416, b""))

    async def test_delete_marker(self) -> None:
        """A delete marker is told apart from nothing by a header."""
        await self.add_objects("key", is_delete_marker=True)
        response = await self.head()
        self.assertEqual(response.status, 404)
        self.assertEqual(response.headers["x-amz-delete-marker"], "true")

    async def test_overrides(self) -> None:
        """Overrides hold for HEAD as well."""
        await self.put()
        response = await self.head("/bucket/key?response-content-type=a/b")
        self.assertEqual(response.headers["content-type"], "a/b")
