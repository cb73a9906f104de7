"""What becomes of rows on PostgreSQL that are not what was written; and looks at all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.errors import Damaged, Unavailable
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.metadata_base import (
    OWNER,
    MetadataTests,
    extents,
    part,
    put,
    upload,
    version,
)
from ozgate.testing.metadata_needs import LEASE, claim_whole
from ozgate.values import (
    EXTENTS_AT_ONCE,
    BlobUser,
    Bucket,
    ByteRange,
    Claim,
    Content,
    DamagedRow,
    Drift,
    ObjectPart,
    Secret,
    User,
)
from tests.engines.postgresql import shared

try:
    from ozgate.metadata.postgresql import objectbase
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    PostgreSQLMetadataStore = None  # type: ignore[assignment,misc]

MANY = tuple(f"m{number}" for number in range(EXTENTS_AT_ONCE + 1))


@cache
def psycopg() -> Any:
    """The driver.

    :raises SkipTest: it is not there.
    """
    try:
        import psycopg as found
    except ImportError:
        raise SkipTest("psycopg is not installed (the extra postgresql)") from None
    return found


class DamageCase(MetadataTests, TestCase):
    """A store over a database of its own, whose rows can be changed behind its back."""

    def make_store(self, clock: Clock) -> Any:
        """An empty database."""
        psycopg()
        self.url = shared().database()
        return PostgreSQLMetadataStore(Address(self.url), reactor, clock.seconds)

    def sql(self, statement: str) -> None:
        """Do something that no interaction does."""
        with psycopg().connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    async def damaged(self) -> list[DamagedRow]:
        """All rows that a walk finds damaged."""
        found: list[DamagedRow] = []
        after: str | None = ""
        while after is not None:
            rows = await self.read("check_rows", after, 3)
            found += rows.damaged
            after = rows.next_after
        return found

    async def mend(self, row: DamagedRow, *keeping: str) -> str:
        """Mend a row; what is said."""
        said: str = await self.write(
            "mend_row", row, OWNER, frozenset(keeping), frozenset()
        )
        return said


class DamageTests(DamageCase):
    """Rows are found that are not what was written, and one gets rid of them."""

    async def test_every_table(self) -> None:
        """A damaged row of each kind is found, and mended; then nothing is wrong, and what is not damaged is as before."""
        await self.write(_fill, self.bucket)
        self.assertEqual(await self.damaged(), [])
        for table in (
            "object_parts",
            "bodies",
            "extents",
            "versions",
            "parts",
            "uploads",
            "retired",
            "configurations",
            "secrets",
            "users",
            "buckets",
            "volumes",
        ):
            await self.write(_fill_again, self.bucket)
            self.sql(
                f"UPDATE {table} SET checked = checked + 1"
                f" WHERE ctid = (SELECT ctid FROM {table} ORDER BY checked LIMIT 1)"
            )
            found = await self.damaged()
            self.assertEqual([row.table for row in found], [table])
            [row] = found
            self.assertTrue(await self.mend(row), table)
            self.assertEqual(await self.damaged(), [], table)
            self.assertEqual(await self.store.examine(), [], table)

    async def test_lost_newest(self) -> None:
        """Where the newest version of a key is gone, the one before is not taken for it; mending says that it is."""
        await self.write(_put_two, self.bucket)
        self.sql("DELETE FROM versions WHERE version_id = 'v2'")
        await self.assertFailure(self.read("latest", self.bucket, "key"), Damaged)
        self.assertEqual(len(await self.store.examine()), 2)
        [row] = await self.damaged()
        self.assertFalse(row.loses)
        await self.mend(row)
        self.assertEqual(await self.damaged(), [])
        found = await self.read("latest", self.bucket, "key")
        self.assertEqual(found.version_id, "v1")
        page = await self.read("page", self.bucket, "", "", "", 9)
        self.assertEqual([item.etag for item in page.items], ["one"])

    async def test_only_said_to_be_listed(self) -> None:
        """A row that is damaged is found as such alone; and it stays where it was another one that was to be mended."""
        found = await self.write(put, self.bucket, "key")
        self.sql("UPDATE versions SET etag = 'x'")
        [row] = await self.damaged()
        self.assertTrue(row.loses)
        self.assertEqual(await self.mend(evolve(row, loses=False)), "")
        self.assertEqual((await self.read("recount", self.bucket)), (found.size, 1))

    async def test_lost_altogether(self) -> None:
        """A key that is listed and has no version is not said to be absent."""
        await self.write(put, self.bucket, "key")
        self.sql("DELETE FROM versions")
        await self.assertFailure(self.read("latest", self.bucket, "key"), Damaged)

    async def test_reading(self) -> None:
        """Reading a damaged row fails, wherever it is read."""
        found = await self.write(put, self.bucket, "key", extents("b1"))
        self.sql("UPDATE extents SET length = length + 1")
        for wanted in (None, ByteRange(0, 3)):
            reading = self.read("content", self.bucket, found, wanted)
            await self.assertFailure(reading, Damaged)
        self.sql("UPDATE versions SET etag = 'x'")
        await self.assertFailure(self.read("latest", self.bucket, "key"), Damaged)

    async def test_nameless(self) -> None:
        """All pages of extents are looked through, a few at a time, for a blob that the index does not know."""
        self.patch(objectbase, "PAGES_AT_ONCE", 1)
        names = [f"n{number:04}" for number in range(500)]
        await self.write(put, self.bucket, "key", extents(*names))
        asked = ["none", names[0], names[250], names[-1]]
        found = await self.read(_named, asked)
        self.assertEqual(found, set(asked[1:]))
        self.assertEqual(await self.read("nameless", "files", asked), ["none"])

    async def test_owners(self) -> None:
        """So are those of versions and parts for whose bytes are damaged, as no index leads there."""
        self.patch(objectbase, "PAGES_AT_ONCE", 1)
        await self.write(_fill, self.bucket)
        for number in range(100):
            await self.write(put, self.bucket, f"key{number:03}", etag="x" * 500)
        self.sql("UPDATE extents SET checked = checked + 1 WHERE blob = 'p1'")
        await self.write(put, self.bucket, "last", extents("b2"))
        self.sql("UPDATE extents SET checked = checked + 1 WHERE blob = 'b2'")
        said = [await self.mend(row) for row in await self.damaged()]
        self.assertEqual(
            said, ["removed: versions 0, parts 1", "removed: versions 1, parts 0"]
        )
        self.assertEqual(await self.damaged(), [])
        self.assertEqual(await self.store.examine(), [])

    async def test_kept(self) -> None:
        """Where a bucket keeps its versions, damaged ones stay, with their bytes."""
        await self.write("set_configuration", self.bucket, "lock", b"yes")
        await self.write(put, self.bucket, "key", extents("b1"))
        await self.write(put, self.bucket, "other")
        for table in ("versions", "extents", "bodies"):
            self.sql(f"UPDATE {table} SET checked = checked + 1")
            for row in await self.damaged():
                self.assertEqual(await self.mend(row, "lock"), "")
            self.sql(f"UPDATE {table} SET checked = checked - 1")
        self.assertEqual(await self.damaged(), [])
        self.assertEqual((await self.read("recount", self.bucket))[1], 2)


class InspectionTests(DamageCase):
    """Looks at everything."""

    async def test_drifts(self) -> None:
        """Counters that are off are told of by how much, and corrected."""
        await self.write(_fill, self.bucket)
        self.assertEqual(await self.store.drifts(), [])
        self.sql(
            "UPDATE usage SET bytes = bytes + 7, names = names - 1"
            " WHERE ctid = (SELECT ctid FROM usage WHERE place > 0 LIMIT 1)"
        )
        [drift] = await self.store.drifts()
        self.assertEqual(drift, Drift("s3v", "bucket", -7, 1))
        await self.write(_correct, drift)
        self.assertEqual(await self.store.drifts(), [])

    async def test_users(self) -> None:
        """It is told what names a blob, and what a damaged row belongs to."""
        await self.write(_fill, self.bucket)
        users = await self.store.users_of("files", ["b1", "p1", "none"])
        place = "s3v", "bucket"
        self.assertEqual(
            list(users),
            [
                BlobUser("b1", *place, "parts\0", "null"),
                BlobUser("p1", *place, "key", "", "u1", 1),
            ],
        )
        found = await self.read("latest", self.bucket, "parts\0")
        row = DamagedRow("extents", (found.sequence, 0), "")
        users = await self.store.users_of_row(row)
        self.assertEqual(list(users), [BlobUser("", *place, "parts\0", "null")])
        row = DamagedRow("volumes", (1,), "")
        self.assertEqual(list(await self.store.users_of_row(row)), [])

    async def test_foreign(self) -> None:
        """A trigger that is not ozgate's is told of."""
        self.sql(
            "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        self.sql(
            "CREATE TRIGGER foreign_one BEFORE UPDATE ON versions EXECUTE FUNCTION nothing()"
        )
        [line] = await self.store.examine()
        self.assertIn("1 triggers", line)

    async def test_no_copy(self) -> None:
        """A copy is PostgreSQL's own, which is said."""
        copying = self.store.copy_to(self.mktemp(), lambda done, whole: None)
        error = await self.assertFailure(copying, Unavailable)
        self.assertIn("pg_basebackup", str(error))


