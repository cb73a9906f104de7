"""A full disk, and stores that fail: what the log says of it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import fail
from twisted.logger import LogEvent, LogLevel, eventAsText, globalLogPublisher

from ozgate.errors import NoSpace, Unavailable, Uncertain
from ozgate.gateway.room import Room
from tests.operations.support import OperationTestCase


class TroubleTests(OperationTestCase):
    """Lines of the log while requests fail."""

    async def prepare(self) -> list[LogEvent]:
        """Have a bucket, and hear the log."""
        await self.client.request("PUT", "/bucket")
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        return events

    def lines(self, events: list[LogEvent]) -> list[str]:
        """What was said that is no small talk; none of it is a traceback."""
        for event in events:
            self.assertIsNone(event.get("log_failure"), event)
        return [
            eventAsText(event, includeTimestamp=False)
            for event in events
            if event.get("log_level") in (LogLevel.error, LogLevel.critical)
            or "again" in (event.get("log_format") or "")
        ]

    async def test_reserve(self) -> None:
        """Many requests that find no room are one line; the first that finds some again is one."""
        events = await self.prepare()
        gateway = self.client.gateway
        gateway.room = Room(".", 1 << 62)
        for number in range(5):
            for path in ("key", "other?uploads"):
                method = "POST" if "uploads" in path else "PUT"
                response = await self.client.request(
                    method,
                    f"/bucket/{number}{path}",
                    body=b"x" * 50_000 * (path == "key"),
                )
                self.assertEqual(response.status, 507)
            self.assertEqual((await self.client.request("GET", "/bucket")).status, 200)
        [line] = self.lines(events)
        self.assertIn("the disk is full", line)
        gateway.room = Room()
        self.assertEqual(
            (await self.client.request("PUT", "/bucket/key", body=b"x")).status, 200
        )
        await self.client.request("PUT", "/bucket/key", body=b"x")
        self.assertEqual(len(self.lines(events)), 2)
        self.assertIn("there is room on the disk again", self.lines(events)[1])

    async def test_stores(self) -> None:
        """What a store fails with, in the middle of it and in cleaning up after it, is one line for each reason."""
        events = await self.prepare()
        metadata: Any = self.client.gateway.metadata
        for error, status in (
            (NoSpace("metadata: database or disk is full"), 507),
            (Unavailable("metadata: database is locked"), 503),
            (Uncertain("metadata: disk I/O error"), 500),
        ):
            before = len(self.lines(events))
            self.patch(metadata, "write", lambda *_, error=error, **__: fail(error))
            for size in (10, 50_000):
                for _ in range(3):
                    response = await self.client.request(
                        "PUT", "/bucket/key", body=b"x" * size
                    )
                    self.assertEqual(response.status, status)
            response = await self.client.request("DELETE", "/bucket/key")
            self.assertEqual(response.status, status)
            self.assertEqual(len(self.lines(events)), before + 1, self.lines(events))
