"""aws-chunked bodies for tests: the client's side, written from AWS's description of it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from tests.running import REGION, SECRET_KEY

EMPTY = hashlib.sha256(b"").hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class ChunkSigner:
    """Signs the chunks that follow a request's seed signature.

    :param headers: the signed headers of the request.
    """

    def __init__(self, headers: dict[str, str]) -> None:
        folded = {name.lower(): value for name, value in headers.items()}
        self.timestamp = folded["x-amz-date"]
        self.previous = folded["authorization"].rsplit("Signature=", 1)[1]
        day = self.timestamp[:8]
        self.scope = f"{day}/{REGION}/s3/aws4_request"
        key = ("AWS4" + SECRET_KEY).encode()
        for part in (day, REGION, "s3", "aws4_request"):
            key = _hmac(key, part)
        self.key = key

    def _sign(self, algorithm: str, *hashes: str) -> str:
        lines = (algorithm, self.timestamp, self.scope, self.previous, *hashes)
        self.previous = _hmac(self.key, "\n".join(lines)).hex()
        return self.previous

    def chunk(self, data: bytes) -> bytes:
        """One chunk with its signature; an empty one is the last, without the final CRLF."""
        signature = self._sign(
            "AWS4-HMAC-SHA256-PAYLOAD", EMPTY, hashlib.sha256(data).hexdigest()
        )
        head = f"{len(data):x};chunk-signature={signature}\r\n".encode()
        return head + data + b"\r\n" if data else head

    def trailer(self, lines: str) -> bytes:
        """Trailing headers (each ending in a newline) with their signature."""
        digest = hashlib.sha256(lines.encode()).hexdigest()
        signature = self._sign("AWS4-HMAC-SHA256-TRAILER", digest)
        text = lines.replace("\n", "\r\n")
        return f"{text}x-amz-trailer-signature:{signature}\r\n\r\n".encode()


def signed_body(headers: dict[str, str], chunks: Sequence[bytes]) -> bytes:
    """A whole signed body without trailers."""
    signer = ChunkSigner(headers)
    return b"".join(map(signer.chunk, chunks)) + signer.chunk(b"") + b"\r\n"


def unsigned_body(chunks: Sequence[bytes], trailers: str = "") -> bytes:
    """A whole unsigned body; ``trailers`` are header lines, each ending in CRLF."""
    encoded = b"".join(f"{len(c):x}\r\n".encode() + c + b"\r\n" for c in chunks)
    return encoded + b"0\r\n" + trailers.encode("latin-1") + b"\r\n"
