"""A database of its own for each test, and what is done in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from ozgate.errors import Unavailable
from ozgate.interfaces import IMetadataTransaction
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_events import EVENT
from ozgate.values import Bucket, Content, ObjectVersion, Volume
from tests.started import started


def add_bucket(tx: IMetadataTransaction) -> Bucket:
    """A volume and a bucket in it."""
    tx.add_volume(Volume("s3v", "owner", tx.now()))
    return tx.add_bucket(Bucket("s3v", "bucket", "owner", tx.now()))


def put(
    tx: IMetadataTransaction, bucket: Bucket, key: str, body: bytes = b"body"
) -> int:
    """Add an object; its sequence number."""
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), len(body))
    tx.add_version(bucket, version, Content(body))
    return version.sequence


def note(tx: IMetadataTransaction) -> int:
    """Add an event; its sequence number."""
    tx.note_event(EVENT)
    return tx.events(0, 1)[0].sequence


def content_of(tx: IMetadataTransaction, bucket: Bucket, key: str) -> Content:
    """Where the bytes of an object are."""
    version = tx.latest(bucket, key)
    assert version is not None
    return tx.content(bucket, version)


class SQLiteTests(TestCase):
    """A database of its own for each test."""

    def setUp(self) -> None:
        """Choose a place."""
        self.path = self.mktemp()

    async def opened(self) -> SQLiteMetadataStore:
        """A store that is open."""
        store = SQLiteMetadataStore(self.path, reactor)
        await started(store)
        self.addCleanup(store.close)
        return store

    async def refusal(self) -> str:
        """Why the store cannot be opened."""
        store = SQLiteMetadataStore(self.path, reactor)
        error = await self.assertFailure(started(store), Unavailable)
        self.assertNotIn("\n", str(error))
        self.assertIn(self.path, str(error))
        return str(error)

    def sql(self, statement: str) -> list[Any]:
        """What a statement gives, on a connection of its own."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement).fetchall()
