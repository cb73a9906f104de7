"""PutObjectRetention and GetObjectRetention."""

from __future__ import annotations

from tests.operations.locks import (
    BYPASS,
    DAY,
    MODE,
    PROTECTED,
    UNTIL,
    LockTestCase,
)
from tests.operations.support import Response


class PutObjectRetentionTests(LockTestCase):
    """The retention of a version."""

    async def retain(
        self,
        mode: str,
        seconds: float = 0,
        headers: dict[str, str] | None = None,
        user: str = "testuser",
        target: str = "/locked/key?retention",
    ) -> Response:
        """Set a retention."""
        return await self.document(target, self.retention(mode, seconds), headers, user)

    async def shown(self, version: str = "") -> tuple[str | None, str | None]:
        """The retention that is shown."""
        named = f"&versionId={version}" if version else ""
        response = await self.client.request("GET", f"/locked/key?retention{named}")
        if response.status == 404:
            self.assertEqual(response.code, "NoSuchObjectLockConfiguration")
            return None, None
        self.assertEqual(response.status, 200)
        self.assertEqual(response.names(), ["Mode", "RetainUntilDate"])
        return response.text("Mode"), response.text("RetainUntilDate")

    async def test_set(self) -> None:
        """A retention is set of the current version, or of one that is named, and shown as exactly as it was said."""
        first, second = await self.put(), await self.put()
        self.assertEqual(await self.shown(), (None, None))
        response = await self.retain("GOVERNANCE", DAY + 0.123)
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(await self.shown(), ("GOVERNANCE", self.after(DAY + 0.123)))
        self.assertEqual(await self.shown(second), await self.shown())
        self.assertEqual(await self.shown(first), (None, None))
        target = f"/locked/key?retention&versionId={first}"
        self.assertEqual(
            (await self.retain("COMPLIANCE", DAY, target=target)).status, 200
        )
        self.assertEqual(await self.shown(first), ("COMPLIANCE", self.after(DAY)))
        shown = {MODE: "COMPLIANCE", UNTIL: self.after(DAY)}
        self.assertEqual(await self.head("key", first), shown)

    async def test_changes(self) -> None:
        """Who may set a retention may extend one; GOVERNANCE takes a bypass for all else, and COMPLIANCE is never taken from."""
        for mode, new, seconds, plain, bypassed in (
            ("GOVERNANCE", "GOVERNANCE", DAY + 1, 200, 200),
            ("GOVERNANCE", "GOVERNANCE", DAY, 200, 200),
            ("GOVERNANCE", "GOVERNANCE", DAY - 1, 403, 200),
            ("GOVERNANCE", "COMPLIANCE", DAY + 1, 403, 200),
            ("GOVERNANCE", "", 0, 403, 200),
            ("COMPLIANCE", "COMPLIANCE", DAY + 1, 200, 200),
            ("COMPLIANCE", "COMPLIANCE", DAY - 1, 403, 403),
            ("COMPLIANCE", "GOVERNANCE", DAY + 1, 403, 403),
            ("COMPLIANCE", "", 0, 403, 403),
        ):
            for headers, status in (({}, plain), (BYPASS, bypassed)):
                for user in ("testuser", "other"):
                    await self.put(headers=self.lock(mode, DAY))
                    before = await self.shown()
                    response = await self.retain(new, seconds, headers, user)
                    self.assertEqual(response.status, status, (mode, new, headers))
                    if status == 403:
                        self.assertEqual(response.text("Message"), PROTECTED)
                        self.assertEqual(await self.shown(), before)
                    elif new:
                        self.assertEqual(await self.shown(), (new, self.after(seconds)))
                    else:
                        self.assertEqual(await self.shown(), (None, None))
                        self.assertEqual(await self.head("key"), {})

    async def test_over(self) -> None:
        """A retention that is over is shown still, and may be changed or removed by anybody who may set one."""
        for mode in ("GOVERNANCE", "COMPLIANCE"):
            await self.put(headers=self.lock(mode, DAY))
            self.clock.advance(DAY)
            self.assertEqual(await self.shown(), (mode, self.after(0)))
            self.assertEqual((await self.retain("GOVERNANCE", 10)).status, 200)
            self.clock.advance(10)
            self.assertEqual((await self.retain("")).status, 200)
            self.assertEqual(await self.shown(), (None, None))
            # A second time, where there is none.
            self.assertEqual((await self.retain("")).status, 200)

    async def test_past(self) -> None:
        """A date that is not to come is refused."""
        version = await self.put()
        for seconds in (0, -DAY):
            response = await self.retain("GOVERNANCE", seconds)
            self.assertEqual((response.status, response.code), (400, "InvalidArgument"))
            self.assertEqual(
                response.text("Message"), "The retain until date must be in the future!"
            )
            self.assertEqual(response.text("ArgumentName"), "RetainUntilDate")
        self.assertEqual(await self.shown(version), (None, None))

    async def test_refused(self) -> None:
        """Documents that break a rule change nothing."""
        await self.put(headers=self.lock("GOVERNANCE", DAY))
        before = await self.shown()
        until = f"<RetainUntilDate>{self.after(2 * DAY)}</RetainUntilDate>"
        for body in (
            "",
            "<Retention>",
            "<Other/>",
            "<Retention><Mode>GOVERNANCE</Mode></Retention>",
            f"<Retention>{until}</Retention>",
            f"<Retention><Mode>governance</Mode>{until}</Retention>",
            "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>x</RetainUntilDate></Retention>",
        ):
            response = await self.document("/locked/key?retention", body, BYPASS)
            self.assertEqual(response.status, 400, body)
        event = "<Retention><EventHold>ON</EventHold></Retention>"
        response = await self.document("/locked/key?retention", event)
        self.assertEqual(response.status, 501)
        self.assertEqual(await self.shown(), before)

    async def test_missing(self) -> None:
        """There must be a bucket with object lock, an object, and the version that is named."""
        for target, status, code in (
            ("/absent/key", 404, "NoSuchBucket"),
            ("/bucket/key", 400, "InvalidRequest"),
            ("/locked/key", 404, "NoSuchKey"),
            ("/locked/key&versionId=" + "0" * 32, 404, "NoSuchVersion"),
            ("/locked/key&versionId=x", 400, "InvalidArgument"),
        ):
            path, _, named = target.partition("&")
            address = f"{path}?retention" + (f"&{named}" if named else "")
            put = self.retain("GOVERNANCE", DAY, target=address)
            response = await self.refused(put, status, code)
            if status == 400 and path == "/bucket/key":
                self.assertEqual(
                    response.text("Message"),
                    "Bucket is missing Object Lock Configuration",
                )
            await self.refused(self.client.request("GET", address), status, code)

    async def test_marker(self) -> None:
        """A delete marker has no retention: it is not what is kept."""
        await self.put()
        deleted = await self.client.request("DELETE", "/locked/key")
        marker = deleted.headers["x-amz-version-id"]
        target = f"/locked/key?retention&versionId={marker}"
        for method, asked in (
            ("PUT", self.retain("GOVERNANCE", DAY, target=target)),
            ("GET", self.client.request("GET", target)),
        ):
            response = await self.refused(asked, 405, "MethodNotAllowed")
            self.assertEqual(response.text("ResourceType"), "DeleteMarker")
            self.assertEqual(response.text("Method"), method)
        plain = self.retain("GOVERNANCE", DAY)
        response = await self.refused(plain, 404, "NoSuchKey")
        self.assertEqual(response.headers["x-amz-delete-marker"], "true")

    async def test_rights(self) -> None:
        """Who may read sees a retention; to set one, or to bypass, takes more."""
        await self.put()
        response = await self.retain("GOVERNANCE", DAY, user="somebody")
        self.assertEqual((response.status, response.code), (403, "AccessDenied"))
        self.assertEqual(
            (await self.retain("GOVERNANCE", DAY, user="other")).status, 200
        )
        seen = await self.client.as_user("somebody").request(
            "GET", "/locked/key?retention"
        )
        self.assertEqual(seen.text("Mode"), "GOVERNANCE")
        await self.grant("user:somebody:wl", bucket="locked")
        for name in ("retention", "legal-hold"):
            await self.refused(
                self.client.as_user("somebody").request("GET", f"/locked/key?{name}"),
                403,
                "AccessDenied",
            )
