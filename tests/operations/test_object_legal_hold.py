"""PutObjectLegalHold and GetObjectLegalHold."""

from __future__ import annotations

from tests.operations.locks import BYPASS, DAY, HOLD, LockTestCase
from tests.operations.support import Response


class PutObjectLegalHoldTests(LockTestCase):
    """The legal hold of a version."""

    async def hold(
        self,
        status: str,
        target: str = "/locked/key?legal-hold",
        user: str = "testuser",
    ) -> Response:
        """Place or lift a legal hold."""
        body = f"<LegalHold><Status>{status}</Status></LegalHold>"
        return await self.document(target, body, user=user)

    async def test_held(self) -> None:
        """A version that is held stays, whoever asks and whatever is bypassed, until the hold is lifted."""
        version = await self.put()
        absent = self.client.request("GET", "/locked/key?legal-hold")
        await self.refused(absent, 404, "NoSuchObjectLockConfiguration")
        response = await self.hold("ON")
        self.assertEqual((response.status, response.body), (200, b""))
        shown = await self.client.request("GET", "/locked/key?legal-hold")
        self.assertEqual((shown.names(), shown.text("Status")), (["Status"], "ON"))
        self.assertEqual(await self.head("key"), {HOLD: "ON"})
        for user in ("testuser", "other"):
            await self.assert_protected("key", version, user=user)
            await self.assert_protected("key", version, BYPASS, user)
        self.clock.advance(200 * 365 * DAY)
        await self.assert_protected("key", version)
        self.assertEqual((await self.hold("OFF", user="other")).status, 200)
        self.assertEqual(await self.head("key"), {HOLD: "OFF"})
        self.assertEqual((await self.remove("key", version)).status, 204)

    async def test_independent(self) -> None:
        """Hold and retention are independent of each other."""
        version = await self.put(headers=self.lock("COMPLIANCE", DAY, "ON"))
        expected = self.lock("COMPLIANCE", DAY, "ON")
        self.assertEqual(await self.head("key"), expected)
        self.assertEqual((await self.hold("OFF")).status, 200)
        self.assertEqual(await self.head("key"), {**expected, HOLD: "OFF"})
        await self.assert_protected("key", version, BYPASS)
        self.assertEqual((await self.hold("ON")).status, 200)
        longer = self.retention("COMPLIANCE", 2 * DAY)
        retained = await self.document("/locked/key?retention", longer)
        self.assertEqual(retained.status, 200)
        expected = self.lock("COMPLIANCE", 2 * DAY, "ON")
        self.assertEqual(await self.head("key"), expected)
        self.clock.advance(2 * DAY)
        await self.assert_protected("key", version)

    async def test_by_version(self) -> None:
        """The hold is that of the version that is named."""
        first, second = await self.put(), await self.put()
        target = f"/locked/key?legal-hold&versionId={first}"
        self.assertEqual((await self.hold("ON", target)).status, 200)
        self.assertEqual(await self.head("key", first), {HOLD: "ON"})
        self.assertEqual(await self.head("key", second), {})
        self.assertEqual((await self.remove("key", second)).status, 204)
        await self.assert_protected("key", first)

    async def test_refused(self) -> None:
        """Bad documents change nothing."""
        await self.put(headers={HOLD: "ON"})
        for body in ("", "<LegalHold/>", "<LegalHold><Status>off</Status></LegalHold>"):
            response = await self.document("/locked/key?legal-hold", body)
            self.assertEqual(response.status, 400, body)
        self.assertEqual(await self.head("key"), {HOLD: "ON"})

    async def test_missing(self) -> None:
        """There must be a bucket with object lock, an object, and the version that is named; a delete marker has no hold."""
        marker = await self.client.request("DELETE", "/locked/key")
        named = f"/locked/key?legal-hold&versionId={marker.headers['x-amz-version-id']}"
        for target, status, code in (
            ("/absent/key?legal-hold", 404, "NoSuchBucket"),
            ("/bucket/key?legal-hold", 400, "InvalidRequest"),
            ("/locked/other?legal-hold", 404, "NoSuchKey"),
            ("/locked/key?legal-hold&versionId=" + "0" * 32, 404, "NoSuchVersion"),
            (named, 405, "MethodNotAllowed"),
        ):
            await self.refused(self.hold("ON", target), status, code)
            await self.refused(self.client.request("GET", target), status, code)
        marked = await self.hold("ON", named)
        self.assertEqual(marked.text("Method"), "PUT")

    async def test_rights(self) -> None:
        """To place a hold takes a right of its own, and so it does where an object is written."""
        await self.put()
        response = await self.hold("ON", user="somebody")
        self.assertEqual((response.status, response.code), (403, "AccessDenied"))
        self.assertEqual((await self.hold("ON", user="other")).status, 200)
