"""Bytes on their way in: into the metadata row, or into blobs, one or several where the store limits the size of one.

A body is durable when :meth:`ExtentSink.commit` has come back, or, where it is inline, with the row that has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

from awscrt.checksums import crc64nvme
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ..interfaces import IBlobSink, IBlobStore
from ..values import BlobRef, Content, Extent
from .extents import combined_crc64nvme
from .outlet import begin_read

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from ..interfaces import IMetadataStore, IMetadataTransaction
    from .readers import Readers, Reading
    from .sealing import Sealing
    from .stores import BlobStores

_log = Logger()


class Troubles(Protocol):
    """What is amiss for a while, said once."""

    def tell(self, error: BaseException) -> bool:
        """Say an error; whether it is one of those that are expected."""


class Target(Protocol):
    """What bytes are taken into; a :class:`~ozgate.gateway.gateway.Gateway` has it all."""

    metadata: IMetadataStore
    blobs: BlobStores
    sealing: Sealing | None
    readers: Readers
    clock: IReactorTime

    @property
    def troubles(self) -> Troubles:
        """Told of what could not be dropped."""


def most_inline(target: Target) -> int:
    """Bytes of a body, at most, that belongs in the metadata row."""
    most: int = target.blobs.default.inline_below
    return most


def are_blobs_small(target: Target, size: int) -> bool:
    """Whether blobs are smaller than so many bytes by now: those of a store that keeps what is being written in memory, where it keeps much already."""
    limit: int = target.blobs.default.extent_size
    return 0 < limit < size


def inline_content(target: Target, body: bytes) -> Content:
    """A body for the metadata row, with which it becomes durable."""
    sealing = target.sealing
    if sealing is None or not body:
        return Content(body)
    return sealing.seal_body(body)


async def store(target: Target, body: bytes) -> Content:
    """Put a body that is in memory into a blob; it is durable then.

    :raises NoSpace: as :meth:`ExtentSink.commit`; nothing is left of it.
    :raises Unavailable: likewise.
    """
    extents = begin(target, len(body))
    try:
        extents.write(body)
        return await extents.commit()
    except Exception:
        await abandon(target, extents)
        raise


def now_of(target: Reading) -> int:
    """The time by this machine's clock, in milliseconds since the epoch: no blob that is begun later is older."""
    return int(target.clock.seconds() * 1000)


def begin(target: Target, size: int, *, at_most: bool = False) -> ExtentSink:
    """A consumer of so many bytes, which puts them into blobs.

    :param at_most: whether they may be fewer, but one at least.
    :raises Unavailable: the store takes none.
    """
    return ExtentSink(target.blobs.default, size, target.sealing, target, at_most)


async def abandon(target: Target, extents: ExtentSink) -> None:
    """Leave nothing of a body that was refused or broke off."""
    try:
        await extents.abort()
    except Exception as error:
        if not target.troubles.tell(error):
            _log.failure("a blob under way could not be dropped; the sweeper will")
    _doom(target, extents.refs)


def doom(target: Target, content: Content) -> None:
    """Give up a content that no row may name, as after a write that failed.

    Dooming is safe however the write ended, even when that is not known: the reaper looks
    whether anything names a blob, later and for itself.
    """
    _doom(target, [extent.blob for extent in content.extents])


def _doom(target: Target, blobs: list[BlobRef]) -> None:
    if blobs:
        doomed: Deferred[None] = target.metadata.write(_doom_all, blobs)
        doomed.addErrback(_not_doomed, target)


def _not_doomed(failure: Failure, target: Target) -> None:
    """The sweeper will find them."""
    error = failure.value
    assert error is not None
    if not target.troubles.tell(error):
        _log.failure("blobs could not be doomed", failure)


def _doom_all(tx: IMetadataTransaction, blobs: Sequence[BlobRef]) -> None:
    tx.doom(blobs)


