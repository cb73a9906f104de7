"""What nobody expected: the client is told nothing of it, the log everything."""

from __future__ import annotations

from twisted.internet.defer import fail
from twisted.logger import LogEvent, Logger, eventAsText

from ozgate.s3 import failures
from tests.operations.support import OperationTestCase


class FailureTests(OperationTestCase):
    """A store that does what it should not."""

    async def test_log(self) -> None:
        """The line names the request without the control characters that its key may have: who reads the log sees just one line."""
        events: list[LogEvent] = []
        self.patch(failures, "_log", Logger(observer=events.append))
        metadata = self.client.gateway.metadata
        self.patch(metadata, "read", lambda *args: fail(ZeroDivisionError("why")))
        response = await self.client.request("GET", "/bucket/a%0Ab%1B%5B2Jc")
        self.assertEqual((response.status, response.code), (500, "InternalError"))
        self.assertNotIn(b"why", response.body)
        [event] = events
        self.assertIn("ZeroDivisionError: why", eventAsText(event))
        line = eventAsText(event, includeTraceback=False, includeTimestamp=False)
        self.assertTrue(line.isprintable(), repr(line))
        self.assertIn(r"/bucket/a\nb\x1b[2Jc", line)
