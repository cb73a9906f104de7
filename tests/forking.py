"""Processes that run a program of Python's, forked from one that has imported ozgate already (:mod:`tests.nursery`).

Most of what a start costs is imports: a test that needs a service, not its start, is spared them. Such a process has arguments, environment, folder and
files of its own, draws its own numbers, has its own reactor, and ends as any other does.

What forking cannot give is for :class:`subprocess.Popen`: another user, descriptors to inherit, a start that is the point itself.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from select import select
from typing import IO, Any

_READ_ONCE = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "OPENSSL_", "TZ")
"""How the names of variables begin that an interpreter and its libraries read as they start."""
_NUMBER = 8
"""Bytes of a number that is told."""
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """In a child, before it becomes another program: have it killed when this process ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Forked:
    """A process, with what tests use of :class:`subprocess.Popen`.

    :param arguments: what follows ``python``: a script, ``-m`` and a module, or ``-c`` and a program, and its arguments.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str | Path,
        stdout: IO[Any],
        stderr: IO[Any],
        stdin: IO[Any] | None = None,
    ) -> None:
        self.args = arguments
        self.returncode: int | None = None
        told, telling = os.pipe()
        asked = json.dumps([list(arguments), dict(env), str(cwd)]).encode()
        with open(os.devnull, "rb") as nothing, open(telling, "wb"):
            files = [each.fileno() for each in (stdin or nothing, stdout, stderr)]
            socket.send_fds(_nursery(_read_once(env)), [asked], [*files, telling])
        self._told = open(told, "rb")
        self.pid = int(self._told.read(_NUMBER))

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; ``None`` as long as it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        :param timeout: seconds.
        :raises subprocess.TimeoutExpired: it still runs.
        """
        if self.returncode is None:
            if not select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            with self._told:
                self.returncode = int(self._told.read(_NUMBER))
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


Process = Forked | subprocess.Popen[bytes]
"""One that was started."""


def launch(
    arguments: Sequence[str],
    *,
    forked: bool,
    env: Mapping[str, str],
    cwd: str | Path,
    stdout: IO[Any],
    stderr: IO[Any],
) -> Process:
    """A process that reads nothing.

    :param forked: or started anew, whatever program it is.
    """
    if forked:
        return Forked(arguments, env=env, cwd=cwd, stdout=stdout, stderr=stderr)
    return subprocess.Popen(
        arguments,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=die_with_parent,
    )


def run(
    *arguments: str, env: Mapping[str, str], cwd: str | Path, said: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program until it ends, at most two minutes.

    :param arguments: see :class:`Forked`.
    :param said: what it reads.
    """
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        stdin.write(said.encode())
        stdin.seek(0)
        files = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
        process = Forked(arguments, env=env, cwd=cwd, **files)
        try:
            code = process.wait(120)
        finally:
            process.kill()
        stdout.seek(0)
        stderr.seek(0)
        texts = stdout.read().decode(), stderr.read().decode()
        return subprocess.CompletedProcess(arguments, code, *texts)


def _read_once(env: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """What no process can be given after it was forked."""
    return frozenset(pair for pair in env.items() if pair[0].startswith(_READ_ONCE))


@cache
def _nursery(environment: frozenset[tuple[str, str]]) -> socket.socket:
    """Where to ask for processes, which end with this one.

    :param environment: of them, as far as it is read only once.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = Path(__file__).with_name("nursery.py")
    with theirs:
        process = subprocess.Popen(
            # No script's folder on the path: modules of tests have names of others'.
            [sys.executable, "-P", program],
            env=dict(environment),
            cwd="/",
            stdin=theirs,
            stdout=subprocess.DEVNULL,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
