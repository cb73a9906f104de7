"""Tests of :mod:`ozgate.s3.receive`: what is taken, what is refused, and that refusing leaves nothing."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from attrs import evolve
from awscrt.checksums import crc64nvme
from twisted.internet.defer import CancelledError, Deferred

from ozgate.config.settings import Settings
from ozgate.errors import (
    BadDigest,
    ClientGone,
    EntityTooLarge,
    IncompleteBody,
    InvalidDigest,
    InvalidRequest,
    MissingContentLength,
    NoSpace,
    SignatureDoesNotMatch,
    XAmzContentSHA256Mismatch,
)
from ozgate.s3.checksums import ALGORITHMS, encode
from ozgate.s3.receive import document, receive
from ozgate.values import Content, Extent, Principal
from tests.unit.auth.chunking import (
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    signed_chunks,
    signed_trailer,
    unsigned,
    verified,
)
from tests.unit.s3.receiving import (
    LARGE,
    SMALL,
    Connection,
    ReceiveCase,
    allow,
    checksum,
)


class TakenTests(ReceiveCase):
    """Bodies that are what their headers say."""

    def test_inline(self) -> None:
        """A small body stays in memory, and no blob is made."""
        received = self.taken(SMALL, algorithms=("SHA1",))
        self.assertEqual(received.content, Content(SMALL))
        self.assertEqual(received.size, len(SMALL))
        self.assertEqual(received.md5, hashlib.md5(SMALL).hexdigest())
        self.assertEqual(
            received.checksums,
            {name: checksum(name, SMALL) for name in ("CRC64NVME", "SHA1")},
        )
        self.assertIsNone(received.declared)
        self.assertEqual(self.blobs.data, {})

    def test_inline_below(self) -> None:
        """The blob store says up to which size a body stays in memory."""
        limit = self.blobs.inline_below
        self.assertEqual(self.taken(b"x" * limit).content, Content(b"x" * limit))
        self.assertIsNone(self.taken(b"x" * (limit + 1)).content.body)

    def test_never_inline(self) -> None:
        """A small body that must be a blob is one; an empty one never is."""
        received = self.taken(SMALL, inline=False)
        (extent,) = received.content.extents
        self.assertEqual(self.blobs.data[extent.blob.id], SMALL)
        self.assertEqual(extent, Extent(extent.blob, 0, len(SMALL)))
        self.assertEqual(self.taken(b"", inline=False).content, Content(b""))
        self.assertEqual(self.taken(b"").md5, hashlib.md5().hexdigest())

    def test_large(self) -> None:
        """A large body goes to a blob, with all its digests."""
        names = ("SHA256", "CRC32C")
        received = self.taken(LARGE, algorithms=names)
        (extent,) = received.content.extents
        self.assertEqual(self.blobs.data[extent.blob.id], LARGE)
        self.assertEqual(received.md5, hashlib.md5(LARGE).hexdigest())
        self.assertEqual(
            received.checksums,
            {name: checksum(name, LARGE) for name in (*names, "CRC64NVME")},
        )

    def test_stated(self) -> None:
        """What a client states and is true is accepted, of small bodies and large."""
        for data in (SMALL, LARGE):
            md5 = b64encode(hashlib.md5(data).digest()).decode()
            gate = verified(hashlib.sha256(data).hexdigest().upper())
            for name, row in ALGORITHMS.items():
                value = checksum(name, data)
                received = self.taken(
                    data, gate=gate, content_md5=md5, **{row.header: value}
                )
                self.assertEqual(received.declared, name)
                self.assertEqual(received.checksums[name], value)

    def test_trailer(self) -> None:
        """A checksum that comes as trailer counts as stated."""
        for data in (SMALL, LARGE):
            for name, row in ALGORITHMS.items():
                value = checksum(name, data)
                encoded = unsigned([data[:9000], data[9000:]], {row.header: value})
                if len(data) < 9000:
                    encoded = unsigned([data], {row.header: value})
                received = self.taken(
                    encoded,
                    gate=verified(UNSIGNED_TRAILER),
                    x_amz_trailer=row.header,
                    x_amz_decoded_content_length=str(len(data)),
                )
                self.assertEqual(received.size, len(data))
                self.assertEqual(received.declared, name)
                self.assertEqual(received.checksums[name], value)
                self.assertEqual(received.content.length, len(data))

    def test_signed_chunks(self) -> None:
        """Signed chunks with a signed trailer are decoded and verified, also without Content-Length."""
        value = checksum("CRC32", LARGE)
        chunks, last = signed_chunks([LARGE[:100000], LARGE[100000:]])
        trailer = signed_trailer({"x-amz-checksum-crc32": value}, last)
        received = self.taken(
            b"".join(chunks) + trailer,
            length=None,
            gate=verified(SIGNED_TRAILER),
            x_amz_trailer="x-amz-checksum-crc32",
            x_amz_decoded_content_length=str(len(LARGE)),
        )
        (extent,) = received.content.extents
        self.assertEqual(self.blobs.data[extent.blob.id], LARGE)

    def test_several_blobs(self) -> None:
        """Where the store limits a blob, a body becomes several, in order."""
        self.blobs.extent_size = 100000  # type: ignore[misc]
        received = self.taken(LARGE)
        lengths = [extent.length for extent in received.content.extents]
        self.assertEqual(lengths, [100000, 100000, 62144])
        stored = [self.blobs.data[each.blob.id] for each in received.content.extents]
        self.assertEqual(b"".join(stored), LARGE)
        value = encode(crc64nvme(LARGE).to_bytes(8, "big"))
        self.assertEqual(received.checksums, {"CRC64NVME": value})

    def test_whole_blobs(self) -> None:
        """A body of exactly two blobs' size makes two."""
        self.blobs.extent_size = len(LARGE) // 2  # type: ignore[misc]
        self.assertEqual(len(self.taken(LARGE).content.extents), 2)


