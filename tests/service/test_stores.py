"""Two blob stores of a real service: a second disk, and the first one drained."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.service.upkeep import MIB, UpkeepCase

FIRST = ("ozgate.sweep.interval=200ms", "ozgate.sweep.delay=200ms")


class StoresCase(UpkeepCase):
    """A service that began with one store, and has another one by now."""

    settings = FIRST

    def move_house(self, *more: str) -> None:
        """Start it anew with new bytes going to another store."""
        self.server.stop()
        other = os.path.join(self.folder, "disk2")
        self.settings = (
            *FIRST,
            f"ozgate.blobs=disk2=files:{other}",
            "ozgate.blobs.more=files:blobs",
            *more,
        )
        self.server = self.serve("data")
        self.client = self.client_of(self.server)

    def fill(self) -> None:
        """Objects in the first store."""
        for number in range(12):
            self.put(f"old{number}", 100_000 + number)
        self.put("large", 24 * MIB)

    def emptied(self) -> list[str]:
        """What is left in the first store, once a sweep had the time to clear it."""
        deadline = time.monotonic() + 30
        while self.blobs() and time.monotonic() < deadline:
            time.sleep(0.1)
        return list(self.blobs())


class TwoStoresTests(StoresCase):
    """Side by side, then moved."""

    def test_round(self) -> None:
        """Objects of two stores are read, copied, put together and replaced, and moved while somebody reads slowly; a backup of both comes back."""
        self.fill()
        self.move_house()
        self.put("new", 200_000)
        self.mix()
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)
        self.back_up()
        slow = self.slow_reader("large")
        got = slow.read(MIB)
        code, out, error = self.ozgate("move-blobs", "files")
        self.assertEqual(code, 0, out + error)
        self.assertIn("0 had to stay", out)
        time.sleep(2)
        # Long after the delay: what somebody still reads has not gone.
        self.assertTrue(self.blobs())
        got += slow.read()
        slow.close()
        self.assertEqual(got, self.stored["large"])
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)
        code, out, _ = self.ozgate("move-blobs", "files")
        self.assertEqual((code, "files is empty" in out), (0, True), out)
        self.server.stop()
        self.settings = tuple(
            each for each in self.settings if not each.startswith("ozgate.blobs.more")
        )
        self.server = self.serve("data")
        self.assertEqual(self.served(self.client_of(self.server)), self.stored)

    def slow_reader(self, key: str) -> http.client.HTTPResponse:
        """A GET under way, which the kernel takes little of before it is asked for."""
        url = self.client.generate_presigned_url(
            "get_object", Params={"Bucket": "bucket", "Key": key}
        )
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = self.server.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.addCleanup(connection.close)
        at = urlsplit(url)
        connection.request("GET", f"{at.path}?{at.query}", headers={"Host": at.netloc})
        return connection.getresponse()

    def mix(self) -> None:
        """Copy from the first store, put together what is in both, replace what is in the first."""
        source = {"Bucket": "bucket", "Key": "old1"}
        self.client.copy_object(Bucket="bucket", Key="copy", CopySource=source)
        self.stored["copy"] = self.stored["old1"]
        self.put("old2", 120_000)
        where = {"Bucket": "bucket", "Key": "both"}
        begun = self.client.create_multipart_upload(**where)["UploadId"]
        own = self.random.randbytes(5 * MIB)
        part = self.client.upload_part(**where, UploadId=begun, PartNumber=1, Body=own)
        copied = self.client.upload_part_copy(
            **where,
            UploadId=begun,
            PartNumber=2,
            CopySource={"Bucket": "bucket", "Key": "large"},
            CopySourceRange="bytes=1000-6000000",
        )
        tags = [part["ETag"], copied["CopyPartResult"]["ETag"]]
        self.client.complete_multipart_upload(
            **where,
            UploadId=begun,
            MultipartUpload={
                "Parts": [
                    {"PartNumber": number, "ETag": tag}
                    for number, tag in enumerate(tags, 1)
                ]
            },
        )
        self.stored["both"] = own + self.stored["large"][1000:6000001]

    def back_up(self) -> None:
        """A backup of both stores comes back, with both."""
        target = os.path.join(self.folder, "backup")
        code, out, error = self.ozgate("backup", target, "--with-master-key")
        self.assertEqual(code, 0, out + error)
        data = os.path.join(self.folder, "restored")
        code, out, error = self.ozgate("restore", target, "--data", data)
        self.assertEqual(code, 0, out + error)
        self.assertIn("ozgate.blobs.more=disk2=files:blobs-disk2", out)
        settings, self.settings = (
            self.settings,
            (*FIRST, "ozgate.blobs.more=disk2=files:blobs-disk2"),
        )
        server = self.serve("restored")
        self.assertEqual(self.served(self.client_of(server)), self.stored)
        server.stop()
        self.settings = settings


class RelaxedTests(StoresCase):
    """Writes that a power cut may take."""

    settings = (*FIRST, "ozgate.durability=relaxed")

    def test_kept(self) -> None:
        """The bytes of what a write removed stay as long as a power cut may take that write, however short the delay."""
        self.put("old", 100_000)
        self.client.delete_object(Bucket="bucket", Key="old")
        time.sleep(2)
        self.assertEqual(len(self.blobs()), 1)


class MissingTests(StoresCase):
    """A store whose disk is not there."""

    def refused(self) -> str:
        """What a start is refused with."""
        with self.assertRaises(Exception) as caught:
            self.serve("data")
        said = str(caught.exception)
        self.assertIn("is not the blob store 'disk2' that rows name", said)
        return said

    def test_not_mounted(self) -> None:
        """In the place of a store that is not mounted nothing is served, and nothing kept; when it is there again, all is."""
        self.put("old", 100_000)
        self.move_house()
        self.put("new", 200_000)
        self.server.stop()
        disk = Path(self.folder, "disk2")
        disk.rename(f"{disk}-away")
        for _ in range(2):
            self.refused()
        shutil.rmtree(disk)
        Path(f"{disk}-away").rename(disk)
        self.server = self.serve("data")
        self.assertEqual(self.served(self.client_of(self.server)), self.stored)

    def test_lost(self) -> None:
        """What the line says of a store that is lost for good has the service start without its bytes, and fsck say which keys had them."""
        self.put("old", 100_000)
        self.move_house()
        self.put("new", 200_000)
        self.server.stop()
        shutil.rmtree(os.path.join(self.folder, "disk2"))
        found = re.search("write '(.*?)' into (.*?), ", self.refused())
        assert found is not None
        Path(found[2]).write_text(found[1])
        self.server = self.serve("data")
        self.client = self.client_of(self.server)
        code, out, _ = self.ozgate("fsck")
        self.assertEqual(code, 1)
        self.assertIn("bytes /s3v/bucket/new: ", out)
        self.assertNotIn("bytes /s3v/bucket/old", out)
        self.put("new", 200_000)
        self.assertEqual(self.served(self.client), self.stored)

    def test_restored_beside(self) -> None:
        """After a restore, an empty folder in the place where a store was is not taken for it."""
        self.put("old", 100_000)
        self.move_house()
        self.put("new", 200_000)
        target = os.path.join(self.folder, "backup")
        self.assertEqual(self.ozgate("backup", target, "--with-master-key")[0], 0)
        self.server.stop()
        for name in ("data", "disk2"):
            shutil.rmtree(os.path.join(self.folder, name))
        self.assertEqual(self.ozgate("restore", target, "--data", self.data)[0], 0)
        self.assertIn("say where its folder is now", self.refused())
        shutil.rmtree(os.path.join(self.folder, "disk2"))
        Path(self.data, "blobs-disk2").rename(os.path.join(self.folder, "disk2"))
        self.server = self.serve("data")
        self.assertEqual(self.served(self.client_of(self.server)), self.stored)


class KilledTests(StoresCase):
    """A drain that is killed, or stopped."""

    def test_killed(self) -> None:
        """However often the service is killed in the middle of a drain, nothing is lost, and the drain comes to its end."""
        self.fill()
        for number in range(80):
            self.put(f"more{number}", 70_000 + number)
        self.move_house()
        self.command("start_drain", store="files")
        for number in range(6):
            time.sleep(0.03 * number)
            self.server.kill()
            # It goes on there.
            self.server = self.serve("data")
        self.client = self.client_of(self.server)
        self.assertEqual(self.served(self.client), self.stored)
        code, out, error = self.ozgate("move-blobs", "files")
        self.assertEqual(code, 0, out + error)
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)

    def test_goes_on(self) -> None:
        """A drain that was cut off goes on by itself when the service starts anew; one that was stopped does not."""
        self.fill()
        self.move_house()
        self.command("start_drain", store="files")
        self.server.kill()
        self.server = self.serve("data")
        status = self.command("drain_status", wait=20)
        self.assertEqual((status["store"], status["goesOn"]), ("files", True))
        deadline = time.monotonic() + 60
        while status["running"] and time.monotonic() < deadline:
            status = self.command("drain_status", wait=20)
        self.assertEqual((status["empty"], status["left"]), (True, 0))
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.served(self.client_of(self.server)), self.stored)
        self.server.stop()
        self.server = self.serve("data")
        self.assertIsNone(self.command("drain_status"))

    def test_stopped(self) -> None:
        """One that was stopped does not go on by itself, but when it is asked for."""
        self.fill()
        self.move_house()
        self.command("start_drain", store="files")
        code, out, _ = self.ozgate("move-blobs", "--stop")
        self.assertEqual((code, "was stopped" in out), (0, True), out)
        self.server.stop()
        self.server = self.serve("data")
        self.assertIsNone(self.command("drain_status"))
        code, out, _ = self.ozgate("move-blobs", "--status")
        self.assertEqual((code, "no drain is under way" in out), (0, True), out)
        code, out, error = self.ozgate("move-blobs", "files")
        self.assertEqual((code, "0 had to stay" in out), (0, True), out + error)
        self.assertEqual(self.emptied(), [])

    def test_not_configured(self) -> None:
        """Without the store that rows name the service does not start, and the line says which key is to name it."""
        self.fill()
        self.server.stop()
        other = os.path.join(self.folder, "disk2")
        code, _, error = self.ozgate("fsck", "--data", self.data)
        self.assertEqual(code, 0, error)
        self.settings = (
            f"ozgate.blobs=disk2=files:{other}",
            "ozgate.blobs.more=files:blobs",
        )
        self.serve("data").stop()
        code, _, error = self.ozgate("fsck", "--data", self.data)
        self.assertEqual(code, 255)
        self.assertIn("--config gives the service's own file", error)
        self.settings = self.settings[:1]
        with self.assertRaises(Exception) as caught:
            self.serve("data")
        self.assertIn("ozgate.blobs.more", str(caught.exception))
