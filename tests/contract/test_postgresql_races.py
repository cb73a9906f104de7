"""What two transactions on PostgreSQL that do not see each other come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import gatherResults

from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.metadata_base import doomed_names, extents, part, put, upload
from ozgate.values import BlobRef, Bucket, Claim, ObjectVersion, Upload
from tests.contract.test_postgresql_damage import DamageCase


class RaceTests(DamageCase):
    """Blobs that several name."""

    async def test_both_names_go(self) -> None:
        """Where two versions that name one blob go at the same time, it is doomed."""
        versions = [
            await self.write(put, self.bucket, key, extents("b1")) for key in "ab"
        ]
        await gatherResults(
            [self.write(_remove, self.bucket, version) for version in versions],
            consumeErrors=True,
        )
        self.assertEqual(await self.read(doomed_names), ["b1"])

    async def test_version_and_upload(self) -> None:
        """So it is where a version and a part do."""
        version = await self.write(put, self.bucket, "a", extents("b1"))
        begun = await self.write(upload, self.bucket, "key", "u1")
        await self.write("put_part", self.bucket, begun, part(1, "b1"))
        await gatherResults(
            [
                self.write(_remove, self.bucket, version),
                self.write(_drop, self.bucket, begun),
            ],
            consumeErrors=True,
        )
        self.assertEqual(await self.read(doomed_names), ["b1"])

    async def test_moved_and_removed(self) -> None:
        """A version that is removed while its blob is moved leaves nothing behind."""
        version = await self.write(put, self.bucket, "a", extents("b1"))
        old = extents("b1").extents[0].blob
        new = BlobRef("disk2", "n1", old.length, old.crc64nvme)
        await gatherResults(
            [
                self.write(_move, old, [new]),
                self.write(_remove, self.bucket, version),
            ],
            consumeErrors=True,
        )
        self.assertEqual(await self.store.examine(), [])
        self.assertFalse(await self.read("is_named", "disk2", "n1"))
        self.assertIn("b1", await self.read(doomed_names))

    async def test_split_and_removed(self) -> None:
        """So does one whose blob becomes several then; and so do parts."""
        version = await self.write(put, self.bucket, "a", extents("b1"))
        begun = await self.write(upload, self.bucket, "key", "u1")
        for number in (1, 2):
            await self.write("put_part", self.bucket, begun, part(number, "b1"))
        old = extents("b1").extents[0].blob
        new = [BlobRef("disk2", f"n{each}", 5, each) for each in (1, 2)]
        await gatherResults(
            [
                self.write(_move, old, new),
                self.write(_remove, self.bucket, version),
                self.write(_put_again, self.bucket, begun),
                self.write(_drop_later, self.bucket, begun),
            ],
            consumeErrors=True,
        )
        self.assertEqual(await self.store.examine(), [])
        for each in new:
            self.assertFalse(await self.read("is_named", each.store, each.id))
        doomed = await self.read(doomed_names)
        self.assertEqual(doomed, ["b1", "b2", "n1", "n2"])


def _pause(tx: Any) -> None:
    """So that all have begun before one ends."""
    tx._execute("SELECT pg_sleep(0.3)").fetchone()


def _remove(tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion) -> None:
    tx.claim(*Claim.inside(bucket), Claim.key(bucket.number, version.key))
    _pause(tx)
    tx.remove_version(bucket, version)
    _pause(tx)


def _drop(tx: IMetadataTransaction, bucket: Bucket, begun: Upload) -> None:
    tx.claim(*Claim.inside(bucket), Claim.upload(bucket.number, begun.upload_id))
    _pause(tx)
    tx.remove_upload(bucket, begun)
    _pause(tx)


def _put_again(tx: IMetadataTransaction, bucket: Bucket, begun: Upload) -> None:
    tx.claim(*Claim.inside(bucket), Claim.upload(bucket.number, begun.upload_id))
    _pause(tx)
    tx.put_part(bucket, begun, part(1, "b2"))


def _drop_later(tx: IMetadataTransaction, bucket: Bucket, begun: Upload) -> None:
    _pause(tx)
    tx.claim(*Claim.inside(bucket), Claim.upload(bucket.number, begun.upload_id))
    tx.remove_upload(bucket, begun)


def _move(tx: IMetadataTransaction, old: BlobRef, new: Sequence[BlobRef]) -> None:
    tx.claim(Claim.lease("drain"))
    tx.move_blob(old, new, 50, 100)
    _pause(tx)
    _pause(tx)
