"""A gateway in a second process, over the stores that a service has prepared: ``python -m tests.service.beside DATA``.

It says ``open`` once it has opened them. Then each line that it reads is a list of requests in JSON, each a method, a target and the size of a body. They are
under way together; it answers with a line of JSON, a status and the SHA-256 of a body for each. Or a line is a name, of something that :class:`Slow` does,
which it answers with what that gives. It ends with its input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from hashlib import sha256
from typing import Any

from twisted.internet.defer import DeferredList
from twisted.internet.testing import StringTransport

from ozgate.background.longreads import LongReads, join
from ozgate.config.settings import Settings
from ozgate.content.outlet import Located, Sources, begin_read, locate, open_sources
from ozgate.interfaces import IMetadataTransaction
from ozgate.values import BlobRef, ByteRange
from tests.crash.disksite import DiskSite, Turns

Asked = tuple[str, str, int]
Answered = tuple[int, str]


def body_of(target: str, size: int) -> bytes:
    """The bytes that a target is given."""
    return (sha256(f"{target} {size}".encode()).digest() * (size // 32 + 1))[:size]


def answer(site: DiskSite, asked: list[Asked]) -> list[Answered]:
    """Have requests answered."""
    asking = [
        site.client.begin(method, target, body=body_of(target, size))
        for method, target, size in asked
    ]
    outcomes = site.clock.until(DeferredList(asking, fireOnOneErrback=True))
    return [(said.status, sha256(said.body).hexdigest()) for _, said in outcomes]


class Slow:
    """A process that others know of, and whose client takes its time."""

    def __init__(self, site: DiskSite) -> None:
        self._site = site
        self._do = site.clock.until
        self._do(site.metadata.write(join, "beside", ""))
        readers: Any = site.gateway.readers
        self._long = LongReads(site.metadata, readers, site.clock, "beside")
        self._sources: Sources

    def begin(self) -> None:
        """Begin to send ``/bucket/key``: the first of its blobs is open."""
        token = begin_read(self._site.gateway)
        located = self._site.look(_locate)
        self._sources = self._do(open_sources(self._site.gateway, located, token))

    def note(self) -> None:
        """Look once for reads that last long."""
        self._do(self._long.work())

    def end(self) -> str:
        """Send all of it; the SHA-256."""
        client = StringTransport()
        self._do(self._sources.send_to(client))
        return sha256(client.value()).hexdigest()

    def suspend(self) -> str:
        """Be suspended in the middle of a transaction, until somebody has it go on."""
        self._do(self._site.metadata.write(_suspended))
        return "went on"


def _suspended(tx: IMetadataTransaction) -> None:
    tx.doom([BlobRef("files", "0" * 24, 0, 0)])
    os.kill(os.getpid(), signal.SIGSTOP)


def _locate(tx: IMetadataTransaction) -> Located:
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    version = tx.latest(bucket, "key")
    assert version is not None
    return locate(tx, bucket, version, ByteRange(0, version.size))


def main(folder: str) -> None:
    """Answer until there is nothing more to read."""
    clock = Turns()
    clock.advance(time.time())
    site = DiskSite(clock, folder)
    site.join()
    # Whose the bucket is, is no concern of these tests.
    administrators = Settings(administrators=(site.client.access_id,))
    site.gateway.administrators.take_up(administrators)
    print("open", flush=True)
    slow: Slow | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        site.clock.advance(max(time.time() - site.clock.seconds(), 0))
        if isinstance(asked, str):
            slow = slow or Slow(site)
            answered = getattr(slow, asked)()
        else:
            answered = answer(site, asked)
        print(json.dumps(answered), flush=True)
    site.close()


if __name__ == "__main__":
    main(sys.argv[1])
