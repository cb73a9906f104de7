"""When the scrub of :mod:`ozgate.background.bitrot` runs: when it is due, or when an administrator asks for it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..content.stores import BlobStores
from ..errors import StoreError
from ..interfaces import IMetadataStore
from .bitrot import Scrub
from .rounds import Rounds
from .sharedwork import Running

_log = Logger()

LOOK_EVERY = 60.0
"""Seconds between two looks whether a scrub is due. The first is as long after the start, which has enough to do."""


class ScrubControl:
    """What starts and stops the scrub of a process, whoever asks for it; one runs at a time.

    :param owner: see :class:`~ozgate.background.bitrot.Scrub`, as for the others.
    :param rate: tells the rate of the configuration.
    :ivar scrub: what it runs.
    :ivar asked_rate: bytes a second that this run may read, where an administrator said so.
    """

    def __init__(
        self,
        metadata: IMetadataStore,
        blobs: BlobStores,
        clock: IReactorTime,
        owner: str,
        rate: Callable[[], int],
        on_damage: Callable[[str], None],
    ) -> None:
        self.scrub = Scrub(metadata, blobs, clock, owner, self.rate, on_damage)
        self.asked_rate: int | None = None
        self._configured_rate = rate
        self._clock = clock
        self._running: Running | None = None
        self._wanted = False

    def rate(self) -> int:
        """Bytes a second that it may read; 0 for any number."""
        if self.asked_rate is not None:
            return self.asked_rate
        return self._configured_rate()

    @property
    def is_running(self) -> bool:
        """Whether it reads at the moment."""
        return self._running is not None and not self._running.is_over

    def start(self, rate: int | None = None) -> None:
        """Begin, or go on; when it runs already, its rate changes.

        :param rate: bytes a second; ``None`` for that of the configuration.
        """
        self.asked_rate = rate
        if not self.is_running:
            self._wanted = True
            self._running = Running(self._clock, self._run())

    async def _run(self) -> None:
        try:
            await self.scrub.run(lambda: self._wanted)
        except StoreError as error:
            _log.warn("the scrub goes on later: {error}", error=error)
        except Exception:
            _log.failure("the scrub failed")

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it does not run any more, ``seconds`` at most."""
        if self._running is not None:
            await self._running.wait(seconds)

    async def stop(self) -> None:
        """Have it end where it is; returns when it has."""
        self._wanted = False
        await self.wait()


class ScrubSchedule(Rounds):
    """Starts a scrub when it is due: ``every`` seconds after the last one began, and at once what was not finished.

    :param control: starts it.
    :param clock: what the time between two looks is taken from.
    :param every: seconds.
    """

    name = "scrub"

    def __init__(
        self, control: ScrubControl, clock: IReactorTime, every: float
    ) -> None:
        super().__init__(clock, LOOK_EVERY)
        self._control = control
        self._every = every
        self._began = 0.0

    def startService(self) -> None:
        """Begin to look."""
        self._began = self._clock.seconds()
        super().startService()

    async def work(self) -> None:
        """Scrub when it is due."""
        new = self._clock.seconds() - self._began < LOOK_EVERY
        if new or self._control.is_running:
            return
        now = await self._control.scrub.load()
        standing = self._control.scrub.standing
        unfinished = standing.is_under_way and not standing.stopped
        if unfinished or now >= standing.began + self._every * 1000:
            self._control.start()
