"""Connections under Hypothesis: however bytes arrive, the same requests come out, and each is answered."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.gatewaysite import GatewaySite
from tests.fuzz import framing
from tests.fuzz.talking import hear
from tests.wire.support import Bare, echo, error_body

REQUESTS = st.sampled_from(
    [
        b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PUT /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        b"PUT /drop HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET ",
        b"PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
        b"PUT /drop HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
        b"GET /f HTTP/1.0\r\n\r\n",
        b"GET /g HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
)
PIECES = st.sampled_from([*framing.WORDS, b"0", b"3", b"\0", b"abc", b":", b" "])


class ClosingTests(SynchronousTestCase):
    """The last answer of a connection."""

    def test_bytes_behind_the_last_request(self) -> None:
        """What comes after the request that ends a connection is dropped, and takes no answer away."""
        clock = MemoryReactorClock()
        site = GatewaySite(Bare(echo), error_body, reactor=clock)
        # Two answers, of which the second is on its way when more comes.
        first = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        for more in ([b"x"], [b"x", b"y"], [b"z" * 70_000]):
            for pieces in ([first + last, *more], [first + last + b"w", *more]):
                self.assertTrue(hear(site, clock, pieces).endswith(b"\r\n\r\n/last"))
        self.assertEqual(site.connections, set())


class ArrivalTests(SynchronousTestCase):
    """Bytes in any pieces. The pieces are drawn from the bytes, by :mod:`tests.fuzz.framing`."""

    @settings(deadline=None, max_examples=60)
    @given(st.lists(REQUESTS, max_size=5))
    def test_any_requests(self, requests: list[bytes]) -> None:
        """Requests sent in a row are those that come out."""
        framing.one_input(b"".join(requests))

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.one_of(REQUESTS, PIECES), max_size=8))
    def test_any_pieces(self, pieces: list[bytes]) -> None:
        """What is no row of requests is refused at the same place, whole and in pieces."""
        framing.one_input(b"".join(pieces))

    @settings(deadline=None, max_examples=60)
    @given(REQUESTS, st.integers(0, 200), st.binary(max_size=3), st.integers(0, 5))
    def test_any_change(self, request: bytes, at: int, put: bytes, cut: int) -> None:
        """A request with some bytes changed, and one after it, end no other way in pieces than whole."""
        at %= len(request)
        changed = request[:at] + put + request[at + cut :]
        framing.one_input(changed + b"GET /z HTTP/1.1\r\nHost: a\r\n\r\n")
