"""``ozgate admin backup`` and ``restore`` on a real service: what comes back is what was there, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any

from click.testing import CliRunner

from ozgate.cli.main import main
from ozgate.cli.progress import Progress
from ozgate.metadata.sqlite.schema import SCHEMA_VERSION
from tests.running import Server
from tests.service.upkeep import MIB, UpkeepCase, flip

SMALL, LARGE = 500, 140_000


class BackupCase(UpkeepCase):
    """Makes backups and restores them."""

    # What is deleted goes as soon as it may.
    settings = ("ozgate.sweep.delay=0", "ozgate.sweep.interval=100ms")

    def setUp(self) -> None:
        """Know where a backup goes."""
        super().setUp()
        self.target = os.path.join(self.folder, "backup")

    def backup(self, *options: str, code: int = 0) -> dict[str, Any]:
        """Make one; returns what it says."""
        ended = self.ozgate(
            "backup", "--with-master-key", "--json", *options, self.target
        )
        self.assertEqual((ended[0], ended[2]), (code, ""))
        return json.loads(ended[1])  # type: ignore[no-any-return]

    def restore(self, name: str = "restored") -> Server:
        """Restore it, and serve it."""
        data = os.path.join(self.folder, name)
        code, out, error = self.ozgate("restore", self.target, "--data", data)
        self.assertEqual((code, error), (0, ""), out)
        return self.serve(name)

    def refused(self, *arguments: str) -> str:
        """The one line that a refusal is."""
        code, out, error = self.ozgate(*arguments)
        self.assertEqual((code, out, error.count("\n")), (255, "", 1), error)
        return error

    def restored_nothing(self, *options: str) -> str:
        """The line that a restore is refused with; it leaves nothing."""
        data = os.path.join(self.folder, "restored")
        line = self.refused("restore", self.target, "--data", data, *options)
        self.assertIn(os.path.isdir(data) and os.listdir(data), (False, []))
        return line


class RoundTripTests(BackupCase):
    """There and back."""

    def test_byte_for_byte(self) -> None:
        """A restored service has every key with its bytes and members, open uploads, and its secrets; and is well."""
        for n in range(3):
            self.put(f"small{n}", SMALL)
            self.put(f"large{n}", LARGE)
        body, metadata = b"x" * LARGE, {"color": "blue"}
        place = {"Bucket": "bucket", "Key": "adorned"}
        self.client.put_object(**place, Body=body, Metadata=metadata, Tagging="a=b")
        self.stored["adorned"] = body
        upload = self.client.create_multipart_upload(Bucket="bucket", Key="open")
        part = {"Bucket": "bucket", "Key": "open", "UploadId": upload["UploadId"]}
        etag = self.client.upload_part(**part, PartNumber=1, Body=body)["ETag"]
        before = self.client.head_object(**place)
        said = self.backup()
        self.assertEqual((said["linked"], said["copied"], said["kept"]), (5, 0, 0))
        restored = self.client_of(self.restore())
        self.assertEqual(self.served(restored), self.stored)
        after = restored.head_object(**place)
        for member in ("ETag", "LastModified", "Metadata", "ContentType"):
            self.assertEqual(after[member], before[member])
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        restored.complete_multipart_upload(**part, MultipartUpload=parts)
        self.assertEqual(
            restored.get_object(Bucket="bucket", Key="open")["Body"].read(), body
        )
        data = os.path.join(self.folder, "restored")
        self.assertEqual(self.ozgate("fsck", "--data", data)[0], 0)
        self.assertEqual(self.ozgate("scrub", "--data", data)[0], 0)

    def test_copies(self) -> None:
        """With --copy nothing is shared with the original: what befalls that leaves the backup whole."""
        self.put("key", LARGE)
        self.assertEqual(self.backup("--copy")["copied"], 1)
        flip(self.blob_of("key"), 7)
        self.assertEqual(self.served(self.client_of(self.restore())), self.stored)

    def test_writer(self) -> None:
        """While keys are written, overwritten and deleted, a backup has one moment: what was acknowledged before it
        began, and every key in it whole."""
        written: dict[str, str] = {}
        stop, begun = Event(), Event()

        def write() -> None:
            client = self.client_of(self.server)
            for n in range(10_000):
                if stop.is_set():
                    return
                key, body = f"key{n % 40:02}", os.urandom(LARGE if n % 2 else SMALL)
                digest = sha256(body).hexdigest()
                client.put_object(
                    Bucket="bucket", Key=key, Body=body, Metadata={"sum": digest}
                )
                client.put_object(Bucket="bucket", Key=f"once{n:05}", Body=body)
                written[f"once{n:05}"] = digest
                client.delete_object(Bucket="bucket", Key=f"key{(n + 7) % 40:02}")
                if n == 20:
                    begun.set()

        writer = Thread(target=write)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(stop.set)
        self.assertTrue(begun.wait(60))
        acknowledged = dict(written)
        said = self.backup("--copy")
        again = self.backup()
        stop.set()
        writer.join()
        self.assertGreater(len(written), len(acknowledged))
        self.assertGreater(again["blobs"], 0)
        self.assertGreaterEqual(again["kept"], said["blobs"] // 2)
        restored = self.client_of(self.restore())
        served = self.served(restored)
        for key, digest in acknowledged.items():
            self.assertEqual(sha256(served[key]).hexdigest(), digest)
        for key, body in served.items():
            head = restored.head_object(Bucket="bucket", Key=key)
            expected = written.get(key) or head["Metadata"]["sum"]
            self.assertEqual(sha256(body).hexdigest(), expected)
        once = sorted(key for key in served if key in written)
        # No gap: what was written later is not in it without what was written before.
        self.assertEqual(once, sorted(written)[: len(once)])

    def test_again(self) -> None:
        """A second backup in the same folder copies what is new, and leaves out what is not stored any more."""
        self.put("stays", LARGE)
        self.put("goes", LARGE)
        self.backup()
        gone = self.blob_of("goes").name
        self.client.delete_object(Bucket="bucket", Key="goes")
        del self.stored["goes"]
        self.put("comes", LARGE)
        said = self.backup()
        self.assertEqual((said["linked"], said["copied"], said["kept"]), (1, 0, 1))
        names = {path.name for path in Path(self.target).rglob("*") if path.is_file()}
        self.assertNotIn(gone, names)
        self.assertEqual(len(names), 2 + 5)
        self.assertEqual(self.served(self.client_of(self.restore())), self.stored)

    def test_offline(self) -> None:
        """While the service is down the command makes the backup by itself."""
        self.put("key", LARGE)
        self.server.stop()
        self.backup()
        self.assertEqual(self.served(self.client_of(self.restore())), self.stored)

    def test_master_key(self) -> None:
        """The master key stays out unless it is asked for, and the command says what that means."""
        self.put("key", SMALL)
        code, out, _ = self.ozgate("backup", self.target)
        self.assertEqual(code, 0)
        self.assertIn("the master key is not in it: ", out)
        self.assertFalse(os.path.exists(os.path.join(self.target, "master.key")))
        data = os.path.join(self.folder, "restored")
        code, out, _ = self.ozgate("restore", self.target, "--data", data)
        self.assertIn(f"put it into {data}/master.key before the service starts", out)
        with self.assertRaises(RuntimeError):
            self.serve("restored")
        shutil.copy(os.path.join(self.data, "master.key"), data)
        self.assertEqual(
            self.served(self.client_of(self.serve("restored"))), self.stored
        )


class RefusalTests(BackupCase):
    """What is no backup, and where none goes."""

    def test_killed(self) -> None:
        """A service killed in the middle leaves no backup that a restore would take, and the next one repairs it."""
        for n in range(4):
            self.put(f"key{n}", MIB)
        self.command("start_backup", target=self.target, link=False)
        self.server.kill()
        if not os.path.exists(os.path.join(self.target, "manifest.json")):
            self.restored_nothing()
        self.server.start()
        self.backup()
        self.assertEqual(self.served(self.client_of(self.restore())), self.stored)

    def test_interrupted(self) -> None:
        """Without its manifest, which is written last, a folder is known as an interrupted backup."""
        self.put("key", LARGE)
        self.backup()
        os.unlink(os.path.join(self.target, "manifest.json"))
        self.assertIn(
            "manifest.json: the backup in it was interrupted", self.restored_nothing()
        )
        self.target = self.folder
        self.assertIn("it is no backup", self.restored_nothing())

    def test_damaged(self) -> None:
        """A damaged or missing blob of the backup is named, and nothing is restored, unless damage is accepted; then
        the rest is."""
        for key in ("flipped", "missing", "well"):
            self.put(key, LARGE)
        self.backup("--copy")
        flipped, missing = self.blob_of("flipped").name, self.blob_of("missing").name
        flip(Path(self.target, "blobs", flipped[-2:], flipped), 7)
        Path(self.target, "blobs", missing[-2:], missing).unlink()
        line = self.restored_nothing()
        self.assertIn("2 blobs of the backup are missing or damaged", line)
        data = os.path.join(self.folder, "restored")
        arguments = ("restore", self.target, "--data", data, "--accept-damage")
        code, out, _ = self.ozgate(*arguments)
        self.assertEqual(code, 1)
        for blob in (flipped, missing):
            self.assertIn(f"missing or damaged: blob {blob}\n", out)
        client = self.client_of(self.serve("restored"))
        body = client.get_object(Bucket="bucket", Key="well")["Body"].read()
        self.assertEqual(body, self.stored["well"])

    def test_other_files(self) -> None:
        """Metadata or a list that are not what was written are refused, and so is a manifest of something else."""
        self.put("key", LARGE)
        said = self.backup()
        self.assertTrue(said["complete"])
        for pattern in ("metadata-*", "blobs-*"):
            [path] = Path(self.target).glob(pattern)
            flip(path, 20)
            self.assertIn("is not what the backup wrote", self.restored_nothing())
            flip(path, 20)
        manifest = Path(self.target, "manifest.json")
        text = manifest.read_text()
        manifest.write_text("{}")
        self.assertIn("is not what a backup wrote", self.restored_nothing())
        manifest.write_text(text.replace('"format": 1', '"format": 3'))
        self.assertIn("knows only up to 2", self.restored_nothing())

    def test_damaged_original(self) -> None:
        """What is damaged when it is copied is so in the backup, which says so and ends with 1; all else is in it."""
        self.put("key", LARGE)
        self.put("missing", LARGE)
        flip(self.blob_of("key"), 7)
        missing = self.blob_of("missing")
        missing.unlink()
        said = self.backup("--copy", code=1)
        damaged = [self.blob_of("key").name, missing.name]
        self.assertEqual(sorted(said["damaged"]), sorted(damaged))

    def test_folders(self) -> None:
        """A folder with other things, or another store's backup, takes no backup; one in use takes no restore."""
        self.put("key", SMALL)
        taken = os.path.join(self.folder, "taken")
        os.mkdir(taken)
        Path(taken, "file").touch()
        self.assertIn("holds 'file' and no backup", self.refused("backup", taken))
        self.assertIn("holds", self.refused("backup", self.data))
        self.backup()
        line = self.refused("restore", self.target, "--data", self.data)
        self.assertIn(f"INVALID_REQUEST {self.data} is not empty", line)
        line = self.refused("restore", taken, "--data", f"{self.folder}/new")
        self.assertIn("it is no backup", line)
        self.assertFalse(os.path.exists(f"{self.folder}/new"))
        other = self.serve("other")
        line = self.refused("backup", "--data", other.data, self.target)
        self.assertRegex(line, "^INVALID_REQUEST .* has a backup of another store: ")

    def test_restore_interrupted(self) -> None:
        """Ctrl-C, raised here where the command tells how far it is, ends a restore: nothing is left of it."""
        self.put("key", LARGE)
        self.backup()
        new = os.path.join(self.folder, "new")
        self.addCleanup(os.umask, os.umask(0o077))
        told: list[str] = []

        def show(_: Progress, text: str) -> None:
            told.append(text)
            raise KeyboardInterrupt

        self.patch(Progress, "show", show)
        result = CliRunner().invoke(
            main, ["admin", "restore", self.target, "--data", new]
        )
        self.assertEqual((result.exit_code, told), (130, ["checksums"]))
        self.assertEqual(result.stderr, "stopped: nothing was restored\n")
        self.assertEqual(os.listdir(new), [])

    def test_schemas(self) -> None:
        """A backup of an earlier schema is restored; one of a later schema is refused with what to do."""
        self.put("key", LARGE)
        self.backup()
        self.change_metadata("PRAGMA user_version = 99")
        self.assertIn("has metadata schema 99", self.restored_nothing())
        for number in (1, SCHEMA_VERSION - 1):
            dumps = Path(__file__).parent.parent / "unit" / "metadata" / "sqlite"
            sql = dumps / f"metadata_v{number}.sql"
            scripts = [sql.read_text("utf-8"), f"PRAGMA user_version = {number}"]
            if number > 1:  # secrets of another master key
                scripts.append("DELETE FROM secrets; DELETE FROM settings")
            self.change_metadata(*scripts)
            client = self.client_of(self.restore(f"restored-{number}"))
            self.assertIn(
                "bucket", [each["Name"] for each in client.list_buckets()["Buckets"]]
            )

    def change_metadata(self, *scripts: str) -> None:
        """Have the backup another database, and the manifest agree with it."""
        manifest = Path(self.target, "manifest.json")
        members = json.loads(manifest.read_text())
        path = Path(self.target, members["metadata"]["file"])
        if len(scripts) > 1:
            path.unlink()
        with closing(sqlite3.connect(path)) as connection:
            for script in scripts:
                connection.executescript(script)
        data = path.read_bytes()
        members["metadata"] |= {"bytes": len(data), "sha256": sha256(data).hexdigest()}
        manifest.write_text(json.dumps(members))
