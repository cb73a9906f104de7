"""Contract of metadata: blobs that versions and parts name, and those that nothing names any more."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from ..interfaces import IMetadataTransaction
from ..values import BlobRef, Bucket, Content, Extent
from .metadata_base import (
    START,
    MetadataTests,
    blob,
    doomed_names,
    extents,
    part,
    put,
    upload,
)
from .metadata_needs import LEASE

OTHER = BlobRef("others", "b2", 7, 1)
"""A blob of another store, with an id that one of this has."""


class BlobNameTests(MetadataTests):
    """Which blobs have a name, and the doomed."""

    async def test_is_named(self) -> None:
        """A blob is named while an extent of a version or part names it, by store and id."""
        expected = [False, True, True, True, False, False]
        self.assertEqual(await self.write(_is_named, self.bucket), expected)

    async def test_nameless(self) -> None:
        """Of some blobs, those are nameless that no extent names, in the order in which they were asked for."""
        expected = [["b3", "b0"], ["b3", "b2", "b0", "b1"], []]
        self.assertEqual(await self.write(_nameless, self.bucket), expected)

    async def test_shared_blob(self) -> None:
        """A blob that two versions share is doomed for good only when both are gone."""
        self.assertEqual(
            await self.write(_shared_blob, self.bucket), (True, False, ["b1"])
        )

    async def test_one_blob_in_two_extents(self) -> None:
        """A version that names a blob twice dooms it once."""
        self.assertEqual(
            await self.write(_one_blob_in_two_extents, self.bucket), ["b1"]
        )

    async def test_doomed(self) -> None:
        """Doomed blobs come oldest first, those doomed before a time, to a limit."""
        for name in ("b3", "b1", "b2"):
            await self.write("doom", [blob(name)])
            self.clock.advance(1)
        now = START * 1000

        async def names(*args: int, store: str = "files") -> list[str]:
            found = await self.read("doomed", store, *args)
            return [doomed.id for doomed in found]

        self.assertEqual(await names(now + 9000, 10), ["b3", "b1", "b2"])
        self.assertEqual(await names(now + 9000, 2), ["b3", "b1"])
        self.assertEqual(await names(now + 2000, 10), ["b3", "b1"])
        self.assertEqual(await names(now, 10), [])
        self.assertEqual(await names(now + 9000, 0), [])
        self.assertEqual(await names(now + 9000, 10, store="others"), [])

    async def test_doomed_stores(self) -> None:
        """Doomed blobs are those of one store, however many others come before them; it is told which stores have some."""
        self.assertEqual(
            await self.write(_doomed_stores), ([], ["b0"], ["files", "others"])
        )

    async def test_doomed_again(self) -> None:
        """A blob doomed again counts from the last time, so that late readers are protected."""
        await self.write("doom", [blob("b1")])
        self.clock.advance(10)
        removed = await self.write(put, self.bucket, "k", extents("b1"))
        await self.write("remove_version", self.bucket, removed)
        before = START * 1000 + 10_000
        found = await self.read("doomed", "files", before, 10)
        self.assertEqual(list(found), [])
        self.assertEqual(await self.read(doomed_names), ["b1"])

    async def test_forget_doomed(self) -> None:
        """Blobs are taken off the list by store and id, whatever else their reference says."""
        self.assertEqual(await self.write(_forget_doomed), ["b2"])

    async def test_copied_part_shares_its_blob(self) -> None:
        """A part made of another object's bytes leaves that object whole when it goes."""
        self.assertTrue(await self.write(_copied_part_shares_its_blob, self.bucket))

    async def test_blobs(self) -> None:
        """What versions and parts name is listed once each, by id and store, a page at a time."""
        await self.write(_blobs, self.bucket)

        async def found(blob_id: str, store: str, limit: int) -> list[object]:
            return list(await self.read("blobs", (blob_id, store), limit))

        everything = [blob(name) for name in ("b1", "b2", "b3", "b4")]
        everything.insert(2, OTHER)
        self.assertEqual(await found("", "", 10), everything)
        self.assertEqual(await found("", "", 2), everything[:2])
        self.assertEqual(await found("b2", "", 2), everything[1:3])
        self.assertEqual(await found("b2", "files", 2), everything[2:4])
        self.assertEqual(await found("b2", "others", 9), everything[3:])
        self.assertEqual(await found("b4", "files", 2), [])

    async def test_blobs_of_many(self) -> None:
        """However many extents name a blob, a walk comes across it once, and past it, also in another store."""
        await self.write(_named_by_many, self.bucket)
        for limit in (1, 2, 1000):
            found: list[BlobRef] = []
            while page := await self.read("blobs", _place(found), limit):
                self.assertLessEqual(len(page), limit)
                found += page
            self.assertEqual(found, [blob("b1"), blob("b2"), OTHER, blob("b3")])

    async def test_is_doomed(self) -> None:
        """What lost its last name is on the list until it is taken off; what has one is not."""
        expected: Any = ([True, False, False], False)
        self.assertEqual(await self.write(_is_doomed, self.bucket), expected)


