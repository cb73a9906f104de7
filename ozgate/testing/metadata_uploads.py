"""Contract of metadata: multipart uploads and their parts."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Content, ObjectVersion, Part, Upload
from .metadata_base import (
    FULL,
    START,
    MetadataTests,
    doomed_names,
    extents,
    part,
    put,
    upload,
    version,
)
from .metadata_needs import claim_whole


class UploadTests(MetadataTests):
    """Multipart uploads and their parts."""

    async def test_upload(self) -> None:
        """An upload comes back with every member; others of the key are others."""
        members = {
            name: FULL[name]
            for name in ("storage_class", "headers", "metadata", "tags", "more")
        }
        begun = await self.write(
            upload,
            self.bucket,
            "key",
            "u1",
            checksum_algorithm="CRC64NVME",
            checksum_type="FULL_OBJECT",
            **members,
        )
        await self.write(upload, self.bucket, "key", "u2")
        found = await self.read("upload", self.bucket, "key", "u1")
        self.assertEqual(found, begun)
        for key, upload_id in (("key", "u3"), ("other", "u1")):
            missing = await self.read("upload", self.bucket, key, upload_id)
            self.assertIsNone(missing)

    async def test_parts(self) -> None:
        """Parts come by number, with their content, after a number, to a limit."""
        begun = await self.write(upload, self.bucket, "key", "u1")
        stored = [
            part(1, "b1", checksums={"CRC64NVME": "AAAA", "SHA256": "BBBB"}),
            part(2, "b2", "b3", "b2"),
            part(7),
            part(10000, "b4"),
        ]
        await self.write(_put_all, self.bucket, begun, stored)

        async def found(after: int, limit: int) -> list[object]:
            return list(await self.read("parts", self.bucket, begun, after, limit))

        self.assertEqual(await found(0, 100), stored)
        self.assertEqual(await found(0, 2), stored[:2])
        self.assertEqual(await found(1, 1), stored[1:2])
        self.assertEqual(await found(2, 1), stored[2:3])
        self.assertEqual(await found(3, 100), stored[2:])
        self.assertEqual(await found(10000, 100), [])
        self.assertEqual(await found(0, 0), [])
        without = [evolve(one, content=Content()) for one in stored[1:3]]
        self.assertEqual(
            await self.read(_bare, self.bucket, begun), (without, [5, 5, 3])
        )

    async def test_part_again(self) -> None:
        """A part sent again replaces the first, whose blobs are doomed."""
        begun = await self.write(upload, self.bucket, "key", "u1")
        expected = [part(1, "b3"), part(2, "b9")], ["b1", "b2"]
        self.assertEqual(await self.write(_again, self.bucket, begun), expected)

    async def test_complete(self) -> None:
        """A completed upload keeps what it became, loses its parts, and dooms what nothing names."""
        begun = await self.write(upload, self.bucket, "key", "u1")
        completed = await self.write(_complete, self.bucket, begun)
        found = await self.read("upload", self.bucket, "key", "u1")
        self.assertEqual(found, completed)
        left = await self.read("parts", self.bucket, begun, 0, 10)
        self.assertEqual(list(left), [])
        self.assertIn("b1", await self.read(doomed_names))
        self.assertFalse(await self.read("is_named", "files", "b1"))
        self.assertTrue(await self.read("is_named", "files", "b2"))
        page = await self.read("upload_page", self.bucket, "", "", "", "", 10)
        self.assertEqual(page.items, ())

    async def test_completed_version_outlives_the_object(self) -> None:
        """A completed upload tells what it became also when that object is gone."""
        begun = await self.write(upload, self.bucket, "key", "u1")
        became = await self.write(_complete_and_overwrite, self.bucket, begun)
        found = await self.read("upload", self.bucket, "key", "u1")
        self.assertEqual(found.completed, became)

    async def test_remove_upload(self) -> None:
        """An upload that is removed is gone with its parts, whose blobs are doomed."""
        expected: Any = (None, [], 1, ["b1", "b2"])
        self.assertEqual(await self.write(_remove, self.bucket), expected)

    async def test_remove_what_shares_blobs(self) -> None:
        """Of an upload that goes, a blob that several of its parts share is doomed, and one that another upload or a version names is not."""
        doomed = await self.write(_remove_what_shares_blobs, self.bucket)
        self.assertEqual(doomed, ["b1", "b2"])

    async def test_uploads_before(self) -> None:
        """Uploads of all buckets begun before a time come oldest first, completed ones too."""
        other = await self.add_bucket("other", versioning="Enabled")
        begun = []
        for bucket, upload_id in ((other, "u3"), (self.bucket, "u2"), (other, "u1")):
            one = await self.write(upload, bucket, "key", upload_id)
            begun.append((bucket, one))
            self.clock.advance(1)
        done = evolve(begun[1][1], completed=ObjectVersion("key", 1, 1))
        await self.write("complete_upload", self.bucket, done)
        begun[1] = (self.bucket, done)

        async def found(before: int, limit: int) -> list[object]:
            return list(await self.read("uploads_before", before, limit))

        now = START * 1000
        self.assertEqual(await found(now + 9000, 10), begun)
        self.assertEqual(await found(now + 9000, 2), begun[:2])
        self.assertEqual(await found(now + 2000, 10), begun[:2])
        self.assertEqual(await found(now, 10), [])
        self.assertEqual(await found(now + 9000, 0), [])


def _put_all(
    tx: IMetadataTransaction, bucket: Bucket, begun: Upload, stored: Sequence[Part]
) -> None:
    claim_whole(tx, bucket)
    for one in reversed(stored):
        tx.put_part(bucket, begun, one)


def _bare(tx: IMetadataTransaction, bucket: Bucket, begun: Upload) -> object:
    return (
        list(tx.parts(bucket, begun, 1, 2, False)),
        [tx.count_extents(bucket, begun, most) for most in (9, 5, 3)],
    )


def _again(tx: IMetadataTransaction, bucket: Bucket, begun: Upload) -> object:
    claim_whole(tx, bucket)
    tx.put_part(bucket, begun, part(1, "b1", "b2"))
    tx.put_part(bucket, begun, part(2, "b9"))
    tx.put_part(bucket, begun, part(1, "b3"))
    return list(tx.parts(bucket, begun, 0, 10)), doomed_names(tx)


def _complete(tx: IMetadataTransaction, bucket: Bucket, begun: Upload) -> object:
    claim_whole(tx, bucket)
    tx.put_part(bucket, begun, part(1, "b1"))
    tx.put_part(bucket, begun, part(2, "b2"))
    became = version(tx, "key", **FULL)
    tx.add_version(bucket, became, extents("b2"))
    completed = evolve(begun, completed=became, completed_parts="digest")
    tx.complete_upload(bucket, completed)
    return completed


def _complete_and_overwrite(
    tx: IMetadataTransaction, bucket: Bucket, begun: Upload
) -> ObjectVersion:
    became = put(tx, bucket, "key")
    tx.complete_upload(bucket, evolve(begun, completed=became))
    tx.remove_version(bucket, became)
    return became


def _remove(tx: IMetadataTransaction, bucket: Bucket) -> object:
    begun = upload(tx, bucket, "key", "u1")
    other = upload(tx, bucket, "key", "u2")
    tx.put_part(bucket, begun, part(1, "b1"))
    tx.put_part(bucket, begun, part(2, "b2"))
    tx.put_part(bucket, other, part(1, "b3"))
    tx.remove_upload(bucket, begun)
    return (
        tx.upload(bucket, "key", "u1"),
        list(tx.parts(bucket, begun, 0, 10)),
        len(tx.parts(bucket, other, 0, 10)),
        doomed_names(tx),
    )


def _remove_what_shares_blobs(tx: IMetadataTransaction, bucket: Bucket) -> object:
    put(tx, bucket, "a", extents("b3"))
    begun = upload(tx, bucket, "key", "u1")
    other = upload(tx, bucket, "key", "u2")
    for number, names in enumerate(("b1 b3", "b1 b2", "b4 b2", "b3 b5")):
        tx.put_part(bucket, begun, part(number + 1, *names.split()))
    tx.put_part(bucket, other, part(1, "b4"))
    put(tx, bucket, "z", extents("b5"))
    tx.remove_upload(bucket, begun)
    return doomed_names(tx)
