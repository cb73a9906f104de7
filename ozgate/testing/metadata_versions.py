"""Contract of metadata: versions, their members, their order, their parts."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from attrs import evolve

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Content, Extent, ObjectPart, ObjectVersion
from .metadata_base import (
    FULL,
    OWNER,
    START,
    MetadataTests,
    blob,
    doomed_names,
    extents,
    put,
    version,
)
from .metadata_needs import claim_whole

STRANGE_KEYS = (
    "a",
    "a/b",
    "a//b",
    "/",
    ".",
    "..",
    " ",
    "\n",
    "nul\0inside",
    "nul\0",
    "\0",
    "%2F",
    "+",
    "snow☃man",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "\U0001f600",
    "\U0010ffff",
    "123",
    "1e3",
    "x" * 1024,
)


CONTENTS = (
    Content(b"inline"),
    extents("a", "b"),
    Content(b""),
)
"""Bytes in a row, in blobs, and none."""


class VersionTests(MetadataTests):
    """Versions, where their bytes are, and which one is the latest."""

    async def latest(self, key: str = "key") -> Any:
        """The newest version of a key."""
        return await self.read("latest", self.bucket, key)

    async def version_ids(self) -> list[str]:
        """Version ids of all versions in the order of a listing."""
        page = await self.read("version_page", self.bucket, "", "", "", "", 1000)
        for item in page.items:
            found = await self.read("version", self.bucket, item.key, item.version_id)
            self.assertEqual(found.is_latest, item.is_latest)
        return [item.version_id for item in page.items]

    async def test_every_member(self) -> None:
        """A version comes back with every member as it was."""
        added = await self.write(put, self.bucket, "key", **FULL)
        self.assertEqual(await self.latest(), added)
        found = await self.read("version", self.bucket, "key", "v1")
        self.assertEqual(found, added)
        self.assertEqual(found.modified, START * 1000)

    async def test_plain_members(self) -> None:
        """A version with nothing set comes back with nothing set."""
        added = await self.write(put, self.bucket, "key", Content(b""))
        self.assertEqual(await self.latest(), added)
        self.assertIs((await self.latest()).is_latest, True)
        self.assertIs((await self.latest()).is_delete_marker, False)

    async def test_strange_keys(self) -> None:
        """Keys of any characters are apart from each other and come back exactly."""
        await self.write(_add, self.bucket)
        for key in STRANGE_KEYS:
            found = await self.latest(key)
            self.assertEqual(found.key, key)
            content = await self.read("content", self.bucket, found)
            self.assertEqual(content, Content(key.encode()))
        page = await self.read("page", self.bucket, "", "", "", 1000)
        self.assertEqual(
            [item.key for item in page.items],
            sorted(STRANGE_KEYS, key=lambda key: key.encode()),
        )

    async def test_inline_body(self) -> None:
        """A body kept in the row comes back byte for byte."""
        for body in (b"", b"\0", bytes(range(256)) * 64):
            found = await self.write(put, self.bucket, "key", Content(body))
            content = await self.read("content", self.bucket, found)
            self.assertEqual(content, Content(body))

    async def test_extents(self) -> None:
        """Extents come back in their order, with all 64 bits of checksums."""
        stored = Content(
            None,
            (
                Extent(blob("z", 1 << 40, (1 << 64) - 1), 1 << 39, 1 << 38),
                Extent(blob("a", 10, 0), 0, 10),
                Extent(blob("z", 1 << 40, (1 << 63) - 1), 0, 1),
                Extent(blob("m", 10, 1 << 63), 3, 4),
            ),
        )
        found = await self.write(put, self.bucket, "key", stored)
        content = await self.read("content", self.bucket, found)
        self.assertEqual(content, stored)

    async def test_absent(self) -> None:
        """A key, a version id or a bucket that is not there has no version."""
        await self.write(put, self.bucket, "key")
        elsewhere = Bucket("s3v", "x", OWNER, 1, number=self.bucket.number + 1000)
        for look in (
            ("latest", self.bucket, "ke"),
            ("latest", self.bucket, "key\0"),
            ("latest", elsewhere, "key"),
            ("version", self.bucket, "key", "v1"),
            ("version", self.bucket, "other", "null"),
        ):
            self.assertIsNone(await self.read(*look))

    async def test_overwrite(self) -> None:
        """Replacing the null version leaves one version, and dooms the old one's blobs."""
        self.assertEqual(await self.write(_overwrite, self.bucket), ["b1", "b2"])
        self.assertEqual(await self.version_ids(), ["null"])

    async def test_replaced_content(self) -> None:
        """Whatever the bytes of a version, and of the one that it replaces, are in: those of the new one are there, and nothing else."""
        for before, after in product(CONTENTS, repeat=2):
            found = await self.write(_replace, self.bucket, before, after)
            self.assertEqual(await self.latest(), found)
            content = await self.read("content", self.bucket, found)
            self.assertEqual(content, after)
            parts = await self.read("object_parts", self.bucket, found, 0, 10)
            self.assertEqual(list(parts), [])
            used = await self.read("recount", self.bucket)
            self.assertEqual(used, (after.length, 1))
            bucket = await self.read("bucket", "s3v", self.bucket.name)
            self.assertEqual((bucket.used_bytes, bucket.used_names), used)

    async def test_replaced_is_old(self) -> None:
        """The null version that is replaced need not be the latest."""
        self.assertEqual(await self.write(_replace_old, self.bucket), ["b1"])
        self.assertEqual(await self.version_ids(), ["null", "v1"])

    async def test_replaced_is_gone(self) -> None:
        """A version is added where the one that it is to replace is gone."""
        await self.write(_replace_gone, self.bucket)
        self.assertEqual(await self.version_ids(), ["null"])
        self.assertEqual(await self.read("recount", self.bucket), (4, 1))

    async def test_order_of_versions(self) -> None:
        """Versions of a key are listed newest first, and only the newest is the latest."""
        await self.write(_order_of_versions, self.bucket)
        self.assertEqual(await self.version_ids(), ["v4", "v3", "v2", "v1", "v0"])
        self.assertEqual((await self.latest()).version_id, "v4")
        older = await self.read("version", self.bucket, "key", "v2")
        self.assertFalse(older.is_latest)

    async def test_order_is_not_the_clock(self) -> None:
        """A version written after the wall clock was set back is the newest all the same."""
        await self.write(put, self.bucket, "key", version_id="v0")
        self.clock.rightNow -= 86400
        await self.write(put, self.bucket, "key", version_id="v1")
        self.assertEqual(await self.version_ids(), ["v1", "v0"])

    async def test_remove_latest(self) -> None:
        """When the latest version goes, the next newest becomes the latest."""
        await self.write(_remove_latest, self.bucket)
        for left in (["v1", "v0"], ["v0"], []):
            found = await self.latest()
            await self.write("remove_version", self.bucket, found)
            self.assertEqual(await self.version_ids(), left)
            page = await self.read("page", self.bucket, "", "", "", 10)
            self.assertEqual([item.etag for item in page.items], left[:1])
        self.assertIsNone(await self.latest())

    async def test_remove_older(self) -> None:
        """When an older version goes, the latest stays the latest."""
        await self.write(_remove_older, self.bucket)
        self.assertEqual(await self.version_ids(), ["v2", "v0"])
        self.assertEqual((await self.latest()).version_id, "v2")

    async def test_delete_marker(self) -> None:
        """A delete marker is a version that hides the key; removing it shows the key again."""
        await self.write(put, self.bucket, "key", version_id="v0")
        marker = await self.write(
            put,
            self.bucket,
            "key",
            Content(b""),
            version_id="v1",
            is_delete_marker=True,
        )
        self.assertEqual(await self.latest(), marker)
        page = await self.read("page", self.bucket, "", "", "", 10)
        self.assertEqual(page.items, ())
        self.assertEqual(await self.version_ids(), ["v1", "v0"])
        await self.write("remove_version", self.bucket, marker)
        page = await self.read("page", self.bucket, "", "", "", 10)
        self.assertEqual([item.key for item in page.items], ["key"])

    async def test_null_version_among_others(self) -> None:
        """The null version of a suspended bucket is found wherever it stands."""

        async def null() -> Any:
            return await self.read("version", self.bucket, "key", "null")

        await self.write(_add_ids, self.bucket, "v0", "null", "v1")
        self.assertFalse((await null()).is_latest)
        self.assertEqual(await self.version_ids(), ["v1", "null", "v0"])
        await self.write(_add_ids, self.bucket, "null")
        self.assertTrue((await null()).is_latest)
        self.assertEqual(await self.version_ids(), ["null", "v1", "v0"])
        await self.write(_add_ids, self.bucket, "v2")
        self.assertFalse((await null()).is_latest)
        self.assertEqual(await self.version_ids(), ["v2", "null", "v1", "v0"])

    async def test_replace_version(self) -> None:
        """Tags and metadata of one version change; its content and place stay."""
        changed = await self.write(_add_and_replace, self.bucket)
        found = await self.read("version", self.bucket, "key", "v1")
        self.assertEqual(found, changed)
        content = await self.read("content", self.bucket, found)
        self.assertEqual(content, extents("b1"))
        self.assertEqual(await self.version_ids(), ["v2", "v1", "v0"])
        self.assertEqual((await self.latest()).tags, {})
        await self.write("replace_version", self.bucket, evolve(found, tags={}))
        found = await self.read("version", self.bucket, "key", "v1")
        self.assertEqual(found.tags, {})

    async def test_replace_more(self) -> None:
        """What few versions have can be added to a version later, changed, and taken away again."""
        added = await self.write(put, self.bucket, "key", Content(b""))
        for more in ({"held": "yes"}, {"held": "no", "until": "2030"}, {}):
            changed = evolve(added, more=more)
            await self.write("replace_version", self.bucket, changed)
            self.assertEqual(await self.latest(), changed)

    async def test_object_parts(self) -> None:
        """Parts of an object come by number, after a number, to a limit, and go with it."""
        parts = [
            ObjectPart(1, 5 << 20, "AAAA", "0" * 32),
            ObjectPart(3, 5 << 30, start=5 << 20),
            ObjectPart(10000, 0, "BBBB", start=(5 << 20) + (5 << 30)),
        ]
        added = await self.write(_add_parts, self.bucket, parts)

        async def found(after: int, limit: int) -> list[ObjectPart]:
            return list(
                await self.read("object_parts", self.bucket, added, after, limit)
            )

        self.assertEqual(await found(0, 10), parts)
        self.assertEqual(await found(0, 2), parts[:2])
        self.assertEqual(await found(1, 1), parts[1:2])
        self.assertEqual(await found(10000, 10), [])
        self.assertEqual(await found(0, 0), [])
        await self.write("remove_version", self.bucket, added)
        self.assertEqual(await found(0, 10), [])

    async def test_versions_of_other_keys_stay(self) -> None:
        """Removing a version leaves all versions of other keys and buckets alone."""
        other = await self.add_bucket("other")
        self.assertEqual(
            await self.write(_versions_of_other_keys_stay, self.bucket, other),
            [True, True, False],
        )


