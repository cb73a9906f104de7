"""What is printed to be pasted can be pasted."""

from __future__ import annotations

import os
import shlex
import sys

from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.service.welcome import program, welcome

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


class KeyTests(SynchronousTestCase):
    """Who gets a key, where signatures are verified and nobody has one yet."""

    def test_who(self) -> None:
        """Those who reach the socket that gives keys out, and nobody else."""
        for mode, who in (
            (0o600, "The user that runs it gets a key"),
            (
                0o660,
                "The user that runs it, and each of its group, get a key of their own",
            ),
            (0o666, "Users of this machine get a key of their own"),
        ):
            settings = Settings(security_enabled=True, admin_socket_mode=mode)
            said = welcome(["http://127.0.0.1:9878"], "/d", settings)
            self.assertIn(f"Signatures are verified. {who} with: ", said)


class WorkersTests(SynchronousTestCase):
    """How many processes serve clients."""

    def test_several(self) -> None:
        """Where there are several, it is said, and how to have others."""
        said = welcome([], "/d", Settings(), workers=2)
        self.assertIn("2 workers serve clients; --workers N has N do so\n", said)

    def test_one(self) -> None:
        """Where the process of the service does all, nothing is said of it."""
        self.assertNotIn("workers", welcome([], "/d", Settings()))
