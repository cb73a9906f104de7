"""What administrators have a service do beside its requests, one of each at a time: a scrub, a backup, a look at all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from ...background.scrub import ScrubControl
from ...background.sharedwork import Running
from ...errors import StoreError
from ..errors import AdminError, as_admin_error

if TYPE_CHECKING:
    from ...background.drain import Drain
    from ...gateway.gateway import Gateway
    from .backup import Backup

LONGEST_WAIT = 20.0
"""Seconds that a command waits for one of them at most: less than any client's patience."""


class Upkeep:
    """What goes on in a process.

    :ivar scrub_control: starts and stops the scrub.
    :ivar backup: the backup under way, or the last one.
    :ivar drain: likewise.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.scrub_control = ScrubControl(
            gateway.metadata,
            gateway.blobs,
            gateway.clock,
            gateway.process,
            lambda: gateway.settings.scrub_rate,
            gateway.tally.damage,
        )
        self.backup: Backup | None = None
        self.drain: Drain | None = None
        self._clock = gateway.clock
        self._looks: dict[str, _Look] = {}

    async def look(self, name: str, begin: Any, wait: float) -> Any:
        """What takes longer than an answer may: begun by the first who asks, and had by whoever asks when it is there.

        :param begin: begins it: → Deferred.
        :param wait: seconds to wait for it at most.
        :return: what it came to; ``None`` while it goes on: ask again.
        """
        look = self._looks.get(name)
        if look is None:
            look = self._looks[name] = _Look(self._clock, begin())
        await look.running.wait(wait)
        if not look.running.is_over:
            return None
        self._looks.pop(name, None)
        if look.running.failure is not None:
            look.running.failure.raiseException()
        return look.result

    async def stop(self) -> None:
        """Stop what is under way; returns when it has stopped."""
        await self.scrub_control.stop()
        if self.backup is not None:
            await self.backup.stop()
        if self.drain is not None:
            await self.drain.stop()


async def wait_for(running: Running, what: str, wait: float) -> None:
    """Wait for the end of one of them.

    :param what: what it is, for people.
    :param wait: seconds; :data:`LONGEST_WAIT` at most.
    :raises AdminError: it failed.
    """
    await running.wait(min(wait, LONGEST_WAIT))
    if running.failure is None:
        return
    error = running.failure.value
    if isinstance(error, StoreError):
        raise as_admin_error(error)
    if isinstance(error, AdminError):
        raise error
    raise AdminError("INTERNAL_ERROR", f"the {what} failed: {error}", 500)


class _Look:
    """Something that is waited for, and what it comes to."""

    def __init__(self, clock: IReactorTime, awaited: Deferred[Any]) -> None:
        self.result: Any = None
        self.running = Running(clock, self._take(awaited))

    async def _take(self, awaited: Deferred[Any]) -> None:
        self.result = await awaited
