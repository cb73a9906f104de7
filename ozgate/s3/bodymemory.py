"""What the body of a request takes of memory: it is accounted for before any of it is taken."""

from __future__ import annotations

from ..batches import BATCH
from ..content.intake import are_blobs_small
from ..gateway.gateway import Gateway
from ..wire.body import READ, READ_LARGE, RequestBody
from .row import Body

STREAMED = 2 * BATCH + READ
"""Bytes of a body on its way to a blob that are in memory at a time, at most: a batch in the thread, one to come, one read."""

STREAMED_LARGE = 3 * READ_LARGE
"""The same of a large one: a read in the thread, one to come, and what was not enough for a batch before."""

_ABROAD = 16
"""The part of all memory for bodies within which those to another system are read by much at a time: that is a few of them at once."""


def account_for(
    gateway: Gateway, body: RequestBody, kind: Body, is_kept_here: bool
) -> None:
    """Have a body accounted for, and read by much at a time where it is large and there is memory for that.

    :param is_kept_here: whether it goes to the stores; else to another system.
    :raises SlowDown: there is no room for it.
    """
    if body.length == 0:
        return
    most = STREAMED
    if kind is Body.DOCUMENT:
        most = gateway.settings.max_document
    elif (body.length or 0) > STREAMED_LARGE and _is_plenty(gateway, is_kept_here):
        body.read_at_once, most = READ_LARGE, STREAMED_LARGE
    body.charge(gateway.memory.account(body.length, most, body.received))


def _is_plenty(gateway: Gateway, is_kept_here: bool) -> bool:
    """Whether there is memory, beside what the store of blobs keeps there, or the client of another system."""
    if not is_kept_here:
        return gateway.memory.is_plenty(_ABROAD)
    return gateway.memory.is_plenty() and not are_blobs_small(gateway, STREAMED_LARGE)
