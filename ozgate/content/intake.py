"""Bytes on their way into blobs: one, or several where the store limits the size of one.

Imports interfaces and values; the store itself is an argument.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import cast

from awscrt.checksums import combine_crc64nvme
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from ..interfaces import IBlobSink, IBlobStore
from ..values import BlobRef, Content, Extent


@implementer(IConsumer, IPushProducer)
class Extents:
    """A consumer that ends as a list of extents.

    Towards the blob store's sinks it is the producer: it goes from one sink to the next when a blob is full, and
    waits there until the full one is durable, so that at most two sinks hold bytes at a time.

    :param size: bytes that will come.
    """

    def __init__(self, blobs: IBlobStore, size: int) -> None:
        self._blobs = blobs
        self._missing = size
        self._producer: IPushProducer | None = None
        self._sinks: list[IBlobSink] = []
        self._commits: list[Deferred[None]] = []
        self._refs: dict[int, BlobRef] = {}
        self._paused = False
        self._waiting = False
        self._writing = False
        self._rolled_meanwhile = False
        self._begin()

    @property
    def refs(self) -> list[BlobRef]:
        """The blobs that are durable already, in order."""
        return [ref for _, ref in sorted(self._refs.items())]

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take a push producer."""
        if not streaming:
            raise ValueError("only push producers can be paused")
        self._producer = cast(IPushProducer, producer)
        self._sink.registerProducer(self, True)

    def unregisterProducer(self) -> None:
        """Let go of it."""
        self._producer = None
        self._sink.unregisterProducer()

    def write(self, data: bytes) -> None:
        """Take bytes."""
        # A commit may be over at once: the producer must not go on before all that it gave is taken.
        self._writing = True
        while len(data) > self._room:
            head, data = data[: self._room], data[self._room :]
            self._fill(head)
            self._roll()
        self._fill(data)
        self._writing = False
        if self._rolled_meanwhile:
            self._rolled_meanwhile = False
            self._go_on()

    def pauseProducing(self) -> None:
        """The sink has enough for now."""
        if not self._paused:
            self._paused = True
            if self._producer is not None and not self._waiting:
                self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """The sink has room again."""
        if self._paused:
            self._paused = False
            if self._producer is not None and not self._waiting:
                self._producer.resumeProducing()

    def stopProducing(self) -> None:
        """The sink wants no more."""
        if self._producer is not None:
            self._producer.stopProducing()

    async def commit(self) -> list[Extent]:
        """Make everything durable.

        :raises NoSpace: as :meth:`~ozgate.interfaces.IBlobSink.commit`.
        :raises Unavailable: likewise.
        """
        if self._missing:
            raise RuntimeError(f"{self._missing} bytes of a body were not written")
        self._commit_sink()
        outcomes = await DeferredList(self._commits, consumeErrors=True)
        for succeeded, outcome in outcomes:
            if not succeeded:
                cast(Failure, outcome).raiseException()
        return [Extent(ref, 0, ref.length) for ref in self.refs]

    async def abort(self) -> None:
        """Drop what is not durable yet; :attr:`refs` names the rest."""
        for commit in self._commits:
            commit.addErrback(lambda _: None)
        for number, sink in enumerate(self._sinks):
            if number not in self._refs:
                await sink.abort()

    def _begin(self) -> None:
        limit = self._blobs.extent_size
        self._room = min(self._missing, limit) if limit else self._missing
        self._sink: IBlobSink = self._blobs.create(self._room)
        self._sinks.append(self._sink)

    def _fill(self, data: bytes) -> None:
        self._room -= len(data)
        self._missing -= len(data)
        self._sink.write(data)

    def _commit_sink(self) -> None:
        number = len(self._commits)

        def keep(ref: BlobRef) -> None:
            self._refs[number] = ref

        self._commits.append(self._sink.commit().addCallback(keep))

    def _roll(self) -> None:
        """Go on to the next blob."""
        producer = self._producer
        self.pauseProducing()
        self._waiting = True
        if producer is not None:
            self._sink.unregisterProducer()
        self._commit_sink()
        self._begin()
        self._paused = False
        if producer is not None:
            self._sink.registerProducer(self, True)
        self._commits[-1].addBoth(self._rolled)

    def _rolled(self, outcome: object) -> object:
        """The full blob is durable, or failed to be: :meth:`commit` will tell."""
        self._waiting = False
        if self._writing:
            self._rolled_meanwhile = True
        else:
            self._go_on()
        return outcome

    def _go_on(self) -> None:
        if self._producer is not None and not self._paused and not self._waiting:
            self._producer.resumeProducing()


MOST_EXTENTS = 50_000
"""Extents of an object, or of all parts of an upload, at most: they are written, and dropped, in one transaction."""


def joined(content: Content) -> Content:
    """A content with extents put together that are next to each other in one blob."""
    if len(content.extents) < 2:
        return content
    found: list[Extent] = []
    for extent in content.extents:
        last = found[-1] if found else None
        if (
            last is not None
            and last.blob == extent.blob
            and last.offset + last.length == extent.offset
        ):
            found[-1] = Extent(last.blob, last.offset, last.length + extent.length)
        else:
            found.append(extent)
    return Content(None, tuple(found))


def combined_crc64nvme(extents: Sequence[Extent]) -> int:
    """CRC64NVME of whole blobs put together."""
    value = 0
    for extent in extents:
        value = combine_crc64nvme(value, extent.blob.crc64nvme, extent.length)
    return value


def known_crc64nvme(extents: Sequence[Extent]) -> str | None:
    """CRC64NVME of extents, base64, where their bytes need not be read for it, for they are whole blobs; else ``None``."""
    if not extents or any(extent.length != extent.blob.length for extent in extents):
        return None
    return b64encode(combined_crc64nvme(extents).to_bytes(8, "big")).decode("ascii")
