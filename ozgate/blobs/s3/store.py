"""A blob store in a bucket of an S3 engine. See :mod:`~ozgate.blobs.s3.location` for what is where, and :mod:`~ozgate.blobs.s3.frames` for the form of an object."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ...batches import RunInThread, Settled
from ...errors import Absent, Damaged, NoSpace, StoreError, Unavailable
from ...interfaces import IBlobStore, IByteSource, IDiagnosed, IOpenedAhead
from ...values import BlobRef, ByteRange, Diagnosis
from ..blobids import SHARED
from .answers import Passing
from .diagnosis import diagnose
from .engine import Engine
from .frames import Blocks, Framed
from .location import folder_of, is_id, name_of
from .namefile import NameFile
from .probe import (
    CRC64NVME,
    IF_NOT_THERE,
    MD5,
    Honours,
    crc64nvme_header,
    md5_header,
    probe,
)
from .sink import Memory, S3Sink
from .source import open_source
from .wholeobjects import CRC_KEPT, Pace, inspect, verify

_STALE = 3_600_000
"""Milliseconds after which what a start tried an engine with is left over."""

_log = Logger()


@implementer(IBlobStore, IOpenedAhead, IDiagnosed)
class S3BlobStore:
    """See :class:`~ozgate.interfaces.IBlobStore`.

    :param engine: where the blobs are.
    :param name: the store's name in its blob references.
    :param reactor: a clock for ids, which knows the date.
    :param run_in_thread: ``run_in_thread(f, *args)`` → Deferred; for MD5, where the engine verifies nothing better.
    :param inline_below: see the interface.
    :param memory: bytes that blobs being written may hold, all together.
    :ivar honours: what the engine does, as it was found at the start; where it was full then, at the first put that found it full no more.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        reactor: Any,
        run_in_thread: RunInThread,
        inline_below: int,
        memory: int,
    ) -> None:
        self.name = name
        self.inline_below = inline_below
        self.engine = engine
        self.honours: Honours | None = None
        self._file = NameFile(engine, name)
        self._memory = Memory(memory)
        self._reactor = reactor
        self._run_in_thread = run_in_thread
        self._sinks: set[S3Sink] = set()
        # Puts that wait until an engine that was full is tried again.
        self._wait_for_trial: list[Deferred[None]] = []
        self._is_open = False
        self._last = 0
        self._count = 0

    @property
    def identity(self) -> str:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return self._file.identity

    @property
    def extent_size(self) -> int:
        """See :class:`~ozgate.interfaces.IBlobStore`. The less memory is left, the smaller it is."""
        return self._memory.extent_size

    def prepare_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._prepare_store())

    async def _prepare_store(self) -> None:
        self.engine.open()
        await self._file.make()
        await self._try_engine()
        location = self.engine.location
        self._tell()
        if not location.is_secret:
            _log.warn(
                "{name}: {endpoint} is not encrypted on the way: s3+https: is",
                name=self.name,
                endpoint=location.endpoint,
            )

    def _tell(self) -> None:
        _log.info(
            "{name}: blobs are in {location}: {honours}",
            name=self.name,
            location=str(self.engine.location),
            honours=str(self.honours),
        )

    async def _try_engine(self) -> None:
        """Find out what the engine does, and remove what others that did and were killed have left."""
        self.honours = await probe(self.engine, f"probe/{self.next_id()}")
        limit = f"{max(self._now() - _STALE, 0):012x}"
        for name in await self.engine.pages("probe/", "starting"):
            blob_id = name.removeprefix("probe/")
            if is_id(blob_id) and blob_id < limit:
                await self._remove(name)

    async def _see_tried(self) -> None:
        """Have an engine tried that was full when it was tried last; once for all puts that come meanwhile.

        :raises NoSpace: it still is.
        :raises Unavailable: it cannot be asked, or not be used.
        """
        if self.honours is not None and self.honours.is_known:
            return
        tried: Deferred[None] = Settled()
        self._wait_for_trial.append(tried)
        if len(self._wait_for_trial) == 1:
            Deferred.fromCoroutine(self._try_again()).addBoth(self._was_tried)
        await tried

    async def _try_again(self) -> None:
        await self._try_engine()
        if self.honours is None or not self.honours.is_known:
            raise NoSpace("putting a blob: the engine is full")
        self._tell()

    def _was_tried(self, outcome: Failure | None) -> None:
        waiting, self._wait_for_trial = self._wait_for_trial, []
        for each in waiting:
            # A failure fails it.
            each.callback(outcome)

    def open_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._open_store())

    async def _open_store(self) -> None:
        self.engine.open()
        await self._file.check_prepared()
        if self.honours is None:
            await self._try_engine()
        # Should the clock go back now, no blob looks older than the process: the sweep for orphans goes by ids.
        self._last = max(self._last, self._now())
        self._is_open = True

    def close_store(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._close_store())

    async def _close_store(self) -> None:
        self._is_open = False
        await gatherResults([sink.abort() for sink in list(self._sinks)])
        await self.engine.close()

    def create(self, size_hint: int | None) -> S3Sink:
        """See :class:`~ozgate.interfaces.IBlobStore`. Raises ``Unavailable`` when the store is not open."""
        if not self._is_open:
            raise Unavailable("the blob store is closed")
        sink = S3Sink(self, self._memory.promise(size_hint))
        self._sinks.add(sink)
        return sink

    def forget(self, sink: S3Sink) -> None:
        """A sink is over."""
        self._sinks.discard(sink)

    async def put(self, blocks: Blocks, is_dropped: Callable[[], bool]) -> BlobRef:
        """Make a blob durable; an engine that answers 200 says that it is.

        Each try has an id of its own: of one whose answer was lost nobody knows what became, and nothing names it. It is removed if the
        engine can be asked for that; what is left of it the sweep finds by its id, as what a kill has left.

        :param is_dropped: whether nobody wants it any more.
        :raises NoSpace: the engine is full; nothing of the blob is left.
        :raises Unavailable: the engine cannot be asked, or the blob was dropped; likewise, as far as the engine can be asked for that.
        """

        async def attempt() -> str:
            if is_dropped():
                raise Unavailable("the blob was dropped")
            blob_id = self.next_id()
            try:
                await self._put_once(blob_id, blocks.framed(blob_id))
            except Passing as error:
                if error.was_sent:
                    with suppress(StoreError):
                        await self._delete_once(name_of(blob_id))
                raise
            return blob_id

        await self._see_tried()
        blob_id = await self.engine.tried(attempt)
        if is_dropped():
            await self.delete(blob_id)
            raise Unavailable("the blob was dropped")
        return BlobRef(self.name, blob_id, blocks.length, blocks.crc64nvme)

    async def _put_once(self, blob_id: str, framed: Framed) -> None:
        honours, md5 = self.honours or Honours(), b""
        crc = crc64nvme_header(framed.crc64nvme)
        headers = {
            "content-type": "application/octet-stream",
            CRC_KEPT: f"{framed.blob_crc64nvme:016x}",
        }
        if honours.checksum == MD5 or (honours.has_md5_etags and not honours.checksum):
            md5 = await self._run_in_thread(_md5, framed.pieces)
            headers[MD5] = md5_header(md5)
        elif honours.checksum == CRC64NVME:
            headers[CRC64NVME] = crc
        if honours.conditions:
            headers |= IF_NOT_THERE
        answer = await self.engine.ask(
            "PUT",
            name_of(blob_id),
            "putting a blob",
            headers=headers,
            body=(framed.pieces, framed.size),
        )
        etag = answer.headers.get("etag", "").strip('"').lower()
        if answer.headers.get(CRC64NVME, crc) != crc or (
            md5 and honours.has_md5_etags and etag != md5.hex()
        ):
            raise Passing(
                "putting a blob: the engine says that it has other bytes than were sent",
                is_of_bytes=True,
            )

    def open(self, blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """See :class:`~ozgate.interfaces.IBlobStore`. The engine is asked for the bytes at once, and has answered when it fires."""
        return Deferred.fromCoroutine(self._open(blob, byte_range))

    async def _open(self, blob: BlobRef, byte_range: ByteRange) -> IByteSource:
        self._check_id(blob.id)
        if byte_range.end > blob.length:
            raise Damaged(f"blob {blob.id} is shorter than what is asked of it")
        try:
            return await open_source(self.engine, blob, byte_range)
        except Absent:
            await self._file.check_there()
            raise

    def delete(self, blob_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._delete(blob_id))

    async def _delete(self, blob_id: str) -> None:
        if is_id(blob_id):
            await self._remove(name_of(blob_id))

    async def _remove(self, name: str) -> None:
        await self.engine.tried(lambda: self._delete_once(name))

    async def _delete_once(self, name: str) -> None:
        with suppress(Absent):
            await self.engine.ask("DELETE", name, "deleting a blob")

    def list(self, before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._list(before, ending))

    async def _list(self, before: int, ending: str) -> Sequence[str]:
        limit = f"{max(before, 0):012x}"
        names = await self.engine.pages(folder_of(ending), "listing blobs")
        ids = (name.rpartition("/")[2] for name in names)
        return sorted(
            each
            for each in ids
            if is_id(each) and each < limit and each.endswith(ending)
        )

    def inspect(self, blobs: Sequence[BlobRef]) -> Deferred[Mapping[str, str]]:
        """See :class:`~ozgate.interfaces.IBlobStore`."""
        return Deferred.fromCoroutine(self._inspect(blobs))

    async def _inspect(self, blobs: Sequence[BlobRef]) -> Mapping[str, str]:
        wrong = await inspect(self.engine, blobs)
        if wrong:
            await self._file.check_there()
        return wrong

    def verify(self, blob_id: str, pace: Pace | None = None) -> Deferred[int]:
        """See :class:`~ozgate.interfaces.IBlobStore`. It reads what the engine gives, which an engine may have cached."""
        return Deferred.fromCoroutine(self._verify(blob_id, pace))

    async def _verify(self, blob_id: str, pace: Pace | None) -> int:
        self._check_id(blob_id)
        try:
            return await verify(self.engine, blob_id, pace)
        except Absent:
            await self._file.check_there()
            raise

    def diagnose(self) -> Deferred[Sequence[Diagnosis]]:
        """See :class:`~ozgate.interfaces.IDiagnosed`."""
        return Deferred.fromCoroutine(diagnose(self.engine, self.honours))

    def next_id(self) -> str:
        """An id later than every one before it."""
        now = self._now()
        self._count += 1
        if now > self._last or self._count > 0xFFFF:
            # Never back, even when the clock goes back.
            self._last, self._count = max(now, self._last + 1), 0
        return f"{self._last:012x}{self._count:04x}{os.urandom(SHARED).hex()}"

    def _now(self) -> int:
        return int(self._reactor.seconds() * 1000)

    def _check_id(self, blob_id: str) -> None:
        if not is_id(blob_id):
            raise Absent(f"{blob_id!r} is no blob's id")


def _md5(pieces: Sequence[bytes | memoryview]) -> bytes:
    """The MD5 of bytes. Runs in a thread."""
    md5 = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        md5.update(piece)
    return md5.digest()
