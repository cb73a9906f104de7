"""Rows that name bytes which were just written: from here on they are somebody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

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

    Until it is over it counts as a reader since they were begun: no reaper takes them for left over while a row waits for its lock.

    :return: what the interaction returned, durable.
    :raises Unavailable: others may have removed them, for this process was away for long.
    """
    content, gateway = kept.content, call.gateway
    if kept.began is None:
        return await call.write_authorized(interaction, *values)
    readers = gateway.readers
    token = readers.enter(kept.began - MARGIN)
    try:
        if not gateway.is_shared:
            return await call.write_authorized(interaction, *values)
        written = (readers.process, kept.began)
        return await call.write_authorized(_name, written, interaction, *values)
    except Exception:
        doom(gateway, content)
        raise
    finally:
        readers.leave(token)


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
