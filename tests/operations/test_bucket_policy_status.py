"""GetBucketPolicyStatus."""

from __future__ import annotations

from tests.operations.policies import PolicyTestCase
from tests.operations.test_bucket_policy import PUBLIC, READ
from tests.unit.s3.policy.documents import statement

TARGET = "/bucket?policyStatus"


class PolicyStatusTests(PolicyTestCase):
    """Whether a policy is public."""

    async def shown(self) -> str | None:
        """What is said."""
        response = await self.client.request("GET", TARGET)
        self.assertEqual((response.status, response.xml().tag), (200, "PolicyStatus"))
        self.assertEqual(response.names(), ["IsPublic"])
        return response.text("IsPublic")

    async def test_none(self) -> None:
        """Without a policy there is no status."""
        asked = self.client.request("GET", TARGET)
        await self.refused(asked, 404, "NoSuchBucketPolicy")

    async def test_public(self) -> None:
        """A policy is public by AWS's rule, whatever the blocks take away of it."""
        for one, expected in (
            (READ, "false"),
            (PUBLIC, "true"),
            (statement("Deny", "s3:*", "arn:aws:s3:::bucket/*", "*"), "false"),
            (
                PUBLIC | {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
                "false",
            ),
            (PUBLIC | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, "true"),
        ):
            await self.have_policy(one)
            self.assertEqual(await self.shown(), expected, one)

    async def test_rights(self) -> None:
        """Who may not is told nothing."""
        await self.have_policy(READ)
        await self.check_may_not("other", "GET", TARGET)
        await self.grant("user:other:x")
        await self.check_may("other", "GET", TARGET)
