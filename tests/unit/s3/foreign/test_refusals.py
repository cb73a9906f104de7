"""Codes of another system as S3's."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Refused
from ozgate.s3.foreign.refusals import as_s3_error_of

CODES = {
    "BUCKET_ALREADY_EXISTS": (409, "BucketAlreadyExists"),
    "BUCKET_NOT_EMPTY": (409, "BucketNotEmpty"),
    "BUCKET_NOT_FOUND": (404, "NoSuchBucket"),
    "DETECTED_LOOP_IN_BUCKET_LINKS": (404, "NoSuchBucket"),
    "ENTITY_TOO_SMALL": (400, "EntityTooSmall"),
    "FILE_ALREADY_EXISTS": (400, "InvalidRequest"),
    "INVALID_BUCKET_NAME": (400, "InvalidBucketName"),
    "INVALID_KEY_NAME": (400, "InvalidArgument"),
    "INVALID_PART": (400, "InvalidPart"),
    "INVALID_PART_ORDER": (400, "InvalidPartOrder"),
    "INVALID_TOKEN": (403, "SignatureDoesNotMatch"),
    "KEY_NOT_FOUND": (404, "NoSuchKey"),
    "NOT_A_FILE": (400, "InvalidRequest"),
    "NOT_SUPPORTED_OPERATION": (501, "NotImplemented"),
    "NO_SUCH_MULTIPART_UPLOAD_ERROR": (404, "NoSuchUpload"),
    "PERMISSION_DENIED": (403, "AccessDenied"),
    "QUOTA_EXCEEDED": (403, "QuotaExceeded"),
}


class RefusalTests(SynchronousTestCase):
    """What a client is told."""

    def test_known(self) -> None:
        """Each code has the status and the code that AWS has for that."""
        for code, expected in CODES.items():
            error = as_s3_error_of(Refused(code, "secrets of others"), "b", "k", "u")
            self.assertEqual((error.status, error.code), expected)
            self.assertNotIn("secrets", str((error.message, error.members)))

    def test_members(self) -> None:
        """It names what was asked for."""
        for code, members in (
            ("BUCKET_NOT_FOUND", {"BucketName": "b"}),
            ("KEY_NOT_FOUND", {"Key": "k"}),
            ("INVALID_PART", {"UploadId": "u"}),
        ):
            error = as_s3_error_of(Refused(code), "b", "k", "u")
            self.assertEqual(error.members, members)

    def test_unknown(self) -> None:
        """What S3 has no name for is an internal error, which the client is told nothing of."""
        error = as_s3_error_of(Refused("SOMETHING_NEW", "path /secret"), "b", "k")
        self.assertEqual((error.status, error.code), (500, "InternalError"))
        self.assertNotIn("secret", error.message)
