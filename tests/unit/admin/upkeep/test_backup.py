"""A backup on real stores, held in its middle: what it names stays until it has it; what stops it leaves none."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from contextlib import closing
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, TestCase

from ozgate.admin.context import AdminContext
from ozgate.admin.errors import AdminError
from ozgate.admin.upkeep.backup import Backup
from ozgate.admin.upkeep.backupfolder import BackupFolder
from ozgate.admin.upkeep.datafolder import DataFolder
from ozgate.admin.upkeep.restore import restore
from ozgate.background.reaper import Reaper
from ozgate.blobs.files import syscalls
from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.errors import Absent, Unavailable
from ozgate.gateway.gateway import Gateway
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.values import BlobRef, Bucket
from tests.crash.tapping import Call, Failing, tapped, unavailable
from tests.started import started
from tests.unit.background.sweeping import add_bucket, name_blob, remove_key

SIZE = 30_000


class BackupCase(TestCase):
    """Stores in files, with three keys in blobs."""

    async def setUp(self) -> None:
        """Fill them."""
        folder, self.target = self.folders()
        self.path = f"{folder}/metadata.db"
        self.metadata = SQLiteMetadataStore(self.path, reactor)
        self.blobs = FileBlobStore(
            f"{folder}/blobs", "files", reactor, deferToThread, 0
        )
        await started(self.metadata)
        self.addCleanup(self.metadata.close)
        await started(self.blobs)
        self.addCleanup(self.blobs.close_store)
        self.gateway = Gateway(
            Settings(data=folder),
            self.metadata,
            BlobStores(self.blobs),
            Readers(),
            reactor,
            deferToThread,
            process="test",
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

    async def test_begun(self) -> None:
        """A folder in which a backup was killed before it could mark it is as good as an empty one."""
        os.mkdir(self.target)
        for name in ("FORMAT.new", "FORMAT"):
            folder = BackupFolder(self.target)
            write = syscalls.writev

            def killed(fd: int, chunks: Any) -> int:
                raise KeyboardInterrupt

            self.patch(syscalls, "writev", killed if name == "FORMAT.new" else write)
            with contextlib.suppress(KeyboardInterrupt):
                folder.open()
            self.patch(syscalls, "writev", write)
            folder.close()
            self.assertIn(name, os.listdir(self.target))

    async def test_another_users_folder(self) -> None:
        """A folder of another user is not written to: it may have links in it that lead elsewhere."""
        os.mkdir(self.target)
        self.patch(os, "geteuid", lambda: 4_000_001)
        owner = os.stat(self.target).st_uid
        self.patch(os, "stat", _stat_as(owner or 4_000_002))
        with self.assertRaisesRegex(AdminError, "is another user's"):
            BackupFolder(self.target).open()

    async def test_not_to_be_written_to(self) -> None:
        """A folder that the service may not write to, by its mode or by systemd's mounts, neither of which is to be had
        in a test that may be root's, is said to be so, with what to do."""
        for code in (errno.EACCES, errno.EROFS):
            self.patch(syscalls, "mkdir", _refusing(code))
            with self.assertRaises(AdminError) as raised:
                BackupFolder(self.target).open()
            self.assertEqual(raised.exception.code, "PERMISSION_DENIED")
            self.assertIn(f"may not write to {self.target}: ", str(raised.exception))


