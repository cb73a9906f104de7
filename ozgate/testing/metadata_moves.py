"""Contract of metadata: blobs that are moved to another store."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ..errors import Conflict
from ..interfaces import IMetadataTransaction
from ..values import (
    EXTENTS_AT_ONCE,
    BlobRef,
    Bucket,
    Claim,
    Content,
    Extent,
    ObjectVersion,
)
from .metadata_base import MetadataTests, blob, doomed_names, part, put, upload

OLD = BlobRef("files", "b1", 100, 1)
"""What is moved."""

MOST = 50_000
"""Extents of a version, more than there are."""


def moved_to(*lengths: int) -> list[BlobRef]:
    """Blobs of another store that have these bytes each."""
    return [
        BlobRef("disk2", f"n{number}", length, number)
        for number, length in enumerate(lengths, 2)
    ]


class MoveTests(MetadataTests):
    """Extents that come to name another blob."""

    async def test_move(self) -> None:
        """Versions, parts and what is retired name the new blob for the old; whatever else they say stays, and the old one is doomed."""
        versions, kept = await self.write(_fill, self.bucket)
        before = await self.read("bucket", "s3v", "bucket")
        new = moved_to(100)
        self.assertTrue(await self.write(move, OLD, new, MOST, 1000))
        self.assertEqual(
            await self.read(_contents, self.bucket, versions), _named(kept, new[0])
        )
        self.assertEqual(await self.read("bucket", "s3v", "bucket"), before)
        self.assertEqual(await self.read(doomed_names), ["b1"])
        self.assertFalse(await self.read("is_named", "files", "b1"))
        self.assertTrue(await self.read("is_named", "others", "b1"))

    async def test_pages(self) -> None:
        """So many extents are changed at a time; until none is left, the old blob is not doomed."""
        versions, kept = await self.write(_fill, self.bucket)
        new, calls = moved_to(100), 0
        while not await self.write(move, OLD, new, MOST, 3):
            calls += 1
            self.assertEqual(await self.read(doomed_names), [])
            self.assertTrue(await self.read("is_named", "disk2", "n2"))
        self.assertEqual(calls, (EXTENTS_AT_ONCE + 1 + 5) // 3)
        self.assertEqual(
            await self.read(_contents, self.bucket, versions), _named(kept, new[0])
        )
        self.assertTrue(await self.write(move, OLD, new, MOST, 3))

    async def test_several(self) -> None:
        """Where the new store's blobs are shorter, an extent over the end of one goes on in the next."""
        new = moved_to(40, 40, 20)
        runs = [(0, 100), (10, 30), (39, 2), (39, 61), (80, 20), (40, 40)]
        kept = Content(None, tuple(Extent(OLD, *run) for run in runs))
        [version] = await self.write(_put_all, self.bucket, [kept])
        self.assertTrue(await self.write(move, OLD, new, MOST, 1000))
        [got] = await self.read(_contents, self.bucket, [version])
        expected = [
            (0, 0, 40), (1, 0, 40), (2, 0, 20),
            (0, 10, 30),
            (0, 39, 1), (1, 0, 1),
            (0, 39, 1), (1, 0, 40), (2, 0, 20),
            (2, 0, 20),
            (1, 0, 40),
        ]  # fmt: skip
        self.assertEqual(
            got.extents,
            tuple(Extent(new[at], offset, length) for at, offset, length in expected),
        )

    async def test_too_many(self) -> None:
        """What would have too many extents is refused, and nothing is changed; so it is where a sealed extent would have to be cut."""
        new = moved_to(40, 40, 20)
        kept = Content(None, (Extent(OLD, 0, 100), Extent(OLD, 0, 10)))
        sealed = Content(None, (Extent(OLD, 0, 90, "how"),))
        versions = await self.write(_put_all, self.bucket, [kept])
        with self.assertRaises(Conflict):
            await self.write(move, OLD, new, 3, 1000)
        self.assertEqual(await self.read(_contents, self.bucket, versions), [kept])
        self.assertTrue(await self.write(move, OLD, new, 4, 1000))
        versions = await self.write(_put_all, self.bucket, [sealed])
        with self.assertRaises(Conflict):
            await self.write(move, OLD, new, MOST, 1000)
        self.assertEqual(await self.read(_contents, self.bucket, versions), [sealed])
        self.assertTrue(await self.write(move, OLD, moved_to(100), 1, 1000))
        self.assertEqual(
            await self.read(_contents, self.bucket, versions),
            _named([sealed], moved_to(100)[0]),
        )

    async def test_nothing(self) -> None:
        """A blob that nothing names any more is doomed, and nothing else happens."""
        self.assertTrue(await self.write(move, OLD, moved_to(100), MOST, 1000))
        self.assertEqual(await self.read(doomed_names), ["b1"])


def move(
    tx: IMetadataTransaction,
    old: BlobRef,
    new: Sequence[BlobRef],
    most: int,
    limit: int,
) -> bool:
    """Move a blob as whoever does so: under a lease."""
    tx.claim(Claim.lease("drain"))
    return tx.move_blob(old, new, most, limit)


def _named(kept: Sequence[Content], new: BlobRef) -> list[Content]:
    """The same contents with another blob in the place of the old one."""
    return [
        evolve(
            content,
            extents=tuple(
                evolve(extent, blob=new) if extent.blob == OLD else extent
                for extent in content.extents
            ),
        )
        for content in kept
    ]


def _put_all(
    tx: IMetadataTransaction, bucket: Bucket, contents: Sequence[Content]
) -> list[ObjectVersion]:
    return [
        put(tx, bucket, f"key{number}", content)
        for number, content in enumerate(contents)
    ]


def _fill(
    tx: IMetadataTransaction, bucket: Bucket
) -> tuple[list[ObjectVersion], list[Content]]:
    """Versions, one of them retired, and a part that name the old blob, and others; in the order of :func:`_contents`."""
    other = evolve(OLD, store="others")
    many = tuple(Extent(OLD, number, 1) for number in range(EXTENTS_AT_ONCE + 1))
    contents = [
        Content(None, (Extent(OLD, 5, 90, "how"), Extent(blob("b2"), 0, 9))),
        Content(None, (Extent(other, 1, 2), Extent(OLD, 0, 100), Extent(OLD, 1, 2))),
        Content(None, many),
        Content(b"body"),
    ]
    versions = _put_all(tx, bucket, contents)
    tx.remove_version(bucket, versions[2])
    begun = upload(tx, bucket, "key", "u1")
    content = Content(None, (Extent(OLD, 3, 4),))
    tx.put_part(bucket, begun, evolve(part(1), size=4, content=content))
    return versions, [*contents, content]


def _contents(
    tx: IMetadataTransaction, bucket: Bucket, versions: Sequence[ObjectVersion]
) -> list[Content]:
    """What versions have, and the part, where there is one."""
    found = [tx.content(bucket, version) for version in versions]
    begun = tx.upload(bucket, "key", "u1")
    if begun is not None:
        found += [each.content for each in tx.parts(bucket, begun, 0, 10)]
    return found
