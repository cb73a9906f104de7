"""Contract of metadata: versions of objects, multipart uploads and parts."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from typing import Any

from attrs import evolve

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Checksum, Content, Extent, ObjectPart, ObjectVersion
from .metadata_base import (
    OWNER,
    START,
    MetadataTests,
    blob,
    doomed_names,
    extents,
    part,
    put,
    upload,
    version,
)

FULL: dict[str, Any] = {
    "size": 5,
    "etag": "d41d8cd98f00b204e9800998ecf8427e-3",
    "owner": "täst/sćm@EXAMPLE.COM",
    "version_id": "v1",
    "storage_class": "STANDARD_IA",
    "headers": {"content-type": "text/plain; charset=utf-8", "expires": "never"},
    "metadata": {"color": "grün", "empty": ""},
    "tags": {"a key": "a\0value", "ключ": "=&<>\"'"},
    "checksum": Checksum("CRC32C", "COMPOSITE", "AAAAAA==-3"),
    "parts_count": 3,
}
"""A version with every member set."""

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


class VersionTests(MetadataTests):
    """Versions, where their bytes are, and which one is the latest."""

    async def latest(self, key: str = "key") -> Any:
        """The newest version of a key."""
        return await self.read(lambda tx: tx.latest(self.bucket, key))

    async def version_ids(self) -> list[str]:
        """Version ids of all versions in the order of a listing."""
        page = await self.read(
            lambda tx: tx.version_page(self.bucket, "", "", "", "", 1000)
        )
        for item in page.items:
            found = await self.read(
                lambda tx, i=item: tx.version(self.bucket, i.key, i.version_id)
            )
            self.assertEqual(found.is_latest, item.is_latest)
        return [item.version_id for item in page.items]

    async def test_every_member(self) -> None:
        """A version comes back with every member as it was."""
        added = await self.write(lambda tx: put(tx, self.bucket, "key", **FULL))
        self.assertEqual(await self.latest(), added)
        found = await self.read(lambda tx: tx.version(self.bucket, "key", "v1"))
        self.assertEqual(found, added)
        self.assertEqual(found.modified, START * 1000)

    async def test_plain_members(self) -> None:
        """A version with nothing set comes back with nothing set."""
        added = await self.write(lambda tx: put(tx, self.bucket, "key", Content(b"")))
        self.assertEqual(await self.latest(), added)
        self.assertIs((await self.latest()).is_latest, True)
        self.assertIs((await self.latest()).is_delete_marker, False)

    async def test_strange_keys(self) -> None:
        """Keys of any characters are apart from each other and come back exactly."""

        def add(tx: IMetadataTransaction) -> None:
            for key in STRANGE_KEYS:
                put(tx, self.bucket, key, Content(key.encode()))

        await self.write(add)
        for key in STRANGE_KEYS:
            found = await self.latest(key)
            self.assertEqual(found.key, key)
            content = await self.read(lambda tx, v=found: tx.content(self.bucket, v))
            self.assertEqual(content, Content(key.encode()))
        page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 1000))
        self.assertEqual(
            [item.key for item in page.items],
            sorted(STRANGE_KEYS, key=lambda key: key.encode()),
        )

    async def test_inline_body(self) -> None:
        """A body kept in the row comes back byte for byte."""
        for body in (b"", b"\0", bytes(range(256)) * 64):
            found = await self.write(
                lambda tx, b=body: put(tx, self.bucket, "key", Content(b))
            )
            content = await self.read(lambda tx, v=found: tx.content(self.bucket, v))
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
        found = await self.write(lambda tx: put(tx, self.bucket, "key", stored))
        content = await self.read(lambda tx: tx.content(self.bucket, found))
        self.assertEqual(content, stored)

    async def test_absent(self) -> None:
        """A key, a version id or a bucket that is not there has no version."""
        await self.write(lambda tx: put(tx, self.bucket, "key"))
        elsewhere = Bucket("s3v", "x", OWNER, 1, number=self.bucket.number + 1000)
        for look in (
            lambda tx: tx.latest(self.bucket, "ke"),
            lambda tx: tx.latest(self.bucket, "key\0"),
            lambda tx: tx.latest(elsewhere, "key"),
            lambda tx: tx.version(self.bucket, "key", "v1"),
            lambda tx: tx.version(self.bucket, "other", "null"),
        ):
            self.assertIsNone(await self.read(look))

    async def test_overwrite(self) -> None:
        """Replacing the null version leaves one version, and dooms the old one's blobs."""

        def interaction(tx: IMetadataTransaction) -> list[str]:
            put(tx, self.bucket, "key", extents("b1", "b2"))
            put(tx, self.bucket, "key", extents("b3"))
            return doomed_names(tx)

        self.assertEqual(await self.write(interaction), ["b1", "b2"])
        self.assertEqual(await self.version_ids(), ["null"])

    async def test_order_of_versions(self) -> None:
        """Versions of a key are listed newest first, and only the newest is the latest."""

        def interaction(tx: IMetadataTransaction) -> None:
            for number in range(5):
                put(tx, self.bucket, "key", version_id=f"v{number}")

        await self.write(interaction)
        self.assertEqual(await self.version_ids(), ["v4", "v3", "v2", "v1", "v0"])
        self.assertEqual((await self.latest()).version_id, "v4")
        older = await self.read(lambda tx: tx.version(self.bucket, "key", "v2"))
        self.assertFalse(older.is_latest)

    async def test_order_is_not_the_clock(self) -> None:
        """A version written after the wall clock was set back is the newest all the same."""
        await self.write(lambda tx: put(tx, self.bucket, "key", version_id="v0"))
        self.clock.rightNow -= 86400
        await self.write(lambda tx: put(tx, self.bucket, "key", version_id="v1"))
        self.assertEqual(await self.version_ids(), ["v1", "v0"])

    async def test_remove_latest(self) -> None:
        """When the latest version goes, the next newest becomes the latest."""

        def interaction(tx: IMetadataTransaction) -> None:
            for number in range(3):
                put(tx, self.bucket, "key", version_id=f"v{number}", etag=f"v{number}")

        await self.write(interaction)
        for left in (["v1", "v0"], ["v0"], []):
            found = await self.latest()
            await self.write(lambda tx, v=found: tx.remove_version(self.bucket, v))
            self.assertEqual(await self.version_ids(), left)
            page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 10))
            self.assertEqual([item.etag for item in page.items], left[:1])
        self.assertIsNone(await self.latest())

    async def test_remove_older(self) -> None:
        """When an older version goes, the latest stays the latest."""

        def interaction(tx: IMetadataTransaction) -> None:
            for number in range(3):
                put(tx, self.bucket, "key", version_id=f"v{number}")
            found = tx.version(self.bucket, "key", "v1")
            assert found is not None
            tx.remove_version(self.bucket, found)

        await self.write(interaction)
        self.assertEqual(await self.version_ids(), ["v2", "v0"])
        self.assertEqual((await self.latest()).version_id, "v2")

    async def test_delete_marker(self) -> None:
        """A delete marker is a version that hides the key; removing it shows the key again."""
        await self.write(lambda tx: put(tx, self.bucket, "key", version_id="v0"))
        marker = await self.write(
            lambda tx: put(
                tx,
                self.bucket,
                "key",
                Content(b""),
                version_id="v1",
                is_delete_marker=True,
            )
        )
        self.assertEqual(await self.latest(), marker)
        page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 10))
        self.assertEqual(page.items, ())
        self.assertEqual(await self.version_ids(), ["v1", "v0"])
        await self.write(lambda tx: tx.remove_version(self.bucket, marker))
        page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 10))
        self.assertEqual([item.key for item in page.items], ["key"])

    async def test_null_version_among_others(self) -> None:
        """The null version of a suspended bucket is found wherever it stands."""

        def add(tx: IMetadataTransaction, *ids: str) -> None:
            for version_id in ids:
                put(tx, self.bucket, "key", etag=version_id, version_id=version_id)

        async def null() -> Any:
            return await self.read(lambda tx: tx.version(self.bucket, "key", "null"))

        await self.write(add, "v0", "null", "v1")
        self.assertFalse((await null()).is_latest)
        self.assertEqual(await self.version_ids(), ["v1", "null", "v0"])
        await self.write(add, "null")
        self.assertTrue((await null()).is_latest)
        self.assertEqual(await self.version_ids(), ["null", "v1", "v0"])
        await self.write(add, "v2")
        self.assertFalse((await null()).is_latest)
        self.assertEqual(await self.version_ids(), ["v2", "null", "v1", "v0"])

    async def test_replace_version(self) -> None:
        """Tags and metadata of one version change; its content and place stay."""

        def add(tx: IMetadataTransaction) -> ObjectVersion:
            put(tx, self.bucket, "key", extents("b0"), version_id="v0")
            changed = put(tx, self.bucket, "key", extents("b1"), version_id="v1")
            put(tx, self.bucket, "key", extents("b2"), version_id="v2")
            changed = evolve(
                changed, is_latest=False, tags={"a": "b"}, metadata={"c": "d"}
            )
            tx.replace_version(self.bucket, changed)
            return changed

        changed = await self.write(add)
        found = await self.read(lambda tx: tx.version(self.bucket, "key", "v1"))
        self.assertEqual(found, changed)
        content = await self.read(lambda tx: tx.content(self.bucket, found))
        self.assertEqual(content, extents("b1"))
        self.assertEqual(await self.version_ids(), ["v2", "v1", "v0"])
        self.assertEqual((await self.latest()).tags, {})
        await self.write(
            lambda tx: tx.replace_version(self.bucket, evolve(found, tags={}))
        )
        found = await self.read(lambda tx: tx.version(self.bucket, "key", "v1"))
        self.assertEqual(found.tags, {})

    async def test_object_parts(self) -> None:
        """Parts of an object come by number, after a number, to a limit, and go with it."""
        parts = [
            ObjectPart(1, 5 << 20, "AAAA", "0" * 32),
            ObjectPart(3, 5 << 30, start=5 << 20),
            ObjectPart(10000, 0, "BBBB", start=(5 << 20) + (5 << 30)),
        ]

        def add(tx: IMetadataTransaction) -> ObjectVersion:
            added = version(tx, "key", parts_count=3)
            # Where they start is found by the store.
            given = [evolve(part, start=0) for part in reversed(parts)]
            tx.add_version(self.bucket, added, extents("b1"), given)
            return added

        added = await self.write(add)

        async def found(after: int, limit: int) -> list[ObjectPart]:
            return list(
                await self.read(
                    lambda tx: tx.object_parts(self.bucket, added, after, limit)
                )
            )

        self.assertEqual(await found(0, 10), parts)
        self.assertEqual(await found(0, 2), parts[:2])
        self.assertEqual(await found(1, 1), parts[1:2])
        self.assertEqual(await found(10000, 10), [])
        self.assertEqual(await found(0, 0), [])
        await self.write(lambda tx: tx.remove_version(self.bucket, added))
        self.assertEqual(await found(0, 10), [])

    async def test_versions_of_other_keys_stay(self) -> None:
        """Removing a version leaves all versions of other keys and buckets alone."""
        other = await self.add_bucket("other")

        def interaction(tx: IMetadataTransaction) -> list[bool]:
            put(tx, other, "key")
            put(tx, self.bucket, "key2")
            tx.remove_version(self.bucket, put(tx, self.bucket, "key"))
            return [
                found is not None
                for found in (
                    tx.latest(other, "key"),
                    tx.latest(self.bucket, "key2"),
                    tx.latest(self.bucket, "key"),
                )
            ]

        self.assertEqual(await self.write(interaction), [True, True, False])


