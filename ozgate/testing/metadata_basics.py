"""Contract of metadata: transactions, volumes and buckets, leases, named values, the doomed."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import DeferredList
from zope.interface.verify import verifyObject

from ..errors import Unavailable
from ..interfaces import IMetadataStore, IMetadataTransaction
from ..values import Bucket, Content, DamagedRow, ObjectVersion, Volume
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


class Refused(Exception):
    """What an interaction of these tests raises."""


class TransactionTests(MetadataTests):
    """Interactions: atomic, in order, durable before they fire."""

    def test_provides(self) -> None:
        """A store has every method of the interface."""
        verifyObject(IMetadataStore, self.store)

    async def test_transaction_provides(self) -> None:
        """Both kinds of transaction have every method of the interface."""
        check = lambda tx: verifyObject(IMetadataTransaction, tx)  # noqa: E731
        self.assertTrue(await self.read(check))
        self.assertTrue(await self.write(check))

    async def test_results(self) -> None:
        """An interaction gets its arguments, and what it returns is what fires."""
        self.assertEqual(
            await self.write(lambda tx, a, b: (a, b), 1, "two"), (1, "two")
        )
        self.assertEqual(await self.read(lambda tx, a: a * 2, 21), 42)

    async def test_read_sees_a_fired_write(self) -> None:
        """A read that follows a fired write sees it, every time."""
        for turn in range(20):
            await self.write(lambda tx, n=turn: put(tx, self.bucket, f"k{n}") and None)
            found = await self.read(lambda tx, n=turn: tx.latest(self.bucket, f"k{n}"))
            self.assertIsNotNone(found)

    async def test_exception_rolls_back(self) -> None:
        """What an interaction wrote before it raised is not there."""

        def interaction(tx: IMetadataTransaction) -> None:
            put(tx, self.bucket, "key")
            tx.set_setting("id", b"value")
            tx.doom([blob("b")])
            raise Refused("no")

        await self.assertFailure(self.write(interaction), Refused)
        self.assertIsNone(await self.read(lambda tx: tx.latest(self.bucket, "key")))
        self.assertIsNone(await self.read(lambda tx: tx.setting("id")))
        self.assertEqual(await self.read(doomed_names), [])

    async def test_one_failure_in_a_crowd(self) -> None:
        """Of many writes asked for at once, one that fails takes nothing of the others with it."""

        def interaction(tx: IMetadataTransaction, number: int) -> int:
            put(tx, self.bucket, f"k{number:02}")
            if number % 3 == 0:
                raise Refused(str(number))
            return number

        outcomes = await DeferredList(
            [self.write(interaction, number) for number in range(30)],
            consumeErrors=True,
        )
        for number, (succeeded, value) in enumerate(outcomes):
            self.assertEqual(succeeded, number % 3 != 0)
            if succeeded:
                self.assertEqual(value, number)
            else:
                value.trap(Refused)
                self.assertEqual(str(value.value), str(number))
        page = await self.read(lambda tx: tx.page(self.bucket, "", "", "", 100))
        self.assertEqual(
            [item.key for item in page.items],
            [f"k{number:02}" for number in range(30) if number % 3],
        )

    async def test_writes_in_order(self) -> None:
        """Writes asked for one after the other happen in that order."""

        def add(tx: IMetadataTransaction, letter: str) -> str:
            text = (tx.setting("id") or b"").decode() + letter
            tx.set_setting("id", text.encode())
            return text

        outcomes = await DeferredList([self.write(add, letter) for letter in "abcdef"])
        self.assertEqual(
            [value for _, value in outcomes],
            ["a", "ab", "abc", "abcd", "abcde", "abcdef"],
        )

    async def test_racing_creators(self) -> None:
        """Of many that create a key if it is absent, exactly one does."""

        def create(tx: IMetadataTransaction, number: int) -> int:
            if tx.latest(self.bucket, "key") is not None:
                raise Refused()
            put(tx, self.bucket, "key", etag=str(number))
            return number

        outcomes = await DeferredList(
            [self.write(create, number) for number in range(20)], consumeErrors=True
        )
        winners = [value for succeeded, value in outcomes if succeeded]
        self.assertEqual(len(winners), 1)
        found = await self.read(lambda tx: tx.latest(self.bucket, "key"))
        self.assertEqual(found.etag, str(winners[0]))

    async def test_read_refuses_to_write(self) -> None:
        """A transaction for reading refuses each writing method with TypeError."""
        blank = ObjectVersion("key", 1, 1)
        added = await self.write(lambda tx: upload(tx, self.bucket, "key", "1"))
        for attempt in (
            lambda tx: tx.next_sequence(),
            lambda tx: tx.add_volume(Volume("v", OWNER, 1)),
            lambda tx: tx.remove_volume(Volume("v", OWNER, 1)),
            lambda tx: tx.add_bucket(self.bucket),
            lambda tx: tx.replace_bucket(self.bucket),
            lambda tx: tx.remove_bucket(self.bucket),
            lambda tx: tx.set_configuration(self.bucket, "policy", b"{}"),
            lambda tx: tx.add_version(self.bucket, blank, Content(b"")),
            lambda tx: tx.replace_version(self.bucket, blank),
            lambda tx: tx.remove_version(self.bucket, blank),
            lambda tx: tx.add_upload(self.bucket, added),
            lambda tx: tx.complete_upload(self.bucket, added),
            lambda tx: tx.remove_upload(self.bucket, added),
            lambda tx: tx.put_part(self.bucket, added, part(1, "b")),
            lambda tx: tx.forget_doomed([blob("b")]),
            lambda tx: tx.doom([blob("b")]),
            lambda tx: tx.lease("name", "owner", 1),
            lambda tx: tx.set_setting("id", b"value"),
        ):
            await self.assertFailure(self.read(attempt), TypeError)

    async def test_read_failure(self) -> None:
        """What a reading interaction raises is what the Deferred fails with."""

        def interaction(tx: IMetadataTransaction) -> None:
            raise Refused()

        await self.assertFailure(self.read(interaction), Refused)

    async def test_now(self) -> None:
        """The time is the clock's, in milliseconds, and the same in a whole transaction."""
        self.clock.advance(1.5)

        def interaction(tx: IMetadataTransaction) -> tuple[int, int]:
            return tx.now(), tx.now()

        expected = (START * 1000 + 1500,) * 2
        self.assertEqual(await self.write(interaction), expected)
        self.assertEqual(await self.read(interaction), expected)

    async def test_now_never_goes_back(self) -> None:
        """A wall clock that is set back does not set back the store's time."""
        before = await self.write(lambda tx: tx.now())
        self.clock.rightNow -= 3600
        self.assertEqual(await self.write(lambda tx: tx.now()), before)
        self.assertEqual(await self.read(lambda tx: tx.now()), before)

    async def test_now_follows_a_correction(self) -> None:
        """Set back by more than a day the clock was wrong before: the store's time goes back with it."""
        before = await self.write(lambda tx: tx.now())
        self.clock.rightNow += 8 * 86400
        await self.write(lambda tx: tx.now())
        self.clock.rightNow -= 8 * 86400
        self.assertEqual(await self.write(lambda tx: tx.now()), before)
        self.assertEqual(await self.read(lambda tx: tx.now()), before)

    async def test_sequences_increase(self) -> None:
        """Each sequence number is larger than all before, within and among transactions."""

        def interaction(tx: IMetadataTransaction) -> list[int]:
            return [tx.next_sequence() for _ in range(3)]

        outcomes = await DeferredList([self.write(interaction) for _ in range(10)])
        numbers = [number for _, value in outcomes for number in value]
        self.assertEqual(numbers, sorted(set(numbers)))

    async def test_cancelled_write(self) -> None:
        """Cancelling the Deferred of a write does not undo the write."""
        done = self.write(lambda tx: tx.set_setting("id", b"value"))
        done.addErrback(lambda _: None)
        done.cancel()
        await self.write(lambda tx: None)
        self.assertEqual(await self.read(lambda tx: tx.setting("id")), b"value")

    async def test_claims_are_accepted(self) -> None:
        """Every write may say what it decides about."""
        claims = (("bucket", "s3v", "bucket"), ("key", "s3v", "bucket", "key"))
        done = self.store.write(lambda tx: tx.now(), claims=claims)
        self.assertEqual(await done, START * 1000)

    async def test_close_finishes_writes(self) -> None:
        """Writes asked for before close are done; what is asked for after is refused."""
        done = [self.write(lambda tx: tx.now()) for _ in range(5)]
        await self.store.close()
        for write in done:
            self.assertEqual(await write, START * 1000)
        await self.assertFailure(self.write(lambda tx: None), Unavailable)
        await self.assertFailure(self.read(lambda tx: None), Unavailable)

    async def test_watch(self) -> None:
        """Each watcher of a topic is told of each of its changes, and of no other."""
        seen: list[str] = []
        self.store.watch("secrets", lambda: seen.append("a"))
        self.store.watch("secrets", lambda: seen.append("b"))
        self.store.watch("policy", lambda: seen.append("c"))
        self.store.changed("secrets")
        self.store.changed("nobody cares")
        self.store.changed("secrets")
        self.assertEqual(sorted(seen), ["a", "a", "b", "b"])


