"""Several versions of a key under everything that looks after what is stored: sweeps, fsck, scrub, backup, and the commands of keys and buckets."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.forking import run
from tests.running import ROOT
from tests.service.upkeep import UpkeepCase, flip

LARGE = 100_000

Row = tuple[str, str, bool, bytes | None]
"""Key, version id, whether it is the latest, bytes; ``None`` of a delete marker."""


class VersionedCase(UpkeepCase):
    """A bucket with versions, markers, and a null version, all in blobs of their own."""

    settings = ("ozgate.sweep.delay=0", "ozgate.sweep.interval=100ms")

    def setUp(self) -> None:
        """Fill the bucket."""
        super().setUp()
        self.put("key", LARGE)
        self.set("Enabled")
        for key in ("key", "key", "hidden", "hidden"):
            self.put(key, LARGE)
        self.client.delete_object(Bucket="bucket", Key="hidden")

    def set(self, status: str) -> None:
        """Set the state of versioning."""
        self.client.put_bucket_versioning(
            Bucket="bucket", VersioningConfiguration={"Status": status}
        )

    def all(self, client: Any = None) -> list[Row]:
        """Every version there is, as clients have it."""
        client = client or self.client
        listed = client.list_object_versions(Bucket="bucket")
        rows = [
            (each["Key"], each["VersionId"], each["IsLatest"], self.read(client, each))
            for each in listed.get("Versions", ())
        ]
        for each in listed.get("DeleteMarkers", ()):
            rows.append((each["Key"], each["VersionId"], each["IsLatest"], None))
        return rows

    def read(self, client: Any, row: dict[str, Any]) -> bytes:
        """The bytes of a version."""
        place = {name: row[name] for name in ("Key", "VersionId")}
        return bytes(client.get_object(Bucket="bucket", **place)["Body"].read())

    def blob_of_version(self, version_id: str) -> Path:
        """The file of a version."""
        with self.rows() as connection:
            [(blob,)] = connection.execute(
                "SELECT blob FROM extents JOIN versions ON sequence = owner WHERE version_id = ?",
                (version_id,),
            ).fetchall()
        return self.blobs()[blob]

    def swept(self, count: int) -> None:
        """Wait until so many blobs are left."""
        deadline = time.monotonic() + 20
        while len(self.blobs()) != count and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(len(self.blobs()), count)

    def sh(self, *arguments: str) -> str:
        """What ``ozgate sh …`` prints, which must succeed."""
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OZGATE_DATA": self.data}
        ended = run("-m", "ozgate", "sh", *arguments, env=env, cwd="/")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended.stdout)
        return ended.stdout


class VersionTests(VersionedCase):
    """What looks after versions."""

    def test_well(self) -> None:
        """Fsck and scrub find nothing where every version is well, whether it is hidden or old."""
        code, out, error = self.ozgate("fsck")
        self.assertEqual((code, error), (0, ""), out)
        self.assertIn("6 versions", out)
        code, out, _ = self.ozgate("scrub")
        self.assertEqual(code, 0, out)

    def test_swept(self) -> None:
        """Bytes go with their version, and with no other: not with a marker that comes, nor with a version that is new."""
        before = self.all()
        self.swept(5)
        (old,) = (row for row in before if row[0] == "key" and row[1] == "null")
        latest = next(row for row in before if row[0] == "key" and row[2])
        for row in (old, latest):
            self.client.delete_object(Bucket="bucket", Key="key", VersionId=row[1])
        self.swept(3)
        left = [row for row in before if row not in (old, latest)]
        found = self.all()
        self.assertEqual([row[1] for row in found], [row[1] for row in left])
        self.assertEqual([row[3] for row in found], [row[3] for row in left])
        self.assertEqual(self.ozgate("fsck")[0], 0)

    def test_null_replaced(self) -> None:
        """In a suspended bucket the bytes of the null version go when another takes its place, or a marker does."""
        self.set("Suspended")
        self.put("key", LARGE)
        self.swept(5)
        self.client.delete_object(Bucket="bucket", Key="key")
        self.swept(4)
        rows = [row for row in self.all() if row[0] == "key"]
        self.assertEqual(sum(row[3] is not None for row in rows), 2)
        self.assertIn(("key", "null", True, None), rows)

    def test_damaged(self) -> None:
        """An old version whose bytes rot is found by a scrub; fsck removes that one alone, and the others are served."""
        before = self.all()
        bad = next(row for row in before if row[0] == "key" and not row[2])
        flip(self.blob_of_version(bad[1]), 5000)
        code, out, _ = self.ozgate("scrub")
        self.assertEqual(code, 1, out)
        with self.assertRaises(ClientError):
            self.client.get_object(Bucket="bucket", Key="key", VersionId=bad[1])[
                "Body"
            ].read()
        self.blob_of_version(bad[1]).unlink()
        code, out, _ = self.ozgate("fsck", "--remove-damaged")
        self.assertEqual(code, 1, out)
        self.assertIn(bad[1], out)
        self.assertEqual(self.all(), [row for row in before if row != bad])
        self.assertEqual(self.ozgate("fsck")[0], 0)

    def test_wrong_latest(self) -> None:
        """Whichever version is called the latest, or none, or all: fsck finds it, and --repair has the newest be it, markers among them."""
        before = self.all()
        for statement in (
            "UPDATE versions SET is_latest = 0",
            "UPDATE versions SET is_latest = 1",
            "UPDATE versions SET is_latest = 1 - is_latest",
        ):
            with self.rows() as connection:
                connection.execute(statement)
            self.assertEqual(self.ozgate("fsck")[0], 1)
            code, out, _ = self.ozgate("fsck", "--repair")
            self.assertEqual(code, 1, out)
            self.assertEqual(self.ozgate("fsck")[0], 0)
            self.assertEqual(self.all(), before)

    def test_damaged_rows(self) -> None:
        """Where the row of the latest version is damaged, or that of an old one, --remove-damaged removes it alone; the next newest is the object."""
        before = [row for row in self.all() if row[0] == "key"]
        for bad, left in ((before[1], [before[0], before[2]]), (before[0], before[2:])):
            with self.rows() as connection:
                connection.execute(
                    "UPDATE versions SET etag = 'x' WHERE key = 'key' AND version_id = ?",
                    (bad[1],),
                )
            self.assertEqual(self.ozgate("fsck", "--remove-damaged")[0], 1)
            self.assertEqual(self.ozgate("fsck")[0], 0)
            found = [row for row in self.all() if row[0] == "key"]
            self.assertEqual([row[1] for row in found], [row[1] for row in left])
            self.assertEqual([row[3] for row in found], [row[3] for row in left])
            self.assertTrue(found[0][2])
        self.assertEqual(self.served(self.client), {"key": before[2][3]})

    def test_backup(self) -> None:
        """A backup has every version and marker, and the state; a restored bucket goes on keeping versions."""
        before = self.all()
        target = os.path.join(self.folder, "backup")
        code, out, error = self.ozgate("backup", "--with-master-key", target)
        self.assertEqual((code, error), (0, ""), out)
        self.put("key", LARGE)
        data = os.path.join(self.folder, "restored")
        code, out, error = self.ozgate("restore", target, "--data", data)
        self.assertEqual((code, error), (0, ""), out)
        client = self.client_of(self.serve("restored"))
        self.assertEqual(self.all(client), before)
        state = client.get_bucket_versioning(Bucket="bucket")
        self.assertEqual(state["Status"], "Enabled")
        made = client.put_object(Bucket="bucket", Key="key", Body=b"more")
        self.assertNotIn(made["VersionId"], {row[1] for row in before})
        self.assertEqual(len(self.all(client)), len(before) + 1)

    def test_commands(self) -> None:
        """The commands of keys make versions and markers as S3 does; a bucket goes with all of them when that is asked for."""
        before = len(self.all())
        file = os.path.join(self.folder, "file")
        Path(file).write_bytes(b"from a command")
        self.sh("key", "put", "s3v/bucket/key", file)
        self.sh("key", "delete", "s3v/bucket/key")
        rows = [row for row in self.all() if row[0] == "key"]
        self.assertEqual(len(self.all()), before + 2)
        self.assertIn(b"from a command", [row[3] for row in rows])
        self.assertEqual(sum(row[3] is None for row in rows), 1)
        self.assertNotIn('"key"', self.sh("key", "list", "s3v/bucket"))
        self.sh("bucket", "delete", "-r", "--yes", "s3v/bucket")
        with self.assertRaises(ClientError):
            self.client.head_bucket(Bucket="bucket")
        self.swept(0)
