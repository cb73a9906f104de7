"""Whether this machine's clock is that of the store that gateways share.

Ids of blobs have the time of the gateway that made them, and a sweep of any gateway goes by them (:class:`~ozgate.background.reaper.Sweeper`): an hour is left between both.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..background.rounds import Rounds
from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..interfaces import IMetadataStore, IMetadataTransaction

_log = Logger()

MOST = 300.0
"""Seconds between both clocks, at most. Two gateways may be twice as far from each other, which leaves most of the hour."""


EVERY = 60.0
"""Seconds between two looks while a gateway runs."""


async def check_clock(
    metadata: IMetadataStore, clock: IReactorTime, settings: Settings
) -> None:
    """Refuse to start where the clocks are apart: the store is open.

    :param clock: tells this machine's date.
    :raises ConfigurationError: they are.
    """
    how = await _apart(metadata, clock)
    if how:
        raise ConfigurationError(
            f"the clock of this machine is {how} that of {settings.metadata_provider}: have NTP set both, then start again"
        )


class ClockWatch(Rounds):
    """Says in the log that a clock was set while a gateway runs, and when it is right again; each once.

    It serves on: who signs by the right time is refused by it, if by anybody, and dates of objects and leases are the store's.

    :param clock: what rounds are timed by.
    :param dated: tells this machine's date.
    """

    def __init__(
        self,
        metadata: IMetadataStore,
        clock: IReactorTime,
        dated: IReactorTime,
        provider: str,
    ) -> None:
        super().__init__(clock, EVERY)
        self._metadata = metadata
        self._dated = dated
        self._provider = provider
        self._is_apart = False

    async def work(self) -> None:
        """Look once."""
        how = await _apart(self._metadata, self._dated)
        if how and not self._is_apart:
            _log.error(
                "the clock of this machine is {how} that of {provider}: requests may be refused as too old or signed for a time to come; have NTP set both",
                how=how,
                provider=self._provider,
            )
        elif self._is_apart and not how:
            _log.info(
                "the clock of this machine agrees with that of {provider} again",
                provider=self._provider,
            )
        self._is_apart = bool(how)


async def _apart(metadata: IMetadataStore, clock: IReactorTime) -> str:
    """How this machine's clock is, where both are more than :data:`MOST` apart; else ``""``."""
    before = clock.seconds()
    theirs = await metadata.read(_now) / 1000
    behind, ahead = theirs - clock.seconds(), before - theirs
    if max(behind, ahead) <= MOST:
        return ""
    if behind > 0:
        return f"{behind:.0f} seconds behind"
    return f"{ahead:.0f} seconds ahead of"


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()
