"""Requests and the work that answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from ozgate.testing.inmemory import settle, talk
from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.request import Answering, GatewayRequest
from tests.wire.support import Operation, error_body

ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Served(Resource):
    """Has a coroutine serve every request."""

    isLeaf = True

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self._operation = operation

    def render(self, request: Any) -> Any:
        """Whatever the path."""
        request.served_by(Deferred.fromCoroutine(self._operation(request)))
        return NOT_DONE_YET


class Answered(Answering):
    """Has a coroutine serve every request, of which no Deferred is made where it has not to wait."""

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self._operation = operation

    def render(self, request: Any) -> Any:
        """Whatever the path."""
        request.answered_by(self._operation(request))
        return NOT_DONE_YET


class ServedTests(SynchronousTestCase):
    """How work can end."""

    resource: Callable[[Operation], Resource] = Served

    def heard(self, operation: Operation, seconds: float = 0.0) -> bytes:
        """Everything that a request is answered with until its connection ends."""
        clock: Any = MemoryReactorClock()
        site = GatewaySite(self.resource(operation), error_body, reactor=clock)
        ended = talk(site, clock, ASKED)
        settle(clock)
        if seconds:
            clock.advance(seconds)
            settle(clock)
        self.assertEqual(site.connections, set())
        return self.successResultOf(ended)

    def test_without_an_answer(self) -> None:
        """Work that ends without an answer is no success: the connection is cut."""

        async def nothing(request: GatewayRequest) -> None:
            """Nothing."""

        self.assertEqual(self.heard(nothing), b"")

    def test_failed(self) -> None:
        """Work that fails in a way that nobody expected is logged, and answered so."""

        async def fail(request: GatewayRequest) -> None:
            raise ZeroDivisionError()

        heard = self.heard(fail)
        self.assertTrue(heard.startswith(b"HTTP/1.1 500 "), heard)
        self.assertIn(b"<Code>InternalError</Code>", heard)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_gone(self) -> None:
        """Work is cancelled when the client goes, and only then; that is nothing to log."""
        clock: Any = MemoryReactorClock()
        ends: list[str] = []

        async def wait(request: GatewayRequest) -> None:
            try:
                await Deferred()
            except CancelledError:
                ends.append("cancelled")
                raise

        site = GatewaySite(self.resource(wait), error_body, reactor=clock)
        talk(site, clock, ASKED)
        settle(clock)
        self.assertEqual(ends, [])
        site.abort_connections()
        settle(clock)
        self.assertEqual(ends, ["cancelled"])
        self.assertEqual(site.connections, set())

    def test_answered_before_the_end(self) -> None:
        """Work that goes on after its answer is not cancelled when the client, who has it, goes."""
        clock: Any = MemoryReactorClock()
        later: Deferred[None] = Deferred()
        ends: list[str] = []

        async def answer(request: GatewayRequest) -> None:
            request.answer_document(200, [], b"here")
            await later
            ends.append("done")

        site = GatewaySite(self.resource(answer), error_body, reactor=clock)
        said = talk(site, clock, ASKED)
        settle(clock)
        self.assertTrue(self.successResultOf(said).endswith(b"\r\n\r\nhere"))
        later.callback(None)
        self.assertEqual(ends, ["done"])


class AnsweredTests(ServedTests):
    """The same of work that is begun without a Deferred."""

    resource = Answered

    def test_waits(self) -> None:
        """Work that has to wait is given what it waits for, results as well as failures, however often."""
        clock: Any = MemoryReactorClock()
        first: Deferred[bytes] = Deferred()
        second: Deferred[bytes] = Deferred()

        async def wait(request: GatewayRequest) -> None:
            body = await first
            try:
                await second
            except ZeroDivisionError:
                request.answer_document(200, [], body)

        site = GatewaySite(Answered(wait), error_body, reactor=clock)
        said = talk(site, clock, ASKED)
        settle(clock)
        first.callback(b"here")
        second.errback(ZeroDivisionError())
        settle(clock)
        self.assertTrue(self.successResultOf(said).endswith(b"\r\n\r\nhere"))
