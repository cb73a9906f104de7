"""What a service tells systemd about itself: ready, reloading, stopping, still alive.

The protocol is sd_notify(3): datagrams of ``NAME=value`` lines to the socket that ``$NOTIFY_SOCKET`` names.
Where there is none, nothing is told.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from twisted.logger import Logger


class Notify:
    """The service manager's end of a socket, or nobody.

    :param environment: has ``NOTIFY_SOCKET``, and ``WATCHDOG_USEC`` where a sign of life is wanted.
    :ivar watchdog: seconds between two signs of life, half of what the manager grants; 0 where it wants none.
    """

    _log = Logger()

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._path = environment.get("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog(environment) if self._path else 0.0

    def ready(self, status: str) -> None:
        """The start, or a reload, is over.

        :param status: what ``systemctl status`` shows, one line.
        """
        self.send(READY=1, STATUS=status)

    def reloading(self) -> None:
        """A reload begins; :meth:`ready` ends it."""
        self.send(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def stopping(self, status: str) -> None:
        """The stop begins."""
        self.send(STOPPING=1, STATUS=status)

    def alive(self) -> None:
        """A sign of life."""
        self.send(WATCHDOG=1)

    def send(self, **values: str | int) -> None:
        """Send one datagram. That it cannot be sent is logged and no more: the service itself is well."""
        if not self._path:
            return
        lines = "\n".join(f"{name}={value}" for name, value in values.items())
        # A name that begins with @ is in the abstract name space.
        path = "\0" + self._path[1:] if self._path[0] == "@" else self._path
        try:
            with socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
            ) as sender:
                sender.setblocking(False)
                sender.sendto(lines.encode("utf-8", "replace"), path)
        except OSError as error:
            self._log.warn(
                "{path} cannot be told: {error}", path=self._path, error=error
            )


def _watchdog(environment: Mapping[str, str]) -> float:
    """See ``sd_watchdog_enabled(3)``: the wish may be meant for another process."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    process = environment.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or process != str(os.getpid()):
        return 0.0
    return int(microseconds) / 2e6