def _add(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for key in STRANGE_KEYS:
        put(tx, bucket, key, Content(key.encode()))


def _overwrite(tx: IMetadataTransaction, bucket: Bucket) -> list[str]:
    put(tx, bucket, "key", extents("b1", "b2"))
    put(tx, bucket, "key", extents("b3"))
    return doomed_names(tx)


def _replace(
    tx: IMetadataTransaction, bucket: Bucket, before: Content, after: Content
) -> ObjectVersion:
    claim_whole(tx, bucket)
    there = tx.latest(bucket, "key")
    old = version(tx, "key", size=before.length, parts_count=2)
    parts = [ObjectPart(1, 1), ObjectPart(2, before.length - 1)]
    tx.add_version(bucket, old, before, parts, there)
    return put(tx, bucket, "key", after)


def _replace_old(tx: IMetadataTransaction, bucket: Bucket) -> list[str]:
    put(tx, bucket, "key", extents("b1"))
    put(tx, bucket, "key", extents("b2"), version_id="v1")
    put(tx, bucket, "key", extents("b3"))
    return doomed_names(tx)


def _replace_gone(tx: IMetadataTransaction, bucket: Bucket) -> None:
    gone = put(tx, bucket, "key", Content(b"longer"))
    tx.remove_version(bucket, gone)
    added = version(tx, "key", size=4)
    tx.add_version(bucket, added, Content(b"body"), (), gone)


def _order_of_versions(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for number in range(5):
        put(tx, bucket, "key", version_id=f"v{number}")


def _remove_latest(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for number in range(3):
        put(tx, bucket, "key", version_id=f"v{number}", etag=f"v{number}")


def _remove_older(tx: IMetadataTransaction, bucket: Bucket) -> None:
    for number in range(3):
        put(tx, bucket, "key", version_id=f"v{number}")
    found = tx.version(bucket, "key", "v1")
    assert found is not None
    tx.remove_version(bucket, found)


def _add_ids(tx: IMetadataTransaction, bucket: Bucket, *ids: str) -> None:
    for version_id in ids:
        put(tx, bucket, "key", etag=version_id, version_id=version_id)


def _add_and_replace(tx: IMetadataTransaction, bucket: Bucket) -> ObjectVersion:
    put(tx, bucket, "key", extents("b0"), version_id="v0")
    changed = put(tx, bucket, "key", extents("b1"), version_id="v1")
    put(tx, bucket, "key", extents("b2"), version_id="v2")
    changed = evolve(changed, is_latest=False, tags={"a": "b"}, metadata={"c": "d"})
    tx.replace_version(bucket, changed)
    return changed


def _add_parts(
    tx: IMetadataTransaction, bucket: Bucket, parts: Sequence[ObjectPart]
) -> ObjectVersion:
    claim_whole(tx, bucket)
    added = version(tx, "key", parts_count=3)
    # Where they start is found by the store.
    given = [evolve(part, start=0) for part in reversed(parts)]
    tx.add_version(bucket, added, extents("b1"), given)
    return added


def _versions_of_other_keys_stay(
    tx: IMetadataTransaction, bucket: Bucket, other: Bucket
) -> list[bool]:
    claim_whole(tx, bucket, other)
    put(tx, other, "key")
    put(tx, bucket, "key2")
    tx.remove_version(bucket, put(tx, bucket, "key"))
    return [
        found is not None
        for found in (
            tx.latest(other, "key"),
            tx.latest(bucket, "key2"),
            tx.latest(bucket, "key"),
        )
    ]
