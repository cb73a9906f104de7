"""Policies and limits of whoever asks, enforced."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from ozgate.s3 import gate
from ozgate.values import Principal
from tests.operations.policies import PolicyTestCase
from tests.unit.s3.policy.documents import document, statement

BUCKET = "arn:aws:s3:::bucket"
KEYS = BUCKET + "/*"


class IdentityTests(PolicyTestCase):
    """Policies and limits of whoever asks."""

    def have(self, *, policies: Any = (), limits: Any = ()) -> None:
        """Let everybody who signs have policies and limits from now on, each made of one statement."""
        real = gate.principal_of

        async def principal(*args: Any) -> Principal:
            found = await real(*args)
            return evolve(
                found,
                policies=tuple(document(each) for each in policies),
                limits=tuple(document(each) for each in limits),
            )

        self.patch(gate, "principal_of", principal)

    async def test_granted(self) -> None:
        """A policy of a user grants what it says, in buckets of others."""
        self.have(policies=[statement("Allow", "s3:GetObject", KEYS)])
        await self.check_may("other", "GET")
        await self.check_may_not("other", "PUT")
        await self.check_may_not("other", "GET", "/bucket")

    async def test_denied(self) -> None:
        """What it denies is denied, to an owner too."""
        self.have(policies=[statement("Deny", "s3:DeleteObject", KEYS)])
        await self.check_may_not("testuser", "DELETE")
        await self.check_may("testuser", "PUT")

    async def test_limited(self) -> None:
        """A session is within its limits, be its user the owner or an administrator."""
        boss = await self.issue("boss")
        self.have(limits=[statement("Allow", "s3:GetObject", KEYS)])
        for who in ("testuser", boss):
            await self.check_may(who, "GET")
            for method, target in (
                ("PUT", "/bucket/key"),
                ("GET", "/bucket"),
                ("DELETE", "/bucket?policy"),
                ("PUT", "/fresh"),
                ("DELETE", "/empty"),
                ("GET", "/"),
            ):
                await self.check_may_not(who, method, target)
        await self.check_may_not("other", "GET")

    async def test_creation(self) -> None:
        """Making a bucket is asked about by its name, and what its headers ask for besides."""
        self.have(limits=[statement("Allow", "s3:CreateBucket", f"{BUCKET}-*")])
        await self.check_may("other", "PUT", "/bucket-1")
        await self.check_may_not("other", "PUT", "/another")
        await self.check_may_not("other", "PUT", "/bucket-2", x_amz_acl="private")
        where = {"StringEquals": {"s3:LocationConstraint": "eu-west-1"}}
        self.have(policies=[statement("Deny", "s3:CreateBucket", Condition=where)])
        place = b"<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>"
        await self.check_may_not("other", "PUT", "/bucket-3", place % b"eu-west-1")
        await self.check_may("other", "PUT", "/bucket-3", place % b"eu-west-2")

    async def listed(self, who: str) -> list[str]:
        """The buckets that are listed for somebody."""
        response = await self.client.as_user(who).request("GET", "/")
        self.assertEqual(response.status, 200)
        return response.texts("Buckets/Bucket/Name")

    async def test_list_of_buckets(self) -> None:
        """A policy shows all buckets, or some; without it each is shown as before; and where one denies the list there is none."""
        self.assertEqual(await self.listed("other"), [])
        self.have(policies=[statement("Allow", "s3:ListAllMyBuckets")])
        self.assertEqual(await self.listed("other"), ["bucket", "empty"])
        self.have(policies=[statement("Allow", "s3:Get*")])
        self.assertEqual(await self.listed("other"), [])
        self.assertEqual(await self.listed("testuser"), ["bucket", "empty"])
        self.have(policies=[statement("Deny", "s3:ListAllMyBuckets")])
        await self.check_may_not("testuser", "GET", "/")