class BucketTests(MetadataTests):
    """Volumes, buckets, links and their configurations."""

    async def test_volume(self) -> None:
        """A volume is found by its name, with a number of its own."""
        added = await self.write(lambda tx: tx.add_volume(Volume("v", "me", tx.now())))
        now = START * 1000
        self.assertEqual(added, Volume("v", "me", now, added.number, modified=now))
        self.assertGreater(added.number, 0)
        self.assertEqual(await self.read(lambda tx: tx.volume("v")), added)
        self.assertIsNone(await self.read(lambda tx: tx.volume("w")))

    async def test_volumes(self) -> None:
        """Volumes are listed by name, after a name, with a prefix, to a limit."""

        def add(tx: IMetadataTransaction) -> None:
            for name in ("b1", "a2", "b3", "a1", "b2", "b"):
                tx.add_volume(Volume(name, OWNER, tx.now()))

        await self.write(add)

        async def names(*args: Any) -> list[str]:
            return [v.name for v in await self.read(lambda tx: tx.volumes(*args))]

        everything = ["a1", "a2", "b", "b1", "b2", "b3", "s3v"]
        self.assertEqual(await names("", "", 100), everything)
        self.assertEqual(await names("b", "", 100), ["b", "b1", "b2", "b3"])
        self.assertEqual(await names("b", "b1", 1), ["b2"])
        self.assertEqual(await names("b", "c", 100), [])
        self.assertEqual(await names("b", "a", 2), ["b", "b1"])
        self.assertEqual(await names("", "", 0), [])

    async def test_remove_volume(self) -> None:
        """A removed volume is gone."""

        def interaction(tx: IMetadataTransaction) -> Volume | None:
            tx.remove_volume(tx.add_volume(Volume("v", OWNER, tx.now())))
            return tx.volume("v")

        self.assertIsNone(await self.write(interaction))

    async def test_bucket(self) -> None:
        """A bucket comes back as it was stored, with a number."""
        added = await self.add_bucket("b", region="eu-west-1", versioning="Enabled")
        self.assertGreater(added.number, 0)
        found = await self.read(lambda tx: tx.bucket("s3v", "b"))
        self.assertEqual(found, added)
        self.assertEqual(
            found,
            Bucket(
                "s3v",
                "b",
                OWNER,
                START * 1000,
                "eu-west-1",
                "Enabled",
                number=added.number,
                modified=START * 1000,
            ),
        )

    async def test_no_bucket(self) -> None:
        """There is no bucket of another name, nor in a volume that is not there."""
        self.assertIsNone(await self.read(lambda tx: tx.bucket("s3v", "other")))
        self.assertIsNone(await self.read(lambda tx: tx.bucket("none", "bucket")))

    async def test_link(self) -> None:
        """A link says what it points at, whether or not that is there."""
        added = await self.add_bucket("link", source=("vol1", "there"))
        found = await self.read(lambda tx: tx.bucket("s3v", "link"))
        self.assertEqual(found.source, ("vol1", "there"))
        self.assertEqual(found, added)
        self.assertIsNone(self.bucket.source)

    async def test_same_name_in_two_volumes(self) -> None:
        """Buckets of one name in two volumes are two buckets."""

        def add(tx: IMetadataTransaction) -> Bucket:
            tx.add_volume(Volume("v", OWNER, tx.now()))
            return tx.add_bucket(Bucket("v", "bucket", OWNER, tx.now()))

        other = await self.write(add)
        self.assertNotEqual(other.number, self.bucket.number)
        await self.write(lambda tx: put(tx, other, "key"))
        self.assertIsNone(await self.read(lambda tx: tx.latest(self.bucket, "key")))

    async def test_buckets(self) -> None:
        """Buckets of one volume are listed by name, after a name, with a prefix, to a limit."""

        def add(tx: IMetadataTransaction) -> None:
            tx.add_volume(Volume("v", OWNER, tx.now()))
            tx.add_bucket(Bucket("v", "foreign", OWNER, tx.now()))
            for name in ("x.b", "x-a", "xc", "w"):
                tx.add_bucket(Bucket("s3v", name, OWNER, tx.now()))

        await self.write(add)

        async def names(*args: Any) -> list[str]:
            buckets = await self.read(lambda tx: tx.buckets("s3v", *args))
            return [bucket.name for bucket in buckets]

        everything = ["bucket", "w", "x-a", "x.b", "xc"]
        self.assertEqual(await names("", "", 100), everything)
        self.assertEqual(await names("x", "", 100), ["x-a", "x.b", "xc"])
        self.assertEqual(await names("x", "x-a", 1), ["x.b"])
        self.assertEqual(await names("", "x.b", 100), ["xc"])
        self.assertEqual(await names("", "", 0), [])
        self.assertEqual(
            await self.read(lambda tx: list(tx.buckets("?", "", "", 9))), []
        )

    async def test_replace_bucket(self) -> None:
        """Owner and versioning of a bucket can be changed."""
        changed = evolve(self.bucket, owner="other", versioning="Suspended")
        await self.write(lambda tx: tx.replace_bucket(changed))
        found = await self.read(lambda tx: tx.bucket("s3v", "bucket"))
        self.assertEqual(found, changed)

    async def test_numbers_are_not_reused(self) -> None:
        """A bucket made after another was removed has a new number, and nothing of the old one."""
        last = await self.add_bucket("b")
        await self.write(lambda tx: tx.set_configuration(last, "cors", b"<x/>"))
        await self.write(lambda tx: tx.remove_bucket(last))
        again = await self.add_bucket("b")
        self.assertGreater(again.number, last.number)
        self.assertIsNone(await self.read(lambda tx: tx.configuration(again, "cors")))

    async def test_remove_bucket(self) -> None:
        """A removed bucket is gone with its configurations and uploads, whose blobs are doomed."""

        def interaction(tx: IMetadataTransaction) -> None:
            tx.set_configuration(self.bucket, "policy", b"{}")
            begun = upload(tx, self.bucket, "key", "u1")
            tx.put_part(self.bucket, begun, part(1, "b1", "b2"))
            tx.remove_bucket(self.bucket)

        await self.write(interaction)
        self.assertIsNone(await self.read(lambda tx: tx.bucket("s3v", "bucket")))
        self.assertIsNone(
            await self.read(lambda tx: tx.configuration(self.bucket, "policy"))
        )
        self.assertIsNone(
            await self.read(lambda tx: tx.upload(self.bucket, "key", "u1"))
        )
        self.assertEqual(await self.read(doomed_names), ["b1", "b2"])
        left = await self.read(lambda tx: list(tx.uploads_before(1 << 50, 10)))
        self.assertEqual(left, [])

    async def test_is_empty(self) -> None:
        """A bucket with a version or a delete marker is not empty; uploads do not count."""

        async def is_empty() -> bool:
            return bool(await self.read(lambda tx: tx.is_empty(self.bucket)))

        self.assertTrue(await is_empty())
        await self.write(lambda tx: upload(tx, self.bucket, "key", "u1"))
        self.assertTrue(await is_empty())
        added = await self.write(
            lambda tx: put(tx, self.bucket, "k", Content(b""), is_delete_marker=True)
        )
        self.assertFalse(await is_empty())
        await self.write(lambda tx: tx.remove_version(self.bucket, added))
        self.assertTrue(await is_empty())

    async def test_configuration(self) -> None:
        """Configuration documents are kept by kind, replaced and removed."""

        async def document(kind: str) -> Any:
            return await self.read(lambda tx: tx.configuration(self.bucket, kind))

        self.assertIsNone(await document("policy"))
        for kind, text in (("policy", b"{}"), ("cors", b"\0\xff"), ("policy", b"{1}")):
            await self.write(
                lambda tx, k=kind, t=text: tx.set_configuration(self.bucket, k, t)
            )
        self.assertEqual(await document("policy"), b"{1}")
        self.assertEqual(await document("cors"), b"\0\xff")
        await self.write(lambda tx: tx.set_configuration(self.bucket, "policy", None))
        await self.write(lambda tx: tx.set_configuration(self.bucket, "never", None))
        self.assertIsNone(await document("policy"))
        self.assertEqual(await document("cors"), b"\0\xff")


