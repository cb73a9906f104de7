"""Another system with volumes and buckets, in memory: for tests, and for showing that the interface suffices.

It does as Ozone 2.2.0 does where that can be seen through the interface: its codes, its ETag of a completed upload, and parts that are at least 5 MiB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from ..errors import Refused, StoreError, Unavailable
from ..interfaces import (
    IForeignBucket,
    IForeignReading,
    IForeignSink,
    IForeignSystem,
)
from ..values import (
    NO_PRECONDITION,
    ForeignBucket,
    ForeignObject,
    ForeignPage,
    ForeignPart,
    ForeignUploadPage,
    OnBehalf,
    Precondition,
)
from .memory_foreign_keys import Key, check_wanted, order, page_of, part_of
from .memory_foreign_streams import MemoryReading, MemorySink
from .memory_foreign_uploads import Uploads

T = TypeVar("T")


@define(eq=False)
class Kept:
    """A bucket and what is in it.

    :ivar keys: by name.
    """

    shown: ForeignBucket
    keys: dict[str, Key] = field(factory=dict)
    uploads: Uploads = field(factory=Uploads)


@implementer(IForeignSystem)
class MemoryForeignSystem:
    """Volumes of buckets, in dictionaries.

    :ivar volumes: name → name of bucket → bucket; tests may make volumes.
    :ivar denied: names of users who may do nothing.
    :ivar is_down: whether every call fails with ``Unavailable``.
    :ivar sinks: those that are neither committed nor dropped.
    :ivar asked: for whom it was asked, one after the other.
    """

    verifies = False
    commands = None

    def __init__(self, clock: IReactorTime, volumes: Sequence[str] = ("s3v",)) -> None:
        self.volumes: dict[str, dict[str, Kept]] = {name: {} for name in volumes}
        self.denied: set[str] = set()
        self.is_down = False
        self.sinks: set[MemorySink] = set()
        self.asked: list[OnBehalf] = []
        self._clock = clock
        self._generation = 0

    def start(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return succeed(None)

    def stop(self) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        for sink in list(self.sinks):
            sink.abort()
        return succeed(None)

    def bucket(self, volume: str, name: str, behalf: OnBehalf) -> MemoryForeignBucket:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""
        return MemoryForeignBucket(self, volume, name, behalf)

    def buckets(
        self, volume: str, prefix: str, after: str, limit: int, behalf: OnBehalf
    ) -> Deferred[Sequence[ForeignBucket]]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""

        def found() -> Sequence[ForeignBucket]:
            kept = self._volume(volume)
            names = sorted(n for n in kept if n > after and n.startswith(prefix))
            return [kept[name].shown for name in names[:limit]]

        return self.answer(behalf, found)

    def create_bucket(self, volume: str, name: str, behalf: OnBehalf) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""

        def made() -> None:
            kept = self._volume(volume)
            if name in kept:
                raise Refused("BUCKET_ALREADY_EXISTS", "Bucket already exist")
            kept[name] = Kept(ForeignBucket(volume, name, behalf.user, self.now()))

        return self.answer(behalf, made)

    def delete_bucket(self, volume: str, name: str, behalf: OnBehalf) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignSystem`."""

        def removed() -> None:
            kept = self._volume(volume).get(name)
            if kept is None:
                raise Refused("BUCKET_NOT_FOUND", "Bucket not exists")
            if kept.keys:
                raise Refused("BUCKET_NOT_EMPTY", "Bucket is not empty")
            del self.volumes[volume][name]

        return self.answer(behalf, removed)

    # What the bucket below asks

    def answer(self, behalf: OnBehalf, act: Callable[[], T]) -> Deferred[T]:
        """What comes of a call, at once."""
        self.asked.append(behalf)
        try:
            if self.is_down:
                raise Unavailable("the other system does not answer")
            if not (behalf.user or behalf.is_gateway) or behalf.user in self.denied:
                raise Refused("PERMISSION_DENIED", f"User {behalf.user} doesn't have")
            return succeed(act())
        except StoreError:
            return fail()

    def kept(self, volume: str, name: str) -> Kept:
        """A bucket, or what a link of that name leads to.

        :raises Refused: there is none.
        """
        seen = set()
        while True:
            found = self.volumes.get(volume, {}).get(name)
            if found is None:
                raise Refused("BUCKET_NOT_FOUND", f"Bucket not found: {volume}/{name}")
            source = found.shown.source
            if source is None:
                return found
            if source in seen:
                raise Refused("DETECTED_LOOP_IN_BUCKET_LINKS", "loop")
            seen.add(source)
            volume, name = source

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self._clock.seconds() * 1000)

    def next_generation(self) -> int:
        """Rises with every change."""
        self._generation += 1
        return self._generation

    def _volume(self, volume: str) -> dict[str, Kept]:
        found = self.volumes.get(volume)
        if found is None:
            raise Refused("VOLUME_NOT_FOUND", f"Volume {volume} is not found")
        return found


