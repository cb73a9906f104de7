"""What the tests of commands behind ``ozgate sh`` stand on: a gateway in memory, and who asks it."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase

from ozgate.admin.caller import Caller
from ozgate.admin.commands.table import run
from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.perform.buckets import shared_volume
from ozgate.testing.metadata_base import change
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Content, ObjectVersion
from tests.operations.support import make_gateway

ADMIN = Caller("admin", is_admin=True, is_s3_admin=True)
ALICE = Caller("alice")
BOB = Caller("bob")
GIB = 1 << 30


class CommandCase(TestCase):
    """Runs commands on an empty gateway whose S3 volume is there."""

    def setUp(self) -> Deferred[None]:
        """Open the stores."""
        return ensureDeferred(self._open())

    async def _open(self) -> None:
        self.clock = MemoryReactorClock()
        self.clock.advance(1_795_000_000.25)
        folder = self.mktemp()
        os.makedirs(folder)
        self.gateway = make_gateway(self.clock, data=folder)
        await self.gateway.metadata.open()
        await self.gateway.blobs.open()
        self.addCleanup(self.gateway.blobs.close)
        self.addCleanup(self.gateway.metadata.close)
        self.context = AdminContext(self.gateway, None, self.clock.seconds())
        shared = shared_volume("s3v", "ozgate", 1)
        await self.gateway.metadata.write(change, "add_volume", (shared,))

    async def do(self, name: str, caller: Caller = ADMIN, **arguments: Any) -> Any:
        """What a command comes to."""
        return await run(self.context, caller, name, arguments)

    async def refused(
        self, code: str, name: str, caller: Caller = ADMIN, **arguments: Any
    ) -> str:
        """Assert that a command is refused with a code; returns the message."""
        try:
            done = await self.do(name, caller, **arguments)
        except AdminError as error:
            self.assertEqual(error.code, code, str(error))
            return error.message
        self.fail(f"{name} {arguments} was not refused: {done}")

    async def add_key(self, volume: str, bucket: str, key: str, size: int) -> None:
        """Put an object of that many bytes straight into a bucket."""
        await self.gateway.metadata.write(_add_key, volume, bucket, key, size)


def _add_key(
    tx: IMetadataTransaction, volume: str, bucket: str, key: str, size: int
) -> None:
    found = tx.bucket(volume, bucket)
    assert found is not None
    claim_whole(tx, found)
    version = ObjectVersion(key, tx.next_sequence(), tx.now(), size)
    tx.add_version(found, version, Content(b"x" * size))
