"""One process of a worker, as its parent has it: how it is started, what it says, how it ended.

Imports little: processes can be started while their parent still imports all else.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import Factory, ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from ..config.settings import Settings
from .control import CONTROL, WRITES, Control

if TYPE_CHECKING:
    from .worker import Beginning

_log = Logger()

_PROGRAM = (
    "import gc, importlib, sys; gc.disable(); importlib.import_module(sys.argv[1]).install(); "
    "from ozgate.service.worker import main; gc.freeze(); gc.enable(); main(int(sys.argv[2]))"
)
"""Some of what is imported takes the default reactor, where none is installed yet. All of it stays, as in ``makeService``."""

_PATH = os.pathsep.join(map(os.path.abspath, sys.path))
"""Where modules are found. A daemon is going to leave its folder."""

_KEPT_BACK = ("OZ", "AWS_", "S3_", "MINIO_", "NOTIFY_", "WATCHDOG_", "LISTEN_")
"""How variables begin that workers have no use for: the configuration, with its secrets, and what is between the parent and its service manager."""


MOST = 8
"""Workers that there are at most where nobody says how many."""


def how_many(settings: Settings) -> int:
    """How many processes are to serve."""
    return settings.workers or min(len(os.sched_getaffinity(0)), MOST)


def how_many_first(workers: int) -> int:
    """How many of so many workers begin with the service: where each has a core to itself, and so has the parent, which is busy with its own start.

    Clients are served as soon as the first is there; the others follow.
    """
    return min(workers, max(len(os.sched_getaffinity(0)) - 1, 1))


class WorkerProcess(ProcessProtocol):
    """A process, which runs as this is made; to be made in the process that stays.

    :ivar control: hears it, and tells it.
    """

    transport: Any

    def __init__(self, reactor: Any) -> None:
        self._number = 0
        self._heard: Callable[[str, Any], None] | None = None
        self._ended: Callable[[str], None] | None = None
        self._how = ""
        self.control = Control(self._said, lambda: None)
        self._writes: socket.socket | None
        self._spawn(reactor)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return int(self.transport.pid)

    def _spawn(self, reactor: Any) -> None:
        ours, its = socket.socketpair()
        self._writes, its_writes = socket.socketpair()
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(_KEPT_BACK)
        }
        ends = {CONTROL: its.fileno(), WRITES: its_writes.fileno()}
        try:
            for each in ours, its, self._writes, its_writes:
                each.setblocking(False)
            arguments = type(reactor).__module__, str(os.getpid())
            reactor.spawnProcess(
                self,
                sys.executable,
                [sys.executable, "-P", "-c", _PROGRAM, *arguments],
                {**environment, "PYTHONPATH": _PATH},
                childFDs={0: nothing, 1: "r", 2: "r", **ends},
            )
            factory = Factory.forProtocol(lambda: self.control)
            reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        finally:
            os.close(nothing)
            ours.close()
            its.close()
            its_writes.close()

    def become(
        self,
        number: int,
        heard: Callable[[str, Any], None],
        ended: Callable[[str], None],
    ) -> None:
        """Be one of the workers.

        :param number: which, for people.
        :param heard: called with a kind and a value when it says something.
        :param ended: called once, with how it ended.
        """
        self._number, self._heard, self._ended = number, heard, ended
        if self._how:
            ended(self._how)

    def begin(
        self,
        beginning: Beginning,
        descriptors: Sequence[int],
        write: Callable[[socket.socket], object],
    ) -> None:
        """Have it serve.

        :param descriptors: see :class:`~ozgate.service.worker.Beginning`.
        :param write: runs what it asks to write over a socket, which it takes.
        """
        if self._writes is not None:
            write(self._writes)
            self._writes = None
        for each in descriptors:
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
        elif self._heard is not None:
            self._heard(kind, value)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """It wrote to its standard output or error, where nothing of ozgate goes: what Python says when it cannot go on."""
        for line in data.decode("utf-8", "backslashreplace").splitlines():
            _log.warn("worker {number}: {line}", number=self._number, line=line)

    def processExited(self, reason: Failure) -> None:
        """It is no more."""
        if self._writes is not None:
            self._writes.close()
        self._how = _how(reason)
        if self._ended is not None:
            self._ended(self._how)


def _how(reason: Failure) -> str:
    """How a process ended, for people."""
    error = reason.value
    if not isinstance(error, ProcessTerminated):
        return "by itself"
    if error.signal is not None:
        return f"by {signal.Signals(error.signal).name}"
    return f"with exit code {error.exitCode}"
