"""Quotas behind ``ozgate sh``, of buckets and of volumes, held against each other; on stores in memory."""

from __future__ import annotations

from tests.unit.admin.commands.support import ALICE, BOB, GIB, CommandCase


class QuotaTests(CommandCase):
    """Quotas, held against each other."""

    async def test_bucket(self) -> None:
        """A bucket's quotas are set one by one, removed, and never below what it holds."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **arguments)
        await self.add_key("s3v", "bucket", "one", 10)
        await self.add_key("s3v", "bucket", "two", 10)

        async def quotas() -> tuple[int, int]:
            found = await self.do("info_bucket", **arguments)
            return found["quotaInBytes"], found["quotaInNamespace"]

        await self.do("set_bucket_quota", ALICE, **arguments, space_quota=20)
        self.assertEqual(await quotas(), (20, -1))
        await self.do("set_bucket_quota", ALICE, **arguments, namespace_quota=2)
        self.assertEqual(await quotas(), (20, 2))
        for less in ({"space_quota": 19}, {"namespace_quota": 1}):
            await self.refused("QUOTA_ERROR", "set_bucket_quota", **arguments, **less)
        await self.do("set_bucket_quota", **arguments, space_quota=-1)
        self.assertEqual(await quotas(), (-1, 2))
        await self.do("add_acl", **arguments, acls=["user:bob:rwcdlxy"])
        await self.refused(
            "PERMISSION_DENIED", "set_bucket_quota", BOB, **arguments, space_quota=99
        )

    async def test_link(self) -> None:
        """A link has no quota, and none is needed for it where buckets need one."""
        await self.do("create_volume", volume="vol1", space_quota=GIB)
        link = {"volume": "vol1", "bucket": "link"}
        await self.do(
            "link_bucket", **link, source_volume="s3v", source_bucket="absent"
        )
        said = await self.refused(
            "NOT_SUPPORTED_OPERATION", "set_bucket_quota", **link, space_quota=1
        )
        self.assertEqual(said, "Cannot set property on link")
        await self.do("set_volume_quota", volume="vol1", space_quota=2 * GIB)

    async def test_volume_space(self) -> None:
        """In a volume with a space quota each bucket has one, and together they are no more than it."""
        await self.do("create_volume", volume="vol1", space_quota=10)
        one = {"volume": "vol1", "bucket": "one"}
        await self.refused("QUOTA_ERROR", "create_bucket", **one)
        await self.refused("QUOTA_EXCEEDED", "create_bucket", **one, space_quota=11)
        await self.do("create_bucket", **one, space_quota=6)
        two = {"volume": "vol1", "bucket": "two"}
        await self.refused("QUOTA_EXCEEDED", "create_bucket", **two, space_quota=5)
        await self.do("create_bucket", **two, space_quota=4)
        await self.refused("QUOTA_EXCEEDED", "set_bucket_quota", **one, space_quota=7)
        await self.refused("QUOTA_ERROR", "set_bucket_quota", **one, space_quota=-1)
        await self.refused(
            "QUOTA_EXCEEDED", "set_volume_quota", volume="vol1", space_quota=9
        )
        await self.do("set_volume_quota", volume="vol1", space_quota=-1)
        await self.do("set_bucket_quota", **one, space_quota=-1)
        await self.refused(
            "QUOTA_ERROR", "set_volume_quota", volume="vol1", space_quota=GIB
        )

    async def test_volume_names(self) -> None:
        """Buckets and links both take a name of their volume."""
        await self.do("create_volume", volume="vol1", namespace_quota=2)
        source = {"source_volume": "s3v", "source_bucket": "absent"}
        await self.do("link_bucket", volume="vol1", bucket="link", **source)
        await self.do("create_bucket", volume="vol1", bucket="bucket")
        more = {"volume": "vol1", "bucket": "more"}
        await self.refused("QUOTA_EXCEEDED", "create_bucket", **more)
        await self.refused("QUOTA_EXCEEDED", "link_bucket", **more, **source)
        await self.refused(
            "QUOTA_ERROR", "set_volume_quota", volume="vol1", namespace_quota=1
        )
        await self.do("delete_bucket", volume="vol1", bucket="link")
        await self.do("create_bucket", **more)
