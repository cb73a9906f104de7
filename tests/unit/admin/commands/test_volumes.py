"""Volumes, buckets and links behind ``ozgate sh``: rules, codes, quotas, who may do what; on stores in memory."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase

from ozgate.admin.caller import Caller
from ozgate.admin.commands import buckets
from ozgate.admin.commands.table import run
from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.perform.buckets import shared_volume
from ozgate.testing.metadata_base import ask, change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Cause, Claim, Content, ObjectVersion, Upload
from tests.operations.support import make_gateway

ADMIN = Caller("admin", is_admin=True, is_s3_admin=True)
ALICE = Caller("alice")
BOB = Caller("bob")
GIB = 1 << 30


class CommandCase(TestCase):
    """Runs commands on an empty gateway whose S3 volume is there."""

    def setUp(self) -> Deferred[None]:
        """Open the stores."""
        return ensureDeferred(self._open())

    async def _open(self) -> None:
        self.clock = MemoryReactorClock()
        self.clock.advance(1_795_000_000.25)
        folder = self.mktemp()
        os.makedirs(folder)
        self.gateway = make_gateway(self.clock, data=folder)
        await self.gateway.metadata.open()
        await self.gateway.blobs.open()
        self.addCleanup(self.gateway.blobs.close)
        self.addCleanup(self.gateway.metadata.close)
        self.context = AdminContext(self.gateway, None, self.clock.seconds())
        shared = shared_volume("s3v", "ozgate", 1)
        await self.gateway.metadata.write(change, "add_volume", (shared,))

    async def do(self, name: str, caller: Caller = ADMIN, **arguments: Any) -> Any:
        """What a command comes to."""
        return await run(self.context, caller, name, arguments)

    async def refused(
        self, code: str, name: str, caller: Caller = ADMIN, **arguments: Any
    ) -> str:
        """Assert that a command is refused with a code; returns the message."""
        try:
            done = await self.do(name, caller, **arguments)
        except AdminError as error:
            self.assertEqual(error.code, code, str(error))
            return error.message
        self.fail(f"{name} {arguments} was not refused: {done}")

    async def add_key(self, volume: str, bucket: str, key: str, size: int) -> None:
        """Put an object of that many bytes straight into a bucket."""
        await self.gateway.metadata.write(_add_key, volume, bucket, key, size)


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


class BucketTests(CommandCase):
    """Buckets."""

    async def test_create_and_info(self) -> None:
        """A new bucket is shown as Ozone shows it, with what it uses."""
        await self.do("create_volume", volume="vol1")
        await self.do(
            *("create_bucket", ADMIN),
            **{"volume": "vol1", "bucket": "bucket1", "user": "alice"},
            namespace_quota=10,
        )
        await self.add_key("vol1", "bucket1", "key", 5)
        shown = await self.do("info_bucket", ALICE, volume="vol1", bucket="bucket1")
        self.assertEqual(
            shown,
            {
                "metadata": {},
                "volumeName": "vol1",
                "name": "bucket1",
                "storageType": "DISK",
                "versioning": False,
                "usedBytes": 5,
                "usedNamespace": 1,
                "creationTime": "2026-11-18T11:06:40.250Z",
                "modificationTime": "2026-11-18T11:06:40.250Z",
                "quotaInBytes": -1,
                "quotaInNamespace": 10,
                "bucketLayout": "OBJECT_STORE",
                "owner": "alice",
                "link": False,
            },
        )

    async def test_who_may_create(self) -> None:
        """Making a bucket needs CREATE on the volume, making one for another an administrator."""
        await self.do("create_volume", volume="vol1")
        arguments = {"volume": "vol1", "bucket": "bucket"}
        await self.refused("PERMISSION_DENIED", "create_bucket", ALICE, **arguments)
        await self.do("add_acl", volume="vol1", acls=["user:alice:c"])
        await self.refused(
            "PERMISSION_DENIED", "create_bucket", ALICE, **arguments, user="bob"
        )
        made = await self.do("create_bucket", ALICE, **arguments)
        self.assertEqual(made["owner"], "alice")
        await self.refused("PERMISSION_DENIED", "info_bucket", BOB, **arguments)

    async def test_refused(self) -> None:
        """Names taken, names that cannot be, volumes and layouts that are not there."""
        await self.do("create_bucket", volume="s3v", bucket="bucket")
        for name, code in (
            ("bucket", "BUCKET_ALREADY_EXISTS"),
            ("B", "INVALID_BUCKET_NAME"),
        ):
            await self.refused(code, "create_bucket", volume="s3v", bucket=name)
            source = {"source_volume": "s3v", "source_bucket": "bucket"}
            await self.refused(code, "link_bucket", volume="s3v", bucket=name, **source)
        for source, code in (
            ({"source_volume": "v", "source_bucket": "bucket"}, "INVALID_VOLUME_NAME"),
            ({"source_volume": "s3v", "source_bucket": "b"}, "INVALID_BUCKET_NAME"),
        ):
            await self.refused(
                code, "link_bucket", volume="s3v", bucket="l1n", **source
            )
        arguments = {"volume": "absent", "bucket": "bucket"}
        await self.refused("VOLUME_NOT_FOUND", "create_bucket", **arguments)
        await self.refused("VOLUME_NOT_FOUND", "info_bucket", **arguments)
        await self.refused("VOLUME_NOT_FOUND", "list_buckets", volume="absent")
        await self.refused(
            "BUCKET_NOT_FOUND", "info_bucket", volume="s3v", bucket="absent"
        )
        await self.refused(
            *("NOT_SUPPORTED_OPERATION", "create_bucket"),
            **{"volume": "s3v", "bucket": "tree", "layout": "FILE_SYSTEM_OPTIMIZED"},
        )

    async def test_list(self) -> None:
        """A list shows what one may see of a volume that one may list, links in the short form."""
        await self.do("create_bucket", ALICE, volume="s3v", bucket="hers")
        await self.do("create_bucket", BOB, volume="s3v", bucket="his")
        await self.do(
            *("link_bucket", ALICE),
            **{"volume": "s3v", "bucket": "link"},
            source_volume="s3v",
            source_bucket="hers",
        )

        async def names(caller: Caller, **arguments: Any) -> list[str]:
            found = await self.do("list_buckets", caller, volume="s3v", **arguments)
            return [each["name"] for each in found]

        self.assertEqual(await names(ALICE), ["hers", "link"])
        self.assertEqual(await names(BOB), ["his"])
        self.assertEqual(await names(ADMIN, limit=2), ["hers", "his"])
        self.assertEqual(await names(ADMIN, start="hers", prefix="h"), ["his"])
        self.assertEqual(await names(ADMIN, user="bob"), ["his"])
        opened = {"volume": "s3v", "bucket": "hers", "acls": ["user:bob:r"]}
        await self.do("add_acl", ALICE, **opened)
        self.assertEqual(await names(BOB), ["hers", "his", "link"])
        await self.do("create_volume", volume="vol1")
        await self.refused("PERMISSION_DENIED", "list_buckets", BOB, volume="vol1")

    async def test_links_into_hidden_volumes(self) -> None:
        """A link into a volume that one may not see tells the same whether anything is there, an administrator what is so."""
        await self.do("create_volume", volume="secret")
        await self.do("create_bucket", volume="secret", bucket="target")
        said = set()
        for volume, bucket in (
            ("secret", "target"),
            ("secret", "absent"),
            ("absent", "target"),
        ):
            link = {"volume": "s3v", "bucket": f"to-{volume}-{bucket}"}
            source = {"source_volume": volume, "source_bucket": bucket}
            await self.do("link_bucket", ALICE, **link, **source)
            for name, more in (
                ("get_acl", {"source": True}),
                ("add_acl", {"acls": ["user:alice:a"]}),
                ("info_key", {"key": "key"}),
            ):
                with self.assertRaises(AdminError) as caught:
                    await self.do(name, ALICE, **link, **more)
                self.assertEqual(caught.exception.code, "PERMISSION_DENIED")
                said.add((name, caught.exception.message.replace(bucket, "")))
            if "absent" in (volume, bucket):
                await self.refused("BUCKET_NOT_FOUND", "get_acl", source=True, **link)
        self.assertEqual(len(said), 3)

    async def test_delete(self) -> None:
        """An empty bucket goes, with its uploads; one that holds a key stays."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **arguments)
        await self.refused("PERMISSION_DENIED", "delete_bucket", BOB, **arguments)
        await self.add_key("s3v", "bucket", "key", 1)
        await self.refused("BUCKET_NOT_EMPTY", "delete_bucket", ALICE, **arguments)
        await self.do("delete_key", ALICE, **arguments, key="key")
        await self.gateway.metadata.write(_begin_upload)
        await self.do("delete_bucket", ALICE, **arguments)
        await self.refused("BUCKET_NOT_FOUND", "info_bucket", **arguments)

    async def test_delete_recursively(self) -> None:
        """A bucket goes with all that is in it, so much at a time, and its volume uses nothing then."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", **arguments)
        for number in range(5):
            await self.add_key("s3v", "bucket", f"key{number}", 3)
        self.patch(buckets, "EMPTIED_AT_ONCE", 2)
        answers = [
            (await self.do("delete_bucket", **arguments, recursive=True))["deleted"]
            for _ in range(3)
        ]
        self.assertEqual(answers, [False, False, True])
        volume = await self.gateway.metadata.read(ask, "volume", ("s3v",))
        self.assertEqual((volume.used_bytes, volume.used_names), (0, 0))

    async def test_delete_recursively_is_noted(self) -> None:
        """What goes with its bucket is noted like all that goes, on behalf of who removes it, where somebody listens."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", **arguments)
        await self.gateway.metadata.write(_listen)
        await self.add_key("s3v", "bucket", "key", 3)
        await self.do("delete_bucket", **arguments, recursive=True)
        [event] = await self.gateway.metadata.read(ask, "events", (0, 9))
        self.assertEqual((event.name, event.key), ("ObjectRemoved:Delete", "key"))
        self.assertEqual(event.cause, Cause(ADMIN.user))