class RefusedTests(ReceiveCase):
    """Bodies that are not, and requests that say nonsense about them."""

    def test_length(self) -> None:
        """Without a length an object is not taken."""
        self.refused(MissingContentLength, SMALL, length=None)
        for length in (None, "", "-1", "+5", "0x5", "5 ", "5,5", "9" * 20, "٣"):
            headers = {} if length is None else {"x_amz_decoded_content_length": length}
            self.refused(
                MissingContentLength,
                unsigned([SMALL]),
                gate=verified(UNSIGNED_TRAILER),
                **headers,
            )

    def test_too_large(self) -> None:
        """A body above the limit is refused before it is taken, by whatever length says so."""
        self.gateway = evolve(self.gateway, settings=Settings(max_object=5))
        connection = Connection(SMALL, len(SMALL))
        taking = Deferred.fromCoroutine(receive(self.call(connection), inline=True))
        error: Any = self.failureResultOf(taking, EntityTooLarge).value
        self.assertEqual(error.members, {"ProposedSize": 10, "MaxSizeAllowed": 5})
        self.assertFalse(connection.reading)
        self.refused(
            EntityTooLarge,
            unsigned([b"x"]),
            gate=verified(UNSIGNED_TRAILER),
            x_amz_decoded_content_length="6",
        )

    def test_signed_hash(self) -> None:
        """Another body than the signed one is refused, with both hashes."""
        wrong = hashlib.sha256(b"other").hexdigest()
        for data in (b"", SMALL, LARGE):
            error = self.refused(
                XAmzContentSHA256Mismatch, data, gate=verified(wrong), inline=False
            )
            self.assertEqual(
                error.members,
                {
                    "ClientComputedContentSHA256": wrong,
                    "S3ComputedContentSHA256": hashlib.sha256(data).hexdigest(),
                },
            )

    def test_content_md5(self) -> None:
        """A Content-MD5 that is none, or another's, is refused; S3 shows the one that was sent in hex, the other in base64."""
        for value in ("", "abc", "AAAA", "?" * 24, hashlib.md5(SMALL).hexdigest()):
            error = self.refused(InvalidDigest, SMALL, content_md5=value)
            self.assertEqual(error.members, {"Content-MD5": value})
            self.assertEqual(
                error.message, "The Content-MD5 you specified was invalid."
            )
        wrong = b64encode(hashlib.md5(b"other").digest()).decode()
        for data in (SMALL, LARGE):
            error = self.refused(BadDigest, data, content_md5=wrong)
            members = {
                "ExpectedDigest": hashlib.md5(b"other").hexdigest(),
                "CalculatedDigest": b64encode(hashlib.md5(data).digest()).decode(),
            }
            self.assertEqual(error.members, members)

    def test_checksums(self) -> None:
        """A checksum of other bytes is refused, in header or trailer."""
        for data in (SMALL, LARGE):
            for name, row in ALGORITHMS.items():
                value = checksum(name, b"other")
                error = self.refused(BadDigest, data, **{row.header: value})
                self.assertEqual(
                    error.message,
                    f"The {name} you specified did not match the calculated checksum.",
                )
                self.refused(
                    BadDigest,
                    unsigned([data], {row.header: value}),
                    gate=verified(UNSIGNED_TRAILER),
                    x_amz_trailer=row.header,
                    x_amz_decoded_content_length=str(len(data)),
                )

    def test_bad_trailer_value(self) -> None:
        """A trailer that is no checksum is refused."""
        error = self.refused(
            InvalidRequest,
            unsigned([SMALL], {"x-amz-checksum-crc32": "AAAA"}),
            gate=verified(UNSIGNED_TRAILER),
            x_amz_trailer="x-amz-checksum-crc32",
            x_amz_decoded_content_length=str(len(SMALL)),
        )
        self.assertIn("trailing header is invalid", error.message)

    def test_trailer_of_plain_body(self) -> None:
        """A trailer announced for a body that cannot have one is refused."""
        self.refused(InvalidRequest, SMALL, x_amz_trailer="x-amz-checksum-crc32")

    def test_broken_chunks(self) -> None:
        """Broken framing and wrong chunk signatures are refused, and leave nothing."""
        for data in (SMALL, LARGE):
            length = str(len(data))
            chunks, last = signed_chunks([data])
            encoded = b"".join(chunks) + signed_trailer({}, last)
            for error, broken, gate in (
                (IncompleteBody, encoded[:-3], SIGNED_TRAILER),
                (IncompleteBody, encoded + b"x", SIGNED_TRAILER),
                (
                    SignatureDoesNotMatch,
                    encoded.replace(data[:8], data[1:9], 1),
                    SIGNED_TRAILER,
                ),
                (IncompleteBody, encoded, UNSIGNED_TRAILER),
                (IncompleteBody, b"", UNSIGNED_TRAILER),
            ):
                self.refused(
                    error,
                    broken,
                    gate=verified(gate),
                    x_amz_decoded_content_length=length,
                )

    def test_several_blobs(self) -> None:
        """Blobs that were full before the rest was found wrong are doomed."""
        self.blobs.extent_size = 100000  # type: ignore[misc]
        self.refused(
            BadDigest, LARGE, **{"x-amz-checksum-crc32": checksum("CRC32", b"other")}
        )
        self.assertEqual(len(self.blobs.data), 2)

    def test_no_space(self) -> None:
        """A full store stops a body, and keeps nothing of it."""
        self.blobs.capacity = 100000
        self.refused(NoSpace, LARGE)
        self.blobs.capacity = 5
        self.refused(NoSpace, SMALL, inline=False)

    def test_client_gone(self) -> None:
        """A client that vanishes in mid-body leaves nothing."""
        for data in (SMALL, LARGE):
            connection = Connection(data, len(data) + 1)
            call = self.call(connection)
            done = Deferred.fromCoroutine(receive(call, inline=True))
            connection.body.data_received(connection.pieces.pop(0))
            connection.body.failed(ClientGone())
            self.failureResultOf(done, ClientGone)
            self.assert_nothing_left()

    def test_cancelled(self) -> None:
        """A call that is cancelled in mid-body leaves nothing."""
        connection = Connection(LARGE, len(LARGE))
        done = Deferred.fromCoroutine(receive(self.call(connection), inline=True))
        connection.body.data_received(connection.pieces.pop(0))
        self.assertEqual(len(self.blobs.sinks), 1)
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertTrue(connection.drained)
        self.assert_nothing_left()