def _fill(tx: IMetadataTransaction, bucket: Bucket) -> None:
    tx.claim(Claim.user("alice"), Claim.secret("id"))
    claim_whole(tx, bucket)
    tx.put_user(User("alice", "1", 0))
    tx.put_secret(Secret("id", "alice", b"sealed", 0, None))
    _fill_again(tx, bucket)


def _fill_again(tx: IMetadataTransaction, bucket: Bucket) -> None:
    """One of everything that is not there."""
    claim_whole(tx, bucket)
    tx.set_configuration(bucket, "cors", b"x")
    there = tx.latest(bucket, "parts\0")
    whole = extents("b1")
    made = version(tx, "parts\0", size=whole.length, parts_count=2)
    tx.add_version(bucket, made, whole, [ObjectPart(1, 4), ObjectPart(2, 4)], there)
    put(tx, bucket, "inline", Content(b"body"))
    put(tx, bucket, "many", extents(*MANY))
    put(tx, bucket, "many", Content(b""))
    begun = tx.upload(bucket, "key", "u1") or upload(tx, bucket, "key", "u1")
    tx.put_part(bucket, begun, part(1, "p1"))


def _named(tx: Any, blob_ids: list[str]) -> Any:
    return tx._named("files", blob_ids)


def _put_two(tx: IMetadataTransaction, bucket: Bucket) -> None:
    put(tx, bucket, "key", version_id="v1", etag="one")
    put(tx, bucket, "key", version_id="v2", etag="two")


def _correct(tx: IMetadataTransaction, drift: Drift) -> None:
    tx.claim(LEASE)
    tx.correct_usage(drift.volume, drift.bucket, drift.more_bytes, drift.more_names)
