"""Tests of :mod:`ozgate.s3.receive` with a store on files, and threads."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.blobs.files.store import FileBlobStore
from ozgate.content.stores import BlobStores
from ozgate.errors import BadDigest
from ozgate.interfaces import IBlobStore
from ozgate.s3.receive import receive
from ozgate.values import ByteRange
from tests.started import started
from tests.unit.s3.receiving import LARGE, Connection, ReceiveCase, checksum


class SelfRunning(Connection):
    """One that delivers by itself, in the reactor's turns."""

    def resume_body(self) -> None:
        """Let bytes come, soon."""
        super().resume_body()
        reactor.callLater(0, self.run)  # type: ignore[attr-defined]


class FilesTests(TestCase, ReceiveCase):
    """The same with files and threads."""

    def setUp(self) -> Any:
        """Make a gateway on files."""
        ReceiveCase.setUp(self)
        self.files = FileBlobStore(self.mktemp(), "files", Clock(), deferToThread, 10)
        self.gateway = evolve(
            self.gateway, blobs=BlobStores(self.files), run_in_thread=deferToThread
        )
        self.addCleanup(self.files.close_store)
        return started(self.files)

    async def test_taken(self) -> None:
        """A body of some MiB is in a file, byte for byte, with all its digests."""
        assert IBlobStore.providedBy(self.files)
        data = LARGE * 20
        connection = SelfRunning(data, len(data), 65536)
        header = {"x-amz-checksum-sha256": checksum("SHA256", data)}
        received = await receive(self.call(connection, **header), inline=True)
        self.assertEqual(received.md5, hashlib.md5(data).hexdigest())
        self.assertEqual(received.checksums["CRC64NVME"], checksum("CRC64NVME", data))
        (extent,) = received.content.extents
        source = await self.files.open(extent.blob, ByteRange(0, len(data)))
        fd, offset, count = source.as_file()  # type: ignore[misc]
        self.assertEqual(os.pread(fd, count, offset), data)
        source.close()

    async def test_refused(self) -> None:
        """A body that was refused leaves no file."""
        data = LARGE * 20
        connection = SelfRunning(data, len(data), 65536)
        header = {"x-amz-checksum-sha256": checksum("SHA256", b"other")}
        with self.assertRaises(BadDigest):
            await receive(self.call(connection, **header), inline=True)
        self.assertEqual(await self.files.list(1 << 60), [])

    async def test_cancelled(self) -> None:
        """A body cut off leaves no file."""
        data = LARGE * 20
        connection = Connection(data, len(data), 65536)
        done = Deferred.fromCoroutine(receive(self.call(connection), inline=True))
        connection.run()
        done.cancel()
        with self.assertRaises(CancelledError):
            await done
        self.assertEqual(await self.files.list(1 << 60), [])
