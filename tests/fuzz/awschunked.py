"""``aws-chunked`` bodies: however one arrives, the same comes out; and what a plain reader reads whole is what came out."""

from __future__ import annotations

import random
from itertools import pairwise

from ozgate.auth.chunks import ChunkVerifier
from ozgate.auth.sigv4 import Verified
from ozgate.errors import EntityTooLarge, S3Error
from ozgate.wire.awschunked import AwsChunked
from ozgate.wire.streams import Collect
from tests.fuzz.judging import check_error
from tests.fuzz.running import fuzz

CRC = "x-amz-checksum-crc32"
_SIGNATURE = b";chunk-signature=" + b"0123456789abcdef" * 4
SEEDS = (
    b"\x00\x053\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    b"\x01\x031\r\na\r\n02\r\nbc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
    b"\x01\x051\r\na\r\n4\r\nbcde\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n\r\n",
    b"\x02\x023" + _SIGNATURE,
    b"\x02\x022%b\r\nab\r\n0%b\r\n\r\n" % (_SIGNATURE, _SIGNATURE),
    b"\x03\x011%b\r\na\r\n0%b\r\nx-amz-checksum-crc32:AAAAAA==\n\r\n"
    b"x-amz-trailer-signature:%b\r\n\r\n"
    % (_SIGNATURE, _SIGNATURE, b"0123456789abcdef" * 4),
)
WORDS = (
    *(b"\r\n", b"\n", b"0\r\n", b"0\r\n\r\n", _SIGNATURE, b"ffffffffffffffff"),
    *(CRC.encode() + b":", b"x-amz-trailer-signature:", b"0x", b"-1", b" ", b";"),
)


class TinyChunked(AwsChunked):
    """Takes small chunks, so that inputs have several."""

    smallest_chunk = 1


def one_input(data: bytes) -> None:
    """Decode: the kind of body, its decoded length, and the body."""
    if len(data) < 2:
        return
    kind, length, encoded = (
        data[0] % 4,
        data[1] * (1 if data[0] < 128 else 64),
        data[2:],
    )
    whole = _decode(kind, length, encoded, ())
    dice = random.Random(encoded)
    for cuts in (range(len(encoded)), sorted(dice.choices(range(999), k=6))):
        assert _decode(kind, length, encoded, cuts) == whole
    if isinstance(whole, tuple):
        assert len(whole[0]) == length
        assert whole[0] == _plain(encoded)


def _decode(
    kind: int, length: int, encoded: bytes, cuts: range | list[int] | tuple[()]
) -> tuple[bytes, dict[str, str]] | type[S3Error]:
    """What comes of a body that arrives in pieces."""
    collect = Collect(1 << 16, EntityTooLarge)
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + "-TRAILER" * (kind == 3)
    verified = Verified("id", payload, None, "scope", "time", "f" * 64, False)
    verifier = ChunkVerifier(verified) if kind >= 2 else None
    decoder = TinyChunked(collect, length, verifier, (CRC,) if kind % 2 else ())
    places = sorted({0, len(encoded), *(cut for cut in cuts if cut < len(encoded))})
    try:
        for start, stop in pairwise(places):
            decoder.write(encoded[start:stop])
        decoder.finish()
    except S3Error as error:
        check_error(error)
        return type(error)
    return collect.value(), decoder.trailers


def _plain(encoded: bytes) -> bytes:
    """What a well-formed body holds, read without any check."""
    data = b""
    while True:
        line, _, encoded = encoded.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if not size:
            return data
        data, encoded = data + encoded[:size], encoded[size + 2 :]


if __name__ == "__main__":
    fuzz("awschunked")
