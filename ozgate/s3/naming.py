"""Rows that name bytes which were just written: from here on they are somebody's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..content.intake import doom
from ..content.readers import MARGIN
from ..content.unbroken import check_unbroken

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket
    from .asked import Asked
    from .call import Call
    from .receive import Received

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def keep(
    call: Call,
    kept: Received,
    interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
    *values: *Ts,
) -> T:
    """Run the writing interaction that names bytes just written, in the addressed bucket, authorized; when it fails, doom them.

    Until it is over it counts as a reader since they were begun: no reaper takes them for left over while a row waits for its lock. Nor is it over when the client goes: a store
    whose threads run several writes at once goes on with this one, and what was doomed meanwhile would be removed before the row is there.

    :return: what the interaction returned, durable.
    :raises Unavailable: others may have removed them, for this process was away for long.
    """
    content, gateway = kept.content, call.gateway
    if kept.began is None:
        return await call.write_authorized(interaction, *values)
    readers = gateway.readers
    token = readers.enter(kept.began - MARGIN)

    def over(outcome: object) -> None:
        if isinstance(outcome, Failure):
            doom(gateway, content)
        readers.leave(token)

    if not gateway.is_shared:
        return await _to_the_end(call.write_authorized(interaction, *values), over)
    written = (readers.process, kept.began)
    return await _to_the_end(
        call.write_authorized(_name, written, interaction, *values), over
    )


def _to_the_end(work: Awaitable[T], over: Callable[[T | Failure], None]) -> Deferred[T]:
    """Wait for what goes on when nobody waits any more.

    :param over: called once with what came of it, when it has ended.
    :return: fires with the same, or fails with ``CancelledError`` at once when it is cancelled.
    """
    waiting: Deferred[T] = Deferred()

    async def run() -> T:
        return await work

    def end(outcome: T | Failure) -> None:
        over(outcome)
        if not waiting.called:
            waiting.callback(outcome)

    Deferred.fromCoroutine(run()).addBoth(end)
    return waiting


def _name(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    written: tuple[str, int],
    interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
    *values: *Ts,
) -> T:
    """Name bytes that are there for certain: an interaction.

    :param written: by whom, and since when.
    """
    check_unbroken(tx, *written)
    return interaction(tx, asked, bucket, *values)
