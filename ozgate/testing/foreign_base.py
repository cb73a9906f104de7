"""What the contract suites of other systems share: their test case."""

# mypy: disable-error-code="no-untyped-call"
# The assertions of trial have no types.

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from twisted.internet.defer import Deferred

from ..errors import Refused
from ..interfaces import IForeignBucket, IForeignReading, IForeignSystem
from ..values import NO_PRECONDITION, ByteRange, OnBehalf, Precondition
from .blob_base import Reader

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as _Base
else:
    _Base = object

T = TypeVar("T")

LEAST = 5 << 20
"""Bytes that each part but the last has to have."""


def md5(data: bytes) -> str:
    """The ETag of bytes."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class ForeignTests(_Base):
    """What a test case needs: a system, and a bucket of it that is made for each test. A provider gives :meth:`make_system`.

    :cvar volume: the volume of the bucket.
    :ivar system: it, started.
    :ivar me: for whom it is asked.
    :ivar bucket: a bucket of its own for each test, empty.
    """

    volume = "s3v"
    me = OnBehalf("alice")
    system: IForeignSystem
    bucket: IForeignBucket

    def make_system(self) -> IForeignSystem:
        """The system, not started yet; it may be the same for all tests, and the provider stops it."""
        raise NotImplementedError

    async def setUp(self) -> None:  # type: ignore[override]
        """Make a bucket."""
        self.system = self.make_system()
        await self.system.start()
        self.name = self.new_name()
        await self.system.create_bucket(self.volume, self.name, self.me)
        self.bucket = self.in_bucket(self.name)

    async def tearDown(self) -> None:  # type: ignore[override]
        """Remove it, and what is in it."""
        await self.empty(self.bucket)
        await self.system.delete_bucket(self.volume, self.name, self.me)

    async def empty(self, bucket: IForeignBucket) -> None:
        """Remove what is in a bucket."""
        for each in (await bucket.uploads("", "", "", 1000)).items:
            await bucket.abort(each.key, each.upload_id)
        while keys := [each.key for each in (await bucket.list("", "", 1000)).items]:
            await bucket.delete_all(keys)

    def new_name(self) -> str:
        """A name that no bucket has."""
        return f"contract-{uuid4().hex[:12]}"

    def in_bucket(self, name: str) -> IForeignBucket:
        """A bucket of the volume."""
        return self.system.bucket(self.volume, name, self.me)

    async def put(
        self, key: str, data: bytes = b"abc", wanted: Precondition = NO_PRECONDITION
    ) -> None:
        """Put a key whose bytes are in memory."""
        await self.bucket.put(key, data, md5(data), {}, {}, wanted)

    async def stream(
        self, key: str, *chunks: bytes, wanted: Precondition = NO_PRECONDITION
    ) -> None:
        """Put a key by a sink."""
        size = sum(map(len, chunks))
        sink = await self.bucket.create(key, size, {}, {}, wanted)
        for each in chunks:
            sink.write(each)
        await sink.commit(md5(b"".join(chunks)), {})

    async def upload(self, key: str, *parts: bytes) -> str:
        """Begin an upload and put its parts, from number 1.

        :return: its id.
        """
        upload_id = await self.bucket.create_upload(key, {"of": key}, {"tag": "1"})
        for number, data in enumerate(parts, 1):
            await self.put_part(key, upload_id, number, data)
        return upload_id

    async def put_part(
        self, key: str, upload_id: str, number: int, data: bytes
    ) -> None:
        """Put a part."""
        sink = await self.bucket.create_part(key, upload_id, number, len(data))
        sink.write(data)
        await sink.commit(md5(data), {})

    async def read(self, key: str, offset: int = 0, length: int = -1) -> bytes:
        """The bytes of a key."""
        reading = await self.bucket.open(key)
        count = reading.found.size - offset if length < 0 else length
        try:
            return await self.run_of(reading, offset, count)
        finally:
            reading.close()

    async def run_of(self, reading: IForeignReading, offset: int, length: int) -> bytes:
        """A run of a key that was looked up."""
        source = reading.source(ByteRange(offset, length))
        reader = Reader()
        try:
            await source.send_to(reader)
        finally:
            source.close()
        self.assertIsNone(reader.producer)
        return reader.data

    async def refused(self, code: str, asked: Deferred[Any] | Any) -> Refused:
        """Make sure that the system refuses something with a code."""
        try:
            answer = await asked
        except Refused as error:
            self.assertEqual(error.code, code)
            return error
        raise AssertionError(f"not refused with {code}, but answered {answer!r}")

    async def keys(
        self, prefix: str = "", after: str = "", limit: int = 1000
    ) -> list[str]:
        """The keys of a page."""
        page = await self.bucket.list(prefix, after, limit)
        return [each.key for each in page.items]

    def turn(self) -> Deferred[None]:
        """Fires in the reactor's next turn."""
        from twisted.internet import reactor
        from twisted.internet.task import deferLater

        return deferLater(reactor, 0)
