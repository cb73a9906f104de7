"""Tests of small documents in :mod:`ozgate.s3.receive`: taken whole, or refused."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred

from ozgate.config.settings import Settings
from ozgate.errors import (
    BadDigest,
    InvalidRequest,
    MaxMessageLengthExceeded,
    XAmzContentSHA256Mismatch,
)
from ozgate.s3.receive import document
from ozgate.s3.row import Body
from tests.unit.auth.chunking import UNSIGNED_TRAILER, unsigned, verified
from tests.unit.s3.receiving import PUT, SMALL, Connection, ReceiveCase, allow, checksum

TAGGING = evolve(PUT, name="PutObjectTagging", body=Body.DOCUMENT)


class DocumentTests(ReceiveCase):
    """Small documents."""

    def document(self, data: bytes, length: Any = -1, **rest: Any) -> Deferred[bytes]:
        """Have a document taken."""
        connection = Connection(data, len(data) if length == -1 else length)
        call = self.call(connection, **rest)
        done: Deferred[bytes] = Deferred.fromCoroutine(document(call, allow))
        connection.run()
        return done

    def test_taken(self) -> None:
        """A document is taken whole, with or without a length, in either coding."""
        self.assertEqual(self.successResultOf(self.document(SMALL)), SMALL)
        self.assertEqual(self.successResultOf(self.document(SMALL, None)), SMALL)
        self.assertEqual(self.successResultOf(self.document(b"")), b"")
        chunked = self.document(
            unsigned([SMALL]),
            gate=verified(UNSIGNED_TRAILER),
            x_amz_decoded_content_length=str(len(SMALL)),
        )
        self.assertEqual(self.successResultOf(chunked), SMALL)

    def test_too_big(self) -> None:
        """A document above the limit is refused, whether it says so or not."""
        self.gateway = evolve(self.gateway, settings=Settings(max_document=9))
        for length in (-1, None):
            done = self.document(SMALL, length)
            error: Any = self.failureResultOf(done, MaxMessageLengthExceeded).value
            self.assertEqual(error.members, {"MaxMessageLengthBytes": 9})

    def test_checksum_required(self) -> None:
        """Where the model demands a checksum, any kind will do, and none will not."""
        demanding = evolve(PUT, checksum_required=True)
        md5 = b64encode(hashlib.md5(SMALL).digest()).decode()
        for headers in (
            {"content_md5": md5},
            {"x_amz_checksum_crc32": checksum("CRC32", SMALL)},
        ):
            done = self.document(SMALL, operation=demanding, **headers)
            self.assertEqual(self.successResultOf(done), SMALL)
        done = self.document(SMALL, operation=demanding)
        error: Any = self.failureResultOf(done, InvalidRequest).value
        self.assertIn("Content-MD5 OR x-amz-checksum-*", error.message)

    def test_wrong(self) -> None:
        """A document that is not what was stated is refused; S3 shows its Content-MD5 as it was sent."""
        md5 = b64encode(hashlib.md5(b"other").digest()).decode()
        done = self.document(SMALL, content_md5=md5, operation=TAGGING)
        error: Any = self.failureResultOf(done, BadDigest).value
        self.assertEqual(error.members["ExpectedDigest"], md5)
        wrong = {"x_amz_checksum_crc32": checksum("CRC32", b"other")}
        self.failureResultOf(self.document(SMALL, **wrong), BadDigest)
        gate = verified(hashlib.sha256(b"other").hexdigest())
        self.failureResultOf(self.document(SMALL, gate=gate), XAmzContentSHA256Mismatch)
