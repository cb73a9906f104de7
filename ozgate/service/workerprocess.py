"""One process of a worker, as its parent has it: how it is started, what it says, how it ended."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from .control import Control
from .worker import CONTROL, WRITES, Beginning

_log = Logger()

_PROGRAM = (
    "import importlib, sys; importlib.import_module(sys.argv[1]).install(); "
    "from ozgate.service.worker import main; main(int(sys.argv[2]))"
)
"""Some of what is imported takes the default reactor, where none is installed yet."""

_KEPT_BACK = ("OZ", "AWS_", "S3_", "MINIO_", "NOTIFY_", "WATCHDOG_", "LISTEN_")
"""How variables begin that workers have no use for: the configuration, with its secrets, and what is between the parent and its service manager."""


class WorkerProcess(ProcessProtocol):
    """A process.

    :param number: of the worker, for people.
    :param heard: called with a kind and a value when it says something.
    :param ended: called once, with how it ended.
    :ivar control: hears it, and tells it.
    """

    transport: Any

    def __init__(
        self,
        number: int,
        reactor: Any,
        heard: Callable[[str, Any], None],
        ended: Callable[[str], None],
    ) -> None:
        self._number = number
        self._reactor = reactor
        self._heard = heard
        self._ended = ended
        self.control = Control(self._said, lambda: None)
        self._writes: socket.socket | None = None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return int(self.transport.pid)

    def spawn(self, inherited: Mapping[int, int], path: str) -> None:
        """Have it run.

        :param inherited: what it inherits besides: its descriptor → ours.
        :param path: where its modules are found.
        """
        ours, its = socket.socketpair()
        self._writes, its_writes = socket.socketpair()
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(_KEPT_BACK)
        }
        try:
            for each in ours, its, self._writes, its_writes:
                each.setblocking(False)
            arguments = type(self._reactor).__module__, str(os.getpid())
            self._reactor.spawnProcess(
                self,
                sys.executable,
                [sys.executable, "-P", "-c", _PROGRAM, *arguments],
                {**environment, "PYTHONPATH": path},
                childFDs={
                    0: nothing,
                    1: "r",
                    2: "r",
                    CONTROL: its.fileno(),
                    WRITES: its_writes.fileno(),
                    **inherited,
                },
            )
            factory = Factory.forProtocol(lambda: self.control)
            self._reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        finally:
            os.close(nothing)
            ours.close()
            its.close()
            its_writes.close()

    def begin(
        self,
        beginning: Beginning,
        sockets: Sequence[int],
        write: Callable[[socket.socket], object],
    ) -> None:
        """Have it serve, on listening sockets.

        :param write: runs what it asks to write over a socket, which it takes.
        """
        if self._writes is not None:
            write(self._writes)
            self._writes = None
        for each in sockets:
            self.control.pass_on(each)
        self.control.tell("begin", beginning)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def _said(
        self, kind: str, value: Any, answer: Callable[[Any], None] | None
    ) -> None:
        if kind == "log":
            name, level, text = value
            Logger(namespace=name).emit(
                LogLevel.lookupByName(level),
                "worker {number}: {text}",
                number=self._number,
                text=text,
            )
        else:
            self._heard(kind, value)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """It wrote to its standard output or error, where nothing of ozgate goes: what Python says when it cannot go on."""
        for line in data.decode("utf-8", "backslashreplace").splitlines():
            _log.warn("worker {number}: {line}", number=self._number, line=line)

    def processExited(self, reason: Failure) -> None:
        """It is no more."""
        if self._writes is not None:
            self._writes.close()
        self._ended(_how(reason))


def _how(reason: Failure) -> str:
    """How a process ended, for people."""
    error = reason.value
    if not isinstance(error, ProcessTerminated):
        return "by itself"
    if error.signal is not None:
        return f"by {signal.Signals(error.signal).name}"
    return f"with exit code {error.exitCode}"
