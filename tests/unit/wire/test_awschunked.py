"""Tests of :mod:`ozgate.wire.awschunked`: what decodes, and each way it can be broken."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.chunks import ChunkVerifier
from ozgate.errors import (
    IncompleteBody,
    InvalidChunkSizeError,
    InvalidRequest,
    MalformedTrailerError,
    S3Error,
    SignatureDoesNotMatch,
)
from ozgate.wire.awschunked import AwsChunked
from ozgate.wire.streams import Collect
from tests.fuzz import awschunked
from tests.unit.auth.chunking import (
    SIGNED,
    SIGNED_TRAILER,
    signed_chunks,
    signed_trailer,
    unsigned,
    verified,
)

CRC = "x-amz-checksum-crc32"
VALUE = {CRC: "AAAAAA=="}
PIECES = [b"a" * 8192, b"b" * 10000, b"\r\n0\r\n\r\n"]
CUTS = st.lists(st.integers(0, 20000), max_size=30)


def decode(
    encoded: bytes,
    length: int,
    payload: str = "",
    announced: Sequence[str] = (),
    cuts: Sequence[int] = (),
    kind: type[AwsChunked] = AwsChunked,
) -> tuple[bytes, dict[str, str]]:
    """The decoded bytes and trailers of a stream that arrives cut in pieces."""
    collect = Collect(1 << 20, InvalidRequest)
    verifier = ChunkVerifier(verified(payload)) if payload else None
    decoder = kind(collect, length, verifier, announced)
    places = sorted({0, len(encoded), *(cut for cut in cuts if cut < len(encoded))})
    for start, stop in pairwise(places):
        decoder.write(encoded[start:stop])
    decoder.finish()
    return collect.value(), decoder.trailers


class DecodingTests(SynchronousTestCase):
    """What is well-formed."""

    @settings(deadline=None, max_examples=60)
    @given(pieces=st.lists(st.binary(min_size=1, max_size=200), max_size=6), cuts=CUTS)
    def test_unsigned(self, pieces: list[bytes], cuts: list[int]) -> None:
        """However an unsigned stream arrives, the same comes out."""
        data = b"".join(pieces)
        encoded = unsigned(pieces, VALUE)
        decoded, trailers = decode(
            encoded, len(data), "", [CRC], cuts, awschunked.TinyChunked
        )
        self.assertEqual(decoded, data)
        self.assertEqual(trailers, VALUE)

    @settings(deadline=None, max_examples=60)
    @given(cuts=CUTS, bare=st.booleans())
    def test_signed(self, cuts: list[int], bare: bool) -> None:
        """However a signed stream arrives, with either form of trailer, the same comes out."""
        chunks, last = signed_chunks(PIECES)
        encoded = b"".join(chunks) + signed_trailer(VALUE, last, bare)
        data = b"".join(PIECES)
        decoded, trailers = decode(encoded, len(data), SIGNED_TRAILER, [CRC], cuts)
        self.assertEqual(decoded, data)
        self.assertEqual(trailers, VALUE)

    def test_byte_by_byte(self) -> None:
        """A stream that arrives in single bytes decodes."""
        chunks, _ = signed_chunks([b"x" * 9000, b"y"])
        encoded = b"".join(chunks) + b"\r\n"
        decoded, trailers = decode(encoded, 9001, SIGNED, (), range(len(encoded)))
        self.assertEqual(decoded, b"x" * 9000 + b"y")
        self.assertEqual(trailers, {})

    def test_empty(self) -> None:
        """An empty body is one last chunk."""
        self.assertEqual(decode(b"0\r\n\r\n", 0), (b"", {}))
        chunks, _ = signed_chunks([])
        self.assertEqual(decode(chunks[0] + b"\r\n", 0, SIGNED), (b"", {}))

    def test_trailer_forms(self) -> None:
        """Trailer names fold, blanks around values go, and sizes may have leading zeros."""
        encoded = b"0001\r\na\r\n000\r\nX-Amz-Checksum-CRC32: AAAAAA== \r\n\r\n"
        self.assertEqual(decode(encoded, 1, "", [CRC]), (b"a", VALUE))

    def test_trailer_lines(self) -> None:
        """Trailers may end in a bare LF and empty lines come after them: AWS's example has the one, minio-go sends both."""
        line = b"x-amz-checksum-crc32:AAAAAA=="
        for end in (b"\n\r\n\r\n", b"\n\r\n", b"\r\n\r\n\r\n\r\n"):
            encoded = b"1\r\na\r\n0\r\n" + line + end
            for cuts in ((), range(len(encoded))):
                found = decode(encoded, 1, "", [CRC], cuts)
                self.assertEqual(found, (b"a", VALUE))

    def test_signed_trailer_lines(self) -> None:
        """The same where trailers are signed: neither line end changes what the signature covers."""
        chunks, last = signed_chunks([b"a"])
        line, signature, _ = signed_trailer(VALUE, last).split(b"\r\n", 2)
        for between in (b"\n", b"\r\n", b"\n\r\n", b"\r\n\r\n\r\n"):
            for end in (b"\r\n\r\n", b"\n\r\n", b"\r\n\r\n\r\n"):
                encoded = b"".join([*chunks, line, between, signature, end])
                for cuts in ((), range(len(encoded))):
                    found = decode(encoded, 1, SIGNED_TRAILER, [CRC], cuts)
                    self.assertEqual(found, (b"a", VALUE))

    def test_empty_lines(self) -> None:
        """Bodies without trailers may have empty lines after their end, too."""
        chunks, _ = signed_chunks([b"a"])
        for encoded, payload in (
            (b"1\r\na\r\n0\r\n", ""),
            (b"".join(chunks), SIGNED),
        ):
            found = decode(encoded + b"\r\n\r\n", 1, payload)
            self.assertEqual(found, (b"a", {}))

    def test_security_off(self) -> None:
        """Without a key the form of signatures is checked all the same, their values not."""
        collect = Collect(10, InvalidRequest)
        verifier = ChunkVerifier(verified(SIGNED, key=None))
        decoder = AwsChunked(collect, 1, verifier)
        signature = b"f" * 64
        decoder.write(b"1;chunk-signature=" + signature + b"\r\na\r\n")
        decoder.write(b"0;chunk-signature=" + signature + b"\r\n\r\n")
        decoder.finish()
        self.assertEqual(collect.value(), b"a")
        with self.assertRaises(IncompleteBody):
            AwsChunked(collect, 1, verifier).write(b"1\r\na\r\n")


