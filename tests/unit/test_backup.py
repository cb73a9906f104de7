"""A backup on real stores, held in its middle: what it names stays until it has it; what stops it leaves none."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from ozgate.admin.backup import Backup
from ozgate.admin.backupfolder import BackupFolder
from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from ozgate.blobs.files import FileBlobStore
from ozgate.blobs.readers import Readers
from ozgate.blobs.sweep import Reaper
from ozgate.config import Settings
from ozgate.errors import Absent
from ozgate.metadata.sqlite import SQLiteMetadataStore
from ozgate.s3.call import Gateway
from ozgate.values import BlobRef, Bucket
from tests.unit.test_sweep import add_bucket, name_blob, remove_key

SIZE = 30_000


class BackupCase(TestCase):
    """Stores in files, with three keys in blobs."""

    async def setUp(self) -> None:
        """Fill them."""
        folder, self.target = self.folders()
        self.metadata = SQLiteMetadataStore(f"{folder}/metadata.db", reactor)
        self.blobs = FileBlobStore(
            f"{folder}/blobs", "files", reactor, deferToThread, 0
        )
        await self.metadata.open()
        self.addCleanup(self.metadata.close)
        await self.blobs.open_store()
        self.addCleanup(self.blobs.close_store)
        self.gateway = Gateway(
            Settings(data=folder),
            self.metadata,
            self.blobs,
            Readers(),
            reactor,
            deferToThread,
        )
        self.context = AdminContext(self.gateway, None, 0.0)
        self.bucket: Bucket = await self.metadata.write(add_bucket)
        self.stored = [await self.store(f"key{n}") for n in range(3)]

    def folders(self) -> tuple[str, str]:
        """One for data, which is made, and one for a backup."""
        data = os.path.abspath(self.mktemp())
        os.mkdir(data)
        return data, os.path.abspath(self.mktemp())

    def in_backup(self, name: str) -> bool:
        """Whether the backup has a file."""
        return os.path.exists(f"{self.target}/{name}")

    async def store(self, key: str) -> BlobRef:
        """Store a key in a blob."""
        sink = self.blobs.create(SIZE)
        sink.write(os.urandom(SIZE))
        blob: BlobRef = await sink.commit()
        await self.metadata.write(name_blob, self.bucket, key, blob)
        return blob

    def held(self) -> tuple[Deferred[None], Deferred[None]]:
        """Have the next backup stop between its metadata and its blobs: fires there, and goes on with the second."""
        reached, going_on = Deferred[None](), Deferred[None]()
        copy_blobs = Backup._copy_blobs

        async def hold(backup: Backup, *args: Any) -> Any:
            reached.callback(None)
            await going_on
            return await copy_blobs(backup, *args)

        self.patch(Backup, "_copy_blobs", hold)
        return reached, going_on


class HoldTests(BackupCase):
    """What goes on beside it."""

    async def test_deleted_meanwhile(self) -> None:
        """What is deleted while a backup is made is in it, however eager the reaper; afterwards it goes."""
        reaper = Reaper(
            self.metadata, self.blobs, self.gateway.readers, reactor, "reaper", 0
        )
        reached, going_on = self.held()
        backup = Backup(self.context, self.target, True, False)
        await reached
        for n in range(3):
            await self.metadata.write(remove_key, self.bucket, f"key{n}")
        self.assertEqual(await reaper.reap(), 0)
        going_on.callback(None)
        await backup.running.wait()
        self.assertIsNone(backup.running.failure)
        assert backup.manifest is not None
        self.assertEqual(backup.manifest.damaged, ())
        self.assertEqual(backup.manifest.blobs.count, 3)
        for blob in self.stored:
            self.assertTrue(self.in_backup(f"blobs/{blob.id[-2:]}/{blob.id}"))
        reaped = 0
        while reaped < 3:
            reaped += await reaper.reap()
        for blob in self.stored:
            await self.assertFailure(self.blobs.verify(blob.id), Absent)

    async def test_stopped(self) -> None:
        """One that is stopped leaves no manifest, lets the reaper go on, and says that it is not complete."""
        reached, going_on = self.held()
        backup = Backup(self.context, self.target, True, False)
        await reached
        stopping = Deferred.fromCoroutine(backup.stop())
        going_on.callback(None)
        await stopping
        self.assertIsNone(backup.manifest)
        self.assertIsNone(backup.running.failure)
        self.assertFalse(self.in_backup("manifest.json"))
        self.assertIsNone(self.gateway.readers.oldest())

    async def test_one_in_a_folder(self) -> None:
        """While a backup is made in a folder, no other is."""
        reached, going_on = self.held()
        backup = Backup(self.context, self.target, True, False)
        await reached
        with self.assertRaisesRegex(AdminError, "another process makes a backup"):
            BackupFolder(self.target).open()
        going_on.callback(None)
        await backup.running.wait()
        self.assertIsNotNone(backup.manifest)

    async def test_another_users_folder(self) -> None:
        """A folder of another user is not written to: it may have links in it that lead elsewhere."""
        os.mkdir(self.target)
        self.patch(os, "geteuid", lambda: 4_000_001)
        owner = os.stat(self.target).st_uid
        self.patch(os, "stat", _stat_as(owner or 4_000_002))
        with self.assertRaisesRegex(AdminError, "is another user's"):
            BackupFolder(self.target).open()


def _stat_as(uid: int) -> Any:
    """Files are of a user; those of others cannot be had in a test that is not root's."""
    stat = os.stat

    def found(*args: Any, **keywords: Any) -> os.stat_result:
        real = list(stat(*args, **keywords))
        real[4] = uid
        return os.stat_result(real)

    return found
