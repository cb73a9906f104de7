"""What becomes visible of keys that fail while they are written, in a real cluster: nothing."""

from __future__ import annotations

from threading import Event
from typing import Any

from twisted.trial.unittest import TestCase

from ozgate.errors import Unavailable
from ozgate.foreign.ozone import keys
from ozgate.foreign.ozone.client import Client
from ozgate.foreign.ozone.system import OzoneSystem
from ozgate.foreign.ozone.writing import OzoneSink
from ozgate.testing.foreign_contract import ForeignTests, md5
from ozgate.values import NO_PRECONDITION, OnBehalf
from tests.engines.given import insecure
from tests.ozone.secured import settled, system_of

MIB = 1 << 20


class OzoneTests(ForeignTests, TestCase):
    """A bucket of a real cluster."""

    timeout = 120
    me = OnBehalf("root")

    def make_system(self) -> OzoneSystem:
        """The cluster, as a gateway in this process has it."""
        return system_of(insecure())

    async def tearDown(self) -> None:
        """Remove the bucket, and wait for what is released."""
        try:
            await super().tearDown()
        finally:
            await settled(self.system.connection)


class Gate:
    """Where a thread waits."""

    def __init__(self) -> None:
        self.is_reached, self.is_open = Event(), Event()


class Altered:
    """A stream of Ozone's client; what is not written here is its own."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Waiting(Altered):
    """One whose writes wait."""

    def __init__(self, stream: Any, gate: Gate) -> None:
        super().__init__(stream)
        self._gate = gate

    def write(self, data: bytes) -> None:
        """Wait, then write."""
        self._gate.is_reached.set()
        self._gate.is_open.wait()
        self._stream.write(data)


class Breaking(Altered):
    """One whose writes fail after so many bytes."""

    def __init__(self, stream: Any, most: int) -> None:
        super().__init__(stream)
        self._left = most

    def write(self, data: bytes) -> None:
        """Write, or fail."""
        self._left -= len(data)
        if self._left < 0:
            raise Unavailable("the datanode is gone")
        self._stream.write(data)


class CommitTests(OzoneTests):
    """Keys that fail."""

    async def sink(self, key: str) -> OzoneSink:
        """A key being written."""
        made = await self.bucket.create(key, 5 * MIB, {}, {})
        assert isinstance(made, OzoneSink)
        return made

    async def assertAbsent(self) -> None:
        """Nothing is in the bucket."""
        self.assertEqual(await self.keys(), [])

    async def test_write_failed(self) -> None:
        """After a write that failed nothing is committed, though Ozone's stream would commit what it has when it is closed."""
        for most in (0, 2 * MIB, 4 * MIB):
            sink = await self.sink("key")
            sink._stream._stream = Breaking(sink._stream._stream, most)
            for _ in range(5):
                sink.write(bytes(MIB - 1))
            committed = sink.commit(md5(b""), {})
            await self.assertFailure(committed, Unavailable)
            await self.assertAbsent()

    async def test_put_failed(self) -> None:
        """Nor of bytes that were in memory."""
        place = self.volume, self.name
        opening = keys.opening_of(place, "key", 3, {}, {}, NO_PRECONDITION)

        def broken(client: Client) -> Any:
            return Breaking(opening(client), 1)

        asked = self.system.connection.run(
            keys.put, place, "key", broken, b"abc", behalf=self.me
        )
        await self.assertFailure(asked, Unavailable)
        await self.assertAbsent()

    async def test_too_late(self) -> None:
        """A thread that comes back after the deadline, when whoever asked was told that nothing was done, commits nothing: what was written since would be gone by it."""
        place = self.volume, self.name
        opening = keys.opening_of(place, "key", 3, {}, {}, NO_PRECONDITION)
        gate, calls = Gate(), self.system.connection.calls
        asked = self.system.connection.run(
            keys.put,
            place,
            "key",
            lambda client: Waiting(opening(client), gate),
            b"abc",
            behalf=self.me,
        )
        while not gate.is_reached.is_set():
            await self.turn()
        [call] = calls._under_way
        calls._late(call)
        await self.assertFailure(asked, Unavailable)
        gate.is_open.set()
        while calls._lost:
            await self.turn()
        await self.assertAbsent()

    async def test_length_differs(self) -> None:
        """What has not as many bytes as were written is not committed, as the last look before the commit finds."""
        sink = await self.sink("key")
        sink.write(b"abc")
        sink._stream._length = 1
        await self.assertFailure(sink.commit(md5(b"abc"), {}), Unavailable)
        await self.assertAbsent()

    async def test_given_up_while_writing(self) -> None:
        """What is given up while a thread writes it is dropped by that thread."""
        sink = await self.sink("key")
        stream, gate = sink._stream, Gate()
        stream._stream = Waiting(stream._stream, gate)
        sink.write(bytes(3 * MIB))
        while not gate.is_reached.is_set():
            await self.turn()
        self.assertFalse(stream.end(), "a thread has it")
        gate.is_open.set()
        await self.assertFailure(sink.commit(md5(b""), {}), Unavailable)
        self.assertFalse(stream.is_open)
        await self.assertAbsent()

    async def test_places_come_back(self) -> None:
        """However a key ends, its place among the writers is free again."""
        places = self.system._writers._places
        before = places.tokens
        for number in range(4):
            sink = await self.sink("key")
            sink.write(bytes(MIB))
            if number == 1:
                await sink.abort()
            elif number == 2:
                sink._stream._length = -1
                await self.assertFailure(sink.commit("", {}), Unavailable)
            else:
                await sink.commit(md5(bytes(MIB)), {})
        refused = self.bucket.create_part("key", "none", 1, 1)
        await self.refused("NO_SUCH_MULTIPART_UPLOAD_ERROR", refused)
        while places.tokens != before:
            await self.turn()
