"""Whether the service lives, and whether it can serve: what load balancers and supervisors ask.

Anybody may ask, so an answer says no more than which part is unwell; the log has the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError as Late
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from ...errors import NoSpace
from ...wire.request import GatewayRequest
from ..answers import answer
from .page import add_page

if TYPE_CHECKING:
    from ...gateway.gateway import Gateway
    from ...interfaces import IBlobStore, IMetadataTransaction
    from ...s3.openpages import OpenPages

_log = Logger()

PATIENCE = 5.0
"""Seconds that a store has to answer."""

KEPT = 1.0
"""Seconds that an answer is given again, so that asking often costs nothing."""

LIVE = ("/healthz", "/minio/health/live")
READY = ("/readyz", "/minio/health/ready", "/minio/health/cluster")
"""Under MinIO's paths, too: many compose files and charts ask there."""

_ENDING = "00"
"""Which blobs the blob store is asked for: a 256th of them."""


class Probe:
    """One store, asked whether it answers; never asked again while it still owes an answer.

    :param ask: asks it.
    """

    def __init__(
        self, what: str, ask: Callable[[], Deferred[Any]], clock: IReactorTime
    ) -> None:
        self._what = what
        self._ask = ask
        self._clock = clock
        self._owed = False
        self._said = ""

    async def trouble(self) -> str | None:
        """What is wrong, in a few words."""
        if not self._owed:
            self._owed = True
            waiting: Deferred[None] = Deferred()
            asked = self._ask()
            asked.addBoth(self._answered, waiting)
            waiting.addTimeout(PATIENCE, self._clock)
            try:
                await waiting
            except Late:
                self._say("has not answered in time")
            except Exception as error:
                self._say(str(error))
            else:
                self._say("")
                return None
        return f"{self._what} does not answer"

    def _say(self, reason: str) -> None:
        """Log what is wrong now, or that all is well, where that is new: balancers ask every few seconds."""
        if reason != self._said:
            say = _log.warn if reason else _log.info
            say("{what}: {reason}", what=self._what, reason=reason or "is well")
        self._said = reason

    def _answered(self, result: object, waiting: Deferred[None]) -> None:
        self._owed = False
        if not waiting.called:
            waiting.callback(result if isinstance(result, Failure) else None)


def _blob_stores(gateway: Gateway) -> Iterator[tuple[str, IBlobStore]]:
    """Each blob store with what it is called; where there is one, it needs no name."""
    stores = list(gateway.blobs)
    for store in stores:
        yield "the blob store" + (f" {store.name}" if len(stores) > 1 else ""), store


class Health:
    """The health of a service.

    :param besides: what else is wrong, in a few words; ``""`` for nothing.
    :ivar stage: what it does: ``starting``, ``serving`` or ``stopping``.
    """

    def __init__(
        self, gateway: Gateway, besides: Callable[[], str] = lambda: ""
    ) -> None:
        self._besides = besides
        self.stage = "starting"
        self._gateway = gateway
        clock = gateway.clock
        # An empty write passes through the writing thread and touches no disk.
        self._probes = [
            Probe(
                "the metadata store", lambda: gateway.metadata.write(_nothing), clock
            ),
            *(
                Probe(what, partial(store.list, 0, _ENDING), clock)
                for what, store in _blob_stores(gateway)
            ),
        ]
        self._found: list[str] = []
        self._until = 0.0
        self._waiting: list[Deferred[None]] = []

    async def troubles(self) -> list[str]:
        """Why it cannot serve now; empty when it can."""
        if self.stage != "serving":
            return [f"the service is {self.stage}"]
        if not 0 < self._until - self._gateway.clock.seconds() <= KEPT:
            waiting: Deferred[None] = Deferred()
            self._waiting.append(waiting)
            if len(self._waiting) == 1:
                # Apart from who asks, who may go before the end.
                Deferred.fromCoroutine(self._examine())
            await waiting
        return self._found

    async def _examine(self) -> None:
        found: list[str | None] = [self._besides(), *self._room()]
        for probe in self._probes:
            found.append(await probe.trouble())
        self._found = [each for each in found if each]
        self._until = self._gateway.clock.seconds() + KEPT
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            if not deferred.called:
                deferred.callback(None)

    def _room(self) -> list[str | None]:
        try:
            self._gateway.check_room(in_rows=False)
        except NoSpace as error:
            return [f"the disk is full: {error}"]
        except OSError as error:
            _log.warn("the disk cannot be looked at: {error}", error=error)
            return ["the disk does not answer"]
        return []

    async def live(self) -> tuple[int, bytes]:
        """Status and text of a page that says whether it lives."""
        return 200, b"alive\n"

    async def ready(self) -> tuple[int, bytes]:
        """Status and text of a page that says whether it can serve."""
        troubles = await self.troubles()
        if not troubles:
            return 200, b"ready\n"
        return 503, f"{'; '.join(troubles)}\n".encode()

    def pages(self) -> OpenPages:
        """The same pages for the S3 endpoint, by their paths."""
        shown = {path.encode(): self.live for path in LIVE}
        return shown | {path.encode(): self.ready for path in READY}


def add_health(app: Klein, health: Health) -> None:
    """Add the pages of health to an app. They are open to everybody."""

    async def live(request: GatewayRequest) -> bytes:
        return answer(request, *await health.live())

    async def ready(request: GatewayRequest) -> bytes:
        return answer(request, *await health.ready())

    add_page(app, LIVE, live)
    add_page(app, READY, ready)


def _nothing(tx: IMetadataTransaction) -> None:
    """Write nothing; an interaction."""
