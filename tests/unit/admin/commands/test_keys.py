"""Keys behind ``ozgate sh``, but for their bytes: how they are shown, and what is said of those that are missing; on stores in memory."""

from __future__ import annotations

from typing import Any

from ozgate.interfaces import IMetadataTransaction
from ozgate.values import Claim, User
from tests.unit.admin.commands.support import ALICE, BOB, CommandCase
from tests.unit.s3.policy.documents import document, statement


class KeyTests(CommandCase):
    """Keys, but for their bytes."""

    async def test_info_and_list(self) -> None:
        """Keys are shown as Ozone shows them, in pages, to who may."""
        bucket = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **bucket)
        for key in ("a", "b/1", "b/2", "c"):
            await self.add_key("s3v", "bucket", key, 2)

        async def names(**arguments: Any) -> list[str]:
            found = await self.do("list_keys", ALICE, **bucket, **arguments)
            return [each["name"] for each in found]

        self.assertEqual(await names(), ["a", "b/1", "b/2", "c"])
        self.assertEqual(await names(prefix="b/", limit=1), ["b/1"])
        self.assertEqual(await names(prefix="b/", start="b/1"), ["b/2"])
        shown = await self.do("info_key", ALICE, **bucket, key="b/1")
        self.assertEqual(shown["volumeName"], "s3v")
        self.assertEqual(shown["bucketName"], "bucket")
        self.assertEqual((shown["name"], shown["dataSize"]), ("b/1", 2))
        self.assertEqual(shown["creationTime"], "2026-11-18T11:06:40.250Z")
        for name in ("info_key", "delete_key"):
            await self.refused("PERMISSION_DENIED", name, BOB, **bucket, key="a")
        await self.refused("PERMISSION_DENIED", "list_keys", BOB, **bucket)

    async def test_policies(self) -> None:
        """What a policy of the caller grants or denies holds here, too; a bucket's policy does."""
        where = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **where)
        for key in ("a", "b"):
            await self.add_key("s3v", "bucket", key, 2)
        key = "arn:aws:s3:::bucket/a"
        for effect, who in (("Deny", ALICE), ("Allow", BOB)):
            inline = {"one": document(statement(effect, "s3:GetObject", key)).decode()}
            await self.gateway.metadata.write(_put_user, who.user, inline)
        await self.refused("PERMISSION_DENIED", "info_key", ALICE, **where, key="a")
        await self.do("info_key", ALICE, **where, key="b")
        await self.do("info_key", BOB, **where, key="a")
        await self.refused("PERMISSION_DENIED", "info_key", BOB, **where, key="b")

    async def test_missing(self) -> None:
        """What is missing is named: the volume, the bucket or the key."""
        await self.do("create_bucket", volume="s3v", bucket="bucket")
        for name in ("info_key", "delete_key"):
            for volume, bucket, code in (
                ("absent", "bucket", "VOLUME_NOT_FOUND"),
                ("s3v", "absent", "BUCKET_NOT_FOUND"),
                ("s3v", "bucket", "KEY_NOT_FOUND"),
            ):
                await self.refused(code, name, volume=volume, bucket=bucket, key="k")
        bucket = {"volume": "s3v", "bucket": "bucket"}
        await self.refused("INVALID_KEY_NAME", "info_key", **bucket, key="")
        await self.refused("INVALID_KEY_NAME", "info_key", **bucket, key="k" * 1025)


def _put_user(tx: IMetadataTransaction, name: str, inline: dict[str, str]) -> None:
    tx.claim(Claim.user(name))
    tx.put_user(User(name, f"ID{name}", 0, inline=inline))
