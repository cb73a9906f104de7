"""Bodies signed in chunks, and those whose trailer alone is not: every operation that takes one, every way to change it.

The head is as it was signed. The chain of signatures by itself is in ``tests.unit.auth.test_chunks``, the coding in
``tests.unit.wire.test_awschunked``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from attrs import evolve

from ozgate.s3.operations import OPERATIONS, Body, Gate, Operation
from tests.attack.mutations import Mutation
from tests.attack.requests import (
    CHUNKED,
    CHUNKED_TRAILER,
    UNSIGNED_TRAILER,
    Draft,
    Sent,
    chunked,
    content_md5,
    signature_of,
    trailer,
)
from tests.attack.support import AttackTestCase
from tests.operations.support import SECRETS
from tests.operations.uploads import checksum_of
from tests.unit.auth.chunking import unsigned

TAKING = [
    row for row in OPERATIONS if row.body is not Body.NONE and row.gate is not Gate.FORM
]
BUILT = [row for row in TAKING if row.perform is not None]

CHUNK = 24 << 10
"""Bytes of a chunk: three of them are more than is held in memory."""
CRC = "x-amz-checksum-crc32"

MISMATCH = "SignatureDoesNotMatch"
INCOMPLETE = "IncompleteBody"
TRAILER = "MalformedTrailerError"


def pieces_of(row: Operation, body: bytes) -> list[bytes]:
    """A body of three chunks: a document with white space after it, or some bytes."""
    filling = b"\n" if row.body is Body.DOCUMENT else b"."
    body = body.ljust(3 * CHUNK, filling)
    return [body[start : start + CHUNK] for start in range(0, 3 * CHUNK, CHUNK)]


def streaming(draft: Draft, pieces: Sequence[bytes], payload: str) -> Draft:
    """A draft whose body comes in chunks."""
    body = b"".join(pieces)
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(body)),
    }
    if "content-md5" in draft.headers:
        headers["content-md5"] = content_md5(body)
    if payload.endswith("-TRAILER"):
        headers["x-amz-trailer"] = CRC
    return evolve(draft, headers={**draft.headers, **headers}, payload=payload)


def changed(data: bytes, place: int) -> bytes:
    """One bit changed."""
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


class ChunkTestCase(AttackTestCase):
    """Sends bodies in chunks."""

    def wrongs_of(
        self, row: Operation, whole: Sent, mutations: Iterator[Mutation]
    ) -> list[str]:
        """What is wrong about the answers: the whole body is to be taken, and mutations refused without a trace."""
        expected = self.baseline(row, whole)
        self.assertNotIn(expected[1], (MISMATCH, INCOMPLETE, TRAILER))
        before = self.holds()
        return [
            wrong
            for mutation in mutations
            for wrong in self.wrongs(row, expected, mutation, before)
        ]


class SignedChunkTests(ChunkTestCase):
    """``STREAMING-AWS4-HMAC-SHA256-PAYLOAD``, on every operation that reads a body."""

    def test_signed(self) -> None:
        """A chunk changed, moved, replayed, left out, added, or signed by another or for another request is refused."""
        found = []
        for row in BUILT:
            pieces = pieces_of(row, self.draft(row).body)
            draft = streaming(self.draft(row), pieces, CHUNKED)
            chunks = chunked(draft, pieces)
            sent = draft.signed()
            whole = evolve(sent, body=b"".join([*chunks, b"\r\n"]))
            mutations = itertools.chain(
                self.of_order(sent, chunks),
                self.of_chunks(sent, chunks),
                self.of_signers(draft, pieces),
                self.of_the_head(whole),
            )
            found += self.wrongs_of(row, whole, mutations)
        self.assertEqual(found, [])

    def of_order(self, sent: Sent, chunks: list[bytes]) -> Iterator[Mutation]:
        """Chunks moved, replayed and left out; each has the size of any other."""
        first, second, third, last = chunks
        end = b"\r\n"
        for name, made, code in (
            ("first two swapped", (second, first, third, last, end), MISMATCH),
            ("second two swapped", (first, third, second, last, end), MISMATCH),
            ("first replayed", (first, first, third, last, end), MISMATCH),
            ("second replayed", (first, second, second, last, end), MISMATCH),
            ("a fourth", (*chunks[:3], third, last, end), INCOMPLETE),
            ("first dropped", (second, third, last, end), MISMATCH),
            ("second dropped", (first, third, last, end), MISMATCH),
            ("third dropped", (first, second, last, end), INCOMPLETE),
            ("last dropped", (first, second, third), INCOMPLETE),
            ("last alone", (last, end), INCOMPLETE),
            ("last one early", (first, last, second, third, end), INCOMPLETE),
            ("nothing", (), INCOMPLETE),
            ("cut short", (first, second, third[:-9]), INCOMPLETE),
            ("one after the last", (*chunks, first), TRAILER),
            ("one after the end", (*chunks, end, first), INCOMPLETE),
        ):
            yield Mutation(name, evolve(sent, body=b"".join(made)), code)

    def of_chunks(self, sent: Sent, chunks: list[bytes]) -> Iterator[Mutation]:
        """Each chunk changed: its signature and its bytes."""
        for number, chunk in enumerate(chunks):
            head, _, data = chunk.partition(b"\r\n")
            before, mark, signature = head.partition(b";chunk-signature=")
            flipped = f"{int(signature[-1:], 16) ^ 1:x}".encode()
            for name, made, code in (
                ("last digit", before + mark + signature[:-1] + flipped, MISMATCH),
                ("of zeros", before + mark + b"0" * 64, MISMATCH),
                ("in capitals", before + mark + signature.upper(), INCOMPLETE),
                ("cut", head[:-1], INCOMPLETE),
                ("empty", before + mark, INCOMPLETE),
                ("left out", before, INCOMPLETE),
                ("doubled", head + mark + signature, INCOMPLETE),
                ("with more", before + b";a=b" + mark + signature, INCOMPLETE),
            ):
                yield self._with(
                    sent, chunks, number, made + b"\r\n" + data, name, code
                )
            size, rest = head[len(before) :], b"\r\n" + data
            for name, made in (
                ("no hexadecimal size", b"x" + size + rest),
                ("a negative size", b"-" + before + size + rest),
                ("a bare LF after the size", head + b"\n" + data),
            ):
                yield self._with(sent, chunks, number, made, name, INCOMPLETE)
            for name, made in (
                (
                    ("a smaller size", b"%x" % (CHUNK - 1) + size + rest),
                    ("a bare LF after the data", head + rest[:-2] + b"\n"),
                    ("no line end after the data", head + rest[:-2]),
                )
                if data
                else ()
            ):
                yield self._with(sent, chunks, number, made, name, INCOMPLETE)
            for place in (0, CHUNK - 1) if data else ():
                made = head + b"\r\n" + changed(data, place)
                name = f"byte {place}"
                yield self._with(sent, chunks, number, made, name, MISMATCH)

    def _with(
        self,
        sent: Sent,
        chunks: list[bytes],
        number: int,
        chunk: bytes,
        name: str,
        code: str,
    ) -> Mutation:
        body = b"".join([*chunks[:number], chunk, *chunks[number + 1 :], b"\r\n"])
        return Mutation(f"chunk {number}: {name}", evolve(sent, body=body), code)

    def of_signers(self, draft: Draft, pieces: list[bytes]) -> Iterator[Mutation]:
        """Whole chains that do not belong to the head."""
        sent = draft.signed()
        for name, other in (
            ("another key", evolve(draft, secret=SECRETS["other"])),
            ("a request a second before", evolve(draft, time=draft.time - 1)),
            ("a request for another key", evolve(draft, path="/bucket/kez")),
            ("another region", evolve(draft, region="eu-central-1")),
        ):
            body = b"".join([*chunked(other, pieces), b"\r\n"])
            yield Mutation(f"chain of {name}", evolve(sent, body=body), MISMATCH)
        body = unsigned(pieces)
        yield Mutation("chunks without signatures", evolve(sent, body=body), INCOMPLETE)

    def of_the_head(self, whole: Sent) -> Iterator[Mutation]:
        """The right chunks after a head that was changed."""
        for name, value in (
            ("x-amz-content-sha256", UNSIGNED_TRAILER),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("x-amz-decoded-content-length", "1"),
            ("content-encoding", "identity"),
        ):
            mutated = whole.having(name, value)
            yield Mutation(f"{name}: {value}", mutated, MISMATCH)


class TrailerTests(ChunkTestCase):
    """``STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER``: the trailer is signed as well."""

    def test_signed(self) -> None:
        """A trailer that was changed, or that another signed, is refused."""
        found = []
        for row in BUILT:
            pieces = pieces_of(row, self.draft(row).body)
            draft = streaming(self.draft(row), pieces, CHUNKED_TRAILER)
            chunks = chunked(draft, pieces)
            value = checksum_of("CRC32", b"".join(pieces))
            sent = evolve(draft.signed(), body=b"".join(chunks))
            whole = evolve(
                sent, body=sent.body + trailer(draft, chunks[-1], CRC, value)
            )
            mutations = self.of_the_trailer(draft, sent, chunks, value)
            found += self.wrongs_of(row, whole, mutations)
        self.assertEqual(found, [])

    def of_the_trailer(
        self, draft: Draft, sent: Sent, chunks: list[bytes], value: str
    ) -> Iterator[Mutation]:
        """What can be done to a trailer."""
        good = trailer(draft, chunks[-1], CRC, value)
        line, signature, _ = good.split(b"\r\n", 2)
        other = evolve(draft, secret=SECRETS["other"])
        zero = "AAAAAA=="
        for name, made, code in (
            ("value changed", good.replace(value.encode(), zero.encode()), MISMATCH),
            ("signature changed", changed(good, len(good) - 5), MISMATCH),
            ("signed by another", trailer(other, chunks[-1], CRC, value), MISMATCH),
            ("out of the chain", trailer(draft, chunks[0], CRC, value), MISMATCH),
            ("another, signed", trailer(draft, chunks[-1], CRC, zero), "BadDigest"),
            ("not signed", line + b"\r\n\r\n", TRAILER),
            ("a signature alone", signature + b"\r\n\r\n", TRAILER),
            ("left out", b"\r\n", TRAILER),
            ("doubled", line + b"\r\n" + good, TRAILER),
            ("with more", b"x-amz-meta-a:b\r\n" + good, TRAILER),
            ("with authorization", b"authorization:b\r\n" + good, TRAILER),
            ("not there at all", b"", INCOMPLETE),
        ):
            mutated = evolve(sent, body=sent.body + made)
            yield Mutation(f"trailer {name}", mutated, code)


class UnsignedTrailerTests(ChunkTestCase):
    """``STREAMING-UNSIGNED-PAYLOAD-TRAILER``: the body is not signed, so that all hangs on the head."""

    def test_who_takes_them(self) -> None:
        """Chunks that nothing signs are for the bytes of objects and parts: every other operation refuses them, whatever it takes."""
        found = {}
        for row, draft in self.drafts():
            if row.perform is None:
                continue
            body = draft.body.ljust(1)
            sent = streaming(draft, [body], UNSIGNED_TRAILER).signed()
            encoded = unsigned([body], {CRC: checksum_of("CRC32", body)})
            before = self.holds()
            status, code = self.baseline(row, evolve(sent, body=encoded))
            if status != 200:
                self.assertEqual((status, code), (400, "InvalidRequest"), row.name)
                self.assertEqual(self.holds(), before)
            found[row.name] = status
        taking = {name for name, status in found.items() if status == 200}
        self.assertEqual(taking, {"PutObject", "UploadPart"})

    def test_wrong_heads(self) -> None:
        """The head's signature is checked whatever the operation, built or not (CVE-2025-31489, CVE-2026-40344).

        MinIO took any secret in this mode, in some of its operations: whoever knew an access key could write. Here every
        operation that takes a body is asked with a wrong secret, in the header and by a presigned URL.
        """
        found = []
        for row in TAKING:
            pieces = pieces_of(row, self.draft(row).body)
            draft = streaming(self.draft(row), pieces, UNSIGNED_TRAILER)
            value = checksum_of("CRC32", b"".join(pieces))
            body = unsigned(pieces, {CRC: value})
            whole = evolve(draft.signed(), body=body)
            mutations = self.of_the_head(draft, body)
            found += self.wrongs_of(row, whole, mutations)
        self.assertEqual(found, [])

    def of_the_head(self, draft: Draft, body: bytes) -> Iterator[Mutation]:
        """What can be done to a head."""
        sent = evolve(draft.signed(), body=body)
        wrong = evolve(draft, secret=SECRETS["other"])
        stated = evolve(
            wrong, query=(*draft.query, ("X-Amz-Content-Sha256", UNSIGNED_TRAILER))
        )
        signature = signature_of(sent)
        by_header = sent.having("authorization", None)
        for name, mutated, code in (
            ("a wrong secret", wrong.signed(), MISMATCH),
            ("a wrong secret, presigned", stated.presigned(), MISMATCH),
            (
                "no signature",
                sent.authorized(signature, ""),
                "AuthorizationHeaderMalformed",
            ),
            ("another signature", sent.authorized(signature, "0" * 64), MISMATCH),
            ("no Authorization", by_header, "AccessDenied"),
            (
                "a bare access key",
                evolve(
                    by_header,
                    target=f"{draft.path}?X-Amz-Credential={draft.access_id}",
                ),
                "AuthorizationQueryParametersError",
            ),
            ("another trailer", sent.having("x-amz-trailer", "x"), MISMATCH),
            (
                "another length",
                sent.having("x-amz-decoded-content-length", "0"),
                MISMATCH,
            ),
        ):
            yield Mutation(name, evolve(mutated, body=body), code)
