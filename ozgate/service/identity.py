"""Who this process is: an id that no other start of any process has, and the end of what the one before left behind."""

from __future__ import annotations

import os
import re
import socket

from twisted.logger import Logger

from ..errors import StoreError
from ..interfaces import IMetadataStore, IMetadataTransaction

_log = Logger()


def new_process_id() -> str:
    """An id for this start of the process: host and pid for people, and a number that nobody else draws.

    To be called in the process that stays: a daemon's pid is not that of who started it.
    """
    host = re.sub(r"[^0-9A-Za-z.-]", "-", socket.gethostname())[:64]
    return f"{host}-{os.getpid()}-{os.urandom(6).hex()}"


async def end_former(metadata: IMetadataStore, former: str) -> bool:
    """End the leases of a process that is known to be dead, so that nobody waits for the end of its terms.

    :param former: its id; ``""`` where there was none.
    :return: whether nothing of it is left. On a full disk its terms end by themselves.
    """
    if not former:
        return True
    try:
        await metadata.write(_end, former)
    except StoreError as error:
        _log.warn(
            "what process {former} did in the background waits until its leases are over: {error}",
            former=former,
            error=error,
        )
        return False
    return True


def _end(tx: IMetadataTransaction, former: str) -> None:
    tx.end_leases(former)
