"""Locked versions on a real service: what repairs, commands, backups and restarts do with them, which is to keep them."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.service.upkeep import UpkeepCase

DAY = timedelta(days=1)


class LockCase(UpkeepCase):
    """A bucket ``locked`` with a version that COMPLIANCE keeps, small or large, a held one and a free one."""

    def setUp(self) -> None:
        """Lock versions."""
        super().setUp()
        self.client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        until = datetime.now(UTC).replace(microsecond=0) + DAY
        retained = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        self.versions = {
            "small": self.lock("small", 100, **retained),
            "large": self.lock("large", 100_000, **retained),
            "held": self.lock("held", 100_000, ObjectLockLegalHoldStatus="ON"),
        }

    def lock(self, key: str, size: int, **lock: Any) -> str:
        """Store a key that is locked; the id of its version."""
        body = self.random.randbytes(size)
        self.stored[key] = body
        put = self.client.put_object(Bucket="locked", Key=key, Body=body, **lock)
        version: str = put["VersionId"]
        return version

    def assert_kept(self, *but: str, client: Any = None) -> None:
        """Assert that all that is locked is there, with its bytes and its locks, and cannot be deleted."""
        client = client or self.client
        for key, version in self.versions.items():
            if key in but:
                continue
            named = {"Bucket": "locked", "Key": key, "VersionId": version}
            found = client.get_object(**named)
            self.assertEqual(found["Body"].read(), self.stored[key])
            is_held = key == "held"
            self.assertEqual("ObjectLockLegalHoldStatus" in found, is_held)
            self.assertEqual(found.get("ObjectLockMode") == "COMPLIANCE", not is_held)
            with self.assertRaises(ClientError) as caught:
                client.delete_object(**named)
            self.assertEqual(caught.exception.response["Error"]["Code"], "AccessDenied")

    def sh(self, *arguments: str) -> tuple[int, str]:
        """Exit code of ``ozgate sh …``, and what it says in all, whether the service runs or not."""
        code, said, complained = self.typed("sh", *arguments)
        return code, said + complained

    def fsck(self) -> str:
        """What a check says that removes what is damaged."""
        return self.ozgate("fsck", "--remove-damaged")[1]


class FsckTests(LockCase):
    """``ozgate admin fsck --remove-damaged``."""

    def test_lost_bytes(self) -> None:
        """A version that is locked stays though its bytes are gone: what is put back is there again."""
        for key in ("large", "held"):
            blob = self.blob_of(key)
            aside = blob.rename(os.path.join(self.folder, "aside"))
            for _ in range(2):
                self.assertIn("a lock keeps it", self.fsck())
            aside.rename(blob)
            self.assertIn("all is well", self.fsck())
        self.assert_kept()

    def test_damaged_rows(self) -> None:
        """Rows of a version that are damaged stay, while the service runs and while it is down, and so does all else."""
        owner = "(SELECT sequence FROM versions WHERE key = '{}')"
        path = Path(self.data, "metadata.db")
        self.server.stop()
        before = path.read_bytes()
        for number, statement in enumerate(
            (
                "UPDATE versions SET more = '' WHERE key = 'small'",
                f"UPDATE bodies SET body = x'00' WHERE sequence = {owner.format('small')}",
                f"UPDATE extents SET checked = 1 WHERE owner = {owner.format('large')}",
                "UPDATE configurations SET document = x'00' WHERE kind = 'object-lock'",
            )
        ):
            with self.rows() as connection:
                self.assertEqual(connection.execute(statement).rowcount, 1)
                rows = self.kept(connection)
            self.assertIn("it stays", self.fsck())
            if not number:
                self.server.start()
                self.assertIn("it stays", self.fsck())
                self.server.stop()
            with self.rows() as connection:
                self.assertEqual(self.kept(connection), rows)
            for name in ("metadata.db-wal", "metadata.db-shm"):
                Path(self.data, name).unlink(missing_ok=True)
            path.write_bytes(before)
        self.server.start()
        self.client = self.client_of(self.server)
        self.assert_kept()

    def kept(self, connection: Any) -> list[Any]:
        """The rows of versions, their bytes, and documents."""
        tables = ("versions", "bodies", "extents", "configurations")
        return [
            row
            for table in tables
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
        ]


class CommandTests(LockCase):
    """``ozgate sh``, while the service runs and while it is down."""

    def test_commands(self) -> None:
        """No command of an administrator's removes what is locked, nor anything else of its bucket by force."""
        self.client.put_object(Bucket="locked", Key="free", Body=b"free")
        path = os.path.join(self.folder, "new")
        Path(path).write_bytes(b"new")
        for is_up in (True, False):
            if not is_up:
                self.server.stop()
            code, said = self.sh("bucket", "delete", "-r", "-y", "/s3v/locked")
            self.assertEqual(code, 255)
            self.assertIn("object lock", said)
            self.assertEqual(self.sh("bucket", "delete", "/s3v/locked")[0], 255)
            self.assertEqual(self.sh("volume", "delete", "-r", "-y", "/s3v")[0], 255)
            hidden = "small" if is_up else "held"
            self.assertEqual(self.sh("key", "rm", f"/s3v/locked/{hidden}")[0], 0)
            self.assertEqual(self.sh("key", "put", "/s3v/locked/large", path)[0], 0)
        self.server.start()
        self.client = self.client_of(self.server)
        self.assert_kept()
        free = self.client.get_object(Bucket="locked", Key="free")
        self.assertEqual(free["Body"].read(), b"free")
        markers = self.client.list_object_versions(Bucket="locked")["DeleteMarkers"]
        self.assertEqual([each["Key"] for each in markers], ["held", "small"])

    def test_default(self) -> None:
        """What a command puts into a bucket with a default retention is retained, though nobody sent its checksum."""
        self.client.put_object_lock_configuration(
            Bucket="locked",
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 1}},
            },
        )
        path = os.path.join(self.folder, "new")
        Path(path).write_bytes(b"new")
        self.assertEqual(self.sh("key", "put", "/s3v/locked/new", path), (0, ""))
        found = self.client.head_object(Bucket="locked", Key="new")
        self.assertEqual(found["ObjectLockMode"], "GOVERNANCE")

    def test_own_bucket(self) -> None:
        """Who is given a bucket gets what is locked in it, and cannot delete it either."""
        self.assertEqual(
            self.sh("bucket", "update", "-u", "other", "/s3v/locked")[0], 0
        )
        self.assert_kept()


class MovedTests(LockCase):
    """Backups, restores, sweeps and restarts."""

    def test_restored(self) -> None:
        """What is brought back from a backup is locked as it was, and a restore goes over nothing that is there."""
        backup = os.path.join(self.folder, "backup")
        self.assertEqual(self.ozgate("backup", backup)[0], 0)
        code, _, error = self.ozgate("restore", backup, "--data", self.data)
        self.assertNotEqual(code, 0, error)
        self.assert_kept()
        data = os.path.join(self.folder, "restored")
        code, _, error = self.ozgate("restore", backup, "--data", data)
        self.assertEqual(code, 0, error)
        shutil.copy(Path(self.data, "master.key"), data)
        restored = self.serve("restored")
        self.assert_kept(client=self.client_of(restored))

    def test_restarted(self) -> None:
        """A start, with its sweep, and a scrub leave all as it is."""
        self.server.stop()
        self.server.start()
        self.client = self.client_of(self.server)
        self.assertEqual(self.ozgate("scrub")[0], 0)
        self.assert_kept()
