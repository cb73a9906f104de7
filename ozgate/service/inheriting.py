"""Listening in a worker: on sockets that its parent has opened, by the same descriptions and endpoints.

An endpoint asks a reactor to listen. A worker gives it one that takes up the next inherited socket instead, whatever address was asked for: what
the endpoint wraps around the factory, as TLS or the PROXY protocol, is made as ever.

All workers take clients from the same sockets, so that one which comes is never lost with a worker that dies: those that nobody has taken yet wait
in the kernel for any of them. Whoever is awake first would take them all, though: of 16 that came at once one of two workers had all or nothing in
two of eight tries, on a busy machine. So each takes one at a time, and who is ahead leaves the next to others for a moment.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import unix
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.tcp import Port
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

REST = 0.01
"""Seconds that a worker leaves clients to others, who have fewer. Those that still wait then, it takes."""

SYSTEMD = "systemd:"
"""How a description of a socket begins that the service manager has opened; the parent alone has the number of its descriptor."""


class _UnixPort(unix.Port):
    """A UNIX socket whose file is the parent's to make and to remove."""

    def connectionLost(self, reason: Failure) -> None:
        """Listen no more; others do."""
        Port.connectionLost(self, reason)


class Inheriting:
    """A reactor that listens on what is given to it.

    :param sockets: descriptors of listening sockets, in the order in which endpoints are going to ask. Each is closed once it is taken up.
    :param is_ahead: tells whether this worker has many more clients than another.
    """

    def __init__(
        self, reactor: Any, sockets: list[int], is_ahead: Callable[[], bool]
    ) -> None:
        self._is_ahead = is_ahead
        self._reactor = reactor
        self._sockets = sockets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self,
        port: int,
        factory: IProtocolFactory,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """See ``IReactorTCP``."""
        return self._adopt(factory)

    def listenSSL(
        self,
        port: int,
        factory: IProtocolFactory,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
    ) -> IListeningPort:
        """See ``IReactorSSL``."""
        return self._adopt(TLSMemoryBIOFactory(contextFactory, False, factory))

    def listenUNIX(
        self,
        address: str,
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: int = 0,
    ) -> IListeningPort:
        """See ``IReactorUNIX``."""
        return self._adopt(factory)

    def _one_at_a_time(self, port: Any) -> IListeningPort:
        """Have a port take one client in each turn of the reactor, and none for a moment where others have fewer and are there to take it."""
        accept, has_rested = port.doRead, False

        def accept_one() -> object:
            nonlocal has_rested
            if not has_rested and self._is_ahead():
                has_rested = True
                port.stopReading()
                self._reactor.callLater(REST, resume)
                return None
            has_rested = False
            port.numberAccepts = 1
            return accept()

        def resume() -> None:
            if port.connected:
                port.startReading()

        port.doRead = accept_one
        listening: IListeningPort = port
        return listening

    def _adopt(self, factory: IProtocolFactory) -> IListeningPort:
        fd = self._sockets.pop(0)
        try:
            with socket.socket(fileno=os.dup(fd)) as found:
                family, name = found.family, found.getsockname()
            if family != socket.AF_UNIX:
                adopt = self._reactor.adoptStreamPort
                return self._one_at_a_time(adopt(fd, family, factory))
            make: Any = _UnixPort._fromListeningDescriptor
            port = make(self._reactor, fd, factory)
            if isinstance(name, str) and os.path.exists(name):
                port.mode = os.stat(name).st_mode & 0o777
            port.startListening()
            return self._one_at_a_time(port)
        finally:
            os.close(fd)


def inherited(description: str) -> str:
    """A description that any process can read, for a socket that is inherited anyway."""
    before, systemd, _ = description.partition(SYSTEMD)
    return f"{before}tcp:0" if systemd else description
