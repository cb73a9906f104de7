"""Tests of :mod:`ozgate.auth.chunks`: the chain of chunk signatures."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.chunks import ChunkVerifier
from ozgate.errors import SignatureDoesNotMatch
from tests.unit.auth.chunking import SIGNED, SIGNED_TRAILER, verified

SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
CHUNKS = [
    (
        b"a" * 65536,
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    ),
    (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
]
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
TRAILER_CHUNKS = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
]
TRAILER = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"


class ChunkVerifierTests(SynchronousTestCase):
    """The examples of the Amazon S3 API Reference, and what differs from them."""

    def test_documented(self) -> None:
        """The documented upload of 65 KiB verifies."""
        verifier = ChunkVerifier(verified(SIGNED, SEED))
        self.assertFalse(verifier.trailer)
        for data, signature in CHUNKS:
            verifier.update(data[:100])
            verifier.update(data[100:])
            verifier.end_chunk(signature)

    def test_documented_trailer(self) -> None:
        """The documented upload with a CRC32C trailer verifies."""
        verifier = ChunkVerifier(verified(SIGNED_TRAILER, TRAILER_SEED))
        self.assertTrue(verifier.trailer)
        for (data, _), signature in zip(CHUNKS, TRAILER_CHUNKS, strict=True):
            verifier.update(data)
            verifier.end_chunk(signature)
        verifier.end_trailer([("x-amz-checksum-crc32c", "sOO8/Q==")], TRAILER)

    def test_other_trailer(self) -> None:
        """Another trailer under the same signature is refused."""
        for trailers in ([], [("x-amz-checksum-crc32c", "sOO8/A==")]):
            verifier = ChunkVerifier(verified(SIGNED_TRAILER, TRAILER_CHUNKS[2]))
            with self.assertRaises(SignatureDoesNotMatch):
                verifier.end_trailer(trailers, TRAILER)

    def test_other_data(self) -> None:
        """Another byte under the same signature is refused."""
        verifier = ChunkVerifier(verified(SIGNED, SEED))
        verifier.update(b"a" * 65535 + b"b")
        with self.assertRaises(SignatureDoesNotMatch):
            verifier.end_chunk(CHUNKS[0][1])

    def test_reordered_and_replayed(self) -> None:
        """A chunk out of its place is refused, be it a later or an earlier one."""
        verifier = ChunkVerifier(verified(SIGNED, SEED))
        verifier.update(CHUNKS[1][0])
        with self.assertRaises(SignatureDoesNotMatch):
            verifier.end_chunk(CHUNKS[1][1])
        verifier = ChunkVerifier(verified(SIGNED, SEED))
        for attempt in range(2):
            verifier.update(CHUNKS[0][0])
            if attempt == 0:
                verifier.end_chunk(CHUNKS[0][1])
        with self.assertRaises(SignatureDoesNotMatch):
            verifier.end_chunk(CHUNKS[0][1])

    def test_security_off(self) -> None:
        """Without a key any signature passes."""
        verifier = ChunkVerifier(verified(SIGNED_TRAILER, SEED, key=None))
        verifier.update(b"x")
        verifier.end_chunk("0" * 64)
        verifier.end_trailer([], "0" * 64)
