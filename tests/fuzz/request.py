"""Raw bytes to the whole S3 site: whatever comes is answered as HTTP and by an error that was foreseen, or the connection closes."""

from __future__ import annotations

from tests.fuzz.judging import check_answer
from tests.fuzz.running import fuzz
from tests.fuzz.sites import DATE, World

_AUTHORIZATION = (
    b"Authorization: AWS4-HMAC-SHA256 Credential=testuser/%b/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
    b" Signature=%b\r\nx-amz-date: %b\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"
    % (DATE[:8].encode(), b"0" * 64, DATE.encode())
)
SEEDS = (
    b"GET /bucket/key HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % _AUTHORIZATION,
    b"PUT /bucket/new HTTP/1.1\r\nHost: localhost\r\n%bContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
    % (_AUTHORIZATION, _AUTHORIZATION),
    b"PUT /bucket/new HTTP/1.1\r\nHost: localhost\r\n%bTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    % _AUTHORIZATION,
    b"GET /bucket/key HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://bucket.s3.example.com/key HTTP/1.1\r\nHost: bucket.s3.example.com\r\n%b\r\n"
    % _AUTHORIZATION,
    b"BAD\r\n\r\n",
)
WORDS = (
    *(b"GET ", b"PUT ", b"POST ", b"DELETE ", b"HEAD ", b" HTTP/1.1\r\n", b"\r\n\r\n"),
    *(b"Host: localhost\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n"),
    *(b"/bucket", b"/key", b"?", b"Expect: 100-continue\r\n", b"Range: bytes=0-1\r\n"),
    *(b"x-amz-copy-source: /bucket/key\r\n", b"Connection: close\r\n", b"%00", b"%0d"),
    _AUTHORIZATION,
)
WORLDS = [World(secure=False), World(secure=True)]


def one_input(data: bytes) -> None:
    """Say bytes, with signatures verified and without; by a client that waits, and by one that goes."""
    for world in WORLDS:
        for going in (False, True):
            for answer in world.ask(world.s3, [data], going):
                check_answer(answer)
            world.renew()


if __name__ == "__main__":
    fuzz("request")
