"""``ozgate sh`` where some volumes are the cluster's: those that are named to be."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.engines.given import insecure
from tests.ozone.gateways import Gateway
from tests.ozone.sidebyside import OurShell


class MixedTests(SynchronousTestCase):
    """A service of both."""

    def setUp(self) -> None:
        """A volume of the cluster, and a service that shows it beside its own."""
        self.ozone = insecure()
        self.volume = f"shell-{secrets.token_hex(6)}"
        for command in (
            f"volume create /{self.volume}",
            f"bucket create /{self.volume}/real",
        ):
            self.ozone.text("sh", *command.split())
        self.addCleanup(
            self.ozone.text, "sh", *f"volume delete -r -y /{self.volume}".split()
        )
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        self.file = folder / "file"
        self.file.write_bytes(os.urandom(3_000_000))
        names = f"ozgate.foreign.volumes={self.volume}"
        server = Gateway(str(folder / "data"), self.ozone, names, "ozgate.workers=1")
        server.start()
        self.addCleanup(server.stop)
        self.shell = OurShell(str(folder / "data"))

    def sh(self, command: str) -> str:
        """What a command prints, which must succeed."""
        came = self.shell.run(command)
        self.assertEqual((came.code, came.err), (0, ""), command)
        return came.out

    def shown(self, command: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.sh(command))

    def test_both(self) -> None:
        """Volumes of both are listed; a link of the service's own volume leads to a bucket of the cluster, whose keys Ozone's own shell has at once."""
        far = self.volume
        self.sh("volume create /near")
        self.sh("bucket create /s3v/own")
        self.sh(f"bucket link /{far}/real /s3v/link")
        listed = [each["name"] for each in self.shown("volume list -a")]
        self.assertEqual(listed, sorted(("near", "s3v", far)))
        listed = [each["name"] for each in self.shown("bucket list /s3v")]
        self.assertEqual(listed, ["link", "own"])
        self.assertEqual(self.shown("bucket info /s3v/link")["sourceVolume"], far)
        layout = self.shown(f"bucket info /{far}/real")["bucketLayout"]
        self.assertEqual(layout, "FILE_SYSTEM_OPTIMIZED")
        for place in ("s3v/link/a/key", "s3v/own/a/key"):
            self.sh(f"key put /{place} {self.file}")
            got = f"{self.file}-{place.replace('/', '-')}"
            self.sh(f"key get /{place} {got}")
            self.assertEqual(Path(got).read_bytes(), self.file.read_bytes())
        theirs = self.ozone.text("sh", "key", "info", f"/{far}/real/a/key")
        self.assertEqual(json.loads(theirs), self.shown("key info /s3v/link/a/key"))
        keys = self.shown("key list /s3v/link")
        self.assertEqual([each["name"] for each in keys], ["a/", "a/key"])
        self.assertEqual({each["bucketName"] for each in keys}, {"link"})
        self.sh("bucket addacl /s3v/link -a user:alice:r")
        names = [each["name"] for each in self.shown(f"bucket getacl /{far}/real")]
        self.assertIn("alice", names)
        self.sh("key rename /s3v/link a/key a/other")
        self.sh("key delete /s3v/link/a/other")
        came = self.shell.run("key cat /s3v/link/a/other")
        self.assertEqual(came.err, "KEY_NOT_FOUND Key:a/other not found\n")
        self.sh("bucket delete /s3v/link")
        self.shown(f"bucket info /{far}/real")
