"""Tests of :mod:`ozgate.s3.bodymemory`: how much of a body is read at once."""

from __future__ import annotations

from ozgate.s3.bodymemory import STREAMED_LARGE, account_for
from ozgate.s3.row import Body
from ozgate.wire.body import READ, READ_LARGE
from tests.unit.s3.receiving import Connection, ReceiveCase


class ReadAtOnceTests(ReceiveCase):
    """Large bodies are read by much at a time, where there is memory."""

    def read_at_once(
        self, length: int = STREAMED_LARGE + 1, is_kept_here: bool = True
    ) -> int:
        """Bytes that are read at once of a body of that length."""
        body = Connection(b"", length).body
        account_for(self.gateway, body, Body.STREAM, is_kept_here)
        return body.read_at_once

    def take(self, part: int) -> None:
        """Have others take one part in so many of all memory."""
        memory = self.gateway.memory
        memory.account(None, memory.most).take(memory.most // part)

    def test_large(self) -> None:
        """A large body, not a small one."""
        self.assertEqual(self.read_at_once(STREAMED_LARGE), READ)
        self.assertEqual(self.read_at_once(), READ_LARGE)

    def test_no_memory(self) -> None:
        """Not where bodies have taken a quarter of what they may."""
        self.take(4)
        self.assertEqual(self.read_at_once(), READ)

    def test_kept_in_memory(self) -> None:
        """Nor where a store keeps so many bodies in memory that its extents have become small."""
        for extent_size, most in ((STREAMED_LARGE, READ_LARGE), (512 << 10, READ)):
            self.blobs.extent_size = extent_size
            self.assertEqual(self.read_at_once(), most)

    def test_abroad(self) -> None:
        """Of those to another system, whose client keeps some of them in memory, too, a few at a time."""
        self.assertEqual(self.read_at_once(is_kept_here=False), READ_LARGE)
        self.take(16)
        self.assertEqual(self.read_at_once(is_kept_here=False), READ)
        self.assertEqual(self.read_at_once(), READ_LARGE)
