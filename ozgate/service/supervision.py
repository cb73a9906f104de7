"""Who looks after the service from outside: systemd, whoever sends signals, the terminal it was started from."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from .systemd import Notify

_log = Logger()


class Supervision:
    """Tells systemd what the service does, and makes SIGHUP a reload.

    SIGHUP comes from two: one who wants a reload, and the kernel when the terminal is gone that the service was
    started from; then it ends, as any program would.

    :param environment: of the process; see :class:`~ozgate.service.systemd.Notify`.
    """

    def __init__(self, reactor: Any, environment: Mapping[str, str]) -> None:
        self._reactor = reactor
        self._notify = Notify(environment)
        self._reload: Callable[[], Awaitable[object]] | None = None
        self._status = ""
        self._has_terminal = _terminal()
        self._signs = LoopingCall(self._notify.alive)
        self._signs.clock = reactor

    def begin(self) -> None:
        """The start begins: from here on SIGHUP does not end the process."""
        signal.signal(signal.SIGHUP, self._signaled)

    def ready(self, status: str, reload: Callable[[], Awaitable[object]]) -> None:
        """The start is over.

        :param status: one line for people.
        :param reload: what SIGHUP calls, in the reactor's thread.
        """
        self._reload, self._status = reload, status
        self._notify.ready(status)
        if self._notify.watchdog and not self._signs.running:
            self._signs.start(self._notify.watchdog)

    def stopping(self) -> None:
        """The stop begins."""
        self._reload = None
        self._notify.stopping("finishing the requests under way")

    async def reload(self) -> None:
        """Reload, unless the service starts or stops."""
        if self._reload is None:
            _log.info("SIGHUP: nothing is reloaded while the service starts or stops")
            return
        self._notify.reloading()
        try:
            await self._reload()
        finally:
            if self._reload is not None:
                self._notify.ready(self._status)

    def _signaled(self, number: int, frame: object) -> None:
        if self._has_terminal and not _terminal():
            self._reactor.callFromThread(self._reactor.stop)
        else:
            self._reactor.callFromThread(self._begin_reload)

    def _begin_reload(self) -> None:
        reloaded = Deferred.fromCoroutine(self.reload())
        reloaded.addErrback(lambda failure: _log.failure("the reload failed", failure))


def _terminal() -> bool:
    """Whether the process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
