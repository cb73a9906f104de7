"""Work that one process does at a time: the first of its transactions takes a lease, and each further one checks and renews it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from attrs import define

from ..immutable import frozen
from ..interfaces import IMetadataStore, IMetadataTransaction
from ..values import Claim

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@frozen
class Lease:
    """The right to do some work; see :class:`~ozgate.interfaces.ILeases`.

    :ivar owner: who does it: the id of this start of the process, or of a piece of work that outlasts one.
    :ivar seconds: after which others may have it, unless a transaction renews it.
    """

    name: str
    owner: str
    seconds: float

    def begin(self) -> Term:
        """A piece of work, not begun yet."""
        return Term(self)


@define
class Term:
    """A piece of work, all of it in one term of its lease. Its transactions are asked for one after the other.

    Once another had the lease, none of them does anything, also when the lease would be free again: what the work knows is of
    the time before. A new piece of work looks anew.

    :ivar number: the term's, 0 before the first transaction.
    """

    lease: Lease
    number: int = 0

    async def write(
        self,
        metadata: IMetadataStore,
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> T | None:
        """Run a writing interaction in this term.

        :param interaction: need not claim the lease.
        :return: what it returned; ``None``, and nothing was done, where another has the lease, or had it since the first transaction.
        :raises StoreError: the store failed.
        """
        held = await metadata.write(_held, self.lease, self.number, interaction, args)
        if held is None:
            return None
        self.number, result = held
        return result

    async def begins(self, metadata: IMetadataStore) -> bool:
        """Take or renew the lease, and do nothing else.

        :return: whether that was possible.
        :raises StoreError: the store failed.
        """
        return bool(await self.write(metadata, _nothing))

    async def end(self, metadata: IMetadataStore) -> None:
        """Give the lease up, if it is still in this term, so that others need not wait.

        :raises StoreError: the store failed.
        """
        await metadata.write(_give_up, self.lease, self.number)


def _held(
    tx: IMetadataTransaction,
    lease: Lease,
    term: int,
    interaction: Callable[[IMetadataTransaction, *Ts], T],
    args: tuple[*Ts],
) -> tuple[int, T] | None:
    tx.claim(Claim.lease(lease.name))
    number = tx.lease(lease.name, lease.owner, lease.seconds, term)
    if number is None:
        return None
    return number, interaction(tx, *args)


def _nothing(tx: IMetadataTransaction) -> bool:
    """Nothing but what comes with each transaction of a term."""
    return True


def _give_up(tx: IMetadataTransaction, lease: Lease, term: int) -> None:
    if term:
        tx.claim(Claim.lease(lease.name))
        tx.lease(lease.name, lease.owner, 0, term)