class UploadTests(MetadataTests):
    """Multipart uploads and their parts."""

    async def test_upload(self) -> None:
        """An upload comes back with every member; others of the key are others."""
        members = {
            name: FULL[name]
            for name in ("storage_class", "headers", "metadata", "tags")
        }
        begun = await self.write(
            lambda tx: upload(
                tx,
                self.bucket,
                "key",
                "u1",
                checksum_algorithm="CRC64NVME",
                checksum_type="FULL_OBJECT",
                **members,
            )
        )
        await self.write(lambda tx: upload(tx, self.bucket, "key", "u2"))
        found = await self.read(lambda tx: tx.upload(self.bucket, "key", "u1"))
        self.assertEqual(found, begun)
        for key, upload_id in (("key", "u3"), ("other", "u1")):
            missing = await self.read(
                lambda tx, k=key, u=upload_id: tx.upload(self.bucket, k, u)
            )
            self.assertIsNone(missing)

    async def test_parts(self) -> None:
        """Parts come by number, with their content, after a number, to a limit."""
        begun = await self.write(lambda tx: upload(tx, self.bucket, "key", "u1"))
        stored = [
            part(1, "b1", checksums={"CRC64NVME": "AAAA", "SHA256": "BBBB"}),
            part(2, "b2", "b3", "b2"),
            part(7),
            part(10000, "b4"),
        ]

        def put_all(tx: IMetadataTransaction) -> None:
            for one in reversed(stored):
                tx.put_part(self.bucket, begun, one)

        await self.write(put_all)

        async def found(after: int, limit: int) -> list[Any]:
            return list(
                await self.read(lambda tx: tx.parts(self.bucket, begun, after, limit))
            )

        self.assertEqual(await found(0, 100), stored)
        self.assertEqual(await found(0, 2), stored[:2])
        self.assertEqual(await found(1, 1), stored[1:2])
        self.assertEqual(await found(2, 1), stored[2:3])
        self.assertEqual(await found(3, 100), stored[2:])
        self.assertEqual(await found(10000, 100), [])
        self.assertEqual(await found(0, 0), [])

        def bare(tx: IMetadataTransaction) -> Any:
            return (
                list(tx.parts(self.bucket, begun, 1, 2, False)),
                [tx.count_extents(self.bucket, begun, most) for most in (9, 5, 3)],
            )

        without = [evolve(one, content=Content()) for one in stored[1:3]]
        self.assertEqual(await self.read(bare), (without, [5, 5, 3]))

    async def test_part_again(self) -> None:
        """A part sent again replaces the first, whose blobs are doomed."""
        begun = await self.write(lambda tx: upload(tx, self.bucket, "key", "u1"))

        def again(tx: IMetadataTransaction) -> Any:
            tx.put_part(self.bucket, begun, part(1, "b1", "b2"))
            tx.put_part(self.bucket, begun, part(2, "b9"))
            tx.put_part(self.bucket, begun, part(1, "b3"))
            return list(tx.parts(self.bucket, begun, 0, 10)), doomed_names(tx)

        expected = [part(1, "b3"), part(2, "b9")], ["b1", "b2"]
        self.assertEqual(await self.write(again), expected)

    async def test_complete(self) -> None:
        """A completed upload keeps what it became, loses its parts, and dooms what nothing names."""
        begun = await self.write(lambda tx: upload(tx, self.bucket, "key", "u1"))

        def complete(tx: IMetadataTransaction) -> Any:
            tx.put_part(self.bucket, begun, part(1, "b1"))
            tx.put_part(self.bucket, begun, part(2, "b2"))
            became = version(tx, "key", **FULL)
            tx.add_version(self.bucket, became, extents("b2"))
            completed = evolve(begun, completed=became, completed_parts="digest")
            tx.complete_upload(self.bucket, completed)
            return completed

        completed = await self.write(complete)
        found = await self.read(lambda tx: tx.upload(self.bucket, "key", "u1"))
        self.assertEqual(found, completed)
        left = await self.read(lambda tx: list(tx.parts(self.bucket, begun, 0, 10)))
        self.assertEqual(left, [])
        self.assertIn("b1", await self.read(doomed_names))
        self.assertFalse(await self.read(lambda tx: tx.is_named("files", "b1")))
        self.assertTrue(await self.read(lambda tx: tx.is_named("files", "b2")))
        page = await self.read(
            lambda tx: tx.upload_page(self.bucket, "", "", "", "", 10)
        )
        self.assertEqual(page.items, ())

    async def test_completed_version_outlives_the_object(self) -> None:
        """A completed upload tells what it became also when that object is gone."""
        begun = await self.write(lambda tx: upload(tx, self.bucket, "key", "u1"))

        def complete(tx: IMetadataTransaction) -> ObjectVersion:
            became = put(tx, self.bucket, "key")
            tx.complete_upload(self.bucket, evolve(begun, completed=became))
            tx.remove_version(self.bucket, became)
            return became

        became = await self.write(complete)
        found = await self.read(lambda tx: tx.upload(self.bucket, "key", "u1"))
        self.assertEqual(found.completed, became)

    async def test_remove_upload(self) -> None:
        """An upload that is removed is gone with its parts, whose blobs are doomed."""

        def remove(tx: IMetadataTransaction) -> Any:
            begun = upload(tx, self.bucket, "key", "u1")
            other = upload(tx, self.bucket, "key", "u2")
            tx.put_part(self.bucket, begun, part(1, "b1"))
            tx.put_part(self.bucket, begun, part(2, "b2"))
            tx.put_part(self.bucket, other, part(1, "b3"))
            tx.remove_upload(self.bucket, begun)
            return (
                tx.upload(self.bucket, "key", "u1"),
                list(tx.parts(self.bucket, begun, 0, 10)),
                len(tx.parts(self.bucket, other, 0, 10)),
                doomed_names(tx),
            )

        expected: Any = (None, [], 1, ["b1", "b2"])
        self.assertEqual(await self.write(remove), expected)

    async def test_copied_part_shares_its_blob(self) -> None:
        """A part made of another object's bytes leaves that object whole when it goes."""

        def interaction(tx: IMetadataTransaction) -> Any:
            put(tx, self.bucket, "source", extents("b1"))
            begun = upload(tx, self.bucket, "key", "u1")
            tx.put_part(self.bucket, begun, part(1, "b1"))
            tx.remove_upload(self.bucket, begun)
            return tx.is_named("files", "b1")

        self.assertTrue(await self.write(interaction))

    async def test_blobs(self) -> None:
        """What versions and parts name is listed once each, by id, a page at a time; other stores' blobs are not."""

        def interaction(tx: IMetadataTransaction) -> None:
            put(tx, self.bucket, "one", extents("b2", "b4"))
            put(tx, self.bucket, "two", extents("b4", "b1"))
            begun = upload(tx, self.bucket, "key", "u1")
            tx.put_part(self.bucket, begun, part(1, "b3", "b4"))

        await self.write(interaction)

        async def found(store: str, after: str, limit: int) -> list[Any]:
            return list(await self.read(lambda tx: tx.blobs(store, after, limit)))

        everything = [blob(name) for name in ("b1", "b2", "b3", "b4")]
        self.assertEqual(await found("files", "", 10), everything)
        self.assertEqual(await found("files", "", 2), everything[:2])
        self.assertEqual(await found("files", "b2", 2), everything[2:])
        self.assertEqual(await found("files", "b4", 2), [])
        self.assertEqual(await found("others", "", 10), [])

    async def test_is_doomed(self) -> None:
        """What lost its last name is on the list until it is taken off; what has one is not."""

        def interaction(tx: IMetadataTransaction) -> Any:
            put(tx, self.bucket, "one", extents("b1", "b2"))
            put(tx, self.bucket, "two", extents("b2"))
            put(tx, self.bucket, "one", Content(b"body"))
            doomed = [tx.is_doomed("files", name) for name in ("b1", "b2", "b3")]
            tx.forget_doomed([blob("b1")])
            return doomed, tx.is_doomed("files", "b1")

        expected: Any = ([True, False, False], False)
        self.assertEqual(await self.write(interaction), expected)

    async def test_uploads_before(self) -> None:
        """Uploads of all buckets begun before a time come oldest first, completed ones too."""
        other = await self.add_bucket("other", versioning="Enabled")
        begun = []
        for bucket, upload_id in ((other, "u3"), (self.bucket, "u2"), (other, "u1")):
            one = await self.write(
                lambda tx, b=bucket, u=upload_id: upload(tx, b, "key", u)
            )
            begun.append((bucket, one))
            self.clock.advance(1)
        done = evolve(begun[1][1], completed=ObjectVersion("key", 1, 1))
        await self.write(lambda tx: tx.complete_upload(self.bucket, done))
        begun[1] = (self.bucket, done)

        async def found(before: int, limit: int) -> list[Any]:
            return list(await self.read(lambda tx: tx.uploads_before(before, limit)))

        now = START * 1000
        self.assertEqual(await found(now + 9000, 10), begun)
        self.assertEqual(await found(now + 9000, 2), begun[:2])
        self.assertEqual(await found(now + 2000, 10), begun[:2])
        self.assertEqual(await found(now, 10), [])
        self.assertEqual(await found(now + 9000, 0), [])
