"""Damaged rows of versions that may be locked: they stay, whoever repairs, and so does what says that they may be."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from attrs import evolve

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import (
    BlobRef,
    Bucket,
    Claim,
    Content,
    DamagedRow,
    Extent,
    ObjectVersion,
    Volume,
)
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import CREATED, still_store
from tests.unit.metadata.sqlite.test_damage import (
    DamageCase,
    contents,
    damaged_rows,
)

KEEPING = frozenset(("object-lock",))
CLOSING = frozenset(("policy",))
ALL = frozenset(("object-lock", "policy", "cors"))
"""The documents of the bucket with object lock."""

LOCKED, PLAIN = 1, 2
"""Numbers of the buckets."""

LOCK = {"lock-mode": "COMPLIANCE", "lock-until": str(CREATED * 2)}


def fill(tx: IMetadataTransaction) -> None:
    """Two buckets, one of which has object lock, each with a version inline and one in a blob; an interaction."""
    tx.add_volume(Volume("s3v", "testuser", CREATED))
    for name in ("locked", "plain"):
        bucket = tx.add_bucket(Bucket("s3v", name, "testuser", CREATED))
        if name == "locked":
            bucket = evolve(bucket, versioning="Enabled")
            tx.replace_bucket(bucket)
            tx.set_configuration(bucket, "object-lock", b"<ObjectLockConfiguration/>")
            tx.set_configuration(bucket, "policy", b"{}")
            tx.set_configuration(bucket, "cors", b"<CORSConfiguration/>")
        blob = BlobRef("default", f"of-{name}", 9, 7)
        for key, content in (
            ("inline", Content(name.encode())),
            ("large", Content(None, (Extent(blob, 0, 9),))),
        ):
            version = ObjectVersion(
                key,
                tx.next_sequence(),
                tx.now(),
                content.length,
                more=LOCK if name == "locked" else {},
            )
            tx.add_version(bucket, version, content)


def mend(tx: IMetadataTransaction, row: DamagedRow) -> str:
    """Mend a row as fsck does; an interaction."""
    return tx.mend_row(row, "root", KEEPING, CLOSING)


class KeptRowTests(DamageCase):
    """What repairs leave alone."""

    async def setUp(self) -> None:
        """Make a database."""
        self.path = self.mktemp()
        store = still_store(self.path)
        await started(store)
        await store.write(fill)
        await store.close()
        self.original = contents(self.path)

    def dumped(self) -> set[str]:
        """All rows."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.text_factory = bytes  # some is no text
            return {
                f"{table} {row}"
                for table in ("versions", "bodies", "extents", "configurations")
                for row in connection.execute(f"SELECT * FROM {table}")
            }

    async def mended(self, *statements: str) -> list[str]:
        """What mending says of each row that changes damage."""
        store = await self.changed(*statements)
        found = await damaged_rows(store)
        said = [await store.write(mend, row) for row in found]
        await store.close()
        return said

    async def test_versions(self) -> None:
        """A damaged row of a version, or of its bytes, stays where its bucket has object lock, and goes elsewhere."""
        for wrong in (
            """more = '{"a":"b"}'""",
            "size = 3",
            "etag = x'00'",
            "version_id = CAST(x'62ff' AS TEXT)",
            "checked = 0",
        ):
            for number in (LOCKED, PLAIN):
                said = await self.mended(
                    f"UPDATE versions SET {wrong} WHERE bucket = {number} AND key = 'inline'"
                )
                self.assertEqual(
                    said, [""] if number == LOCKED else ["it is removed"], wrong
                )
                there = [row for row in self.dumped() if row.startswith("versions")]
                self.assertEqual(len(there), 4 if number == LOCKED else 3)

    async def test_lost_lock(self) -> None:
        """A row from which the lock has gone does not pass for one that never had any."""
        for wrong in ("more = ''", "more = '{}'"):
            said = await self.mended(
                f"UPDATE versions SET {wrong} WHERE bucket = {LOCKED} AND key = 'inline'"
            )
            self.assertEqual(said, [""])

    async def test_bytes(self) -> None:
        """So do bytes, inline or where a blob is named."""
        of = "(SELECT sequence FROM versions WHERE bucket = {} AND key = '{}')"
        for table, owner, key, wrong in (
            ("bodies", "sequence", "inline", "body = x'00'"),
            ("extents", "owner", "large", "blob = 'other'"),
            ("extents", "owner", "large", "length = 8"),
        ):
            for number in (LOCKED, PLAIN):
                said = await self.mended(
                    f"UPDATE {table} SET {wrong} WHERE {owner} = {of.format(number, key)}"
                )
                self.assertEqual(len(said), 1)
                self.assertEqual(said[0] == "", number == LOCKED)
                there = [row for row in self.dumped() if row.startswith("versions")]
                self.assertEqual(len(there), 4 if number == LOCKED else 3)

    async def test_another_bucket(self) -> None:
        """A row whose bucket is what is wrong with it is known to be one of the bucket with object lock, or may be."""
        before = self.dumped()
        for number in (PLAIN, 7, -1):
            said = await self.mended(
                f"UPDATE versions SET bucket = {number} WHERE bucket = {LOCKED} AND key = 'inline'"
            )
            self.assertEqual(
                set(said) - {"the latest version of the key is set again"}, {""}
            )
            self.assertEqual(len(self.dumped()), len(before))

    async def test_lost_bytes(self) -> None:
        """Bytes that nothing knows any more may be those of a locked version, whose row, or theirs, says another number: they stay, whatever else is mended."""
        of = "(SELECT sequence FROM versions WHERE bucket = {} AND key = '{}')"
        plain, before = of.format(PLAIN, "inline"), len(self.dumped())
        for table, owner, key in (
            ("bodies", "sequence", "inline"),
            ("extents", "owner", "large"),
        ):
            locked = of.format(LOCKED, key)
            there = f"UPDATE {table} SET {owner} = {{}} WHERE {owner} = {locked}"
            said = await self.mended(there.format(999))
            self.assertEqual((said, len(self.dumped())), ([""], before), table)
        said = await self.mended(
            f"UPDATE extents SET owner = {plain} WHERE owner = {of.format(LOCKED, 'large')}"
        )
        self.assertEqual((said, len(self.dumped())), ([""], before))
        for key in ("inline", "large"):
            said = await self.mended(
                f"UPDATE versions SET sequence = sequence + 1000 WHERE bucket = {LOCKED} AND key = '{key}'",
                f"UPDATE versions SET size = 3 WHERE bucket = {PLAIN} AND key = 'inline'",
            )
            self.assertEqual(sorted(said), ["", "it is removed"], key)
            # The version that is removed, and its bytes.
            self.assertEqual(len(self.dumped()), before - 2, key)

    async def test_documents(self) -> None:
        """The document of object lock stays, and a policy, which may deny something; and the bucket says that it has one, whatever becomes of the others and of its row."""
        for kind in ("object-lock", "policy"):
            where = f"WHERE kind = '{kind}'"
            for wrong in ("document = x'00'", "checked = 1"):
                said = await self.mended(f"UPDATE configurations SET {wrong} {where}")
                self.assertEqual(said, [""])
                self.assertEqual(await self.configured(), ALL)
        await self.mended("UPDATE configurations SET checked = 1 WHERE kind = 'cors'")
        self.assertEqual(await self.configured(), ALL - {"cors"})
        for kind in ("object-lock", "policy"):
            where = f"WHERE kind = '{kind}'"
            for lost in (
                f"UPDATE configurations SET kind = 'other' {where}",
                f"DELETE FROM configurations {where}",
            ):
                self.assertIn("", await self.mended(lost))
                self.assertEqual(await self.configured(), ALL)

    async def test_lost_documents(self) -> None:
        """A document that is gone is missed until it is written anew, or removed, whatever becomes of the others."""
        await self.mended("DELETE FROM configurations WHERE kind = 'policy'")
        for document in (b"<CORSConfiguration/>", None):
            await self.set("cors", document)
            self.assertIn("policy", await self.configured())
        await self.set("policy", None)
        self.assertEqual(await self.configured(), {"object-lock"})

    async def set(self, kind: str, document: bytes | None) -> None:
        """Keep a document of the bucket with object lock, or remove it."""
        store = await self.opened()
        await store.write(_set, kind, document)
        await store.close()

    async def test_bucket(self) -> None:
        """A bucket whose own row is damaged says what documents there are; its versions stay what they are."""
        before = self.dumped()
        for wrong in (
            "configured = ''",
            "configured = 'x'",
            "versioning = 'Enabmed'",
            "versioning = x'00'",
            "owner = x'00'",
        ):
            await self.mended(f"UPDATE buckets SET {wrong} WHERE number = {LOCKED}")
            self.assertEqual(await self.configured(), ALL)
            self.assertEqual(self.dumped(), before)
            self.assertEqual((await self.locked()).versioning, "Enabled")

    async def test_nothing_kept(self) -> None:
        """Where no bucket has object lock, all is mended as ever."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("DELETE FROM configurations WHERE kind = 'object-lock'")
        store = await self.opened()
        for row in await damaged_rows(store):
            await store.write(mend_all, row)
        await store.close()
        self.original = contents(self.path)
        said = await self.mended(
            f"UPDATE versions SET more = '' WHERE bucket = {LOCKED} AND key = 'inline'"
        )
        self.assertEqual(said, ["it is removed"])

    async def opened(self) -> SQLiteMetadataStore:
        """The store as it is."""
        store = still_store(self.path)
        await started(store)
        return store

    async def configured(self) -> frozenset[str]:
        """The documents that the bucket with object lock says it has."""
        return (await self.locked()).configured

    async def locked(self) -> Bucket:
        """The bucket with object lock."""
        store = await self.opened()
        found = await store.read(_locked)
        await store.close()
        assert found is not None
        return found


def mend_all(tx: IMetadataTransaction, row: DamagedRow) -> str:
    """Mend a row, and keep nothing; an interaction."""
    return tx.mend_row(row, "root", frozenset(), frozenset())


def _set(tx: IMetadataTransaction, kind: str, document: bytes | None) -> None:
    bucket = _locked(tx)
    assert bucket is not None
    tx.claim(*Claim.whole(bucket))
    tx.set_configuration(bucket, kind, document)


def _locked(tx: IMetadataTransaction) -> Bucket | None:
    found: Bucket | None = tx.bucket("s3v", "locked")
    return found
