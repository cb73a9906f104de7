"""What is built to be installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.running import ROOT


class BuildTests(SynchronousTestCase):
    """A build, as ``pip install`` of a checkout makes one."""

    def test_nothing_of_an_earlier_one(self) -> None:
        """A module that an earlier build had, and that is gone since, is not installed by an upgrade."""
        built = Path(self.mktemp()).absolute()
        gone = Path(built, "ozgate", "gone.py")
        gone.parent.mkdir(parents=True)
        gone.touch()
        subprocess.run(
            [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=120,
        )
        self.assertFalse(gone.exists())
        for path in ("ozgate/__init__.py", "ozgate/py.typed", "twisted/plugins"):
            self.assertTrue(Path(built, path).exists(), path)