def _is_named(tx: IMetadataTransaction, bucket: Bucket) -> list[bool]:
    put(tx, bucket, "key", extents("b1", "b2"))
    begun = upload(tx, bucket, "key", "u1")
    tx.put_part(bucket, begun, part(1, "b3"))
    names = [("files", f"b{number}") for number in range(5)]
    return [tx.is_named(*name) for name in (*names, ("other", "b1"))]


def _nameless(tx: IMetadataTransaction, bucket: Bucket) -> list[list[str]]:
    put(tx, bucket, "key", extents("b1", "b2"))
    asked = ["b3", "b2", "b0", "b1"]
    found = [tx.nameless(store, asked) for store in ("files", "other")]
    return [list(each) for each in (*found, tx.nameless("files", []))]


def _shared_blob(tx: IMetadataTransaction, bucket: Bucket) -> object:
    first = put(tx, bucket, "first", extents("b1"))
    second = put(tx, bucket, "second", extents("b1"))
    tx.remove_version(bucket, first)
    between = tx.is_named("files", "b1")
    tx.remove_version(bucket, second)
    return between, tx.is_named("files", "b1"), doomed_names(tx)


def _one_blob_in_two_extents(tx: IMetadataTransaction, bucket: Bucket) -> list[str]:
    tx.remove_version(bucket, put(tx, bucket, "key", extents("b1", "b1")))
    return doomed_names(tx)


def _doomed_stores(tx: IMetadataTransaction) -> object:
    tx.doom(evolve(OTHER, id=f"b{number}") for number in range(300))
    before = [each.id for each in tx.doomed("files", tx.now() + 1, 1)]
    tx.doom([blob("b0")])
    after = [each.id for each in tx.doomed("files", tx.now() + 1, 1)]
    return before, after, list(tx.doomed_stores())


def _forget_doomed(tx: IMetadataTransaction) -> list[str]:
    tx.claim(LEASE)
    tx.doom([blob("b1"), blob("b2"), blob("b3")])
    tx.forget_doomed([blob("b1", 0, 0), blob("b3"), blob("unknown")])
    return doomed_names(tx)


def _copied_part_shares_its_blob(tx: IMetadataTransaction, bucket: Bucket) -> object:
    put(tx, bucket, "source", extents("b1"))
    begun = upload(tx, bucket, "key", "u1")
    tx.put_part(bucket, begun, part(1, "b1"))
    tx.remove_upload(bucket, begun)
    return tx.is_named("files", "b1")


def _blobs(tx: IMetadataTransaction, bucket: Bucket) -> None:
    put(tx, bucket, "one", extents("b2", "b4"))
    put(tx, bucket, "two", extents("b4", "b1"))
    begun = upload(tx, bucket, "key", "u1")
    tx.put_part(bucket, begun, part(1, "b3", "b4"))
    put(tx, bucket, "other", Content(None, (Extent(OTHER, 0, 1),)))


def _place(found: Sequence[BlobRef]) -> tuple[str, str]:
    """Where a walk is."""
    return (found[-1].id, found[-1].store) if found else ("", "")


def _named_by_many(tx: IMetadataTransaction, bucket: Bucket) -> None:
    """Two blobs of one id are named by more extents than a page has."""
    put(tx, bucket, "few", extents("b1", "b3"))
    many = [Extent(each, 0, 1) for each in (blob("b2"), OTHER)]
    put(tx, bucket, "many", Content(None, tuple(many * 7000)))


def _is_doomed(tx: IMetadataTransaction, bucket: Bucket) -> object:
    tx.claim(LEASE)
    put(tx, bucket, "one", extents("b1", "b2"))
    put(tx, bucket, "two", extents("b2"))
    put(tx, bucket, "one", Content(b"body"))
    doomed = [tx.is_doomed("files", name) for name in ("b1", "b2", "b3")]
    tx.forget_doomed([blob("b1")])
    return doomed, tx.is_doomed("files", "b1")
