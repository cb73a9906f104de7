"""Processes that share one folder of blobs, each as that of a gateway, and die in the middle of writing."""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from ozgate.blobs.files.sharedstore import SharedFileBlobStore
from ozgate.values import BlobRef
from tests.forking import die_with_parent
from tests.running import ROOT

WRITER = """\
import os, sys
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from ozgate.blobs.files.sharedstore import SharedFileBlobStore

async def write():
    store = SharedFileBlobStore(sys.argv[1], "files", reactor, 10)
    await store.prepare_store()
    await store.open_store()
    unfinished = store.create(None)
    unfinished.write(os.urandom(700_000))
    number = 0
    while True:
        sink = store.create(None)
        sink.write(os.urandom(600_000))
        blob = await sink.commit()
        number += 1
        if number % 3 == 0:
            await store.delete(blob.id)
            blob = None
        if blob is not None:
            print(blob.id, blob.length, blob.crc64nvme, flush=True)

Deferred.fromCoroutine(write()).addErrback(lambda f: (f.printTraceback(), reactor.callWhenRunning(reactor.stop)))
reactor.run()
"""


class SharedFolderTests(TestCase):
    """Two processes that write, and one that reads and prepares meanwhile."""

    timeout = 120

    def setUp(self) -> None:
        self.path = os.path.abspath(self.mktemp())

    def staging(self) -> list[str]:
        """What is being written, or was."""
        return os.listdir(f"{self.path}/staging")

    def writer(self) -> subprocess.Popen[str]:
        """A process that writes until it is killed, and says what it committed."""
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, self.path],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        self.addCleanup(self.end, process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """Kill it."""
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    async def said(self, process: subprocess.Popen[str], count: int) -> list[BlobRef]:
        """What it committed."""
        assert process.stdout is not None
        found = []
        for _ in range(count):
            line: str = await self.in_thread(process.stdout.readline)
            blob_id, length, crc = line.split()
            found.append(BlobRef("files", blob_id, int(length), int(crc)))
        return found

    def in_thread(self, function) -> Deferred:
        """Call it in a thread."""
        from twisted.internet.threads import deferToThread

        return deferToThread(function)

    async def opened(self) -> SharedFileBlobStore:
        """A store of this process."""
        store = SharedFileBlobStore(self.path, "files", reactor, 10)
        self.addCleanup(store.close_store)
        await store.prepare_store()
        await store.open_store()
        return store

    async def test_killed(self) -> None:
        """What either committed is whole for all, also when both were killed; what they were writing goes with the next start, and not before."""
        writers = [self.writer(), self.writer()]
        blobs = [blob for each in writers for blob in await self.said(each, 6)]
        store = await self.opened()
        for blob in blobs:
            self.assertEqual(await store.verify(blob.id), blob.length)
        # That they were prepared again took nothing from those who write.
        blobs += [blob for each in writers for blob in await self.said(each, 6)]
        for each in writers:
            each.kill()
            each.wait()
        self.assertGreaterEqual(len(self.staging()), 2)
        await store.close_store()
        store = await self.opened()
        self.assertEqual(self.staging(), [])
        self.assertEqual(dict(await store.inspect(blobs)), {})
        listed = await store.list(1 << 47)
        self.assertLessEqual({blob.id for blob in blobs}, set(listed))
        for blob_id in listed:
            self.assertEqual(await store.verify(blob_id), 600_000)
