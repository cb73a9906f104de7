"""The metadata store on PostgreSQL.

Interactions run in threads, each of which has a connection: some read, others write, so that neither waits for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from threading import Thread
from typing import Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from zope.interface import implementer

from ...errors import Unavailable
from ...interfaces import (
    IDiagnosed,
    IInspected,
    IMetadataStore,
    IMetadataTransaction,
    IShared,
)
from ...values import BlobUser, DamagedRow, Diagnosis, Drift
from . import running
from .connections import ERRORS, Address, checked, translated
from .diagnosis import diagnose
from .epochs import UNWATCHED, Epochs
from .inspection import Inspection, no_copy, unhurried
from .near import Near, Reactor
from .pool import MARGIN, Pool
from .running import Tell, Work
from .schema import SCHEMA_VERSION, found_version, migrate
from .serversettings import check_server
from .session import Session, Silence
from .times import Times
from .transaction import ReadTransaction, Transaction

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

READERS, WRITERS = 4, 12
"""Connections of each kind that a gateway has at most."""


READS = 16
"""Interactions that read which share a transaction at most, where as many wait for a connection."""


def make_store(
    reactor: Reactor, url: str, password: str, settings: Mapping[str, Any]
) -> PostgreSQLMetadataStore:
    """The store as settings say, not yet open.

    :param url: of the database.
    :param password: ``""`` where libpq finds it by itself.
    :raises Unavailable: the URL is none.
    """
    address = Address(
        url,
        password,
        settings["ozgate.postgresql.deadline"],
        settings["ozgate.postgresql.lock-deadline"],
    )
    readers, writers = (
        settings[f"ozgate.postgresql.{each}"] for each in ("readers", "writers")
    )
    return PostgreSQLMetadataStore(address, reactor, None, readers, writers)


@implementer(IMetadataStore, IInspected, IShared, IDiagnosed)
class PostgreSQLMetadataStore:
    """Metadata in one PostgreSQL database, of as many gateways as there are.

    :param address: of the database.
    :param reactor: in whose thread Deferreds fire.
    :param seconds: tells the time instead of the server's clock; for tests.
    :param readers: connections that read, at most.
    :param writers: connections that write, at most.
    """

    _log = Logger()

    def __init__(
        self,
        address: Address,
        reactor: Reactor,
        seconds: Callable[[], float] | None = None,
        readers: int = READERS,
        writers: int = WRITERS,
    ) -> None:
        self._address = checked(address)
        self._reactor = reactor
        times = Times(seconds)
        self._is_open = False
        epochs = Epochs()
        reading = partial(ReadTransaction, times=times, epochs=epochs)
        writing = partial(Transaction, times=times, epochs=epochs)
        about = reactor, self._address
        silence = Silence()
        self._readers = Pool(
            "ozgate-reading", *about, reading, running.read, readers, READS, silence
        )
        self._writers = Pool(
            "ozgate-writing", *about, writing, _write, writers, 1, silence
        )
        self._near = Near(reactor, self._address, times, epochs, self._readers.run)
        looking = partial(Inspection, times=times, epochs=Epochs())
        about = reactor, unhurried(self._address)
        self._looks = Pool("ozgate-inspection", *about, looking, running.read, 1)

    def prepare(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.prepare`; under a lock of the database, and while others have it open."""
        return self._in_thread(_prepare).addCallback(self._warn)

    def open(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.open`."""
        return self._in_thread(_look, self._limit).addCallback(self._opened)

    def _opened(self, _: None) -> None:
        self._is_open = True

    def close(self) -> Deferred[None]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.close`. Idempotent."""
        if not self._is_open:
            return succeed(None)
        self._is_open = False
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        self._near.stop()
        self._looks.cut()
        await self._looks.stop()
        await self._writers.stop()
        await self._readers.stop()

    def read(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *args: *Ts
    ) -> Deferred[T]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.read`."""
        return self._asked(self._near.read, interaction, args)

    def write(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *args: *Ts
    ) -> Deferred[T]:
        """See :meth:`~ozgate.interfaces.IMetadataStore.write`."""
        return self._asked(self._writers.run, interaction, args)

    def _asked(
        self,
        run: Callable[[Work], Deferred[Any]],
        interaction: Callable[..., T],
        args: tuple[Any, ...],
    ) -> Deferred[T]:
        if not self._is_open:
            return fail(Unavailable(f"metadata in {self._address.where} is not open"))
        return run(partial(_interact, interaction, args) if args else interaction)

    def reusable(self) -> int:
        """See :meth:`~ozgate.interfaces.IMetadataStore.reusable`: unknown."""
        return 0

    def examine(self) -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._asked(self._looks.run, Inspection.examine, ())

    def drifts(self) -> Deferred[Sequence[Drift]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._asked(self._looks.run, Inspection.drifts, ())

    def users_of(
        self, store: str, blob_ids: Sequence[str]
    ) -> Deferred[Sequence[BlobUser]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._asked(self._looks.run, Inspection.users_of, (store, blob_ids))

    def users_of_row(self, row: DamagedRow) -> Deferred[Sequence[BlobUser]]:
        """See :class:`~ozgate.interfaces.IInspected`."""
        return self._asked(self._looks.run, Inspection.users_of_row, (row,))

    def copy_to(self, path: str, tell: Callable[[int, int], None]) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IInspected`: a copy is PostgreSQL's own."""
        return fail(no_copy(self._address.where))

    def diagnose(self) -> Deferred[Sequence[Diagnosis]]:
        """See :class:`~ozgate.interfaces.IDiagnosed`."""
        return self._in_thread(diagnose, self._limit)

    @property
    def _limit(self) -> float:
        """Seconds after which a server that says nothing is given up."""
        return self._address.statement + MARGIN

    def _in_thread(
        self, work: Callable[[Session], T], seconds: float | None = None
    ) -> Deferred[T]:
        """Have something done over a connection of its own.

        :param seconds: how long that may take; ``None`` where it may be a migration.
        """
        done: Deferred[T] = Deferred()

        def run() -> None:
            session = Session(self._address)
            try:
                session.open()
                with nullcontext() if seconds is None else session.limited(seconds):
                    found = work(session)
            except ERRORS as error:
                failure = Unavailable(str(translated(error, self._address)))
                self._reactor.callFromThread(done.errback, failure)
            except BaseException as error:
                self._reactor.callFromThread(done.errback, error)
            else:
                self._reactor.callFromThread(done.callback, found)
            finally:
                session.close()

        Thread(target=run, name="ozgate-preparation", daemon=True).start()
        return done

    def _warn(self, lines: list[str]) -> None:
        for line in lines:
            self._log.warn("{line}", line=line)


def _prepare(session: Session) -> list[str]:
    warnings = check_server(session)
    migrate(session)
    return warnings


def _look(session: Session) -> None:
    check_server(session)
    session.begin("READ ONLY")
    version = found_version(session)
    unwatched = 0
    if version >= SCHEMA_VERSION:
        (unwatched,) = session.ask(UNWATCHED).fetchone()
    session.roll_back()
    where = session.address.where
    if version < SCHEMA_VERSION:
        raise Unavailable(
            f"{where} is not prepared: its metadata are of another schema"
        )
    if unwatched:
        raise Unavailable(
            f"{where} lacks triggers by which an epoch ends: restore it with them"
        )


def _interact(
    interaction: Callable[..., T], args: tuple[Any, ...], tx: IMetadataTransaction
) -> T:
    return interaction(tx, *args)


def _write(
    session: Session, tx: Transaction, works: Sequence[Work], tell: Tell
) -> None:
    for number, work in enumerate(works):
        tell(number, True, running.write(session, tx, work))