class LinkTests(CommandCase):
    """Links."""

    async def link(self, target: str, source: str, caller: Caller = ADMIN) -> Any:
        """Make a link of the S3 volume."""
        return await self.do(
            *("link_bucket", caller),
            volume="s3v",
            bucket=target,
            source_volume="s3v",
            source_bucket=source,
        )

    async def test_info(self) -> None:
        """A link is shown by what it points at, whether or not that is there."""
        shown = await self.link("link", "absent")
        self.assertEqual(
            shown,
            {
                "volumeName": "s3v",
                "name": "link",
                "sourceVolume": "s3v",
                "sourceBucket": "absent",
                "creationTime": "2026-11-18T11:06:40.250Z",
                "modificationTime": "2026-11-18T11:06:40.250Z",
                "owner": "admin",
                "link": True,
            },
        )
        arguments = {"volume": "s3v", "bucket": "link"}
        self.assertEqual(await self.do("info_bucket", **arguments), shown)

    async def test_keys(self) -> None:
        """Keys are found through chains of links; dangling links and loops say what they are."""
        await self.do("create_bucket", volume="s3v", bucket="bucket")
        await self.add_key("s3v", "bucket", "key", 1)
        await self.link("one", "bucket")
        await self.link("two", "one")
        await self.link("dangling", "absent")
        await self.link("loop", "pool")
        await self.link("pool", "loop")
        arguments = {"volume": "s3v", "key": "key"}
        found = await self.do("info_key", **arguments, bucket="two")
        self.assertEqual(found["dataSize"], 1)
        for name in ("info_key", "delete_key"):
            await self.refused("BUCKET_NOT_FOUND", name, **arguments, bucket="dangling")
            await self.refused(
                "DETECTED_LOOP_IN_BUCKET_LINKS", name, **arguments, bucket="loop"
            )
        for bucket, code in (
            ("dangling", "BUCKET_NOT_FOUND"),
            ("loop", "DETECTED_LOOP_IN_BUCKET_LINKS"),
        ):
            await self.refused(code, "list_keys", volume="s3v", bucket=bucket)
            await self.refused(
                code, "add_acl", volume="s3v", bucket=bucket, acls=["world::r"]
            )
            await self.do("delete_bucket", volume="s3v", bucket=bucket)

    async def test_delete(self) -> None:
        """A link goes however full its source is, also when everything is to go; the source stays as it is."""
        await self.do("create_bucket", volume="s3v", bucket="bucket")
        await self.add_key("s3v", "bucket", "key", 1)
        await self.link("link", "bucket")
        await self.do("delete_bucket", volume="s3v", bucket="link", recursive=True)
        found = await self.do("list_keys", volume="s3v", bucket="bucket")
        self.assertEqual([each["name"] for each in found], ["key"])

    async def test_acls(self) -> None:
        """What is changed through a link is its source's list; a link shows its own, or its source's when asked."""
        await self.do("create_bucket", volume="s3v", bucket="bucket")
        await self.link("link", "bucket")
        link = {"volume": "s3v", "bucket": "link"}
        await self.do("add_acl", **link, acls=["user:bob:rl"])
        own = await self.do("get_acl", **link)
        source = await self.do("get_acl", **link, source=True)
        self.assertEqual([each["name"] for each in own], ["admin", "WORLD"])
        self.assertEqual([each["name"] for each in source], ["admin", "bob"])
        self.assertEqual(
            source, await self.do("get_acl", volume="s3v", bucket="bucket")
        )
        self.assertEqual(
            [each["aclList"] for each in source], [["ALL"], ["READ", "LIST"]]
        )