@implementer(IForeignBucket)
class MemoryForeignBucket:
    """A bucket, for somebody. What is not told here: see :class:`~ozgate.interfaces.IForeignBucket`."""

    def __init__(
        self, system: MemoryForeignSystem, volume: str, name: str, behalf: OnBehalf
    ) -> None:
        self._system = system
        self._volume, self._name = volume, name
        self._behalf = behalf

    def info(self) -> Deferred[ForeignBucket]:
        """See the interface."""

        def found() -> ForeignBucket:
            real = self._kept().shown
            named = self._system.volumes[self._volume][self._name].shown
            return evolve(named, layout=real.layout)

        return self._answer(found)

    def head(self, key: str) -> Deferred[ForeignObject]:
        """See the interface."""
        return self._answer(lambda: self._key(key).shown)

    def open(self, key: str, part: int = 0) -> Deferred[IForeignReading]:
        """See the interface."""

        def found() -> IForeignReading:
            read, start = self._key(key), 0
            shown, data = read.shown, read.data
            if part:
                start, size = part_of(read, part)
                shown, data = evolve(shown, size=size), data[start : start + size]
            reading: IForeignReading = MemoryReading(shown, data, start, len(read.data))
            return reading

        return self._answer(found)

    def create(
        self,
        key: str,
        size: int,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[IForeignSink]:
        """See the interface."""
        behalf, system = self._behalf, self._system

        def begun() -> IForeignSink:
            kept = self._kept()
            before = kept.keys.get(key)
            check_wanted(before, wanted)

            def commit(data: bytes, etag: str, more: Mapping[str, str]) -> None:
                if wanted != NO_PRECONDITION and kept.keys.get(key) is not before:
                    raise Refused("ATOMIC_WRITE_CONFLICT", "changed meanwhile")
                shown = ForeignObject(
                    key,
                    len(data),
                    system.now(),
                    etag,
                    behalf.user,
                    {**metadata, **more},
                    dict(tags),
                    system.next_generation(),
                    replication="RATIS/ONE",
                )
                kept.keys[key] = Key(shown, data)

            return self._sink(commit)

        return self._answer(begun)

    def put(
        self,
        key: str,
        data: bytes,
        etag: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[None]:
        """See the interface."""

        def written(sink: IForeignSink) -> Deferred[None]:
            sink.write(data)
            return sink.commit(etag, {})

        begun = self.create(key, len(data), metadata, tags, wanted)
        return begun.addCallback(written)

    def delete(self, key: str) -> Deferred[None]:
        """See the interface."""

        def removed() -> None:
            self._key(key)
            del self._kept().keys[key]

        return self._answer(removed)

    def delete_all(
        self, keys: Sequence[str]
    ) -> Deferred[Mapping[str, tuple[str, str]]]:
        """See the interface."""

        def removed() -> Mapping[str, tuple[str, str]]:
            there = self._kept().keys
            gone = {key for key in keys if there.pop(key, None) is not None}
            missing = "KEY_NOT_FOUND", "Key not found"
            return {key: missing for key in keys if key not in gone}

        return self._answer(removed)

    def list(self, prefix: str, after: str, limit: int) -> Deferred[ForeignPage]:
        """See the interface."""

        def found() -> ForeignPage:
            there, start = self._kept().keys, order(after)
            names = sorted(
                (n for n in there if n.startswith(prefix) and order(n) > start),
                key=order,
            )
            return page_of([there[n].shown for n in names[: limit + 1]], limit)

        return self._answer(found)

    def tags(self, key: str) -> Deferred[Mapping[str, str]]:
        """See the interface."""
        return self._answer(lambda: self._key(key).shown.tags)

    def put_tags(self, key: str, tags: Mapping[str, str]) -> Deferred[None]:
        """See the interface."""

        def put() -> None:
            found = self._key(key)
            generation = self._system.next_generation()
            found.shown = evolve(found.shown, tags=dict(tags), generation=generation)

        return self._answer(put)

    def create_upload(
        self, key: str, metadata: Mapping[str, str], tags: Mapping[str, str]
    ) -> Deferred[str]:
        """See the interface."""
        now, user = self._system.now(), self._behalf.user
        return self._answer(
            lambda: self._kept().uploads.begin(key, metadata, tags, now, user)
        )

    def create_part(
        self, key: str, upload_id: str, number: int, size: int
    ) -> Deferred[IForeignSink]:
        """See the interface."""

        def begun() -> IForeignSink:
            uploads = self._kept().uploads
            uploads.find(key, upload_id)

            def commit(data: bytes, etag: str, more: Mapping[str, str]) -> None:
                now = self._system.now()
                uploads.put_part(key, upload_id, number, data, etag, now)

            return self._sink(commit)

        return self._answer(begun)

    def parts(
        self, key: str, upload_id: str, after: int, limit: int
    ) -> Deferred[Sequence[ForeignPart]]:
        """See the interface."""
        return self._answer(
            lambda: self._kept().uploads.parts(key, upload_id, after, limit)
        )

    def uploads(
        self, prefix: str, after_key: str, after_id: str, limit: int
    ) -> Deferred[ForeignUploadPage]:
        """See the interface."""
        return self._answer(
            lambda: self._kept().uploads.page(prefix, after_key, after_id, limit)
        )

    def complete(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[tuple[int, str]],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[str]:
        """See the interface."""

        def made() -> str:
            kept = self._kept()
            kept.uploads.find(key, upload_id)
            check_wanted(kept.keys.get(key), wanted)
            found = kept.uploads.complete(key, upload_id, parts)
            now, generation = self._system.now(), self._system.next_generation()
            found.shown = evolve(found.shown, modified=now, generation=generation)
            kept.keys[key] = found
            return found.shown.etag

        return self._answer(made)

    def abort(self, key: str, upload_id: str) -> Deferred[None]:
        """See the interface."""
        return self._answer(lambda: self._kept().uploads.drop(key, upload_id))

    def _answer(self, act: Callable[[], T]) -> Deferred[T]:
        return self._system.answer(self._behalf, act)

    def _kept(self) -> Kept:
        return self._system.kept(self._volume, self._name)

    def _key(self, key: str) -> Key:
        found = self._kept().keys.get(key)
        if found is None:
            raise Refused("KEY_NOT_FOUND", f"Key:{key} not found")
        return found

    def _sink(
        self, commit: Callable[[bytes, str, Mapping[str, str]], None]
    ) -> IForeignSink:
        sink = MemorySink(self._system.sinks, commit)
        made: IForeignSink = sink
        return made
