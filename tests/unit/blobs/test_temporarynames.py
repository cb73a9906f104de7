"""Names of what is being written where several gateways write: whose they are, and whether those are alive."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from ozgate.blobs import temporarynames
from ozgate.blobs.temporarynames import OLD, is_left_over, temporary_name

NAMED = "from ozgate.blobs.temporarynames import temporary_name as n; print(n())"


class TemporaryNameTests(SynchronousTestCase):
    """Names of this machine's processes, and of others'."""

    def test_unique(self) -> None:
        """No two are the same."""
        self.assertNotEqual(temporary_name(), temporary_name())

    def test_of_this_process(self) -> None:
        """What this process writes is not left over, until it is very old."""
        name = temporary_name()
        self.assertFalse(is_left_over(name, OLD - 1))
        self.assertTrue(is_left_over(name, OLD))

    def test_of_a_dead_process(self) -> None:
        """What a process of this machine wrote that has ended is left over at once."""
        made = subprocess.run(
            [sys.executable, "-c", NAMED], check=True, capture_output=True, text=True
        )
        self.assertTrue(is_left_over(made.stdout.strip(), 0))

    def test_of_a_number_given_anew(self) -> None:
        """A living process that has the number of one before it is another: it began at another time."""
        machine, pid, began, rest = temporary_name().split("-")
        self.assertTrue(is_left_over(f"{machine}-{pid}-{int(began) - 1}-{rest}", 0))
        self.assertFalse(is_left_over(f"{machine}-{pid}-0-{rest}", 0))

    def test_of_another_machine(self) -> None:
        """What another machine writes is judged by its age alone, whatever its numbers are."""
        _, pid, began, rest = temporary_name().split("-")
        for machine in ("0" * 16, "f" * 16):
            name = f"{machine}-{int(pid) + 1}-{began}-{rest}"
            self.assertFalse(is_left_over(name, OLD - 1))
            self.assertTrue(is_left_over(name, OLD))

    def test_of_nobody(self) -> None:
        """Other names are judged by their age."""
        mark = temporary_name().partition("-")[0]
        for name in ("", "x", f"{mark}-", f"{mark}-a-b-c", f"{mark}-1-2", "0" * 24):
            self.assertFalse(is_left_over(name, 0), name)

    def test_unknown_machine(self) -> None:
        """Where the machine tells nothing of itself, age decides."""
        temporarynames._machine.cache_clear()
        self.addCleanup(temporarynames._machine.cache_clear)

        def readlink(path):
            raise OSError(2, "No such file or directory")

        self.patch(os, "readlink", readlink)
        name = temporary_name()
        self.assertTrue(name.startswith("0" * 16))
        _, _, began, rest = name.split("-")
        self.assertFalse(is_left_over(f"{'0' * 16}-4194304-{began}-{rest}", 0))
