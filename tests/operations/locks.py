"""What the tests of object lock share: a bucket with object lock, and requests about locks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5

from ozgate.s3.times import exact_timestamp
from tests.operations.support import OperationTestCase, Response

MODE = "x-amz-object-lock-mode"
UNTIL = "x-amz-object-lock-retain-until-date"
HOLD = "x-amz-object-lock-legal-hold"
BYPASS = {"x-amz-bypass-governance-retention": "true"}
PROTECTED = "Access Denied because object protected by object lock."
DAY = 86_400
YEAR = 365 * DAY


def digested(body: bytes) -> dict[str, str]:
    """The header that demanded checksums are given in."""
    return {"content-md5": b64encode(md5(body).digest()).decode()}


class LockTestCase(OperationTestCase):
    """A bucket ``locked`` that was made with object lock, and ``bucket`` without.

    ``other`` may do what Ozone's right ``ALL`` gives; ``somebody`` may read and write, which gives no right to locks.
    """

    async def _open(self) -> None:
        await super()._open()
        made = await self.client.request(
            "PUT", "/locked", {"x-amz-bucket-object-lock-enabled": "true"}
        )
        assert made.status == 200, made
        await self.grant("user:other:a", "user:somebody:rwld", bucket="locked")

    def after(self, seconds: float) -> str:
        """A time from now, as documents have it."""
        return exact_timestamp(int((self.clock.seconds() + seconds) * 1000))

    def lock(self, mode: str, seconds: float, hold: str = "") -> dict[str, str]:
        """Headers that ask for a lock."""
        headers = {MODE: mode, UNTIL: self.after(seconds)} if mode else {}
        return {**headers, HOLD: hold} if hold else headers

    async def put(
        self,
        key: str = "key",
        headers: Mapping[str, str] | None = None,
        bucket: str = "locked",
        body: bytes = b"body",
    ) -> str:
        """Put an object with its MD5; the id of its version."""
        sent = {**digested(body), **(headers or {})}
        response = await self.client.request("PUT", f"/{bucket}/{key}", sent, body)
        self.assertEqual(response.status, 200, response.body)
        return response.headers.get("x-amz-version-id", "null")

    async def document(
        self,
        target: str,
        body: str,
        headers: Mapping[str, str] | None = None,
        user: str = "testuser",
    ) -> Response:
        """Put a document with its MD5."""
        sent = {**digested(body.encode()), **(headers or {})}
        return await self.client.as_user(user).request(
            "PUT", target, sent, body.encode()
        )

    def retention(self, mode: str, seconds: float) -> str:
        """A retention from now on; none where the mode is ``""``."""
        if not mode:
            return "<Retention/>"
        until = self.after(seconds)
        return f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"

    async def configure(self, default: str = "", bucket: str = "locked") -> Response:
        """Have object lock in a bucket, with a default retention."""
        rule = f"<Rule><DefaultRetention>{default}</DefaultRetention></Rule>"
        return await self.document(
            f"/{bucket}?object-lock",
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
            f"{rule if default else ''}</ObjectLockConfiguration>",
        )

    async def head(
        self, key: str, version: str = "", user: str = "testuser"
    ) -> dict[str, str]:
        """What HeadObject shows of a lock."""
        named = f"?versionId={version}" if version else ""
        asked = self.client.as_user(user)
        response = await asked.request("HEAD", f"/locked/{key}{named}")
        self.assertEqual(response.status, 200)
        return {n: v for n, v in response.headers.items() if "object-lock" in n}

    async def remove(
        self,
        key: str,
        version: str,
        headers: Mapping[str, str] | None = None,
        user: str = "testuser",
    ) -> Response:
        """Delete a version."""
        return await self.client.as_user(user).request(
            "DELETE", f"/locked/{key}?versionId={version}", headers
        )

    async def assert_protected(
        self,
        key: str,
        version: str,
        headers: Mapping[str, str] | None = None,
        user: str = "testuser",
    ) -> None:
        """Assert that a version cannot be deleted, and is there afterwards."""
        response = await self.refused(
            self.remove(key, version, headers, user), 403, "AccessDenied"
        )
        self.assertEqual(response.text("Message"), PROTECTED)
        read = await self.client.request("GET", f"/locked/{key}?versionId={version}")
        self.assertEqual(read.status, 200)
