"""Making aws-chunked bodies, as a client does, for the tests that read them."""

from __future__ import annotations

import hashlib
import hmac

from ozgate.auth.canonical import signing_key
from ozgate.auth.sigv4 import Verified
from tests.unit.auth.signed import DOCUMENTED, SECRET

SCOPE = "20130524/us-east-1/s3/aws4_request"
TIMESTAMP = "20130524T000000Z"
KEY = signing_key(SECRET, "20130524", "us-east-1")
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = hashlib.sha256().hexdigest()


def verified(payload: str, seed: str = "0" * 64, key: bytes | None = KEY) -> Verified:
    """What the gate found of the documented client, sending that kind of payload."""
    return Verified(DOCUMENTED, payload, key, SCOPE, TIMESTAMP, seed, False)


def sign(kind: str, previous: str, *digests: str) -> str:
    """A signature of the chain, computed independently of the code under test."""
    text = "\n".join([f"AWS4-HMAC-SHA256-{kind}", TIMESTAMP, SCOPE, previous, *digests])
    return hmac.new(KEY, text.encode(), "sha256").hexdigest()


def signed_chunks(pieces: list[bytes], seed: str = "0" * 64) -> tuple[list[bytes], str]:
    """Chunks with signatures, the empty last one included, and the last signature."""
    chunks = []
    for piece in [*pieces, b""]:
        seed = sign("PAYLOAD", seed, EMPTY, hashlib.sha256(piece).hexdigest())
        end = b"\r\n" if piece else b""
        chunks.append(
            b"%x;chunk-signature=%s\r\n%s%s" % (len(piece), seed.encode(), piece, end)
        )
    return chunks, seed


def signed_trailer(
    trailers: dict[str, str], previous: str, bare: bool = False
) -> bytes:
    """A signed trailer section; ``bare``: in the odd form of AWS's own example."""
    text = "".join(f"{name}:{value}\n" for name, value in trailers.items())
    signature = sign("TRAILER", previous, hashlib.sha256(text.encode()).hexdigest())
    lines = text + "\r\n" if bare else text.replace("\n", "\r\n")
    return f"{lines}x-amz-trailer-signature:{signature}\r\n\r\n".encode()


def unsigned(pieces: list[bytes], trailers: dict[str, str] | None = None) -> bytes:
    """A whole unsigned body."""
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    lines = [f"{name}:{value}\r\n" for name, value in (trailers or {}).items()]
    return b"".join([*chunks, b"0\r\n", "".join(lines).encode(), b"\r\n"])
