"""The cluster itself, as the other tests here rely on it."""

from __future__ import annotations

import urllib.error
import urllib.request

from twisted.trial.unittest import SynchronousTestCase

from tests.engines.given import either


class ClusterTests(SynchronousTestCase):
    """What was given."""

    def setUp(self) -> None:
        """A cluster."""
        self.ozone = either()

    def test_commands(self) -> None:
        """Ozone's own commands reach it: it has the volume of S3."""
        self.assertIn('"s3v"', self.ozone.text("sh", "volume", "info", "/s3v"))

    def test_gateway(self) -> None:
        """Ozone's own gateway answers, and asks for a signature."""
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(self.ozone.s3g, timeout=30)
        caught.exception.close()
        self.assertIn(caught.exception.code, (400, 403))