@implementer(IConsumer, IPushProducer)
class ExtentSink:
    """A consumer that ends as a list of extents.

    Towards the blob store's sinks it is the producer: it goes from one sink to the next when a blob is full, and
    waits there until the full one is durable, so that at most two sinks hold bytes at a time. While there are several, it counts as a reader: no row
    names the first of them yet, and the last may be hours away.

    :param size: bytes that will come.
    :param sealing: seals them, each blob by itself; ``None`` for nothing.
    :param reading: where it counts as a reader until it is aborted, or the turn is over in which its commit came back: whoever commits asks for the row in that turn, and
        counts as one itself from then on. ``None`` where another does all the time.
    :param at_most: whether fewer bytes may come.
    :ivar began: when it was begun, in milliseconds since the epoch by this machine's clock; 0 without ``reading``.
    """

    def __init__(
        self,
        blobs: IBlobStore,
        size: int,
        sealing: Sealing | None = None,
        reading: Reading | None = None,
        at_most: bool = False,
    ) -> None:
        self._blobs = blobs
        self._at_most = at_most
        self._reading = reading
        self._token: int | None = None
        self.began = 0 if reading is None else now_of(reading)
        self._missing = size
        self._sealing = sealing
        self._crc = 0
        self._producer: IPushProducer | None = None
        self._sinks: list[IBlobSink] = []
        self._commits: list[Deferred[None]] = []
        self._seals: list[tuple[int, str]] = []
        self._refs: dict[int, BlobRef] = {}
        self._extents: tuple[Extent, ...] = ()
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

    async def commit(self) -> Content:
        """Make everything durable.

        :raises NoSpace: as :meth:`~ozgate.interfaces.IBlobSink.commit`.
        :raises Unavailable: likewise.
        """
        if self._missing and not self._at_most:
            raise RuntimeError(f"{self._missing} bytes of a body were not written")
        length, seal = self._seals[-1]
        self._seals[-1] = length - self._room, seal
        self._commit_sink()
        outcomes = await DeferredList(self._commits, consumeErrors=True)
        if self._reading is not None and self._token is not None:
            # Not yet, for no row names the blobs before another turn.
            self._reading.clock.callLater(0, self._leave)
        for succeeded, outcome in outcomes:
            if not succeeded:
                cast(Failure, outcome).raiseException()
        self._extents = tuple(
            Extent(ref, 0, length, seal)
            for ref, (length, seal) in zip(self.refs, self._seals, strict=True)
        )
        return Content(None, self._extents)

    @property
    def crc64nvme(self) -> int:
        """CRC64NVME of all bytes, when they are durable: it was computed on the way."""
        if self._sealing is not None:
            return self._crc
        return combined_crc64nvme(self._extents)

    async def abort(self) -> None:
        """Drop what is not durable yet; :attr:`refs` names the rest."""
        for commit in self._commits:
            commit.addErrback(lambda _: None)
        try:
            for number, sink in enumerate(self._sinks):
                if number not in self._refs:
                    await sink.abort()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._reading is not None and self._token is not None:
            self._reading.readers.leave(self._token)

    def _begin(self) -> None:
        limit, sealing, seal = self._blobs.extent_size, self._sealing, ""
        if limit and sealing is not None:
            limit = sealing.plain_size(limit)
        size = self._room = min(self._missing, limit) if limit else self._missing
        hint = size if sealing is None else sealing.stored_size(size)
        # Room for bytes that may not come would be taken in vain.
        self._sink: IBlobSink = self._blobs.create(None if self._at_most else hint)
        if sealing is not None:
            self._sink, seal = sealing.seal(self._sink)
        self._sinks.append(self._sink)
        self._seals.append((size, seal))

    def _fill(self, data: bytes) -> None:
        self._room -= len(data)
        self._missing -= len(data)
        if self._sealing is not None:
            # What the blob store computes is of sealed bytes.
            self._crc = crc64nvme(data, self._crc)
        self._sink.write(data)

    def _commit_sink(self) -> None:
        number = len(self._commits)

        def keep(ref: BlobRef) -> None:
            self._refs[number] = ref

        self._commits.append(self._sink.commit().addCallback(keep))

    def _roll(self) -> None:
        """Go on to the next blob."""
        if self._reading is not None and self._token is None:
            self._token = begin_read(self._reading)
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
