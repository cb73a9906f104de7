"""One of two processes over the same metadata, for tests that kill it: the one that writes for others, or a worker.

``python -m tests.crash.writing_process {serve|work} DATABASE DESCRIPTOR``: the descriptor is its end of the connection.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred

from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from ozgate.testing.metadata_base import ask, put
from ozgate.values import Content
from tests.forking import die_with_parent
from tests.started import started

AT_ONCE = 8
"""Writes that a worker has under way."""

BODY = 3000
"""Bytes of each object."""


async def serve(store: Any, end: socket.socket) -> None:
    """Write for the process at the other end, until it goes."""
    await started(store)
    await store.serve(end)
    await store.close()


async def work(store: Any, end: socket.socket) -> None:
    """Write objects for ever, and print the number of each that was written."""
    worker, _ = store.sending(end)
    await worker.open()
    bucket = await worker.read(ask, "bucket", ("s3v", "bucket"))
    for number in range(AT_ONCE):
        ensureDeferred(_write(worker, bucket, number))
    await Deferred()


async def _write(worker: Any, bucket: Any, number: int) -> None:
    while True:
        await worker.write(put, bucket, f"k{number}", content_of(number))
        print(number, flush=True)
        number += AT_ONCE


def content_of(number: int) -> Content:
    """The bytes of an object."""
    return Content(b"%010d" % number * (BODY // 10))


def main() -> None:
    """Run one of the two."""
    die_with_parent()
    doing, path, descriptor = sys.argv[1:]
    store = SQLiteMetadataStore(path, reactor)  # type: ignore[arg-type]
    end = socket.socket(fileno=int(descriptor))
    going = ensureDeferred({"serve": serve, "work": work}[doing](store, end))
    going.addErrback(lambda failure: failure.printTraceback())
    going.addBoth(lambda _: reactor.stop())  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
