"""Contract of metadata: two providers over the same rows, as two processes have them. Order, time and counts are the store's."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from twisted.internet.defer import DeferredList
from twisted.internet.task import Clock

from ..interfaces import IMetadataStore, IMetadataTransaction
from ..values import Bucket, Content
from .metadata_base import START, MetadataTests, Refused, ask, put
from .metadata_needs import claim_whole


class ProcessTests(MetadataTests):
    """What two who write see of each other.

    :ivar other: the second provider.
    :ivar other_clock: what it tells the time by.
    """

    def make_other(self, store: IMetadataStore, clock: Clock) -> IMetadataStore:
        """Another provider over the rows of an open one, as another process has it; not yet open."""
        raise NotImplementedError

    async def setUp(self) -> None:  # type: ignore[override]
        """Open both."""
        await super().setUp()
        self.other_clock = Clock()
        self.other_clock.advance(START)
        self.other = self.make_other(self.store, self.other_clock)
        await self.other.open()
        self.addCleanup(self.other.close)
        self.both = (self.store, self.other)

    async def test_sequences_increase(self) -> None:
        """A sequence is larger than every one committed before, whoever of the two asks, and however often."""
        numbers: list[int] = []
        for turn in range(12):
            for store in self.both:
                for _ in range(turn % 3 + 1):
                    numbers += await store.write(_some_sequences)
        self.assertEqual(numbers, sorted(set(numbers)))

    async def test_sequences_after_a_failure(self) -> None:
        """Also after interactions that were rolled back in between, on either side."""
        numbers: list[int] = []
        for _ in range(4):
            for store in self.both:
                await self.assertFailure(store.write(_fail_with_sequences), Refused)
                numbers += await store.write(_some_sequences)
        self.assertEqual(numbers, sorted(set(numbers)))

    async def test_sequences_after_a_close(self) -> None:
        """One that closes, having written nothing or much, takes no number back that the other gave since."""
        numbers: list[int] = []
        for writes in (0, 1, 1):
            numbers += await self.store.write(_some_sequences)
            if writes:
                numbers += await self.other.write(_some_sequences)
                numbers += await self.store.write(_some_sequences)
            await self.other.close()
            numbers += await self.store.write(_some_sequences)
            self.other = self.make_other(self.store, self.other_clock)
            await self.other.open()
            self.addCleanup(self.other.close)
            numbers += await self.other.write(_some_sequences)
        self.assertEqual(numbers, sorted(set(numbers)))

    async def test_the_last_write_is_the_latest(self) -> None:
        """Of versions that the two write by turns the last is the latest, as both read it, and they are listed in order."""
        written: list[str] = []
        for turn in range(4):
            for store in self.both:
                etag = f"{turn}-{store is self.other}"
                args = (self.bucket, "key", Content(b"body"))
                named = {"etag": etag, "version_id": f"v{len(written)}"}
                await store.write(ask, put, args, named)
                written.append(named["version_id"])
                for reader in self.both:
                    found = await reader.read(ask, "latest", (self.bucket, "key"))
                    self.assertEqual(found.etag, etag)
        page = await self.read("version_page", self.bucket, "", "", "", "", 100)
        self.assertEqual([item.version_id for item in page.items], written[::-1])

    async def test_usage(self) -> None:
        """What a bucket and its volume use is counted of all that the two write and replace, and a recount agrees."""
        for turn in range(5):
            for store in self.both:
                key = f"k{turn % 3}"
                body = Content(bytes(10 + turn))
                await store.write(ask, put, (self.bucket, key, body))
        for store in self.both:
            bucket = await store.read(ask, "bucket", ("s3v", "bucket"))
            volume = await store.read(ask, "volume", ("s3v",))
            recounted = await store.read(ask, "recount", (bucket,))
            self.assertEqual((bucket.used_bytes, bucket.used_names), (39, 3))
            self.assertEqual(recounted, (39, 3))
            self.assertEqual(volume.used_bytes, 39)

    async def test_racing_creators(self) -> None:
        """Of many on both sides that create a key if it is absent, exactly one does."""
        outcomes = await DeferredList(
            [
                store.write(_create, self.bucket, number)
                for number in range(10)
                for store in self.both
            ],
            consumeErrors=True,
        )
        self.assertEqual(sum(succeeded for succeeded, _ in outcomes), 1)

    async def test_time(self) -> None:
        """Of two who write neither is given a time before one that the other has committed, though its clock is behind."""
        for store in self.both:
            await store.write(ask, "now")
        self.clock.advance(3600)
        before = await self.store.write(ask, "now")
        self.assertEqual(before, (START + 3600) * 1000)
        self.assertEqual(await self.other.write(ask, "now"), before)
        self.assertEqual(await self.other.read(ask, "now"), before)


def _some_sequences(tx: IMetadataTransaction) -> list[int]:
    return [tx.next_sequence() for _ in range(3)]


def _fail_with_sequences(tx: IMetadataTransaction) -> None:
    for _ in range(5):
        tx.next_sequence()
    raise Refused()


def _create(tx: IMetadataTransaction, bucket: Bucket, number: int) -> int:
    claim_whole(tx, bucket)
    if tx.latest(bucket, "key") is not None:
        raise Refused()
    put(tx, bucket, "key", etag=str(number))
    return number
