"""The service that deletes bytes nothing names: :mod:`ozgate.blobs.sweep`, in rounds."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..blobs.sweep import Reaper
from .rounds import Rounds

_log = Logger()

ORPHANS_EVERY = 3600.0
"""Seconds between two searches for orphans at least, and how old a blob without a name must be to be one."""


class Sweeper(Rounds):
    """Reaps every ``interval`` seconds; looks for orphans at the start and every hour.

    At the start everything made before it is looked at, for no commit of this process is that old; later, what is
    older than an hour.

    :param reaper: does the work; its clock is the one that blob ids are made with.
    :param clock: what rounds are timed by. It need not know the date, and does better when nobody can set it.
    :param interval: seconds between two rounds.
    """

    name = "sweeper"

    def __init__(self, reaper: Reaper, clock: IReactorTime, interval: float) -> None:
        super().__init__(clock, interval)
        self._reaper = reaper
        # A search dooms anew what is doomed already. With time between two searches for the reaper to get at it, that
        # cannot go on forever.
        self._orphans_every = max(ORPHANS_EVERY, 2 * (reaper.delay + interval))
        self._swept: float | None = None
        self._began = 0.0

    def startService(self) -> None:
        """Begin the first round."""
        self._began = self._reaper.clock.seconds()
        self._swept = None
        super().startService()

    async def work(self) -> None:
        """Doom orphans when it is time to, then reap."""
        now = self._clock.seconds()
        if self._swept is None or now - self._swept >= self._orphans_every:
            hour_ago = self._reaper.clock.seconds() - ORPHANS_EVERY
            before = self._began if self._swept is None else hour_ago
            found = await self._reaper.sweep_orphans(int(before * 1000), self.go_on)
            if found is not None:
                self._swept = now
            if found:
                _log.info("found {count} blobs without a name", count=found)
        await self._reaper.reap(self.go_on)
