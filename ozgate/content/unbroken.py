"""Whether a process has been there all the time since it began to write bytes, before a row names them.

Gateways that share a store leave alone what another one that lives is writing (:mod:`ozgate.background.longreads`). One that shows no life for an hour, frozen or cut off, is
dead to them: they remove what it wrote, for nothing names it. Should it go on then, it must not have a row name that. So its own row among the processes is
looked at in the very transaction: whoever was dead to others in between has none, or one that is younger, or one that means nothing any more.
"""

from __future__ import annotations

from ..errors import Unavailable
from ..interfaces import IMetadataTransaction

FRESH = 1_200_000
"""Milliseconds: nobody removes what is that young, whoever wrote it. A sweep leaves alone what is younger than an hour, by clocks that are ten minutes apart at most."""

APART = 600_000
"""Milliseconds by which two clocks differ at most: that of this process, and that of the store by which processes come and go."""

LEFT = 300_000
"""Milliseconds for which a process has to count as living still: more than any transaction takes."""


def check_unbroken(tx: IMetadataTransaction, process: str, began: int) -> None:
    """Make sure that what a process wrote is there still; a part of the interaction that names it. It costs nothing where that is young.

    :param process: the id under which others know of it.
    :param began: when it began to write, in milliseconds since the epoch, by its own clock.
    :raises Unavailable: others may have taken it for dead.
    """
    now = tx.now()
    if now - began < FRESH:
        return
    for each in tx.processes():
        is_there = each.since <= began + APART and each.noted_until > now + LEFT
        if each.id == process and is_there:
            return
    raise Unavailable(
        "this process was away for so long that others may have removed what it had written: send it again"
    )
