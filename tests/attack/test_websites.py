"""Websites: whatever S3 would do is asked of one, by its owner and by whoever comes along, and nothing is done."""

from __future__ import annotations

from ozgate.s3.operations import OPERATIONS
from tests.operations.test_table import target_of
from tests.operations.websites import DOMAIN, WebsiteTestCase

PRIVATE = b"for the owner"


class WebsiteAttackTests(WebsiteTestCase):
    """A website with something that is not for everybody, beside a bucket that is none."""

    async def _open(self) -> None:
        await super()._open()
        await self.make("<IndexDocument><Suffix>index.html</Suffix></IndexDocument>")
        await self.add("private", PRIVATE)
        await self.client.request("PUT", "/neighbor")
        await self.client.request("PUT", "/neighbor/private", body=PRIVATE)

    def held(self) -> object:
        """All that is stored."""
        gateway = self.client.gateway
        return gateway.metadata.snapshot(), dict(gateway.blobs.default.data)  # type: ignore[attr-defined]

    async def test_operations(self) -> None:
        """No operation is there, in either style, whether its owner signs or nobody does."""
        before = self.held()
        for row in OPERATIONS:
            target = target_of(row)
            for each in (target, target.replace("/bucket", "/", 1)):
                each = each.replace("//", "/")
                signed = self.client._sign(row.method, each, {})
                signed.pop("host", None)
                named = {
                    name.replace("-", "_"): value for name, value in signed.items()
                }
                for headers in ({}, named):
                    shown = self.visit(each, row.method, **headers)
                    expected = {405} if row.method not in ("GET", "HEAD") else {403}
                    self.assertIn(shown.status, expected, (row.name, each))
                    self.assertNotIn(PRIVATE, shown.body)
        self.assertEqual(self.held(), before)

    async def test_hosts(self) -> None:
        """No host leads to what is no website, however it is written; what is there is told as S3's websites tell it."""
        await self.open_to_all("s3:GetObject")
        for host in (
            "neighbor",
            f"neighbor.{DOMAIN}",
            f"NEIGHBOR.{DOMAIN}.",
            f"bucket.{DOMAIN}.neighbor.{DOMAIN}",
            "localhost",
            "..",
            f".{DOMAIN}",
            f"s3v.neighbor.{DOMAIN}",
            "*",
        ):
            shown = self.visit("/private", host=host)
            self.assertIn(shown.status, (400, 404), host)
            self.assertNotIn(PRIVATE, shown.body)
        for target in (
            "/../neighbor/private",
            "/..%2fneighbor/private",
            f"http://neighbor.{DOMAIN}/private",
            "//neighbor/private",
            "/private/../../neighbor/private",
        ):
            shown = self.visit(target)
            self.assertIn(shown.status, (400, 403), target)
            self.assertNotIn(PRIVATE, shown.body)

    async def test_scripts(self) -> None:
        """No page of an error runs what was asked for, and no header is made of it."""
        await self.open_to_all("s3:GetObject", "s3:ListBucket")
        for text in (
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "&lt;",
        ):
            for raw in (text, "".join(f"%{ord(each):02x}" for each in text)):
                shown = self.visit("/" + raw.replace(" ", "%20"))
                self.assertEqual(shown.status, 404)
                self.assertEqual(
                    shown.headers["content-type"], "text/html; charset=utf-8"
                )
                self.assertNotIn(b"<script", shown.body)
                self.assertNotIn(b"<img", shown.body)
                self.assertNotIn(b"Key: &lt;<", shown.body)
        shown = self.visit("/", "GET", origin="https://evil.example")
        self.assertNotIn("access-control-allow-origin", shown.headers)
