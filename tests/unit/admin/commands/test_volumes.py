"""Volumes behind ``ozgate sh``: rules, codes, who may do what; on stores in memory."""

from __future__ import annotations

from typing import Any

from ozgate.admin.caller import Caller
from tests.unit.admin.commands.support import ADMIN, ALICE, BOB, GIB, CommandCase


class VolumeTests(CommandCase):
    """Volumes."""

    async def test_create_and_info(self) -> None:
        """A new volume is shown as Ozone shows it; only an administrator makes one."""
        await self.refused("PERMISSION_DENIED", "create_volume", ALICE, volume="vol1")
        await self.do("create_volume", volume="vol1", user="alice", space_quota=GIB)
        shown = await self.do("info_volume", ALICE, volume="vol1")
        self.assertEqual(
            shown,
            {
                "metadata": {},
                "name": "vol1",
                "admin": "admin",
                "owner": "alice",
                "quotaInBytes": GIB,
                "quotaInNamespace": -1,
                "usedNamespace": 0,
                "creationTime": "2026-11-18T11:06:40.250Z",
                "modificationTime": "2026-11-18T11:06:40.250Z",
                "acls": [
                    {
                        "type": "USER",
                        "name": "alice",
                        "aclScope": "ACCESS",
                        "aclList": ["ALL"],
                    }
                ],
                "refCount": 0,
            },
        )
        await self.refused("PERMISSION_DENIED", "info_volume", BOB, volume="vol1")

    async def test_names_taken(self) -> None:
        """Volumes are made once: s3v is there from the start."""
        for name in ("s3v", "vol1"):
            if name == "vol1":
                await self.do("create_volume", volume=name)
            said = await self.refused(
                "VOLUME_ALREADY_EXISTS", "create_volume", volume=name
            )
            self.assertEqual(said, "Volume already exists")

    async def test_wrong_arguments(self) -> None:
        """Names that cannot be and quotas that are none are refused."""
        for name in ("a", "Vol", "a_b", "", "x" * 64, "-ab"):
            said = await self.refused(
                "INVALID_VOLUME_NAME", "create_volume", volume=name
            )
            self.assertIn("3 to 63", said)
        for quota in (0, -2, 1 << 63):
            await self.refused(
                "QUOTA_ERROR", "create_volume", volume="vol1", space_quota=quota
            )
        await self.refused("INVALID_REQUEST", "create_volume", volume="\ud800")
        await self.refused("INVALID_REQUEST", "create_volume", volume=7)
        await self.refused("VOLUME_NOT_FOUND", "info_volume", volume="absent")

    async def test_list(self) -> None:
        """Lists go by name, in pages, and show what one may see."""
        for name in ("vol1", "vol2", "vol3", "other"):
            await self.do("create_volume", volume=name, user="alice")

        async def names(caller: Caller = ADMIN, **arguments: Any) -> list[str]:
            found = await self.do("list_volumes", caller, **arguments)
            return [each["name"] for each in found]

        self.assertEqual(await names(), ["other", "s3v", "vol1", "vol2", "vol3"])
        self.assertEqual(await names(prefix="vol", limit=2), ["vol1", "vol2"])
        self.assertEqual(await names(prefix="vol", start="vol2"), ["vol3"])
        self.assertEqual(await names(BOB), ["s3v"])
        self.assertEqual(await names(user="bob"), ["s3v"])
        self.assertEqual(await names(BOB, start="other", limit=1), ["s3v"])
        await self.refused("PERMISSION_DENIED", "list_volumes", BOB, user="alice")
        await self.refused("INVALID_REQUEST", "list_volumes", limit=0)

    async def test_update(self) -> None:
        """An administrator gives a volume another owner, who then may make buckets there."""
        await self.do("create_volume", volume="vol1")
        await self.refused(
            "PERMISSION_DENIED", "update_volume", BOB, volume="vol1", user="bob"
        )
        shown = await self.do("update_volume", volume="vol1", user="bob")
        self.assertEqual(shown["owner"], "bob")
        await self.do("create_bucket", BOB, volume="vol1", bucket="bucket")

    async def test_delete(self) -> None:
        """An empty volume goes by an administrator's hand; s3v, and one that holds a link, stay."""
        await self.do("create_volume", volume="vol1", user="alice")
        await self.do(
            "link_bucket",
            volume="vol1",
            bucket="link",
            source_volume="absent",
            source_bucket="absent",
        )
        await self.refused("VOLUME_NOT_EMPTY", "delete_volume", volume="vol1")
        await self.do("delete_bucket", volume="vol1", bucket="link")
        await self.refused("PERMISSION_DENIED", "delete_volume", ALICE, volume="vol1")
        await self.do("delete_volume", volume="vol1")
        await self.refused("VOLUME_NOT_FOUND", "delete_volume", volume="vol1")
        await self.refused("NOT_SUPPORTED_OPERATION", "delete_volume", volume="s3v")

    async def test_unknown_callers(self) -> None:
        """Who is nobody in particular may nothing, not even what everyone may."""
        nobody = Caller("")
        await self.refused("PERMISSION_DENIED", "list_volumes", nobody)
        await self.refused("PERMISSION_DENIED", "info_volume", nobody, volume="s3v")
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.refused("PERMISSION_DENIED", "create_bucket", nobody, **arguments)
        await self.refused("PERMISSION_DENIED", "list_buckets", nobody, volume="s3v")
