"""Contract of metadata: transactions. Interactions, their order, their time; closing."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from twisted.internet.defer import DeferredList
from zope.interface.verify import verifyObject

from ..errors import Unavailable
from ..interfaces import IMetadataStore, IMetadataTransaction, IShared
from ..values import Bucket, Claim, Content, ObjectVersion, Process, Volume
from .metadata_base import (
    OWNER,
    START,
    MetadataTests,
    Refused,
    blob,
    doomed_names,
    part,
    put,
    upload,
)
from .metadata_needs import claim_whole


class TransactionTests(MetadataTests):
    """Interactions: atomic, in order, durable before they fire."""

    def test_provides(self) -> None:
        """A store has every method of the interface."""
        verifyObject(IMetadataStore, self.store)

    async def test_transaction_provides(self) -> None:
        """Both kinds of transaction have every method of the interface."""
        self.assertTrue(await self.read(_provides))
        self.assertTrue(await self.write(_provides))

    async def test_results(self) -> None:
        """An interaction gets its arguments, and what it returns is what fires."""
        self.assertEqual(await self.store.write(_both, 1, "two"), (1, "two"))
        self.assertEqual(await self.store.read(_both, 21, 42), (21, 42))

    async def test_read_sees_a_fired_write(self) -> None:
        """A read that follows a fired write sees it, every time."""
        for turn in range(20):
            await self.write(put, self.bucket, f"k{turn}")
            found = await self.read("latest", self.bucket, f"k{turn}")
            self.assertIsNotNone(found)

    async def test_exception_rolls_back(self) -> None:
        """What an interaction wrote before it raised is not there."""
        await self.assertFailure(
            self.write(_exception_rolls_back, self.bucket), Refused
        )
        self.assertIsNone(await self.read("latest", self.bucket, "key"))
        self.assertIsNone(await self.read("setting", "id"))
        self.assertEqual(await self.read(doomed_names), [])

    async def test_one_failure_in_a_crowd(self) -> None:
        """Of many writes asked for at once, one that fails takes nothing of the others with it."""
        outcomes = await DeferredList(
            [
                self.write(_one_failure_in_a_crowd, self.bucket, number)
                for number in range(30)
            ],
            consumeErrors=True,
        )
        for number, (succeeded, value) in enumerate(outcomes):
            self.assertEqual(succeeded, number % 3 != 0)
            if succeeded:
                self.assertEqual(value, number)
            else:
                value.trap(Refused)
                self.assertEqual(str(value.value), str(number))
        page = await self.read("page", self.bucket, "", "", "", 100)
        self.assertEqual(
            [item.key for item in page.items],
            [f"k{number:02}" for number in range(30) if number % 3],
        )

    async def test_writes_in_order(self) -> None:
        """Writes asked for one after the other happen in that order; where several run at a time, those that claim the same happen one by one."""
        outcomes = await DeferredList([self.write(_add, letter) for letter in "abcdef"])
        found = [value for _, value in outcomes]
        if not IShared.providedBy(self.store):
            self.assertEqual(found, ["a", "ab", "abc", "abcd", "abcde", "abcdef"])
        found.sort(key=len)
        self.assertEqual(sorted(found[-1]), list("abcdef"))
        self.assertEqual(found, [found[-1][:length] for length in range(1, 7)])

    async def test_racing_creators(self) -> None:
        """Of many that create a key if it is absent, exactly one does."""
        outcomes = await DeferredList(
            [self.write(_create, self.bucket, number) for number in range(20)],
            consumeErrors=True,
        )
        winners = [value for succeeded, value in outcomes if succeeded]
        self.assertEqual(len(winners), 1)
        found = await self.read("latest", self.bucket, "key")
        self.assertEqual(found.etag, str(winners[0]))

    async def test_read_refuses_to_write(self) -> None:
        """A transaction for reading refuses each writing method with TypeError."""
        blank = ObjectVersion("key", 1, 1)
        added = await self.write(upload, self.bucket, "key", "1")
        for attempt in (
            ("next_sequence",),
            ("add_volume", Volume("v", OWNER, 1)),
            ("remove_volume", Volume("v", OWNER, 1)),
            ("add_bucket", self.bucket),
            ("replace_bucket", self.bucket),
            ("remove_bucket", self.bucket),
            ("set_configuration", self.bucket, "policy", b"{}"),
            ("add_version", self.bucket, blank, Content(b"")),
            ("replace_version", self.bucket, blank),
            ("remove_version", self.bucket, blank),
            ("add_upload", self.bucket, added),
            ("complete_upload", self.bucket, added),
            ("remove_upload", self.bucket, added),
            ("put_part", self.bucket, added, part(1, "b")),
            ("forget_doomed", [blob("b")]),
            ("doom", [blob("b")]),
            ("lease", "name", "owner", 1),
            ("end_leases", "owner"),
            ("put_process", Process("id", 1)),
            ("remove_process", "id"),
            ("set_setting", "id", b"value"),
        ):
            await self.assertFailure(self.read(*attempt), TypeError)

    async def test_read_failure(self) -> None:
        """What a reading interaction raises is what the Deferred fails with."""
        await self.assertFailure(self.read(_read_failure), Refused)

    async def test_now(self) -> None:
        """The time is the clock's, in milliseconds, and the same in a whole transaction."""
        self.clock.advance(1.5)
        expected = (START * 1000 + 1500,) * 2
        self.assertEqual(await self.write(_now), expected)
        self.assertEqual(await self.read(_now), expected)

    async def test_now_never_goes_back(self) -> None:
        """A wall clock that is set back does not set back the store's time."""
        before = await self.write("now")
        self.clock.rightNow -= 3600
        self.assertEqual(await self.write("now"), before)
        self.assertEqual(await self.read("now"), before)

    async def test_now_follows_a_correction(self) -> None:
        """Set back by more than a day the clock was wrong before: the store's time goes back with it."""
        before = await self.write("now")
        self.clock.rightNow += 8 * 86400
        await self.write("now")
        self.clock.rightNow -= 8 * 86400
        self.assertEqual(await self.write("now"), before)
        self.assertEqual(await self.read("now"), before)

    async def test_sequences_increase(self) -> None:
        """Each sequence number is larger than all before, within and among transactions."""
        outcomes = await DeferredList(
            [self.write(_sequences_increase) for _ in range(10)]
        )
        found = [value for _, value in outcomes]
        if IShared.providedBy(self.store):
            # They run at a time, in any order.
            found.sort()
        for _ in range(3):
            found.append(await self.write(_sequences_increase))
        numbers = [number for value in found for number in value]
        self.assertEqual(numbers, sorted(set(numbers)))

    async def test_cancelled_write(self) -> None:
        """Cancelling the Deferred of a write does not undo the write."""
        done = self.write("set_setting", "id", b"value")
        done.addErrback(lambda _: None)
        done.cancel()
        found = None
        while found is None:
            await self.write(_nothing)
            found = await self.read("setting", "id")
        self.assertEqual(found, b"value")

    async def test_close_finishes_writes(self) -> None:
        """Writes asked for before close are done; what is asked for after is refused."""
        done = [self.write("now") for _ in range(5)]
        await self.store.close()
        for write in done:
            self.assertEqual(await write, START * 1000)
        await self.assertFailure(self.write(_nothing), Unavailable)
        await self.assertFailure(self.read(_nothing), Unavailable)


