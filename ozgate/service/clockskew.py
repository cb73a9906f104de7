"""Whether this machine's clock is that of the store that gateways share.

Ids of blobs have the time of the gateway that made them, and a sweep of any gateway goes by them (:class:`~ozgate.background.reaper.Sweeper`): an hour is left between both.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from ..config.settings import Settings
from ..config.sitefile import ConfigurationError
from ..interfaces import IMetadataStore, IMetadataTransaction

MOST = 300.0
"""Seconds between both clocks, at most. Two gateways may be twice as far from each other, which leaves most of the hour."""


async def check_clock(
    metadata: IMetadataStore, clock: IReactorTime, settings: Settings
) -> None:
    """Refuse to start where the clocks are apart: the store is open.

    :param clock: tells this machine's date.
    :raises ConfigurationError: they are.
    """
    before = clock.seconds()
    theirs = await metadata.read(_now) / 1000
    behind, ahead = theirs - clock.seconds(), before - theirs
    if max(behind, ahead) > MOST:
        how = (
            f"{behind:.0f} seconds behind"
            if behind > 0
            else f"{ahead:.0f} seconds ahead of"
        )
        raise ConfigurationError(
            f"the clock of this machine is {how} that of {settings.metadata_provider}: have NTP set both, then start again"
        )


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()
