"""PutBucketTagging, GetBucketTagging, DeleteBucketTagging."""

from __future__ import annotations

from tests.operations.past import PastTestCase
from tests.operations.support import Response, checked

TWO = (("team", "storage"), ("Größe", ""))


def tagging(*tags: tuple[str, str]) -> bytes:
    """A document ``Tagging``."""
    rows = "".join(
        f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags
    )
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()


class BucketTaggingTests(PastTestCase):
    """Tags of a bucket."""

    async def put(self, body: bytes, path: str = "/bucket") -> Response:
        """Send a document with its MD5."""
        return await self.client.request("PUT", f"{path}?tagging", checked(body), body)

    async def shown(self, path: str = "/bucket") -> list[tuple[str, str]]:
        """The tags that are shown."""
        response = await self.client.request("GET", f"{path}?tagging")
        self.assertEqual(response.status, 200)
        keys = response.texts("TagSet/Tag/Key")
        return list(zip(keys, response.texts("TagSet/Tag/Value"), strict=True))

    async def test_life(self) -> None:
        """Tags are put, shown in their order, replaced and removed."""
        response = await self.put(tagging(*TWO))
        self.assertEqual((response.status, response.body), (204, b""))
        self.assertEqual(await self.shown(), list(TWO))
        await self.put(tagging(("a", "b")))
        self.assertEqual(await self.shown(), [("a", "b")])
        for _ in range(2):
            gone = await self.client.request("DELETE", "/bucket?tagging")
            self.assertEqual((gone.status, gone.body), (204, b""))
        await self.refused(
            self.client.request("GET", "/bucket?tagging"), 404, "NoSuchTagSet"
        )

    async def test_link(self) -> None:
        """Tags put through a link are the bucket's."""
        await self.link("link", "bucket")
        await self.put(tagging(*TWO), "/link")
        self.assertEqual(await self.shown(), list(TWO))

    async def test_bounds(self) -> None:
        """Fifty tags are taken; of more, and of those that break the rules, nothing is kept."""
        many = [(f"key{number}", "v") for number in range(51)]
        await self.put(tagging(*many[:50]))
        for tags, code in (
            (many, "BadRequest"),
            ([("a", "b"), ("a", "c")], "InvalidTag"),
            ([("aws:a", "b")], "InvalidTag"),
            ([("k" * 129, "")], "InvalidTag"),
            ([("k", "v" * 257)], "InvalidTag"),
            ([("", "v")], "InvalidTag"),
            ([("k", "{}")], "InvalidTag"),
        ):
            await self.refused(self.put(tagging(*tags)), 400, code)
        for body in (b"<Tagging/>x", b"<Tagging><Tag/></Tagging>", b"<Tags/>"):
            await self.refused(self.put(body), 400, "MalformedXML")
        self.assertEqual(len(await self.shown()), 50)

    async def test_checksum(self) -> None:
        """A document without any checksum is refused, as S3 demands one."""
        await self.refused(
            self.client.request("PUT", "/bucket?tagging", {}, tagging(*TWO)),
            400,
            "InvalidRequest",
        )

    async def test_rights(self) -> None:
        """Another user changes no tags, nor sees them."""
        await self.put(tagging(*TWO))
        other = self.client.as_user("other")
        body = tagging(("a", "b"))
        for asked in (
            other.request("PUT", "/bucket?tagging", checked(body), body),
            other.request("DELETE", "/bucket?tagging"),
            other.request("GET", "/bucket?tagging"),
        ):
            await self.refused(asked, 403, "AccessDenied")
        self.assertEqual(await self.shown(), list(TWO))
