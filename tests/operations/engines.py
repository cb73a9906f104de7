"""The stores that a gateway of these tests has where the environment gives it others than memory's (:mod:`tests.elsewhere`).

They are the real ones, on servers in processes of their own, and look like those in memory: what they are asked is done when they return, and what they
hold can be looked into, taken away and brought back. Their reactor is another than trial's, and turns while they are asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from threading import Event
from typing import Any

from twisted.internet.base import BlockingResolver
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.python.failure import Failure
from zope.interface import directlyProvides, providedBy

from ozgate.interfaces import IBlobStore, IMetadataStore
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import Claim
from tests import elsewhere
from tests.operations.held import Objects, Rows, emptied, rows_of, with_rows

PATIENCE = 60.0
"""Seconds after which an engine that says nothing fails a test."""


def make_metadata(clock: IReactorTime) -> IMetadataStore:
    """A store of metadata, in which nothing is."""
    if not elsewhere.METADATA:
        return MemoryMetadataStore(clock)
    url = _database()
    emptied(url)
    store: Any = waited_metadata(url, clock.seconds)
    return store


def waited_metadata(
    url: str, seconds: Callable[[], float] | None = None
) -> WaitedMetadata:
    """A store of metadata in a database, as it is.

    :param seconds: tells the time instead of the database's clock.
    """
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore

    made = PostgreSQLMetadataStore(Address(url), _reactor(), seconds)
    return WaitedMetadata(made, url)


def _letting(store: WaitedMetadata, make: Any) -> Any:
    """What makes transactions that let others in before they claim something."""
    from ozgate.metadata.postgresql.transaction import Transaction

    class Letting(Transaction):
        """One of a test."""

        def claim(self, *claims: Claim) -> bool:
            """In a thread of the store's."""
            store.at_claim()
            return super().claim(*claims)

    return partial(Letting, *make.args, **make.keywords)


def make_blobs(clock: IReactorTime) -> IBlobStore:
    """A store of blobs, in which nothing is."""
    if not elsewhere.BLOBS:
        return MemoryBlobStore(clock)
    from tests.contract.s3engine import store_over

    host, _, place = elsewhere.place().partition("://")[2].partition("/")
    made = store_over(host, place, "memory", reactor=_reactor())
    # Ids are of the tests' time, signatures of everybody's.
    made._reactor, made._run_in_thread = clock, maybeDeferred
    store: Any = WaitedBlobs(made, Objects(place))
    return store


@cache
def _database() -> str:
    """The one that all tests of this process have, one after the other."""
    return elsewhere.database()


@cache
def _reactor() -> Any:
    reactor = EPollReactor()
    # The usual one has threads, of which this reactor runs none.
    reactor.installResolver(BlockingResolver())
    return reactor


def _turn() -> None:
    reactor = _reactor()
    reactor.runUntilCurrent()
    soon = reactor.timeout()
    reactor.doIteration(0.05 if soon is None else min(soon, 0.05))


def _turn_until(is_done: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < deadline, "an engine is silent"
        _turn()


def _waited(done: Any) -> Any:
    """A Deferred that has fired, with what another one will be fired with; whatever is no Deferred as it is."""
    if not isinstance(done, Deferred):
        return done
    outcomes: list[Any] = []
    done.addBoth(outcomes.append)
    _turn_until(lambda: outcomes)
    [outcome] = outcomes
    return fail(outcome) if isinstance(outcome, Failure) else succeed(outcome)


class _Waited:
    """What waits for another."""

    def __init__(self, made: Any) -> None:
        self._made = made
        directlyProvides(self, providedBy(made))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._made, name)
        if not callable(found):
            return found
        return lambda *args, **named: _waited(found(*args, **named))


class WaitedMetadata(_Waited):
    """A store of metadata, as one in memory."""

    def __init__(self, made: Any, url: str) -> None:
        super().__init__(made)
        made._writers._make = _letting(self, made._writers._make)
        self._url = url
        self._others: Callable[[], object] | None = None
        self._claims_to_go = 0

    def let_in(self, others: Callable[[], object], claims: int = 1) -> None:
        """As :meth:`~ozgate.testing.memory_metadata.MemoryMetadataStore.let_in`, by way of another connection."""
        self._others, self._claims_to_go = others, claims

    def at_claim(self) -> None:
        """Have others write, in the thread of the test, before something is claimed."""
        others = self._others
        if others is None:
            return
        self._claims_to_go -= 1
        if self._claims_to_go:
            return
        self._others, done = None, Event()

        def write() -> None:
            others()
            done.set()

        # In a call of its own: the reactor turns while they write.
        _reactor().callFromThread(_reactor().callLater, 0, write)
        assert done.wait(PATIENCE), "others do not come to an end"

    def snapshot(self) -> Rows:
        """All that is stored."""
        return rows_of(self._url)

    def restore(self, snapshot: Rows) -> None:
        """Hold again what was held then."""
        with_rows(self._url, snapshot)


class WaitedBlobs(_Waited):
    """A store of blobs, as one in memory."""

    def __init__(self, made: Any, objects: Objects) -> None:
        super().__init__(made)
        self._objects = objects

    @property
    def data(self) -> Objects:
        """The bytes of each blob, by its id."""
        return self._objects

    @data.setter
    def data(self, wanted: Any) -> None:
        self._objects.become(wanted)

    @property
    def sinks(self) -> set[Any]:
        """Those that are being written."""
        found: set[Any] = self._made._sinks
        return found

    def create(self, size_hint: int | None) -> Any:
        """A blob that is written."""
        return _Waited(self._made.create(size_hint))

    def open(self, *asked: Any) -> Any:
        """A blob that is read."""
        return _waited(self._made.open(*asked)).addCallback(WaitedSource)

    def open_store(self) -> Any:
        """Prepare it, too: the service would."""
        return _waited(Deferred.fromCoroutine(self._open()))

    async def _open(self) -> None:
        await self._made.prepare_store()
        await self._made.open_store()


class WaitedSource(_Waited):
    """Bytes that are here when they are asked for, as far as the consumer takes them."""

    def send_to(self, consumer: IConsumer) -> Any:
        """Send them."""
        done: list[Any] = []
        ours: Deferred[Any] = Deferred(lambda _: sending.cancel())
        between = _Between(consumer, done)
        sending = self._made.send_to(between)
        sending.addBoth(done.append)
        sending.addCallback(lambda _: ours.callback(done[0]))
        between.pump()
        return ours


class _Between:
    """A consumer and a producer that stand between both: the engine's reactor turns as long as the consumer wants more."""

    def __init__(self, consumer: Any, done: list[Any]) -> None:
        self._consumer = consumer
        self._done = done
        self._producer: Any = None
        self._is_paused = self._is_pumping = False

    def pump(self) -> None:
        """Have bytes come."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            _turn_until(lambda: self._done or self._is_paused)
        finally:
            self._is_pumping = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Stand in for it."""
        self._producer = producer
        self._consumer.registerProducer(self, streaming)

    def unregisterProducer(self) -> None:
        """It has no more."""
        self._consumer.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Give on."""
        self._consumer.write(data)

    def pauseProducing(self) -> None:
        """The consumer wants no more for now."""
        self._is_paused = True
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """It does."""
        self._is_paused = False
        self._producer.resumeProducing()
        self.pump()

    def stopProducing(self) -> None:
        """It never will."""
        self._is_paused = False
        self._producer.stopProducing()
        self.pump()