class ConfirmTests(ReceiveCase):
    """Whether it is asked again who signed, when a body is here."""

    def asked_again(self, data: bytes, seconds: float, *, of_object: bool) -> int:
        """How often, of a body that takes so long."""
        connection = Connection(data, len(data))
        asked = []

        async def admit_again() -> Principal:
            asked.append(connection.body.complete)
            return Principal("again")

        call = evolve(self.call(connection), admit_again=admit_again)
        work = receive(call, inline=True) if of_object else document(call, allow)
        done: Deferred[Any] = Deferred.fromCoroutine(work)
        self.clock.rightNow += seconds
        connection.run()
        self.successResultOf(done)
        self.assertTrue(all(asked))
        self.assertEqual(call.principal.user == "again", bool(asked))
        return len(asked)

    def test_small(self) -> None:
        """A small body that comes at once costs no second look; one that took its time does, and one of which the clock cannot tell."""
        for of_object in (True, False):
            for seconds, times in ((0, 0), (1, 0), (1.5, 1), (3600, 1), (-1, 1)):
                found = self.asked_again(SMALL, seconds, of_object=of_object)
                self.assertEqual(found, times, (of_object, seconds))

    def test_large(self) -> None:
        """A large one of an object does always."""
        self.assertEqual(self.asked_again(LARGE, 0, of_object=True), 1)