class BlobTests(MetadataTests):
    """The doomed, names, leases and named values."""

    async def test_is_named(self) -> None:
        """A blob is named while an extent of a version or part names it, by store and id."""

        def interaction(tx: IMetadataTransaction) -> list[bool]:
            put(tx, self.bucket, "key", extents("b1", "b2"))
            begun = upload(tx, self.bucket, "key", "u1")
            tx.put_part(self.bucket, begun, part(1, "b3"))
            names = [("files", f"b{number}") for number in range(5)]
            return [tx.is_named(*name) for name in (*names, ("other", "b1"))]

        expected = [False, True, True, True, False, False]
        self.assertEqual(await self.write(interaction), expected)

    async def test_nameless(self) -> None:
        """Of some blobs, those are nameless that no extent names, in the order in which they were asked for."""

        def interaction(tx: IMetadataTransaction) -> list[list[str]]:
            put(tx, self.bucket, "key", extents("b1", "b2"))
            asked = ["b3", "b2", "b0", "b1"]
            found = [tx.nameless(store, asked) for store in ("files", "other")]
            return [list(each) for each in (*found, tx.nameless("files", []))]

        expected = [["b3", "b0"], ["b3", "b2", "b0", "b1"], []]
        self.assertEqual(await self.write(interaction), expected)

    async def test_check_rows(self) -> None:
        """Looking through all rows, a few at a time, comes to an end, and finds nothing wrong with what was written."""
        await self.write(
            lambda tx: [put(tx, self.bucket, key) for key in "abcde"] and 0
        )
        await self.write(
            lambda tx: tx.put_part(
                self.bucket, upload(tx, self.bucket, "key", "u1"), part(1, "b1", "b2")
            )
        )
        after: str | None = ""
        pages = 0
        while after is not None:
            rows = await self.read(lambda tx, a=after: tx.check_rows(a, 2))
            self.assertLessEqual(rows.count, 2)
            self.assertEqual(rows.damaged, ())
            after = rows.next_after
            pages += 1
            self.assertLess(pages, 100)

    async def test_mend_row(self) -> None:
        """Nothing happens to a row that is well, or not there."""
        await self.write(lambda tx: put(tx, self.bucket, "key") and 0)
        row = DamagedRow("versions", (self.bucket.number, "none", 1), "")
        said = await self.write(lambda tx: tx.mend_row(row, OWNER))
        self.assertTrue(said)
        found = await self.read(lambda tx: tx.latest(self.bucket, "key"))
        self.assertEqual(found.key, "key")

    async def test_shared_blob(self) -> None:
        """A blob that two versions share is doomed for good only when both are gone."""

        def interaction(tx: IMetadataTransaction) -> Any:
            first = put(tx, self.bucket, "first", extents("b1"))
            second = put(tx, self.bucket, "second", extents("b1"))
            tx.remove_version(self.bucket, first)
            between = tx.is_named("files", "b1")
            tx.remove_version(self.bucket, second)
            return between, tx.is_named("files", "b1"), doomed_names(tx)

        self.assertEqual(await self.write(interaction), (True, False, ["b1"]))

    async def test_one_blob_in_two_extents(self) -> None:
        """A version that names a blob twice dooms it once."""

        def interaction(tx: IMetadataTransaction) -> list[str]:
            tx.remove_version(
                self.bucket, put(tx, self.bucket, "key", extents("b1", "b1"))
            )
            return doomed_names(tx)

        self.assertEqual(await self.write(interaction), ["b1"])

    async def test_doomed(self) -> None:
        """Doomed blobs come oldest first, those doomed before a time, to a limit."""
        for name in ("b3", "b1", "b2"):
            await self.write(lambda tx, n=name: tx.doom([blob(n)]))
            self.clock.advance(1)
        now = START * 1000

        async def names(*args: int) -> list[str]:
            found = await self.read(lambda tx: tx.doomed(*args))
            return [doomed.id for doomed in found]

        self.assertEqual(await names(now + 9000, 10), ["b3", "b1", "b2"])
        self.assertEqual(await names(now + 9000, 2), ["b3", "b1"])
        self.assertEqual(await names(now + 2000, 10), ["b3", "b1"])
        self.assertEqual(await names(now, 10), [])
        self.assertEqual(await names(now + 9000, 0), [])

    async def test_doomed_again(self) -> None:
        """A blob doomed again counts from the last time, so that late readers are protected."""
        await self.write(lambda tx: tx.doom([blob("b1")]))
        self.clock.advance(10)
        removed = await self.write(lambda tx: put(tx, self.bucket, "k", extents("b1")))
        await self.write(lambda tx: tx.remove_version(self.bucket, removed))
        before = START * 1000 + 10_000
        found = await self.read(lambda tx: list(tx.doomed(before, 10)))
        self.assertEqual(found, [])
        self.assertEqual(await self.read(doomed_names), ["b1"])

    async def test_forget_doomed(self) -> None:
        """Blobs are taken off the list by store and id, whatever else their reference says."""

        def interaction(tx: IMetadataTransaction) -> list[str]:
            tx.doom([blob("b1"), blob("b2"), blob("b3")])
            tx.forget_doomed([blob("b1", 0, 0), blob("b3"), blob("unknown")])
            return doomed_names(tx)

        self.assertEqual(await self.write(interaction), ["b2"])

    async def test_lease(self) -> None:
        """A lease is one owner's until its term is over; its owner renews it."""

        async def lease(owner: str, seconds: float, name: str = "sweep") -> Any:
            return await self.write(lambda tx: tx.lease(name, owner, seconds))

        self.assertTrue(await lease("a", 10))
        self.assertFalse(await lease("b", 10))
        self.assertTrue(await lease("b", 10, "other"))
        self.clock.advance(9)
        self.assertTrue(await lease("a", 10))
        self.clock.advance(9.5)
        self.assertFalse(await lease("b", 10))
        self.clock.advance(0.5)
        self.assertTrue(await lease("b", 10))
        self.assertFalse(await lease("a", 10))

    async def test_setting(self) -> None:
        """Named values are kept, replaced and removed."""
        self.assertIsNone(await self.read(lambda tx: tx.setting("name")))
        for value in (b"\x00one", b"two", None):
            await self.write(lambda tx, v=value: tx.set_setting("name", v))
            self.assertEqual(await self.read(lambda tx: tx.setting("name")), value)
        await self.write(lambda tx: tx.set_setting("never there", None))

    async def test_delete_bucket_and_put_race(self) -> None:
        """A bucket removed between two writes leaves no orphan behind."""

        def remove(tx: IMetadataTransaction) -> None:
            if not tx.is_empty(self.bucket):
                raise Refused()
            tx.remove_bucket(self.bucket)

        def add(tx: IMetadataTransaction) -> None:
            found = tx.bucket("s3v", "bucket")
            if found is None:
                raise Refused()
            tx.add_version(found, version(tx, "key"), Content(b"x"))

        outcomes = await DeferredList(
            [self.write(remove), self.write(add)], consumeErrors=True
        )
        self.assertEqual([succeeded for succeeded, _ in outcomes], [True, False])
