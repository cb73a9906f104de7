"""What a provider of metadata promises: transactions, and what it may provide besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from socket import socket
from typing import TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..values import BlobUser, DamagedRow, Drift
from .claims import IClaims
from .identities import IIdentities, ISecretRows
from .rows import (
    IBlobNames,
    IBuckets,
    IEvents,
    IOrder,
    IRepairs,
    IUploads,
    IVersions,
)
from .shared import ILeases, IProcesses, ISettings

__all__ = [
    "IInspected",
    "IMeasured",
    "IMetadataStore",
    "IMetadataTransaction",
    "IShared",
    "IWritesForOthers",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class IMetadataTransaction(
    IOrder,
    IProcesses,
    IClaims,
    IBuckets,
    IVersions,
    IUploads,
    IEvents,
    IBlobNames,
    IRepairs,
    ILeases,
    IIdentities,
    ISecretRows,
    ISettings,
):
    """What an interaction is given: rows, not S3 calls. S3's meaning is written above.

    Calls are synchronous and may come from another thread than the reactor's. A transaction
    given by :meth:`IMetadataStore.read` refuses the writing methods with ``TypeError``.
    A method that is handed a :class:`Bucket` uses its ``number`` and ``volume``; links are resolved above.
    ``used_bytes`` and ``used_names`` change with the rows, in the same transaction: versions count in
    names (delete markers too) and bytes, uploaded parts in bytes, until their upload ends.
    """


class IMetadataStore(Interface):
    """Rows and transactions.

    An *interaction* is a synchronous function ``interaction(tx, *args)``, run with an
    :class:`IMetadataTransaction`. It may run in another thread, and more than once: it is pure over
    its arguments and the transaction, takes no clock and no randomness, has no side effect and gives
    its result by returning it.
    """

    def prepare() -> Deferred[None]:
        """Do what is done once, however many processes open the store: create or migrate the schema, see that nothing is lost.

        It is called by whoever holds the data folder, while no process has the store open, and as often as the folder is taken; of a store that is :class:`IShared`,
        by each gateway that starts, at any time. Fails with ``Unavailable`` and one clear line.
        """

    def open() -> Deferred[None]:
        """Open what is prepared, in this process. Others may have it open, and nothing they have under way is touched.

        Fails with ``Unavailable`` and one clear line, also where it is not prepared.
        """

    def close() -> Deferred[None]:
        """Finish the writes that were asked for, then close; others may have it open still."""

    def read(
        interaction: Callable[[IMetadataTransaction, *Ts], T], *args: *Ts
    ) -> Deferred[T]:
        """Run an interaction that only reads, on one consistent state that has every fired write.

        :return: fires with what the interaction returned, or fails with what it raised.
        """

    def write(
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> Deferred[T]:
        """Run an interaction, atomically: an exception rolls it back and is what the Deferred fails with.

        The interaction claims what it decides about: see :class:`~ozgate.interfaces.IClaims`. One that was ``Overtaken`` is run anew.

        :return: fires with what the interaction returned, when that is durable. Cancelling has no
            effect on the write. Fails with ``Unavailable`` when it was surely not done, ``Uncertain``
            when that is unknown, ``NoSpace`` when the disk is full.
        """

    def reusable() -> int:
        """Bytes that writes can fill before the store needs more room on its disk; 0 where that is unknown."""


class IShared(Interface):
    """What a provider may provide besides: a store beyond this machine, which gateways with data folders of their own have open at once.

    Its ``prepare`` is called by each of them as it starts, while others read and write: it takes a lock of the store's own, and
    touches nothing that they have under way. Whoever starts takes nobody for dead. Of one without it, whoever holds the data folder is the only gateway.
    """


class IMeasured(Interface):
    """What a provider may provide besides: figures about itself, for the metrics."""

    def watch_commits(callback: Callable[[int], None]) -> None:
        """Have ``callback`` called after each commit, in whichever thread, with how many interactions it held."""

    def sizes() -> Mapping[str, int]:
        """Bytes that the store takes, by what for, such as ``database``. Cheap enough to be asked for every second."""


class IWritesForOthers(Interface):
    """What a provider may provide besides that does best where one process writes: the writes of workers, processes of the same service, come to it.

    One without it is opened by each worker like by any process.
    """

    def serve(end: socket) -> Deferred[None]:
        """In the process that writes, and has the store open: run what a worker sends, until either ends the connection.

        What several workers send at a time goes into one commit, like what is asked for here.

        :param end: a connected stream socket that nobody but the worker can reach, such as one of a ``socketpair``; the store's from now on.
        :return: fires with ``None`` when the connection has ended.
        """

    def sending(end: socket) -> tuple[IMetadataStore, Deferred[None]]:
        """In a worker, instead of opening this one: a provider over the same rows that reads by itself, and sends its writes.

        It is not to be prepared. A write fails with ``Uncertain`` when the connection ends after it was sent, with ``Unavailable`` when it ends before.

        :param end: the other end of the connection.
        :return: it, not yet open, and what fires with ``None`` when the process that writes has gone.
        """


class IInspected(Interface):
    """What a provider of metadata may provide besides: looks at everything it holds, for scrub, fsck and backup.

    Each call works in a thread of its own, on one consistent state, while transactions go on.
    """

    def examine() -> Deferred[Sequence[str]]:
        """Look whether the store is built as it should be; fires with what is wrong, one line each."""

    def drifts() -> Deferred[Sequence[Drift]]:
        """Hold what the counters of buckets and volumes say against the rows; fires with those that are off."""

    def users_of(store: str, blob_ids: Sequence[str]) -> Deferred[Sequence[BlobUser]]:
        """Fires with the versions and parts that name these blobs. Costs a walk through all versions."""

    def users_of_row(row: DamagedRow) -> Deferred[Sequence[BlobUser]]:
        """Fires with the versions or parts that a damaged row belongs to, as far as that can be told; likewise."""

    def copy_to(path: str, tell: Callable[[int, int], None]) -> Deferred[None]:
        """Write a copy of everything into a new file, which a provider of the same kind opens.

        It has every write that has fired, and survives a power cut once this has fired.

        :param tell: called in another thread, now and then, with the bytes copied and the bytes in all; what it raises
            ends the copy, and is what the Deferred fails with.
        """
