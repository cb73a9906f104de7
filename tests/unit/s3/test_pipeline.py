"""Tests of :mod:`ozgate.s3.pipeline`: how much of a body is read at once."""

from __future__ import annotations

from typing import Any, cast

from ozgate.s3.pipeline import STREAMED_LARGE, Pipeline
from ozgate.s3.row import Body
from ozgate.wire.body import READ, READ_LARGE
from tests.unit.s3.receiving import Connection, ReceiveCase


class ReadAtOnceTests(ReceiveCase):
    """Large bodies are read by much at a time, where there is memory."""

    def read_at_once(self, length: int) -> int:
        """Bytes that are read at once of a body of that length."""
        no_log = cast(Any, None)
        body = Connection(b"", length).body
        Pipeline(self.gateway, None, no_log, no_log)._account_for(body, Body.STREAM)
        return body.read_at_once

    def test_large(self) -> None:
        """A large body, not a small one."""
        self.assertEqual(self.read_at_once(STREAMED_LARGE), READ)
        self.assertEqual(self.read_at_once(STREAMED_LARGE + 1), READ_LARGE)

    def test_no_memory(self) -> None:
        """Not where bodies have taken a quarter of what they may."""
        memory = self.gateway.memory
        memory.account(None, memory.most).take(memory.most // 4)
        self.assertEqual(self.read_at_once(STREAMED_LARGE + 1), READ)

    def test_kept_in_memory(self) -> None:
        """Nor where a store keeps so many bodies in memory that its extents have become small."""
        for extent_size, most in ((STREAMED_LARGE, READ_LARGE), (512 << 10, READ)):
            self.blobs.extent_size = extent_size
            self.assertEqual(self.read_at_once(STREAMED_LARGE + 1), most)
