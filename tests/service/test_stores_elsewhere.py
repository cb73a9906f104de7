"""Bytes of a real service that are moved from files to an S3 engine, which is another ozgate."""

from __future__ import annotations

from pathlib import Path

from tests.running import ACCESS_KEY, SECRET_KEY, Server
from tests.service.test_stores import FIRST, StoresCase


class ElsewhereTests(StoresCase):
    """A service that began with files, and keeps new bytes in a bucket by now."""

    def move_house(self, *more: str) -> None:
        self.server.stop()
        self.engine = Server(f"{self.folder}/engine")
        self.engine.start()
        self.addCleanup(self.engine.stop)
        self.assertEqual(self.engine.request("PUT", "/bytes")[0], 200)
        Path(self.folder, "secret").write_text(SECRET_KEY)
        self.settings = (
            *FIRST,
            f"ozgate.blobs=far=s3+http://127.0.0.1:{self.engine.port}/bytes/deep",
            f"ozgate.blobs.s3.access-key={ACCESS_KEY}",
            f"ozgate.blobs.s3.secret-key-file={self.folder}/secret",
            "ozgate.blobs.more=files:blobs",
            *more,
        )
        self.server = self.serve("data")
        self.client = self.client_of(self.server)

    def test_moved(self) -> None:
        """New bytes go there and old ones are read where they are; all are moved, in smaller pieces, though the service is killed and the move stopped."""
        self.fill()
        self.move_house()
        before = set(self.blobs())
        self.put("new", 200_000)
        self.assertEqual(set(self.blobs()), before)
        self.assertEqual(self.served(self.client), self.stored)
        self.command("start_drain", store="files")
        self.server.kill()
        # It goes on there.
        self.server = self.serve("data")
        self.assertEqual(self.ozgate("move-blobs", "--stop")[0], 0)
        self.client = self.client_of(self.server)
        self.assertEqual(self.served(self.client), self.stored)
        code, out, error = self.ozgate("move-blobs", "files")
        self.assertEqual((code, "0 had to stay" in out), (0, True), out + error)
        self.assertEqual(self.emptied(), [])
        self.assertEqual(self.served(self.client), self.stored)
        self.assertEqual(self.ozgate("fsck")[0], 0)
