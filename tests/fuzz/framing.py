"""A connection: however its bytes arrive, the same requests come out of them, and each is answered."""

from __future__ import annotations

import random
import re
from itertools import pairwise

from twisted.internet.testing import MemoryReactorClock

from ozgate.wire.gatewaysite import GatewaySite
from ozgate.wire.request import GatewayRequest
from tests.fuzz.judging import nothing_unforeseen, read_answers
from tests.fuzz.running import fuzz
from tests.fuzz.talking import hear
from tests.wire.support import Bare, Bytes, error_body

SEEDS = (
    b"GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloHEAD /b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
    b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST /drop HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n",
)
WORDS = (
    *(
        b"GET ",
        b"PUT /",
        b"HEAD ",
        b" HTTP/1.1\r\n",
        b"Host: a\r\n",
        b"\r\n",
        b"\r\n\r\n",
    ),
    *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"5\r\n"),
    *(b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"/drop", b"/half", b";x"),
    *(b" HTTP/1.0\r\n", b"\n", b"\r", b"chunked", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
)

_CODE = re.compile(rb"<Code>([A-Za-z]+)")


def one_input(data: bytes) -> None:
    """Say bytes, whole and in two ways of cutting them."""
    dice = random.Random(data)
    whole = _say(data, [0, len(data)])
    for places in (
        range(len(data) + 1),
        sorted({0, len(data), *(dice.choices(range(len(data) + 1), k=5))}),
    ):
        parts = _say(data, list(places))
        assert parts == whole, (whole, parts)


def _say(data: bytes, places: list[int]) -> list[tuple[bytes, bytes]]:
    """The requests that came out, and the body of each."""
    taken: list[tuple[bytes, bytes]] = []
    made: list[GatewayRequest] = []

    async def operation(request: GatewayRequest) -> None:
        sink = Bytes()
        place = [
            request.method,
            request.raw_target,
            b"%r" % sorted(request.header_pairs()),
        ]
        if request.raw_target.endswith(b"/drop"):
            taken.append((b" ".join(place), b""))
            request.answer_document(200, [], b"dropped")
            return
        try:
            await request.body.deliver_to(sink)
        except Exception as error:
            taken.append((b" ".join(place), type(error).__name__.encode()))
            request.answer_document(400, [], b"")
            return
        taken.append((b" ".join(place), bytes(sink.data)))
        request.answer_document(200, [], bytes(sink.data))

    clock = MemoryReactorClock()
    site = GatewaySite(Bare(operation), error_body, reactor=clock)
    site.requestFactory = _noted(made)  # type: ignore[assignment]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    with nothing_unforeseen():
        said = hear(site, clock, pieces)
    answers = read_answers(said, [request.method for request in made])
    refused = [
        (b"", match[1] if (match := _CODE.search(each.body)) else b"")
        for each in answers[len(taken) :]
    ]
    return taken + [(b"%d" % each.status, b"") for each in answers] + refused[:0]


def _noted(made: list[GatewayRequest]) -> type[GatewayRequest]:
    class Noted(GatewayRequest):
        """Is kept in a list."""

        def __init__(self, channel: object) -> None:
            super().__init__(channel)  # type: ignore[arg-type]
            made.append(self)

    return Noted


if __name__ == "__main__":
    fuzz("framing")
