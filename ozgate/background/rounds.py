"""Work done in rounds, for as long as a service runs."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from ..errors import StoreError

_log = Logger()


class Rounds(Service):
    """A service that does something now and again, the first time at its start.

    A round that fails is logged, and there is a next one. The next never begins before the last has ended.

    :param clock: what the time is taken from.
    :param interval: seconds between the beginnings of two rounds.
    """

    def __init__(self, clock: IReactorTime, interval: float) -> None:
        self._clock = clock
        self._interval = interval
        self._loop: LoopingCall | None = None
        self._ended: Deferred[None] | None = None
        self._told = ""

    async def work(self) -> None:
        """Do the work of a round, asking :meth:`go_on` now and then."""
        raise NotImplementedError

    def go_on(self) -> bool:
        """Whether the service still runs."""
        return bool(self.running)

    def startService(self) -> None:
        """Begin the first round."""
        super().startService()  # type: ignore[no-untyped-call]
        self._loop = LoopingCall(self._do_round)
        self._loop.clock = self._clock
        self._loop.start(self._interval)

    def stopService(self) -> Deferred[None]:
        """Stop.

        :return: fires when the round in progress has ended, which it does at its next batch.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        return self._ended or succeed(None)

    def _do_round(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._guarded())

    async def _guarded(self) -> None:
        ended: Deferred[None] = Deferred()
        what = type(self).__name__
        self._ended = ended
        try:
            await self.work()
        except StoreError as error:
            # Once: a disk may be full for as many rounds as it likes.
            if str(error) != self._told:
                self._told = str(error)
                _log.warn("{what} will try again: {error}", what=what, error=error)
        except Exception:
            _log.failure("{what} failed", what=what)
        else:
            if self._told:
                _log.info("{what} goes on", what=what)
            self._told = ""
        finally:
            self._ended = None
            ended.callback(None)
