"""Processes that are forked are what a program would be: see :mod:`tests.forking`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from tests.forking import Forked, run
from tests.nursery import DRAWING
from tests.running import ROOT

LOOK = """
import os, sys, threading
print(sys.argv, os.getcwd(), sorted(os.environ), sys.stdin.read(), sep="\\n")
print(sorted(map(int, os.listdir("/proc/self/fd")))[:-1], threading.active_count())
print([name for name in sys.modules if name.partition(".")[0] in ("tests", "hypothesis")])
print([name in sys.modules for name in sys.argv[2:]], __name__)
raise SystemExit(f"an end {sys.argv[1]}")
"""
DRAWN = """
import importlib, os, pkgutil, random, sys
def seen(size):
    frame = sys._getframe(1)
    while not frame.f_globals["__name__"].startswith("ozgate."):
        frame = frame.f_back
    drawing.add(frame.f_globals["__name__"])
    return bytes(size)
drawing = set()
os.urandom = random._urandom = seen
import ozgate
for found in pkgutil.walk_packages(ozgate.__path__, "ozgate."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(*sorted(drawing), end="")
"""
ENV = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}


class ForkedTests(SynchronousTestCase):
    """One process each."""

    def begin(self, *arguments: str) -> Forked:
        """A process that says nothing."""
        with open(os.devnull, "wb") as nothing:
            process = Forked(
                arguments, env=ENV, cwd="/", stdout=nothing, stderr=nothing
            )
        self.addCleanup(process.kill)
        return process

    def test_own(self) -> None:
        """It has its own arguments, folder, environment and files, and nothing else; neither the reactor is there before it imports it, nor what draws numbers then."""
        folder = os.path.realpath(tempfile.gettempdir())
        env = {**ENV, "OZGATE_ITS": "own"}
        absent = ["twisted.internet.reactor", *DRAWING]
        ended = run("-c", LOOK, "one", *absent, env=env, cwd=folder, said="read")
        self.assertEqual(
            ended.stdout.splitlines(),
            [
                *(str(["-c", "one", *absent]), folder),
                *("['LC_ALL', 'OZGATE_ITS', 'PYTHONPATH']", "read"),
                *("[0, 1, 2] 1", "[]", "[False, False, False] __main__"),
            ],
        )
        self.assertEqual((ended.returncode, ended.stderr), (1, "an end one\n"))

    def test_drawing(self) -> None:
        """No module draws numbers as it is imported but those that are known to."""
        program = [sys.executable, "-c", DRAWN]
        said = subprocess.run(program, env=ENV, check=True, stdout=subprocess.PIPE)
        self.assertEqual(said.stdout.decode().split(), [*DRAWING])

    def test_signals(self) -> None:
        """It runs until a signal ends it, and that is its exit code."""
        process = self.begin("-c", "import time; time.sleep(600)")
        self.assertIsNone(process.poll())
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(20), -signal.SIGTERM)
        self.assertEqual(process.poll(), -signal.SIGTERM)
        process.kill()

    def test_programs(self) -> None:
        """A module and a script are run as programs."""
        ended = run("-m", "ozgate", "--version", env=ENV, cwd="/")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        script = os.path.abspath(self.mktemp())
        with open(script, "w", encoding="utf-8") as file:
            file.write("import sys\nprint(sys.argv[1:], __name__)\n")
        ended = run(script, "one", env=ENV, cwd="/")
        self.assertEqual(ended.stdout, "['one'] __main__\n")

    def test_together(self) -> None:
        """Each ends by itself."""
        processes = [self.begin("-c", f"raise SystemExit({n})") for n in range(20)]
        self.assertEqual([each.wait(60) for each in processes], [*range(20)])
