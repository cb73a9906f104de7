"""What is printed to be pasted can be pasted."""

from __future__ import annotations

import os
import shlex
import sys

from twisted.trial.unittest import SynchronousTestCase

from ozgate.service.welcome import program

FOLDER, NAME = os.path.split(sys.executable)


class ProgramTests(SynchronousTestCase):
    """A program beside this Python, which need not be on anybody's path."""

    def test_on_the_path(self) -> None:
        """Where the name alone leads to it, the name is enough."""
        self.patch(os, "environ", {**os.environ, "PATH": FOLDER})
        self.assertEqual(program(NAME), NAME)

    def test_off_the_path(self) -> None:
        """In an environment that is not activated it is named by its whole path."""
        self.patch(os, "environ", {**os.environ, "PATH": self.mktemp()})
        self.assertEqual(program(NAME), shlex.quote(sys.executable))

    def test_not_installed(self) -> None:
        """What is not beside this Python is left to whoever pastes it."""
        self.assertEqual(program("no-such-program"), "no-such-program")
