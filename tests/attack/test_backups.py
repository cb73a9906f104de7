"""Backups that somebody else put together: a restore takes nothing from outside of their folder, and runs nothing in them."""

# ruff: noqa: ASYNC240
# Nothing else waits while a test looks at its files.

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from ozgate.admin.errors import AdminError
from ozgate.admin.upkeep.backup import Backup
from ozgate.admin.upkeep.backupfolder import BackupFolder, is_backup
from ozgate.admin.upkeep.datafolder import DataFolder
from ozgate.admin.upkeep.restore import restore
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, open_master_key
from ozgate.cli.admin.backup import _open_metadata
from ozgate.config.sitefile import ConfigurationError
from ozgate.errors import StoreError
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from tests.started import started
from tests.unit.admin.upkeep.test_backup import BackupCase
from tests.unit.auth.signed import presented

OUTSIDE = b"root:$y$j9T$...:20000:0:99999:7:::\n"
"""What a restore must not bring in."""


class ForgedTests(BackupCase):
    """A whole backup, with its key, that is then changed."""

    async def setUp(self) -> None:
        """Make it."""
        await super().setUp()
        path = f"{self.gateway.settings.data}/master.key"
        key = await open_master_key(self.metadata, path)
        secrets = MetadataSecretStore(self.metadata, key)
        _, self.secret = await secrets.issue("alice")
        backup = Backup(self.context, self.target, False, True)
        await backup.running.wait()
        self.assertIsNone(backup.running.failure)
        self.outside = os.path.abspath(self.mktemp())
        Path(self.outside).write_bytes(OUTSIDE)

    def manifest(self) -> dict[str, Any]:
        """The manifest."""
        found: dict[str, Any] = json.loads(
            Path(self.target, "manifest.json").read_text()
        )
        return found

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Replace it."""
        Path(self.target, "manifest.json").write_text(json.dumps(manifest))

    def name(self, part: str, file: str) -> None:
        """Have the manifest name another file, with its right size and sum."""
        manifest = self.manifest()
        data = Path(self.target, file).read_bytes()
        manifest[part].update(
            file=file, bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
        self.write_manifest(manifest)

    async def restored(self, accept_damage: bool = False) -> str:
        """Restore the backup; the data folder."""
        data = self.folders()[1]
        await deferToThread(
            restore,
            self.target,
            data,
            self.open_metadata,
            lambda *said: None,
            accept_damage,
        )
        return data

    def open_metadata(self, path: str, stores: Mapping[str, str]) -> bytes | None:
        """As the command does, whose reactor is in a thread of its own."""
        self.patch_reactor()
        return _open_metadata(path, stores)

    def patch_reactor(self) -> None:
        """Have the command use the test's reactor."""
        from ozgate.cli import offline

        self.patch(offline, "running_reactor", lambda: reactor)

    async def refused(self, *said: str, accept_damage: bool = False) -> None:
        """Assert that a restore is refused in one line, and leaves nothing."""
        try:
            data = await self.restored(accept_damage)
        except (AdminError, StoreError) as error:
            for each in said:
                self.assertIn(each, str(error))
            self.assertNotIn("\n", str(error))
        else:
            names = os.listdir(data)
            self.fail(f"restored {names}")

    def replace(self, name: str, make: Callable[[str], None]) -> None:
        """Put something else in place of a file."""
        path = f"{self.target}/{name}"
        os.unlink(path)
        make(path)

    async def test_whole(self) -> None:
        """What nobody changed is restored, with its key."""
        data = await self.restored()
        key = MasterKey.load(f"{data}/master.key")
        store = SQLiteMetadataStore(f"{data}/metadata.db", reactor)
        await started(store)
        self.addCleanup(store.close)
        sent = presented("alice", self.secret)
        found = await MetadataSecretStore(store, key).verify(sent)
        self.assertIsNotNone(found)

    async def test_key(self) -> None:
        """The key is a file of the backup, has the form of one, and is the one that secrets were encrypted under."""
        os.chmod(self.outside, 0o600)
        self.replace("master.key", lambda path: os.symlink(self.outside, path))
        await self.refused("master.key")
        self.replace("master.key", lambda path: os.mkfifo(path))
        await self.refused("master.key", "no regular file")
        for text in (OUTSIDE, b"", b"00" * 31, os.urandom(64)):
            self.replace("master.key", lambda path, t=text: Path(path).write_bytes(t))
            await self.refused("master.key", "hex digits")
        other = os.urandom(32).hex().encode()
        self.replace("master.key", lambda path: Path(path).write_bytes(other))
        await self.refused("is not the key", "encrypted under")

    async def test_names(self) -> None:
        """Files that the manifest names are in the backup's folder."""
        metadata = self.manifest()["metadata"]["file"]
        away = os.path.dirname(self.target)
        os.link(f"{self.target}/{metadata}", f"{away}/{metadata}.away")
        base = os.path.basename(self.target)
        for file in (
            f"../{metadata}.away",
            f"{away}/{metadata}.away",
            f"../{base}/{metadata}",
            f"blobs/../{metadata}",
            f"./{metadata}",
        ):
            self.name("metadata", file)
            await self.refused("is not what a backup wrote")
        for file in ("", ".", "..", "a\nb", "\x1b[2J", "x" * 300):
            manifest = self.manifest()
            for part in ("metadata", "blobs"):
                manifest[part]["file"] = file
                self.write_manifest(manifest)
                await self.refused("is not what a backup wrote")

    async def test_values(self) -> None:
        """Values of the manifest are of the kinds that they should be."""
        whole = self.manifest()
        for member, value in (
            ("bytes", "1"),
            ("bytes", -1),
            ("count", None),
            ("sha256", "\x1b[2J"),
            ("sha256", 5),
            ("file", ["x"]),
        ):
            self.write_manifest({**whole, "blobs": {**whole["blobs"], member: value}})
            await self.refused("is not what a backup wrote")
        self.write_manifest({**whole, "blob_bytes": "\x1b"})
        await self.refused("is not what a backup wrote")

    async def test_links(self) -> None:
        """No file of the backup is a link, nor a pipe that nobody writes to, nor is one of its folders."""
        manifest = self.manifest()
        for name in (manifest["metadata"]["file"], manifest["blobs"]["file"]):
            path = f"{self.target}/{name}"
            os.rename(path, f"{path}.away")
            for make in (os.symlink, lambda _, there: os.mkfifo(there)):
                make(f"{path}.away", path)
                await self.refused(name)
                os.unlink(path)
            os.rename(f"{path}.away", path)
        blob = self.stored[0].id
        folder = f"{self.target}/blobs/{blob[-2:]}"
        os.rename(folder, f"{folder}.away")
        os.symlink(f"{folder}.away", folder)
        for accept in (False, True):
            await self.refused("blobs", accept_damage=accept)
        os.unlink(folder)
        os.rename(f"{folder}.away", folder)
        self.replace(
            f"blobs/{blob[-2:]}/{blob}", lambda path: os.symlink(self.outside, path)
        )
        for accept in (False, True):
            await self.refused(blob, accept_damage=accept)

    async def test_manifest_is_a_file(self) -> None:
        """Nor is the manifest one, nor what tells a backup."""
        for name in ("manifest.json", "FORMAT"):
            path = f"{self.target}/{name}"
            os.rename(path, f"{path}.away")
            os.symlink(f"{path}.away", path)
        await self.refused("manifest.json")
        self.assertFalse(is_backup(self.target))
        os.unlink(f"{self.target}/FORMAT")
        os.mkfifo(f"{self.target}/FORMAT")
        self.assertFalse(is_backup(self.target))
        with self.assertRaises(StoreError):
            BackupFolder(self.target).open()

    async def test_blob_ids(self) -> None:
        """Names in the list of blobs are ids, and leave their folder for nothing."""
        file = self.manifest()["blobs"]["file"]
        path = Path(self.target, file)
        for line in (
            b"../../shadow 5 0000000000000000\n",
            b"shadow 5 0000000000000000\n",
            b"0123456789abcdef 5\n",
            b"0123456789abcdef five 0\n",
            b"\xff 5 0\n",
        ):
            path.write_bytes(line)
            self.name("blobs", file)
            for accept in (False, True):
                await self.refused("blob", accept_damage=accept)

    async def test_triggers(self) -> None:
        """A database with a trigger or a view of somebody's is not restored, though its sum is right."""
        file = self.manifest()["metadata"]["file"]
        original = Path(self.target, file).read_bytes()
        for statement in (
            "CREATE TRIGGER gift AFTER UPDATE ON leases BEGIN UPDATE buckets SET owner = 'mallory'; END",
            "CREATE VIEW gift AS SELECT * FROM secrets",
        ):
            Path(self.target, file).write_bytes(original)
            with closing(sqlite3.connect(f"{self.target}/{file}")) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.execute(statement)
            self.name("metadata", file)
            await self.refused("'gift'", "not built as ozgate builds")

    async def test_folders_that_lead_away(self) -> None:
        """A backup is made in its folder, whatever links somebody left there, and a data folder is locked in itself."""
        os.rename(f"{self.target}/blobs", f"{self.target}.away")
        os.symlink(f"{self.target}.away", f"{self.target}/blobs")
        with self.assertRaisesRegex(AdminError, "is a link"):
            BackupFolder(self.target).open()
        data, _ = self.folders()
        os.symlink(self.outside, f"{data}/lock")
        with self.assertRaises(ConfigurationError):
            DataFolder(data)
        self.assertEqual(Path(self.outside).read_bytes(), OUTSIDE)
