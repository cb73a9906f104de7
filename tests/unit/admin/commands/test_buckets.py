"""Buckets and links behind ``ozgate sh``: rules, codes, who may do what; on stores in memory."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from ozgate.admin.caller import Caller
from ozgate.admin.commands import buckets
from ozgate.admin.errors import AdminError
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.configuration.objectlock import JUST_ON, OBJECT_LOCK
from ozgate.testing.metadata_base import ask
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Cause, Claim, Upload
from tests.unit.admin.commands.support import ADMIN, ALICE, BOB, CommandCase


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

    async def test_beginning(self) -> None:
        """A new bucket has no document; under other settings it has those that say so."""
        await self.do("create_bucket", volume="s3v", bucket="new", namespace_quota=9)
        self.assertEqual(await self.gateway.metadata.read(_configured, "new"), set())
        self.gateway.settings = evolve(
            self.gateway.settings,
            new_bucket_ownership="ObjectWriter",
            new_bucket_blocked=False,
        )
        await self.do("create_bucket", volume="s3v", bucket="old", namespace_quota=9)
        kinds = await self.gateway.metadata.read(_configured, "old")
        self.assertEqual(kinds, {"ownership", "publicAccessBlock"})

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

    async def test_object_lock(self) -> None:
        """A bucket with object lock goes empty alone: nothing in it does before it, be it locked or not."""
        arguments = {"volume": "s3v", "bucket": "bucket"}
        await self.do("create_bucket", **arguments)
        await self.gateway.metadata.write(_have_object_lock)
        await self.add_key("s3v", "bucket", "key", 3)
        for recursive in (False, True):
            await self.refused(
                "BUCKET_NOT_EMPTY", "delete_bucket", **arguments, recursive=recursive
            )
        shown = await self.do("info_bucket", **arguments)
        self.assertEqual(shown["usedNamespace"], 1)

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


def _have_object_lock(tx: IMetadataTransaction) -> None:
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    tx.claim(*Claim.whole(bucket))
    tx.set_configuration(bucket, OBJECT_LOCK.kind, OBJECT_LOCK.document.render(JUST_ON))


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


def _configured(tx: IMetadataTransaction, name: str) -> frozenset[str]:
    found = tx.bucket("s3v", name)
    assert found is not None
    kinds: frozenset[str] = found.configured
    return kinds
