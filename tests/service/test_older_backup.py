"""A backup that an earlier version made is restored, and served as that one served it."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server
from tests.service.oldbackup import LARGE, client_of, ozgate, seen

MADE = sorted(Path(__file__).parent.glob("backup_v*.tar.xz"))
"""What :mod:`tests.service.oldbackup` wrote in checkouts of earlier versions."""


class OlderBackupTests(SynchronousTestCase):
    """Each, restored into a folder of its own."""

    def setUp(self) -> None:
        """Make room."""
        self.folder = tempfile.mkdtemp(prefix="ozgate-test-")
        self.addCleanup(shutil.rmtree, self.folder)

    def test_restored(self) -> None:
        """Objects, parts, tags, rights and secrets are what they were, the open upload completes, and the check finds nothing."""
        self.assertTrue(MADE)
        for path in MADE:
            folder = os.path.join(self.folder, path.name)
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
            known = json.loads(Path(folder, "backup", "known.json").read_text())
            data = os.path.join(folder, "data")
            ozgate(data, "admin", "restore", f"{folder}/backup", "--data", data)
            server = Server(data)
            server.start()
            self.addCleanup(server.stop)
            self.look(server, known)
            server.stop()
            self.assertIn(" all is well", ozgate(data, "admin", "fsck"))

    def look(self, server: Server, known: dict[str, Any]) -> None:
        """Hold what a service says against what is known."""
        client = client_of(server)
        self.addCleanup(client.close)
        found = seen(client, server.data)
        for name, expected in known["seen"].items():
            self.assertEqual(found[name], expected, name)
        client.complete_multipart_upload(**known["complete"])
        place = {"Bucket": "bucket", "Key": "open"}
        answer = client.get_object(**place)
        self.assertEqual(
            (answer["Body"].read(), answer["Metadata"]), (LARGE, {"m": "n"})
        )
        alice = client_of(server, tuple(known["pair"]))
        self.addCleanup(alice.close)
        there = alice.head_object(Bucket="linked", Key="copy")
        self.assertEqual(there["ContentLength"], len(LARGE))
        with self.assertRaises(ClientError) as refused:
            alice.put_object(Bucket="linked", Key="new", Body=b"")
        self.assertEqual(refused.exception.response["Error"]["Code"], "AccessDenied")
