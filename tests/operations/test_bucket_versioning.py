"""PutBucketVersioning, GetBucketVersioning."""

from __future__ import annotations

from collections.abc import Mapping

from tests.operations.support import Response, checked
from tests.operations.versioned import VersionedTestCase, configuration


class BucketVersioningTests(VersionedTestCase):
    """The state of a bucket."""

    async def set(
        self, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Send a document with its MD5."""
        sent = {**checked(body), **(headers or {})}
        return await self.client.request("PUT", "/bucket?versioning", sent, body)

    async def shown(self, path: str = "/bucket") -> list[tuple[str, str | None]]:
        """What the document has that is shown."""
        response = await self.client.request("GET", f"{path}?versioning")
        self.assertEqual(response.status, 200)
        root = response.xml()
        self.assertEqual(root.tag, "VersioningConfiguration")
        return [(child.tag, child.text) for child in root]

    async def test_life(self) -> None:
        """A new bucket says nothing; then it says what was set last, and never nothing again."""
        self.assertEqual(await self.shown(), [])
        for status in ("Enabled", "Suspended", "Enabled", "Enabled", "Suspended"):
            await self.versioning(status)
            self.assertEqual(await self.shown(), [("Status", status)])

    async def test_suspended_at_once(self) -> None:
        """A bucket that was never versioned can be suspended, too."""
        await self.versioning("Suspended")
        self.assertEqual(await self.shown(), [("Status", "Suspended")])

    async def test_malformed(self) -> None:
        """What is no such document is refused, and changes nothing: no bucket goes back to where it began."""
        for status in ("", "enabled", "Disabled", "Off", "Enabled, Suspended"):
            await self.refused(self.set(configuration(status)), 400, "MalformedXML")
        for body in (
            b"<VersioningConfiguration>",
            b"<Versioning><Status>Enabled</Status></Versioning>",
            b"<VersioningConfiguration><State>Enabled</State></VersioningConfiguration>",
            b"<VersioningConfiguration><MFADelete>Disabled</MFADelete></VersioningConfiguration>",
            configuration("Enabled", "<Status>Suspended</Status>"),
            configuration("Enabled", "<MfaDelete>Sometimes</MfaDelete>"),
            configuration("Enabled", "text"),
        ):
            await self.refused(self.set(body), 400, "MalformedXML")
        await self.refused(self.set(b""), 400, "MissingRequestBodyError")
        self.assertEqual(await self.shown(), [])

    async def test_empty(self) -> None:
        """A document that says nothing is an error of its own, as on S3."""
        await self.versioning("Enabled")
        for inner in ("", "<MfaDelete>Disabled</MfaDelete>"):
            body = (
                f"<VersioningConfiguration>{inner}</VersioningConfiguration>".encode()
            )
            response = await self.refused(
                self.set(body), 400, "IllegalVersioningConfigurationException"
            )
            self.assertEqual(
                response.text("Message"), "The Versioning element must be specified"
            )
        self.assertEqual(await self.shown(), [("Status", "Enabled")])

    async def test_mfa(self) -> None:
        """What needs a second factor, or shows one, is refused; that none is needed may be said, as Terraform does."""
        enabled = configuration("Enabled", "<MfaDelete>Enabled</MfaDelete>")
        device = {"x-amz-mfa": "arn:aws:iam::123456789012:mfa/device 123456"}
        for body, headers in (
            (enabled, {}),
            (enabled, device),
            (configuration("Enabled"), device),
        ):
            response = await self.refused(self.set(body, headers), 403, "AccessDenied")
            self.assertEqual(
                response.text("Message"),
                "Mfa Authentication must be used for this request",
            )
        self.assertEqual(await self.shown(), [])
        without = configuration("Enabled", "<MfaDelete>Disabled</MfaDelete>")
        self.assertEqual((await self.set(without)).status, 200)
        self.assertEqual(await self.shown(), [("Status", "Enabled")])

    async def test_checksum(self) -> None:
        """A document without any checksum is refused, as S3 demands one."""
        body = configuration("Enabled")
        asked = self.client.request("PUT", "/bucket?versioning", {}, body)
        await self.refused(asked, 400, "InvalidRequest")

    async def test_missing_bucket(self) -> None:
        """There must be a bucket."""
        body = configuration("Enabled")
        asked = self.client.request("PUT", "/absent?versioning", checked(body), body)
        await self.refused(asked, 404, "NoSuchBucket")
        await self.refused(
            self.client.request("GET", "/absent?versioning"), 404, "NoSuchBucket"
        )

    async def test_link(self) -> None:
        """Through a link it is the bucket's that is set and shown."""
        await self.link("link", "bucket")
        await self.versioning("Enabled", "/link")
        self.assertEqual(await self.shown(), [("Status", "Enabled")])
        self.assertEqual(await self.shown("/link"), [("Status", "Enabled")])

    async def test_rights(self) -> None:
        """Who may write objects may not set it, and who may read sees it; strangers neither."""
        other = self.client.as_user("other")
        body = configuration("Enabled")
        for entry, status in (("user:somebody:a", 403), ("user:other:rwlcd", 200)):
            await self.grant(entry)
            asked = other.request("PUT", "/bucket?versioning", checked(body), body)
            await self.refused(asked, 403, "AccessDenied")
            response = await other.request("GET", "/bucket?versioning")
            self.assertEqual(response.status, status)
        self.assertEqual(await self.shown(), [])
        anonymous = self.client.request("GET", "/bucket?versioning", signed=False)
        await self.refused(anonymous, 403, "AccessDenied")

    async def test_objects_before(self) -> None:
        """What is there when versioning begins stays, as the null version, and is shown so from then on."""
        self.assertEqual(await self.store(), "")
        self.assertNotIn("x-amz-version-id", (await self.get()).headers)
        await self.versioning("Enabled")
        self.assertEqual(await self.history(), ["key null!"])
        self.assertEqual((await self.get()).headers["x-amz-version-id"], "null")
        made = await self.store()
        self.assertEqual(await self.history(), [f"key {made}!", "key null"])