class AclTests(CommandCase):
    """Access control lists."""

    async def test_changes(self) -> None:
        """Rights are added to and taken from an entry; what changes nothing says so."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", **arguments)

        async def change(name: str, *acls: str) -> list[bool]:
            done = await self.do(name, **arguments, acls=list(acls))
            return [each["changed"] for each in done]

        async def shown() -> dict[str, list[str]]:
            acls = await self.do("get_acl", **arguments)
            return {f"{x['type']}:{x['name']}": x["aclList"] for x in acls}

        self.assertEqual(
            await change("add_acl", "user:bob:r", "user:bob:r"), [True, False]
        )
        self.assertEqual(
            await change("add_acl", "user:bob:w", "group:g:l"), [True, True]
        )
        found = {
            "USER:admin": ["ALL"],
            "USER:bob": ["READ", "WRITE"],
            "GROUP:g": ["LIST"],
        }
        self.assertEqual(await shown(), found)
        self.assertEqual(
            await change("remove_acl", "user:bob:rx", "user:eve:r"), [True, False]
        )
        self.assertEqual(await change("remove_acl", "group:g:l"), [True])
        self.assertEqual(await shown(), {"USER:admin": ["ALL"], "USER:bob": ["WRITE"]})
        await change("set_acl", "world::r", "user:bob:r", "user:bob:l")
        found = {"WORLD:WORLD": ["READ"], "USER:bob": ["READ", "LIST"]}
        self.assertEqual(await shown(), found)

    async def test_who_may(self) -> None:
        """The list is shown by READ_ACL and changed by WRITE_ACL."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **arguments)
        await self.refused("PERMISSION_DENIED", "get_acl", BOB, **arguments)
        await self.do("add_acl", ALICE, **arguments, acls=["user:bob:x"])
        await self.do("get_acl", BOB, **arguments)
        change = {**arguments, "acls": ["user:bob:a"]}
        await self.refused("PERMISSION_DENIED", "add_acl", BOB, **change)
        await self.refused("PERMISSION_DENIED", "set_acl", BOB, **change)
        await self.do("add_acl", ALICE, **arguments, acls=["user:bob:y"])
        await self.do("add_acl", BOB, **change)

    async def test_malformed(self) -> None:
        """Entries of another form are refused, and so are none at all."""
        for acls in ([], ["bob"], ["user:bob:q"], ["user::r"], ["x:bob:r"], [7]):
            await self.refused("INVALID_REQUEST", "add_acl", volume="s3v", acls=acls)

    async def test_inherited(self) -> None:
        """What a volume's list has for what is made in it holds for new buckets."""
        await self.do("add_acl", volume="s3v", acls=["user:bob:rl[DEFAULT]"])
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", ALICE, **arguments)
        await self.do("info_bucket", BOB, **arguments)
        await self.do("list_keys", BOB, **arguments)


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


def _add_key(
    tx: IMetadataTransaction, volume: str, bucket: str, key: str, size: int
) -> None:
    found = tx.bucket(volume, bucket)
    assert found is not None
    claim_whole(tx, found)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), size)
    tx.add_version(found, version, Content(b"x" * size))


def _listen(tx: IMetadataTransaction) -> None:
    found = tx.bucket("s3v", "bucket")
    assert found is not None
    tx.claim(*Claim.whole(found))
    tx.set_configuration(found, "notification", b"<listens/>")


def _begin_upload(tx: IMetadataTransaction) -> None:
    found = tx.bucket("s3v", "bucket")
    assert found is not None
    claim_whole(tx, found)
    tx.add_upload(found, Upload("key", "id", tx.now(), "alice"))
