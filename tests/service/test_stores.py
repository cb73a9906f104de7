"""Two blob stores of a real service: a second disk, and the first one drained."""

from __future__ import annotations

import os
import time

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
        slow = self.client.get_object(Bucket="bucket", Key="large")["Body"]
        got = slow.read(MIB)
        code, out, error = self.ozgate("drain", "files")
        self.assertEqual(code, 0, out + error)
        self.assertIn("0 had to stay", out)
        time.sleep(2)
        # Long after the delay: what somebody still reads has not gone.
        self.assertTrue(self.blobs())
        got += slow.read()
        self.assertEqual(got, self.stored["large"])
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)
        code, out, _ = self.ozgate("drain", "files")
        self.assertEqual((code, "files is empty" in out), (0, True), out)
        self.server.stop()
        self.settings = tuple(
            each for each in self.settings if not each.startswith("ozgate.blobs.more")
        )
        self.server = self.serve("data")
        self.assertEqual(self.served(self.client_of(self.server)), self.stored)

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


class KilledTests(StoresCase):
    """A drain that is killed."""

    def test_killed(self) -> None:
        """However often the service is killed in the middle of a drain, nothing is lost, and the drain comes to its end."""
        self.fill()
        self.move_house()
        for number in range(4):
            self.command("start_drain", store="files")
            time.sleep(0.02 * number)
            self.server.kill()
            self.server = self.serve("data")
            self.client = self.client_of(self.server)
            self.assertEqual(self.served(self.client), self.stored)
        code, out, error = self.ozgate("drain", "files")
        self.assertEqual(code, 0, out + error)
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)

    def test_not_configured(self) -> None:
        """Without the store that rows name the service does not start, and the line says which key is to name it."""
        self.fill()
        self.server.stop()
        other = os.path.join(self.folder, "disk2")
        code, _, error = self.ozgate("fsck", "--data", self.data)
        self.assertEqual(code, 0, error)
        self.settings = (f"ozgate.blobs=disk2=files:{other}",)
        with self.assertRaises(Exception) as caught:
            self.serve("data")
        self.assertIn("ozgate.blobs.more", str(caught.exception))
