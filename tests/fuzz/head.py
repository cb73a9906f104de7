"""The head of a request: what is taken means the same when it is read again, and to a reader of another make."""

from __future__ import annotations

from http.client import parse_headers
from io import BytesIO

from ozgate.errors import BadRequest, RequestHeaderSectionTooLarge
from ozgate.wire.head import parse_head, split_target, valid_host
from tests.fuzz.judging import check_error
from tests.fuzz.running import fuzz

SEEDS = (
    b"GET /b/k?x=1 HTTP/1.1\r\nHost: localhost:9878\r\nContent-Length: 12",
    b"PUT / HTTP/1.1\r\nhost: [::1]:80\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue",
    b"HEAD http://b.example/k HTTP/1.1\r\nHost: b.example\r\nConnection: close, te",
    b"GET / HTTP/1.0\r\nX: \t a\xe9 \t",
)
WORDS = (
    *(b"GET", b"HEAD", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"Host:", b"localhost"),
    *(b"Content-Length:", b"Transfer-Encoding:", b"chunked", b"Connection:", b"close"),
    *(b"Expect:", b"100-continue", b"http://", b"https://", b"[::1]", b" ", b"\t"),
)


def one_input(data: bytes) -> None:
    """Read a head."""
    try:
        head = parse_head(data, 1024, 50)
    except (BadRequest, RequestHeaderSectionTooLarge) as error:
        check_error(error)
        return
    lines = [b"%b %b %b" % (head.method, head.target, head.version)]
    lines += [b"%b:%b" % pair for pair in head.pairs]
    assert parse_head(b"\r\n".join(lines), 1024, 50) == head
    assert head.host is None or valid_host(head.host)
    assert head.length is None or 0 <= head.length < 10**19
    authority, rest = split_target(head.target)
    assert rest.startswith(b"/") and (not authority or valid_host(authority))
    rest_of_lines = b"\r\n".join([*data.split(b"\r\n")[1:], b"", b""])
    others = parse_headers(BytesIO(rest_of_lines))
    theirs = [
        (name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1"))
        for name, value in others.items()
    ]
    assert theirs == head.pairs, (theirs, head.pairs)


if __name__ == "__main__":
    fuzz("head")
