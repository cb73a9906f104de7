"""Secrets of a service at rest, and the master key that seals them."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from ozgate.auth.sealing import MasterKey
from tests.service.commanding import SECURE, SecretCase
from tests.service.twistd import Twistd


class AtRestTests(SecretCase):
    """Where secrets are, and where they are not."""

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Every file below the data folder."""
        for path in Path(self.data).rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes()

    def assert_nowhere(self, secrets: Sequence[str], process: Twistd) -> None:
        """No file of the service has a secret, plain or in a usual encoding; nor has what it said."""
        said = process.output() + process.errors.read_text()
        for secret in secrets:
            plain = secret.encode()
            forms = [plain, plain.hex().encode(), b64encode(plain).rstrip(b"=")]
            if len(secret) == 64:
                forms.append(bytes.fromhex(secret))
            for form in forms:
                for path, data in self.files():
                    self.assertNotIn(form, data, path)
                self.assertNotIn(form.decode("latin-1"), said)

    def test_sealed(self) -> None:
        """Secrets that were issued, set and used are in no file and no log, before and after a stop."""
        process = self.started(*SECURE)
        chosen = "a secret of my choice"
        pair = self.pair()
        self.client(process, pair).list_buckets()
        self.pair("--key", "other")
        self.ozgate("s3", "setsecret", "--key", "other", "-s", chosen)
        self.client(process, (f"{self.me}~other", chosen)).list_buckets()
        self.ozgate("s3", "getsecret", "-u", "no,name")
        self.ozgate("s3", "revokesecret", "-y", "-u", "zoe")
        self.assert_nowhere([pair[1], chosen], process)
        process.stop()
        self.assert_nowhere([pair[1], chosen], process)
        [audit] = Path(self.data).glob("s3g-audit-*.log")
        for action, result in (
            ("GENERATE_SECRET", "SUCCESS"),
            ("SET_SECRET", "SUCCESS"),
            ("REVOKE_SECRET", "FAILURE"),
        ):
            found = rf"user={self.me} \| .* op={action} .* ret={result}"
            self.assertRegex(audit.read_text(), found)
        key = Path(self.data, "master.key")
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        for path, data in self.files():
            if path != str(key):
                self.assertNotIn(key.read_bytes().strip(), data)

    def test_master_key_elsewhere(self) -> None:
        """The key can be kept away from the data."""
        place = os.path.join(self.folder, "elsewhere.key")
        arguments = (*SECURE, "-D", f"ozgate.master-key={place}")
        process = self.started(*arguments)
        pair = self.pair()
        process.stop()
        self.assertTrue(os.path.exists(place))
        self.assertFalse(os.path.exists(os.path.join(self.data, "master.key")))
        self.assertIn("is missing", self.refused(*SECURE))
        self.client(self.started(*arguments), pair).list_buckets()

    def test_master_key_lost(self) -> None:
        """A key that is missing, another, open to others or no key at all is said in one line; the right one is taken again."""
        process = self.started(*SECURE)
        pair = self.pair()
        process.stop()
        path = os.path.join(self.data, "master.key")
        kept = path + ".kept"
        os.rename(path, kept)
        self.assertIn("is missing", self.refused(*SECURE))
        self.assertFalse(os.path.exists(path))
        MasterKey.make(path)
        self.assertIn("is not the one", self.refused(*SECURE))
        Path(path).write_text("nonsense")
        self.assertIn("no master key", self.refused(*SECURE))
        os.rename(kept, path)
        os.chmod(path, 0o640)
        self.assertIn("chmod 600", self.refused(*SECURE))
        os.chmod(path, 0o600)
        self.client(self.started(*SECURE), pair).list_buckets()

    def test_deep_folder(self) -> None:
        """A path longer than a Unix socket's may be is no obstacle."""
        self.data = os.path.join(self.data, *(["d" * 50] * 4))
        process = self.started(*SECURE)
        self.assertGreater(len(self.data), 200)
        with socket.socket(socket.AF_UNIX) as plain:
            self.assertRaises(OSError, plain.connect, f"{self.data}/admin.sock")
        self.client(process, self.pair()).list_buckets()