class FailureTests(BackupCase):
    """What a backup must not be taken for."""

    async def made(self, link: bool = True) -> Backup:
        """A backup that has ended."""
        backup = Backup(self.context, self.target, link, False)
        await backup.running.wait()
        return backup

    async def test_metadata_not_written(self) -> None:
        """When the disk fails while the copy of the metadata is closed, the rest of it is in its log: that is no backup."""
        if reason := unavailable():
            raise SkipTest(reason)
        reached, going_on = self.held()

        def wanted(call: Call) -> bool:
            copied = reached.called and call.path.endswith(".db")
            return copied and call.kind == "write"

        tap = Failing(1, number=errno.EIO, lasting=True, wanted=wanted)
        with tapped(tap, reads=False):
            backup = Backup(self.context, self.target, True, False)
            await reached
            going_on.callback(None)
            await backup.running.wait()
        self.assertGreater(tap.count, 0)
        assert backup.running.failure is not None
        backup.running.failure.trap(Unavailable)
        self.assertFalse(self.in_backup("manifest.json"))

    async def test_copies_after_links(self) -> None:
        """A backup that is to copy makes copies of the links that one before left, which share the fate of the originals."""
        first = await self.made()
        self.assertEqual(first.counts, {"linked": 3, "copied": 0, "kept": 0})
        second = await self.made(link=False)
        self.assertEqual(second.counts, {"linked": 0, "copied": 3, "kept": 0})
        for blob in self.stored:
            self.damage(blob)
        self.restore(self.folders()[1])
        third = await self.made(link=False)
        self.assertEqual(third.counts, {"linked": 0, "copied": 0, "kept": 3})

    async def test_damaged_index(self) -> None:
        """Metadata whose index has lost a blob do not say that the blob of the backup before is needless."""
        lost = self.stored[1]
        place = f"blobs/{lost.id[-2:]}/{lost.id}"
        await self.made()
        self.assertTrue(self.in_backup(place))
        self.lose_from_index(lost)
        backup = await self.made()
        assert backup.manifest is not None
        self.assertIn("missing from index", " ".join(backup.manifest.structure))
        self.assertTrue(self.in_backup(place))

    async def test_restore_cut_short(self) -> None:
        """A restore that ends while it moves things to their place leaves a folder on which no service starts, and no other restore."""
        for n in range(3):
            await self.metadata.write(remove_key, self.bucket, f"key{n}")
        await self.made()
        rename = syscalls.rename
        for name in ("blobs", "metadata.db"):
            _, data = self.folders()

            def fails(old: str, new: str, last: str = f"{data}/{name}") -> None:
                if new == last:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                rename(old, new)

            self.patch(syscalls, "rename", fails)
            with self.assertRaises(Unavailable):
                self.restore(data)
            self.patch(syscalls, "rename", rename)
            with self.assertRaisesRegex(ConfigurationError, "a restore into it"):
                DataFolder(data)
            with self.assertRaisesRegex(AdminError, "was interrupted"):
                self.restore(data)
            shutil.rmtree(data)
            self.restore(data)
            self.assertEqual(set(os.listdir(data)), {"blobs", "lock", "metadata.db"})
            DataFolder(data).release()

    def damage(self, blob: BlobRef) -> None:
        """Change the stored bytes of a blob."""
        with open(self.blobs.file_of(blob.id), "r+b") as file:
            file.write(b"rot")

    def restore(self, data: str) -> None:
        """Restore the backup."""
        restore(self.target, data, lambda *asked: None, lambda *said: None)

    def lose_from_index(self, blob: BlobRef) -> None:
        """Make the index of blobs anew, without that one."""
        written = "UPDATE sqlite_master SET sql = ? WHERE name = 'extents_blob'"
        sql = "CREATE INDEX extents_blob ON extents (blob, store)"
        for text in (f"{sql} WHERE blob <> '{blob.id}'", sql):
            with closing(sqlite3.connect(self.path, isolation_level=None)) as changing:
                changing.execute("PRAGMA writable_schema = ON")
                changing.execute(written, (text,))
            with closing(sqlite3.connect(self.path, isolation_level=None)) as making:
                if "WHERE" in text:
                    making.execute("REINDEX extents_blob")
                (version,) = making.execute("PRAGMA schema_version").fetchone()
                making.execute(f"PRAGMA schema_version = {version + 1}")


def _refusing(code: int) -> Any:
    """A call that fails."""

    def refuse(path: str) -> None:
        raise OSError(code, os.strerror(code), path)

    return refuse


def _stat_as(uid: int) -> Any:
    """Files are of a user; those of others cannot be had in a test that is not root's."""
    stat = os.stat

    def found(*args: Any, **keywords: Any) -> os.stat_result:
        real = list(stat(*args, **keywords))
        real[4] = uid
        return os.stat_result(real)

    return found
