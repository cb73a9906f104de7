"""Contract of metadata: the outbox."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from attrs import evolve

from ..interfaces import IMetadataTransaction
from ..values import Bucket, Cause, Claim, Event
from .metadata_base import OWNER, START, MetadataTests, Refused, put

EVENT = Event(
    name="ObjectCreated:Put",
    time=START * 1000,
    bucket=7,
    volume="s3v",
    bucket_name="bucket",
    owner=OWNER,
    key="a\0key/ключ=&<>\"'",
    version_id="null",
    size=1 << 40,
    etag="e" * 32,
    cause=Cause("ûser", "2001:db8::1", "0A1B"),
)
"""An event with every member set."""


class EventTests(MetadataTests):
    """Events are noted with what they tell of, read in order, and forgotten."""

    async def keys_after(self, after: int = 0, limit: int = 99) -> list[str]:
        """The keys of what is there."""
        return [each.key for each in await self.read("events", after, limit)]

    async def test_members(self) -> None:
        """An event comes back with every member, and its place in the order."""
        self.assertEqual(list(await self.read("events", 0, 9)), [])
        await self.write("note_event", EVENT)
        [found] = await self.read("events", 0, 9)
        self.assertGreater(found.sequence, 0)
        self.assertEqual(found, evolve(EVENT, sequence=found.sequence))

    async def test_order(self) -> None:
        """Events are read in the order in which they were noted, in one transaction or several, a page at a time."""
        await self.write(_note, "c", "a")
        await self.write(_note, "b")
        await self.write(_note, "a")
        self.assertEqual(await self.keys_after(), ["c", "a", "b", "a"])
        first = await self.read("events", 0, 3)
        self.assertEqual([each.key for each in first], ["c", "a", "b"])
        self.assertEqual(await self.keys_after(first[-1].sequence), ["a"])
        self.assertEqual(await self.keys_after(first[0].sequence, 1), ["a"])

    async def test_forgotten(self) -> None:
        """What is forgotten is gone, up to where it was said, and what comes later is not put in its place."""
        await self.write(_note, "a", "b", "c")
        _, second, third = await self.read("events", 0, 9)
        await self.write(_forget, second.sequence)
        self.assertEqual(await self.keys_after(), ["c"])
        await self.write(_forget, third.sequence)
        await self.write(_note, "d")
        self.assertEqual(await self.keys_after(third.sequence), ["d"])

    async def test_same_transaction(self) -> None:
        """An event is there with the change that it tells of, or neither is."""
        await self.assertFailure(self.write(_change, self.bucket, True), Refused)
        self.assertEqual(await self.keys_after(), [])
        self.assertIsNone(await self.read("latest", self.bucket, "key"))
        await self.write(_change, self.bucket, False)
        self.assertEqual(await self.keys_after(), ["key"])
        self.assertIsNotNone(await self.read("latest", self.bucket, "key"))

    async def test_outlives_bucket(self) -> None:
        """What became of the objects of a bucket can still be told when the bucket is gone."""
        made = await self.add_bucket("gone")
        await self.write("note_event", evolve(EVENT, bucket=made.number))
        await self.write(_remove_bucket, made)
        [found] = await self.read("events", 0, 9)
        self.assertEqual(found.bucket, made.number)

    async def test_reading_refuses(self) -> None:
        """A reading interaction neither notes nor forgets."""
        for attempt in (("note_event", EVENT), ("forget_events", 9)):
            await self.assertFailure(self.read(*attempt), TypeError)


def _note(tx: IMetadataTransaction, *keys: str) -> None:
    for key in keys:
        tx.note_event(evolve(EVENT, key=key))


def _forget(tx: IMetadataTransaction, upto: int) -> None:
    tx.claim(Claim.lease("events"))
    tx.forget_events(upto)


def _change(tx: IMetadataTransaction, bucket: Bucket, fail: bool) -> None:
    tx.note_event(evolve(EVENT, key="key"))
    put(tx, bucket, "key")
    if fail:
        raise Refused


def _remove_bucket(tx: IMetadataTransaction, bucket: Bucket) -> None:
    tx.claim(*Claim.whole(bucket))
    tx.remove_bucket(bucket)
