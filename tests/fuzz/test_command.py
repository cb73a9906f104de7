"""``python -m tests.fuzz``: a run that tried nothing says why, and does not end like one that found nothing."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz import __main__ as command


class NothingTriedTests(SynchronousTestCase):
    """Without atheris, and without time. Whether atheris is there is patched: it is in some environments only."""

    def run_command(self, spec: object) -> tuple[Any, str]:
        """The exit status and what is printed, with as much time as no target takes."""
        self.patch(sys, "argv", ["fuzz", "--minutes", "0", "head"])
        self.patch(command, "find_spec", lambda name: spec)
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                return command.main(), said.getvalue()
            except SystemExit as ended:
                return ended.code, said.getvalue()

    def test_without_atheris(self) -> None:
        """It says what to install."""
        code, said = self.run_command(None)
        self.assertEqual(code, 2)
        self.assertIn("atheris is not installed: pip install", said)

    def test_without_time(self) -> None:
        """It says that there was none."""
        code, said = self.run_command(object())
        self.assertEqual(code, 1)
        self.assertIn("no time for any target", said)
