"""GetObject of what is in blobs: gone, damaged, replaced while it is read."""

from __future__ import annotations

from twisted.web.client import ResponseFailed

from ozgate.s3.call import Call, asked_of
from ozgate.s3.perform.reading import get_object
from ozgate.s3.resolve import resolve
from ozgate.values import Principal
from ozgate.wire.headers import Headers
from ozgate.wire.target import parse_address
from tests.operations.test_table import last_line
from tests.operations.uploads import LARGE, PART, SMALL, ObjectTestCase


class BlobTests(ObjectTestCase):
    """GetObject, reading blobs."""

    def call(self) -> Call:
        """A call of GetObject, for tests of what it answers before it is sent."""
        address = parse_address(b"/bucket/key", b"localhost", ())
        row, gateway = resolve("GET", address, False), self.client.gateway
        return Call(
            gateway,
            row,
            asked_of(gateway, row, address, Headers({}), Principal("testuser")),
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            "0",
        )

    async def test_missing_blob(self) -> None:
        """A blob that is gone is found before an answer begins."""
        await self.put(LARGE)
        (blob,) = await self.blobs_named()
        await self.client.gateway.blobs.default.delete(blob)
        await self.refused(self.get(), 500, "InternalError")
        self.assertEqual(self.client.gateway.tally.damaged, {"blob": 1})
        self.assert_no_reader()

    async def test_damaged_blob(self) -> None:
        """Damage found before the answer began is an answer, a figure and a line of the audit log; HEAD still works."""
        await self.put(LARGE)
        (blob,) = await self.blobs_named()
        self.client.gateway.blobs.default.data[blob] = LARGE[:-1] + b"?"
        await self.refused(self.get(), 500, "InternalError")
        self.assertEqual(self.client.gateway.tally.damaged, {"blob": 1})
        line = last_line(self.client.audit_log)
        self.assertIn('"reason": "[damaged blob]"', line)
        self.assertIn("ret=FAILURE", line)
        self.assertEqual((await self.client.request("HEAD", "/bucket/key")).status, 200)
        self.assert_no_reader()

    async def test_damaged_later(self) -> None:
        """Damage found after the answer began cuts the connection: the body never looks whole."""
        await self.upload(PART, LARGE)
        first, second = await self.blobs_named()
        data = self.client.gateway.blobs.default.data
        damaged = first if data[first] == LARGE else second
        data[damaged] = LARGE[:-1] + b"?"
        with self.assertRaises(ResponseFailed):
            await self.get()
        self.assertEqual(self.client.gateway.tally.damaged, {"blob": 1})
        self.assert_no_reader()

    async def test_reader_noted(self) -> None:
        """From before the metadata is read until the last byte is sent, the reaper knows of the read."""
        await self.upload(PART, LARGE)
        began = int(self.clock.seconds() * 1000)
        reply = await get_object(self.call())
        assert reply.sources is not None
        readers = self.client.gateway.readers
        sources = [source async for source in reply.sources]
        self.assertEqual(len(sources), 2)
        self.assert_no_reader()
        reply = await get_object(self.call())
        oldest = readers.oldest()
        assert oldest is not None
        self.assertLessEqual(oldest, began)
        del reply
        self.assert_no_reader()

    async def test_overwritten_while_read(self) -> None:
        """A reader gets the old bytes to the end, whatever replaces them meanwhile."""
        await self.upload(PART, LARGE)
        reply = await get_object(self.call())
        await self.put(SMALL)
        assert reply.sources is not None
        lengths = [source.length async for source in reply.sources]
        self.assertEqual(lengths, [len(PART), len(LARGE)])