class AnyStreamTests(SynchronousTestCase):
    """What may be well-formed or not."""

    @settings(deadline=None, max_examples=200)
    @given(
        kind=st.integers(0, 3),
        length=st.integers(0, 9),
        pieces=st.lists(
            st.one_of(
                st.binary(max_size=3),
                st.sampled_from([b"1\r\na\r\n", b"2\r\n", *awschunked.WORDS]),
            ),
            max_size=9,
        ),
    )
    def test_any_stream(self, kind: int, length: int, pieces: list[bytes]) -> None:
        """Whatever is sent decodes to what a plain reader reads, or is refused, and the same however it arrives."""
        awschunked.one_input(bytes([kind, length]) + b"".join(pieces))

    @settings(deadline=None, max_examples=200)
    @given(at=st.integers(0, 10**6), put=st.binary(max_size=3), cut=st.integers(0, 3))
    def test_any_change(self, at: int, put: bytes, cut: int) -> None:
        """A signed stream with any bytes changed is refused, but for blanks and line ends that mean nothing."""
        chunks, last = signed_chunks([b"a" * 8192, b"b" * 9])
        whole = b"".join(chunks) + signed_trailer(VALUE, last)
        at %= len(whole)
        changed = whole[:at] + put + whole[at + cut :]
        try:
            found = decode(changed, 8201, SIGNED_TRAILER, [CRC])
        except S3Error:
            return
        self.assertEqual(found, (b"a" * 8192 + b"b" * 9, VALUE))


