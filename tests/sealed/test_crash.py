"""A sample of the crash tests once more, with every byte sealed: on real stores, sealed bytes are as durable as others."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import SkipTest
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from tests.crash.gate import Gate
from tests.crash.seals import SWITCH
from tests.crash.tapping import unavailable
from tests.crash.test_kill_sweep import python
from tests.crash.workload import LARGE, SMALL

SEED = 20261130


class SealedCrashTests(SynchronousTestCase):
    """Power cuts, kills and histories."""

    def setUp(self) -> None:
        """Have gateways seal, those of other processes too."""
        if reason := unavailable():
            raise SkipTest(reason)
        sealed = patch.dict(os.environ, {SWITCH: "1"})
        sealed.start()
        self.addCleanup(sealed.stop)

    def test_stored(self) -> None:
        """A gateway of these tests has no plain byte on its disk, in rows or files, and gives what it was given."""
        folder = self.mktemp()
        os.mkdir(folder)
        gate = Gate(folder)
        gate.open()
        bodies = {f"key{size}": os.urandom(size) for size in (SMALL, LARGE)}
        gate.ask("PUT", "/bucket")
        for key, body in bodies.items():
            self.assertEqual(gate.ask("PUT", f"/bucket/{key}", body)[0], 200)
            self.assertEqual(gate.ask("GET", f"/bucket/{key}")[2], body)
        gate.close()
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        self.assertGreater(len(files), 2)
        for path in files:
            data = path.read_bytes()
            for body in bodies.values():
                self.assertNotIn(body[:16], data, path)
                self.assertNotIn(body[-16:], data, path)

    def test_power_cuts(self) -> None:
        """Whatever a cut leaves, what was acknowledged is there, and nothing half."""
        said = python("-m", "tests.crash.sweep", "--states=120", f"--seed={SEED}")
        self.assertIn(" 0 invariants broken", said)

    def test_kills(self) -> None:
        """Processes killed at calls drawn by lot leave folders in which every invariant holds."""
        said = python("-m", "tests.crash.kill_sweep", "--count=6", f"--seed={SEED}")
        self.assertIn(" 0 invariants broken", said)

    def test_histories(self) -> None:
        """Whatever is asked, fails, fills or dies: the gateway holds and says what the model does."""
        said = python(
            *("-m", "tests.crash.model_run", "--rounds=1", "--examples=6"),
            *(f"--seed={SEED}", "--no-shrink"),
        )
        self.assertIn(" PutObject", said)
