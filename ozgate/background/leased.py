"""Work that one process does at a time: each of its transactions takes or renews a lease first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from attrs import frozen
from twisted.internet.defer import Deferred

from ..interfaces import IMetadataStore, IMetadataTransaction
from ..values import Claim

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@frozen
class Lease:
    """The right to do some work.

    :ivar owner: who has it. The same again after a restart, or else the start waits for the end of the term of the
        process before it.
    :ivar term: seconds after which others may have it; each transaction renews it.
    """

    name: str
    owner: str
    term: float

    def write(
        self,
        metadata: IMetadataStore,
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> Deferred[T | None]:
        """Run a writing interaction while nobody else has the lease.

        :return: fires with what it returned; with ``None``, and nothing was done, where another has the lease.
        """
        return metadata.write(_held, self, interaction, args)


def _held(
    tx: IMetadataTransaction,
    lease: Lease,
    interaction: Callable[[IMetadataTransaction, *Ts], T],
    args: tuple[*Ts],
) -> T | None:
    tx.claim(Claim.lease(lease.name))
    if not tx.lease(lease.name, lease.owner, lease.term):
        return None
    return interaction(tx, *args)
