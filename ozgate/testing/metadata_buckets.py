"""Contract of metadata: volumes, buckets and links, with their members and configurations."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from functools import partial
from typing import Any

from attrs import evolve
from twisted.internet.defer import DeferredList

from ..interfaces import IMetadataTransaction, IShared
from ..secondlook import claimed
from ..values import Acl, Bucket, Claim, Content, Volume
from .metadata_base import (
    OWNER,
    START,
    MetadataTests,
    Refused,
    doomed_names,
    part,
    put,
    upload,
    version,
)
from .metadata_needs import claim_whole

ACLS = (Acl.parse("user:alice/scm@EXAMPLE.COM:rwl[ACCESS]"), Acl.parse("world::r"))


class BucketTests(MetadataTests):
    """Volumes, buckets, links and their configurations."""

    async def test_volume(self) -> None:
        """A volume is found by its name, with a number of its own."""
        added = await self.write("add_volume", Volume("v", "me", START * 1000))
        now = START * 1000
        self.assertEqual(added, Volume("v", "me", now, added.number, modified=now))
        self.assertGreater(added.number, 0)
        self.assertEqual(await self.read("volume", "v"), added)
        self.assertIsNone(await self.read("volume", "w"))

    async def test_volumes(self) -> None:
        """Volumes are listed by name, after a name, with a prefix, to a limit."""
        await self.write(_add)

        async def names(*args: Any) -> list[str]:
            return [v.name for v in await self.read("volumes", *args)]

        everything = ["a1", "a2", "b", "b1", "b2", "b3", "s3v"]
        self.assertEqual(await names("", "", 100), everything)
        self.assertEqual(await names("b", "", 100), ["b", "b1", "b2", "b3"])
        self.assertEqual(await names("b", "b1", 1), ["b2"])
        self.assertEqual(await names("b", "c", 100), [])
        self.assertEqual(await names("b", "a", 2), ["b", "b1"])
        self.assertEqual(await names("", "", 0), [])

    async def test_remove_volume(self) -> None:
        """A removed volume is gone."""
        self.assertIsNone(await self.write(_remove_volume))

    async def test_bucket(self) -> None:
        """A bucket comes back as it was stored, with a number."""
        added = await self.add_bucket("b", region="eu-west-1", versioning="Enabled")
        self.assertGreater(added.number, 0)
        found = await self.read("bucket", "s3v", "b")
        self.assertEqual(found, added)
        self.assertEqual(
            found,
            Bucket(
                "s3v",
                "b",
                OWNER,
                START * 1000,
                "eu-west-1",
                "Enabled",
                number=added.number,
                modified=START * 1000,
            ),
        )

    async def test_no_bucket(self) -> None:
        """There is no bucket of another name, nor in a volume that is not there."""
        self.assertIsNone(await self.read("bucket", "s3v", "other"))
        self.assertIsNone(await self.read("bucket", "none", "bucket"))

    async def test_link(self) -> None:
        """A link says what it points at, whether or not that is there."""
        added = await self.add_bucket("link", source=("vol1", "there"))
        found = await self.read("bucket", "s3v", "link")
        self.assertEqual(found.source, ("vol1", "there"))
        self.assertEqual(found, added)
        self.assertIsNone(self.bucket.source)

    async def test_same_name_in_two_volumes(self) -> None:
        """Buckets of one name in two volumes are two buckets."""
        other = await self.write(_add_same_name)
        self.assertNotEqual(other.number, self.bucket.number)
        await self.write(put, other, "key")
        self.assertIsNone(await self.read("latest", self.bucket, "key"))

    async def test_buckets(self) -> None:
        """Buckets of one volume are listed by name, after a name, with a prefix, to a limit."""
        await self.write(_add_buckets)

        async def names(*args: Any) -> list[str]:
            buckets = await self.read("buckets", "s3v", *args)
            return [bucket.name for bucket in buckets]

        everything = ["bucket", "w", "x-a", "x.b", "xc"]
        self.assertEqual(await names("", "", 100), everything)
        self.assertEqual(await names("x", "", 100), ["x-a", "x.b", "xc"])
        self.assertEqual(await names("x", "x-a", 1), ["x.b"])
        self.assertEqual(await names("", "x.b", 100), ["xc"])
        self.assertEqual(await names("", "", 0), [])
        self.assertEqual(list(await self.read("buckets", "?", "", "", 9)), [])

    async def test_replace_bucket(self) -> None:
        """Owner and versioning of a bucket can be changed."""
        changed = evolve(self.bucket, owner="other", versioning="Suspended")
        await self.write("replace_bucket", changed)
        found = await self.read("bucket", "s3v", "bucket")
        self.assertEqual(found, changed)

    async def test_numbers_are_not_reused(self) -> None:
        """A bucket made after another was removed has a new number, and nothing of the old one."""
        last = await self.add_bucket("b")
        await self.write("set_configuration", last, "cors", b"<x/>")
        await self.write("remove_bucket", last)
        again = await self.add_bucket("b")
        self.assertGreater(again.number, last.number)
        self.assertIsNone(await self.read("configuration", again, "cors"))

    async def test_remove_bucket(self) -> None:
        """A removed bucket is gone with its configurations and uploads, whose blobs are doomed."""
        await self.write(_remove_bucket, self.bucket)
        self.assertIsNone(await self.read("bucket", "s3v", "bucket"))
        self.assertIsNone(await self.read("configuration", self.bucket, "policy"))
        self.assertIsNone(await self.read("upload", self.bucket, "key", "u1"))
        self.assertEqual(await self.read(doomed_names), ["b1", "b2"])
        left = await self.read("uploads_before", 1 << 50, 10)
        self.assertEqual(list(left), [])

    async def test_is_empty(self) -> None:
        """A bucket with a version or a delete marker is not empty; uploads do not count."""

        async def is_empty() -> bool:
            return bool(await self.read("is_empty", self.bucket))

        self.assertTrue(await is_empty())
        await self.write(upload, self.bucket, "key", "u1")
        self.assertTrue(await is_empty())
        added = await self.write(
            put, self.bucket, "k", Content(b""), is_delete_marker=True
        )
        self.assertFalse(await is_empty())
        await self.write("remove_version", self.bucket, added)
        self.assertTrue(await is_empty())

    async def test_configuration(self) -> None:
        """Configuration documents are kept by kind, replaced and removed."""

        async def document(kind: str) -> object:
            return await self.read("configuration", self.bucket, kind)

        self.assertIsNone(await document("policy"))
        for kind, text in (("policy", b"{}"), ("cors", b"\0\xff"), ("policy", b"{1}")):
            await self.write("set_configuration", self.bucket, kind, text)
        self.assertEqual(await document("policy"), b"{1}")
        self.assertEqual(await document("cors"), b"\0\xff")
        await self.write("set_configuration", self.bucket, "policy", None)
        await self.write("set_configuration", self.bucket, "never", None)
        self.assertIsNone(await document("policy"))
        self.assertEqual(await document("cors"), b"\0\xff")

    async def test_configured(self) -> None:
        """A bucket says which documents it has, however they came and went, and nothing else of it changes."""

        async def configured() -> frozenset[str]:
            found = await self.read("bucket", "s3v", "bucket")
            self.assertEqual(evolve(found, configured=frozenset()), self.bucket)
            [listed] = await self.read("buckets", "s3v", "", "", 9)
            self.assertEqual(listed, found)
            return frozenset(found.configured)

        self.assertEqual(await configured(), frozenset())
        for kind in ("policy", "cors", "policy"):
            await self.write("set_configuration", self.bucket, kind, b"{}")
        self.assertEqual(await configured(), {"policy", "cors"})
        for kind in ("policy", "never"):
            await self.write("set_configuration", self.bucket, kind, None)
        self.assertEqual(await configured(), {"cors"})
        await self.write("set_configuration", self.bucket, "cors", None)
        self.assertEqual(await configured(), frozenset())

    async def test_configured_is_kept(self) -> None:
        """Which documents a bucket has is no member that a caller changes."""
        there = frozenset({"policy"})
        made = Bucket("s3v", "b", OWNER, START * 1000, configured=there)
        added = await self.write("add_bucket", made)
        self.assertEqual(added.configured, frozenset())
        self.assertEqual(await self.read("bucket", "s3v", "b"), added)
        await self.write("set_configuration", added, "cors", b"{}")
        await self.write("replace_bucket", evolve(added, configured=there))
        found = await self.read("bucket", "s3v", "b")
        self.assertEqual(found.configured, {"cors"})

    async def test_delete_bucket_and_put_race(self) -> None:
        """A bucket removed between two writes leaves no orphan behind."""
        outcomes = await DeferredList(
            [
                self.write(_remove, self.bucket),
                self.write(_add_key),
            ],
            consumeErrors=True,
        )
        succeeded = [each for each, _ in outcomes]
        if not IShared.providedBy(self.store):
            self.assertEqual(succeeded, [True, False])
        self.assertEqual(sorted(succeeded), [False, True])
        found = await self.read("bucket", "s3v", "bucket")
        self.assertEqual(found is None, succeeded[0])
        self.assertIsNone(
            await self.read("latest", self.bucket, "key") if succeeded[0] else None
        )

    async def test_volume_members(self) -> None:
        """A volume's members come back as stored, at first and when replaced."""
        made = Volume(
            "v",
            "alice",
            START * 1000,
            admin="root",
            quota_bytes=1 << 60,
            quota_names=7,
            acls=ACLS,
        )
        added = await self.write("add_volume", made)
        self.assertEqual(
            added, evolve(made, number=added.number, modified=START * 1000)
        )
        self.clock.advance(2)
        changed = evolve(
            added, owner="bob", admin="me", quota_bytes=-1, quota_names=0, acls=()
        )
        await self.write("replace_volume", changed)
        expected = evolve(changed, modified=(START + 2) * 1000)
        self.assertEqual(await self.read("volume", "v"), expected)
        listed = await self.read("volumes", "v", "", 9)
        self.assertEqual(list(listed), [expected])

    async def test_bucket_members(self) -> None:
        """A bucket's members come back as stored, at first and when replaced."""
        members = {"quota_bytes": 1 << 60, "quota_names": 7, "acls": ACLS}
        added = await self.add_bucket("b", layout="LEGACY", **members)
        self.assertEqual(await self.read("bucket", "s3v", "b"), added)
        self.assertEqual(added.acls, ACLS)
        await self.write(put, added, "k")
        self.clock.advance(2)
        changed = evolve(
            added,
            owner="bob",
            versioning="Suspended",
            quota_bytes=0,
            quota_names=-1,
            acls=ACLS[1:],
            layout="OBJECT_STORE",
        )
        await self.write("replace_bucket", changed)
        now = (START + 2) * 1000
        expected = evolve(changed, modified=now, used_bytes=4, used_names=1)
        self.assertEqual(await self.read("bucket", "s3v", "b"), expected)
        listed = await self.read("buckets", "s3v", "b", "b", 1)
        self.assertEqual(listed[0].name, "bucket")