class BrokenTests(SynchronousTestCase):
    """What is not, whole and in single bytes."""

    def refused(
        self,
        error: type[S3Error],
        encoded: bytes,
        length: int,
        payload: str = "",
        announced: Sequence[str] = (),
    ) -> None:
        """The stream is refused with that error, however it arrives."""
        for cuts in ((), range(len(encoded))):
            with self.assertRaises(error):
                decode(encoded, length, payload, announced, cuts)

    def test_size(self) -> None:
        """A size is hexadecimal digits, at most 16, and nothing else."""
        for size in (
            b"",
            b" 1",
            b"1 ",
            b"+1",
            b"-1",
            b"0x1",
            b"1_0",
            b"g",
            b"\xef\xbc\x91",
            b"0" * 16 + b"1",
            b"1;junk=1",
            b"1;chunk-signature=" + b"0" * 64,
        ):
            self.refused(IncompleteBody, size + b"\r\na\r\n0\r\n\r\n", 1)

    def test_overflow(self) -> None:
        """A size beyond what was announced is refused before a byte of it."""
        for size in (b"2", b"ffffffffffffffff", b"7fffffffffffffff"):
            self.refused(IncompleteBody, size + b"\r\n", 1)
        self.refused(IncompleteBody, b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 1)

    def test_too_little(self) -> None:
        """Chunks that add up to less than announced are refused."""
        self.refused(IncompleteBody, b"1\r\na\r\n0\r\n\r\n", 2)
        self.refused(IncompleteBody, b"0\r\n\r\n", 1)

    def test_line_ends(self) -> None:
        """Every CRLF must be there, and be CRLF."""
        for encoded in (
            b"1\na\r\n0\r\n\r\n",
            b"1\r\na\n0\r\n\r\n",
            b"1\r\na0\r\n\r\n",
            b"1\r\nab\r\n0\r\n\r\n",
            b"1\r\na\r\n0\n\r\n",
            b"1\r\na\r\n\r\n0\r\n\r\n",
        ):
            self.refused(IncompleteBody, encoded, 1)
        self.refused(MalformedTrailerError, b"1\r\na\r\n0\r\n\n", 1)

    def test_endless_line(self) -> None:
        """A line without end is refused before it is long."""
        self.refused(IncompleteBody, b"0" * 1025, 1)
        self.refused(MalformedTrailerError, b"0\r\n" + b"x" * 1025, 0, "", [CRC])

    def test_truncated(self) -> None:
        """A stream cut anywhere is incomplete."""
        encoded = unsigned([b"abc", b"d"], VALUE)
        for end in range(len(encoded)):
            with self.assertRaises(IncompleteBody):
                decode(encoded[:end], 4, "", [CRC], (), awschunked.TinyChunked)

    def test_more_after_the_end(self) -> None:
        """Nothing but empty lines may follow the end, and not many of those."""
        for rest in (
            *(b"x", b"x\r\n", b"\r\nx", b"\n", b"\r", b"0\r\n\r\n", b"a:b\r\n"),
            b"\r\n" * 2048,
            b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n",
        ):
            self.refused(IncompleteBody, unsigned([b"abc"]) + rest, 3)
            encoded = unsigned([b"abc"], VALUE) + rest
            self.refused(IncompleteBody, encoded, 3, "", [CRC])

    def test_trailers(self) -> None:
        """A trailer not announced, missing, doubled or malformed is refused."""
        line = b"x-amz-checksum-crc32:AAAAAA==\r\n"
        for announced, lines in (
            ([], line),
            ([CRC], b""),
            ([CRC], line * 2),
            ([CRC], line + b"x-amz-checksum-sha1:AAAA\r\n"),
            ([CRC], line + b"authorization:x\r\n"),
            ([CRC], b"host:x\r\n"),
            ([CRC], b"x-amz-checksum-crc32\r\n"),
            ([CRC], b"x-amz-checksum-crc32:\r\n"),
            ([CRC], b"x-amz-checksum-crc32 :AAAAAA==\r\n"),
            ([CRC], b"x-amz-checksum-crc32:AA\0A\r\n"),
            ([CRC], b"x-amz-checksum-crc32:AAAAAA==\n\n"),
            ([CRC], b"\r\n" + line),
            ([CRC], b"x-amz-checksum-crc32:AAAA\rAA==\r\n"),
            ([CRC], line + b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n"),
        ):
            encoded = b"1\r\na\r\n0\r\n" + lines + b"\r\n"
            self.refused(MalformedTrailerError, encoded, 1, "", announced)

    def test_signatures(self) -> None:
        """A signed chunk with its signature malformed, missing or wrong is refused."""
        chunks, _ = signed_chunks([b"a" * 9000])
        whole = b"".join(chunks) + b"\r\n"
        at = whole.index(b"=") + 1
        for broken in (
            whole.replace(b";chunk-signature=", b";chunk-extension=", 1),
            whole.replace(b"\r\n", b"0\r\n", 1),
            whole[:at] + whole[at + 1 :],
            whole[:at] + whole[at : at + 64].upper() + whole[at + 64 :],
            b"2328\r\n" + b"a" * 9000 + b"\r\n0\r\n\r\n",
        ):
            self.refused(IncompleteBody, broken, 9000, SIGNED)
        other = b"0" if whole[at : at + 1] != b"0" else b"1"
        for wrong in (
            whole[:at] + other + whole[at + 1 :],
            whole.replace(b"aaa", b"aab", 1),
        ):
            self.refused(SignatureDoesNotMatch, wrong, 9000, SIGNED)

    def test_reordered(self) -> None:
        """Signed chunks in another order are refused."""
        chunks, _ = signed_chunks([b"a" * 9000, b"b" * 9000])
        encoded = chunks[1] + chunks[0] + chunks[2] + b"\r\n"
        self.refused(SignatureDoesNotMatch, encoded, 18000, SIGNED)

    def test_small_chunks(self) -> None:
        """Only the last may be small, signed or not; the error says which was, and where that was found out."""
        pieces = [b"x" * 8192, b"a" * 8191, b"b"]
        chunks, _ = signed_chunks(pieces)
        for encoded, payload in (
            (b"".join(chunks) + b"\r\n", SIGNED),
            (unsigned(pieces), ""),
        ):
            self.refused(InvalidChunkSizeError, encoded, 16384, payload)
            with self.assertRaises(InvalidChunkSizeError) as caught:
                decode(encoded, 16384, payload)
            members = {"Chunk": 3, "BadChunkSize": 8191}
            self.assertEqual(caught.exception.members, members)
        pieces = [b"x" * 8192, b"b"]
        self.assertEqual(decode(unsigned(pieces), 8193)[0], b"".join(pieces))

    def test_signed_trailers(self) -> None:
        """A signed trailer must have its signature, at its end, and a right one."""
        chunks, last = signed_chunks([b"a"])
        body = b"".join(chunks)
        right = signed_trailer(VALUE, last)
        line, signature, _ = right.split(b"\r\n", 2)
        for lines in (
            line + b"\r\n\r\n",
            signature + b"\r\n" + line + b"\r\n\r\n",
            line + b"\r\n" + signature + b"\r\n" + signature + b"\r\n\r\n",
            line + b"\r\n\r\n" + line + b"\r\n" + signature + b"\r\n\r\n",
            b"\r\n" + line + b"\r\n" + signature + b"\r\n\r\n",
        ):
            self.refused(MalformedTrailerError, body + lines, 1, SIGNED_TRAILER, [CRC])
        wrong = right.replace(b"AAAAAA==", b"BAAAAA==")
        self.refused(SignatureDoesNotMatch, body + wrong, 1, SIGNED_TRAILER, [CRC])