def _provides(tx: IMetadataTransaction) -> bool:
    return bool(verifyObject(IMetadataTransaction, tx))


def _both(tx: IMetadataTransaction, first: object, second: object) -> object:
    return first, second


def _nothing(tx: IMetadataTransaction) -> None:
    """Read and change nothing."""


def _exception_rolls_back(tx: IMetadataTransaction, bucket: Bucket) -> None:
    tx.claim(Claim.setting("id"))
    put(tx, bucket, "key")
    tx.set_setting("id", b"value")
    tx.doom([blob("b")])
    raise Refused("no")


def _one_failure_in_a_crowd(
    tx: IMetadataTransaction, bucket: Bucket, number: int
) -> int:
    put(tx, bucket, f"k{number:02}")
    if number % 3 == 0:
        raise Refused(str(number))
    return number


def _add(tx: IMetadataTransaction, letter: str) -> str:
    tx.claim(Claim.setting("id"))
    text = (tx.setting("id") or b"").decode() + letter
    tx.set_setting("id", text.encode())
    return text


def _create(tx: IMetadataTransaction, bucket: Bucket, number: int) -> int:
    claim_whole(tx, bucket)
    if tx.latest(bucket, "key") is not None:
        raise Refused()
    put(tx, bucket, "key", etag=str(number))
    return number


def _read_failure(tx: IMetadataTransaction) -> None:
    raise Refused()


def _now(tx: IMetadataTransaction) -> tuple[int, int]:
    return tx.now(), tx.now()


def _sequences_increase(tx: IMetadataTransaction) -> list[int]:
    return [tx.next_sequence() for _ in range(3)]
