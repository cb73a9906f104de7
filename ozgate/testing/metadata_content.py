"""Contract of metadata: where the bytes of versions are, and those of versions that are gone."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from ..errors import Absent
from ..interfaces import IMetadataTransaction
from ..values import EXTENTS_AT_ONCE, Bucket, ByteRange, Content, Extent, Part
from .metadata_base import (
    START,
    MetadataTests,
    blob,
    doomed_names,
    extents,
    put,
    upload,
)
from .metadata_needs import LEASE, claim_whole


def _release(
    tx: IMetadataTransaction, sequence: int, limit: int
) -> tuple[bool, list[str], int]:
    """Release extents: whether all are; then what is doomed, and how many blobs are named."""
    tx.claim(LEASE)
    done = tx.release(sequence, limit)
    return done, doomed_names(tx), len(tx.blobs(("", ""), 1000))


class ContentTests(MetadataTests):
    """Where bytes are."""

    async def test_range(self) -> None:
        """Where some bytes of a version are is told for any range, cut to it, and no further than a number of extents."""
        lengths = [8, 1, 30, 4, 4, 100]
        stored = Content(
            None,
            tuple(
                Extent(blob(f"b{length}", 200), at, length)
                for at, length in enumerate(lengths)
            ),
        )
        inline = Content(bytes(range(100)))
        for content in (stored, inline):
            found = await self.write(put, self.bucket, "key", content)
            for low, high in combinations((0, 1, 8, 9, 20, 39, 42, 43, 47, 99), 2):
                wanted = ByteRange(low, high - low)
                got = await self.read("content", self.bucket, found, wanted)
                self.assertEqual(got, content.cut(wanted), wanted)
        for offset in (0, 3, 8, 100):
            nothing = ByteRange(offset, 0)
            got = await self.read("content", self.bucket, found, nothing, 2)
            self.assertEqual(got, Content(b""))

    async def test_sealed(self) -> None:
        """How bytes are sealed comes back as it was put, in extents, a range of them, parts, and bodies, which stay whole."""
        stored = Content(
            None,
            (
                Extent(blob("a", 99), 0, 8, "how"),
                Extent(blob("b", 99), 3, 8),
                Extent(blob("a", 99), 3, 8, '"how": ü'),
            ),
        )
        inline = Content(b"as it is stored", (), "how", 4)
        for content in (stored, inline):
            found = await self.write(put, self.bucket, "key", content)
            got = await self.read("content", self.bucket, found)
            self.assertEqual(got, content)
            for low, high in combinations((0, 1, 3, 4), 2):
                wanted = ByteRange(low, high - low)
                got = await self.read("content", self.bucket, found, wanted)
                self.assertEqual(got, content.cut(wanted), wanted)
        wanted = ByteRange(5, 15)
        found = await self.write(put, self.bucket, "key", stored)
        got = await self.read("content", self.bucket, found, wanted)
        self.assertEqual(got, stored.cut(wanted))
        self.assertEqual(
            [extent.seal for extent in got.extents], ["how", "", '"how": ü']
        )
        self.assertEqual(inline.cut(ByteRange(1, 2)), inline)
        sealed = Part(1, stored.length, "etag", 0, content=stored)
        [got] = await self.write(_put_part, self.bucket, sealed)
        self.assertEqual(got.content, stored)

    async def test_range_in_pages(self) -> None:
        """The extents of a range are found a few at a time, each page where the one before ended."""
        stored = extents(*(f"b{number}" for number in range(30)))
        found = await self.write(put, self.bucket, "key", stored)
        whole = ByteRange(3, 230)
        for limit in (1, 7, 29, 30, 31):
            pieces: list[Extent] = []
            at = whole.offset
            while at < whole.end:
                rest = ByteRange(at, whole.end - at)
                page = await self.read("content", self.bucket, found, rest, limit)
                self.assertTrue(0 < len(page.extents) <= limit, page)
                pieces += page.extents
                at += page.length
            self.assertEqual(tuple(pieces), stored.cut(whole).extents, limit)

    async def test_retired(self) -> None:
        """A version of many extents is readable when it is gone, until it is released, some extents at a time; its blobs are named so long."""
        names = [f"b{number:03}" for number in range(EXTENTS_AT_ONCE + 1)]
        stored = extents(*names)
        found = await self.write(put, self.bucket, "key", stored)
        await self.write(put, self.bucket, "copy", extents(names[1]))
        await self.write(put, self.bucket, "few", extents(*names[:-1]))
        now = START * 1000
        self.assertEqual(await self.write(_remove, self.bucket), [])
        late = ByteRange(stored.length - 20, 20)
        for wanted, expected in ((None, stored), (late, stored.cut(late))):
            got = await self.read("content", self.bucket, found, wanted)
            self.assertEqual(got, expected)
        bucket = await self.read("bucket", "s3v", "bucket")
        self.assertEqual((bucket.used_bytes, bucket.used_names), (15, 2))
        self.assertEqual(await self.read("recount", self.bucket), (15, 2))

        async def retired(before: int, limit: int) -> list[int]:
            return list(await self.read("retired", before, limit))

        self.assertEqual(await retired(now, 9), [])
        self.assertEqual(await retired(now + 1, 0), [])
        self.assertEqual(await retired(now + 1, 9), [found.sequence])

        async def release(limit: int) -> Any:
            return await self.write(_release, found.sequence, limit)

        left = len(names)
        self.assertEqual(await release(3), (False, ["b000", "b002"], left - 2))
        done, doomed, named = await release(left)
        self.assertEqual((done, named), (True, 1))
        self.assertEqual(doomed, [name for name in names if name != "b001"])
        self.assertEqual(await retired(now + 1, 9), [])
        self.assertEqual((await release(9))[0], True)
        gone = self.read("content", self.bucket, found, late, 1)
        await self.assertFailure(gone, Absent)


def _put_part(tx: IMetadataTransaction, bucket: Bucket, part: Part) -> Sequence[Part]:
    begun = upload(tx, bucket, "key", "upload")
    tx.put_part(bucket, begun, part)
    return tx.parts(bucket, begun, 0, 9)


def _remove(tx: IMetadataTransaction, bucket: Bucket) -> list[str]:
    claim_whole(tx, bucket)
    few = tx.latest(bucket, "few")
    assert few is not None
    tx.remove_version(bucket, few)
    put(tx, bucket, "key", Content(b"another"))
    return doomed_names(tx)
