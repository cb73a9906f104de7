"""Listening ports while the process has no file descriptor left."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

_log = Logger()

REST = 0.1
"""Seconds that a port waits before it looks again for a descriptor."""


def rest_without_descriptors(reactor: IReactorTime, port: Any) -> None:
    """Have a listening port leave clients in the kernel's backlog until it can accept them.

    Twisted's ports close the clients they have no descriptor for, by means of one they hold in reserve. A
    thread that opens a file just then takes that, and from there on the port is ready without end and
    can do nothing: the reactor spins and fills the log.

    :param reactor: what the port listens with.
    :param port: a Twisted listening port; one that does not read (a plugin's) is left as it is.
    """
    accept = getattr(port, "doRead", None)
    if accept is None:
        return

    told = False

    def accept_or_rest() -> object:
        nonlocal told
        try:
            os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            if not told:
                told = True
                _log.warn(
                    "new clients wait for a file descriptor ({reason}): allow the process more of them (ulimit -n, LimitNOFILE)",
                    reason=error.strerror,
                )
            port.stopReading()
            reactor.callLater(REST, resume)
            return None
        told = False
        return accept()

    def resume() -> None:
        if port.connected:
            port.startReading()

    port.doRead = accept_or_rest
