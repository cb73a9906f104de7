"""A store over an engine that misbehaves: shared by the tests of what is told of it."""

from __future__ import annotations

import os
from typing import Any

from twisted.trial.unittest import TestCase

from ozgate.blobs.s3.frames import BLOCK
from ozgate.testing.blob_base import Reader
from ozgate.values import BlobRef, ByteRange
from tests.unit.blobs.s3.badengine import BadEngine

DATA = os.urandom(3 * BLOCK + 7)


class FaultCase(TestCase):
    """A store over an engine that misbehaves."""

    async def setUp(self) -> None:
        self.engine = BadEngine()
        self.addCleanup(self.engine.stop)
        self.store = self.engine.store()
        self.addCleanup(lambda: self.store.close_store())
        await self.store.prepare_store()
        await self.store.open_store()
        self.engine.asked.clear()

    async def reopen(self, patience: float = 60.0, **settings: Any) -> None:
        """Have it anew, otherwise set."""
        await self.store.close_store()
        self.store = self.engine.store(**settings)
        self.store.engine.turns.patience = patience
        await self.store.open_store()

    async def put(self, data: bytes = DATA) -> BlobRef:
        """Store a blob."""
        sink = self.store.create(len(data))
        sink.write(data)
        return await sink.commit()

    async def get(self, blob: BlobRef, reader: Reader | None = None) -> bytes:
        """Read a blob."""
        reader = reader or Reader()
        source = await self.store.open(blob, ByteRange(0, blob.length))
        try:
            await source.send_to(reader)
        finally:
            source.close()
        return reader.data

    def asked(self, method: str) -> int:
        """How often the engine was asked so."""
        return [each for each, _ in self.engine.asked].count(method)
