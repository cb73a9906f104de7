"""What fsck finds, and what its steps share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from attrs import define, field
from twisted.logger import Logger

from ...background.leased import Term
from ...errors import Damaged
from ...immutable import frozen
from ...interfaces import IMetadataTransaction
from ..commands.lookup import MOST_LISTED
from ..errors import AdminError

if TYPE_CHECKING:
    from ...gateway.gateway import Gateway
    from ..context import AdminContext

_log = Logger()

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@frozen
class Finding:
    """Something that is not as it should be.

    :ivar kind: ``structure``, ``row``, ``flag``, ``identity``, ``bytes``, ``blob``, ``part``, ``orphan``, ``doomed`` or ``usage``.
    :ivar where: what it is about: ``/volume/bucket/key``, a blob, a row.
    :ivar what: what is wrong.
    :ivar repair: what a repair would do; ``""``: nothing.
    :ivar done: what was done.
    """

    kind: str
    where: str
    what: str
    repair: str = ""
    done: str = ""


@define
class Check:
    """One page of work of an fsck.

    :ivar repair: whether what loses nothing is put right.
    :ivar remove: whether what is damaged for good is removed.
    :ivar user: who asks; becomes the owner of what has lost its own.
    :ivar run: tells this check from others.
    :ivar term: its lease, where it repairs.
    :ivar findings: what was found in this page.
    """

    context: AdminContext
    repair: bool
    remove: bool
    user: str
    run: str
    term: Term
    findings: list[Finding] = field(factory=list)

    @property
    def gateway(self) -> Gateway:
        """The stores."""
        return self.context.gateway

    @property
    def is_alone(self) -> bool:
        """Whether no service runs, so that nothing is under way."""
        return self.context.audit_log is None

    async def write(
        self,
        interaction: Callable[[IMetadataTransaction, *Ts], T],
        *args: *Ts,
    ) -> T:
        """Repair: run a writing interaction under the lease.

        :param interaction: never returns ``None``.
        :raises AdminError: another check took over.
        :raises StoreError: the store failed.
        """
        done = await self.term.write(self.gateway.metadata, interaction, *args)
        if done is None:
            raise AdminError(
                "INVALID_REQUEST",
                "this check took so long that another fsck began to repair: look at what that one says, and check again",
                409,
            )
        return done

    def add(
        self, kind: str, where: str, what: str, repair: str = "", done: str = ""
    ) -> None:
        """Note a finding; a repair is logged."""
        self.findings.append(Finding(kind, where, what, repair, done))
        if done:
            _log.warn(
                "fsck: {kind} {where}: {what}: {done}",
                kind=kind,
                where=where,
                what=what,
                done=done,
            )


def key_name(volume: str, bucket: str, key: str, version_id: str = "null") -> str:
    """A version for people: ``/volume/bucket/key``."""
    path = f"/{volume}/{bucket}/{key}"
    return path if version_id in ("", "null") else f"{path} ({version_id})"


def next_bucket(
    tx: IMetadataTransaction, volume: str, bucket: str
) -> tuple[str, str] | None:
    """The name of the real bucket after one, in the order of volumes; ``None`` when there is none.

    Rows of volumes and buckets that are damaged are passed over: the step that checks all rows names them.
    """
    for name in _volumes_from(tx, volume):
        after = bucket if name == volume else ""
        for _, each in _passing_over(partial(tx.buckets, name, ""), after):
            if each is not None and each.source is None:
                return name, each.name
    return None


def _volumes_from(tx: IMetadataTransaction, volume: str) -> Iterator[str]:
    if volume:
        yield volume
    for name, _ in _passing_over(partial(tx.volumes, ""), volume):
        yield name


def _passing_over(
    page: Callable[[str, int], Sequence[Any]], after: str
) -> Iterator[tuple[str, Any]]:
    """Volumes or buckets by name, each with its name; ``None`` for one whose row is damaged.

    :param page: gives so many of those after a name.
    """
    limit = MOST_LISTED
    while True:
        try:
            found = page(after, limit)
        except Damaged as error:
            if limit > 1:
                # Some may be before it.
                limit = 1
                continue
            if error.name <= after:
                return
            after, limit = error.name, MOST_LISTED
            yield after, None
            continue
        if not found:
            return
        for each in found:
            yield each.name, each
        after = found[-1].name
