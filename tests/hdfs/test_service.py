"""A real service whose blobs go to HDFS, and come there from files."""

from __future__ import annotations

import os
import time

from tests.engines.hdfs import given
from tests.service.test_stores import FIRST, StoresCase


class HdfsServiceTests(StoresCase):
    """A service that began with files, and keeps new bytes in HDFS by now."""

    def setUp(self) -> None:
        self.hdfs = given()
        self.path = f"/ozgate-{os.urandom(6).hex()}"
        super().setUp()

    def move_house(self, *more: str) -> None:
        self.server.stop()
        self.settings = (
            *FIRST,
            f"ozgate.blobs=cold={self.hdfs.url}{self.path}",
            "ozgate.blobs.more=files:blobs",
            *more,
        )
        self.server = self.serve("data")
        self.client = self.client_of(self.server)

    def test_moved(self) -> None:
        """New bytes go to HDFS and old ones are read where they are; all are moved there, though the service is killed meanwhile, and nothing is lost."""
        self.fill()
        for number in range(30):
            self.put(f"more{number}", 70_000 + number)
        self.move_house()
        before = set(self.blobs())
        self.put("new", 30 << 20)
        self.assertEqual(set(self.blobs()), before)
        self.assertEqual(self.served(self.client), self.stored)
        self.command("start_drain", store="files")
        for number in range(3):
            time.sleep(0.2 * number)
            self.server.kill()
            # It goes on there.
            self.server = self.serve("data")
        code, out, error = self.ozgate("move-blobs", "files")
        self.assertEqual((code, "0 had to stay" in out), (0, True), out + error)
        self.assertEqual(self.emptied(), [])
        self.client = self.client_of(self.server)
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)
        self.server.stop()
        self.settings = tuple(each for each in self.settings if "more" not in each)
        self.server = self.serve("data")
        self.client = self.client_of(self.server)
        self.assertEqual(self.served(self.client), self.stored)
        got = self.client.get_object(
            Bucket="bucket", Key="large", Range="bytes=5000000-5999999"
        )
        self.assertEqual(got["Body"].read(), self.stored["large"][5000000:6000000])
        self.assertEqual(self.ozgate("scrub")[0], 0)
