"""A database that an earlier schema made is opened, migrated, and means the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite import schema
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import Bucket, Content, ObjectVersion
from tests.started import started

OLD = Path(__file__).with_name("metadata_v1.sql")
"""What schema 1 made, dumped: two buckets with versions, delete markers, uploads; a link; three volumes."""

CREATED = 1_700_000_000_000


def bucket(tx: IMetadataTransaction, volume: str, name: str) -> Bucket:
    """A bucket that is there."""
    found = tx.bucket(volume, name)
    assert found is not None
    return found


class MigrationTests(TestCase):
    """From schema 1."""

    async def setUp(self) -> None:
        """Make the database as it was, and open it."""
        self.path = self.mktemp()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(OLD.read_text(encoding="utf-8"))
            connection.execute("PRAGMA user_version = 1")
        self.store = SQLiteMetadataStore(self.path, reactor)
        await started(self.store)
        self.addCleanup(self.store.close)

    async def test_counters(self) -> None:
        """Bytes and names are counted from what was there, and agree with a count of the rows."""

        def counted(tx: IMetadataTransaction) -> dict[str, tuple[int, int]]:
            found = {}
            for volume in tx.volumes("", "", 9):
                found[volume.name] = (volume.used_bytes, volume.used_names)
                for each in tx.buckets(volume.name, "", "", 9):
                    used = (each.used_bytes, each.used_names)
                    assert used == tx.recount(each)
                    found[f"{volume.name}/{each.name}"] = used
            return found

        expected = {
            "s3v": (31, 2),
            "s3v/bucket": (31, 5),
            "s3v/link": (0, 0),
            "vol1": (50, 2),
            "vol1/data": (50, 2),
            "vol1/void": (0, 0),
            "vol2": (0, 0),
        }
        self.assertEqual(await self.store.read(counted), expected)

    async def test_members(self) -> None:
        """What was there is there, and what is new has its default."""
        found = await self.store.read(bucket, "s3v", "bucket")
        expected = Bucket(
            "s3v",
            "bucket",
            "testuser",
            CREATED + 10,
            "eu-west-1",
            "Enabled",
            None,
            1,
            modified=CREATED + 10,
            used_bytes=31,
            used_names=5,
            configured=frozenset({"policy"}),
        )
        self.assertEqual(found, expected)
        volume = await self.store.read(lambda tx: tx.volume("vol1"))
        self.assertEqual((volume.owner, volume.admin), ("alice", "alice"))
        self.assertEqual((volume.quota_bytes, volume.quota_names), (-1, -1))
        self.assertEqual(volume.modified, volume.created)
        link = await self.store.read(bucket, "s3v", "link")
        self.assertEqual(link.source, ("vol1", "data"))

    async def test_objects(self) -> None:
        """Versions, uploads and parts are found as they were."""

        def look(tx: IMetadataTransaction) -> list[object]:
            real, data = bucket(tx, "s3v", "bucket"), bucket(tx, "vol1", "data")
            page = tx.version_page(real, "", "", "", "", 9)
            version = tx.version(real, "a", "v2")
            upload = tx.upload(data, "big", "u1")
            assert version is not None
            assert upload is not None
            return [
                [(item.key, item.version_id) for item in page.items],
                tx.content(real, version).body,
                [part.size for part in tx.parts(data, upload, 0, 9)],
                tx.configuration(real, "policy"),
            ]

        null = [("bä", "null"), ("c", "null")]
        expected = [
            [("a", "v3"), ("a", "v2"), ("a", "v1"), *null],
            b"longer body",
            [16, 16],
            b'{"Version": "2012-10-17"}',
        ]
        self.assertEqual(await self.store.read(look), expected)

    async def test_goes_on(self) -> None:
        """Writes go on: numbers increase, and what is used is counted."""

        def write(tx: IMetadataTransaction) -> int:
            data = bucket(tx, "vol1", "data")
            upload = tx.upload(data, "big", "u1")
            assert upload is not None
            tx.remove_upload(data, upload)
            last = tx.latest(data, "z")
            assert last is not None
            version = ObjectVersion("new", tx.next_sequence(), tx.now(), 3)
            tx.add_version(data, version, Content(b"new"))
            return version.sequence - last.sequence

        self.assertGreater(await self.store.write(write), 0)
        found = await self.store.read(bucket, "vol1", "data")
        self.assertEqual((found.used_bytes, found.used_names), (21, 3))

    async def test_secrets(self) -> None:
        """No secret is left in the clear."""
        self.assertEqual(await self.store.read(lambda tx: tx.secrets("", 9)), [])

    async def test_schema(self) -> None:
        """The tables are those of a new database."""
        await self.store.close()
        fresh = SQLiteMetadataStore(self.mktemp(), reactor)
        await started(fresh)
        await fresh.close()
        tables = []
        for path in (self.path, fresh._path):
            with closing(sqlite3.connect(path)) as connection:
                (number,) = connection.execute("PRAGMA user_version").fetchone()
                self.assertEqual(number, schema.SCHEMA_VERSION)
                self.assertEqual(
                    connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)]
                )
                tables.append(
                    connection.execute(
                        "SELECT name, sql FROM sqlite_master ORDER BY name"
                    ).fetchall()
                )
        self.assertEqual(*tables)