def _add(tx: IMetadataTransaction) -> None:
    names = ("b1", "a2", "b3", "a1", "b2", "b")
    tx.claim(*map(Claim.volume, names))
    for name in names:
        tx.add_volume(Volume(name, OWNER, tx.now()))


def _remove_volume(tx: IMetadataTransaction) -> Volume | None:
    tx.claim(Claim.volume("v"))
    tx.remove_volume(tx.add_volume(Volume("v", OWNER, tx.now())))
    return tx.volume("v")


def _add_same_name(tx: IMetadataTransaction) -> Bucket:
    tx.claim(Claim.volume("v"), Claim.name("v", "bucket"))
    tx.add_volume(Volume("v", OWNER, tx.now()))
    return tx.add_bucket(Bucket("v", "bucket", OWNER, tx.now()))


def _add_buckets(tx: IMetadataTransaction) -> None:
    names = ("x.b", "x-a", "xc", "w")
    tx.claim(
        *(Claim.volume("v"), Claim.volume("s3v", shared=True)),
        *(Claim.name("v", "foreign"), *(Claim.name("s3v", name) for name in names)),
    )
    tx.add_volume(Volume("v", OWNER, tx.now()))
    tx.add_bucket(Bucket("v", "foreign", OWNER, tx.now()))
    for name in names:
        tx.add_bucket(Bucket("s3v", name, OWNER, tx.now()))


def _remove_bucket(tx: IMetadataTransaction, bucket: Bucket) -> None:
    claim_whole(tx, bucket)
    tx.set_configuration(bucket, "policy", b"{}")
    begun = upload(tx, bucket, "key", "u1")
    tx.put_part(bucket, begun, part(1, "b1", "b2"))
    tx.remove_bucket(bucket)


def _remove(tx: IMetadataTransaction, bucket: Bucket) -> None:
    claim_whole(tx, bucket)
    if not tx.is_empty(bucket):
        raise Refused()
    tx.remove_bucket(bucket)


def _add_key(tx: IMetadataTransaction) -> None:
    found = claimed(tx, partial(tx.bucket, "s3v", "bucket"), _whole)
    if found is None:
        raise Refused()
    tx.add_version(found, version(tx, "key"), Content(b"x"))


def _whole(found: Bucket | None) -> tuple[Claim, ...]:
    return () if found is None else Claim.whole(found)
