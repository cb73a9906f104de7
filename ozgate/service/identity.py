"""Who this process is: an id that no other start of any process has; how others come to know of it, and of its end."""

from __future__ import annotations

import os
import re
import socket

from twisted.logger import Logger

from ..background.longreads import join, leave, succeed
from ..errors import StoreError
from ..interfaces import IMetadataStore, IShared

_log = Logger()


def new_process_id() -> str:
    """An id for this start of the process: host and pid for people, and a number that nobody else draws.

    To be called in the process that stays: a daemon's pid is not that of who started it.
    """
    host = re.sub(r"[^0-9A-Za-z.-]", "-", socket.gethostname())[:64]
    return f"{host}-{os.getpid()}-{os.urandom(6).hex()}"


async def announce(metadata: IMetadataStore, process: str, former: str) -> bool:
    """Make this process, which has prepared the stores, known to others that come to use them, before it reads anything, and end what the dead left.

    Nobody but the former is known to be dead where gateways of other data folders share the store.

    :param former: the id of a process that is known to be dead, so that nobody waits for its leases; ``""`` for none.
    :return: whether that is done. On a full disk the start goes on: the process is made known later, and the terms of the dead
        end by themselves.
    """
    begins = join if IShared.providedBy(metadata) else succeed
    try:
        await metadata.write(begins, process, former)
    except StoreError as error:
        _log.warn("other processes do not know of this one yet: {error}", error=error)
        return False
    return True


async def take_leave(metadata: IMetadataStore, process: str) -> None:
    """Have this process not be waited for any more. Where that fails, the next one in its data folder does it."""
    try:
        await metadata.write(leave, process)
    except StoreError as error:
        _log.warn("the next start is to end what this one leaves: {error}", error=error)
