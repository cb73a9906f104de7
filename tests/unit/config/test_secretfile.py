"""Secrets of engines in files."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.secretfile import MOST, secret_in
from ozgate.config.sitefile import ConfigurationError

KEY = "ozgate.postgresql.password-file"


class SecretFileTests(SynchronousTestCase):
    """A file in a data folder."""

    def setUp(self) -> None:
        """The folder."""
        self.data = os.path.abspath(self.mktemp())
        os.mkdir(self.data)
        self.file = Path(self.data, "password")

    def test_read(self) -> None:
        """One line is the secret, with or without its end; a relative path is inside the data folder, and links are followed."""
        for written in (b"hidden", b"hidden\n", b" hidden\r\n"):
            self.file.write_bytes(written)
            self.assertEqual(secret_in(KEY, "password", self.data), "hidden")
        link = Path(self.data, "link")
        link.symlink_to(self.file)
        self.assertEqual(secret_in(KEY, str(link), "/nowhere"), "hidden")

    def test_refused(self) -> None:
        """What is no secret is refused in a line that names the key and the file, and shows nothing of it."""
        for written in (
            b"",
            b"\n",
            b"hidden\nhidden\n",
            b"\xff\xfe",
            b"h" * (MOST + 1),
        ):
            self.file.write_bytes(written)
            self.refused("password", "one line of text")
        self.refused("missing", "No such file")
        self.refused(".", "")

    def refused(self, path: str, why: str) -> None:
        """Reading it fails, and says why."""
        error = self.assertRaises(ConfigurationError, secret_in, KEY, path, self.data)
        self.assertIn(KEY, str(error))
        self.assertIn(why, str(error))
        self.assertNotIn("hidden", str(error))
