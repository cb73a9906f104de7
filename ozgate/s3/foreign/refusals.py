"""What a refusal of another system is in S3.

Its codes are Ozone's (``OMException.ResultCodes`` of 2.2.0). What has no name in S3 is an internal error, whose cause the log has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

from ...errors import (
    AccessDenied,
    BucketAlreadyExists,
    BucketNotEmpty,
    EntityTooSmall,
    InternalError,
    InvalidAccessKeyId,
    InvalidArgument,
    InvalidBucketName,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NotImplemented,
    PreconditionFailed,
    QuotaExceeded,
    Refused,
    S3Error,
    ServiceUnavailable,
    SignatureDoesNotMatch,
)

if TYPE_CHECKING:
    from ..call import Call

_log = Logger()

_CODES: Final[Mapping[str, type[S3Error]]] = {
    "ACCESS_DENIED": AccessDenied,
    "PERMISSION_DENIED": AccessDenied,
    "UNAUTHORIZED": AccessDenied,
    "USER_MISMATCH": AccessDenied,
    "BUCKET_ALREADY_EXISTS": BucketAlreadyExists,
    "BUCKET_NOT_EMPTY": BucketNotEmpty,
    "BUCKET_NOT_FOUND": NoSuchBucket,
    "DETECTED_LOOP_IN_BUCKET_LINKS": NoSuchBucket,
    "VOLUME_NOT_FOUND": NoSuchBucket,
    "INVALID_BUCKET_NAME": InvalidBucketName,
    "KEY_NOT_FOUND": NoSuchKey,
    "FILE_NOT_FOUND": NoSuchKey,
    "DIRECTORY_NOT_FOUND": NoSuchKey,
    "INVALID_TOKEN": SignatureDoesNotMatch,
    "ACCESS_ID_NOT_FOUND": InvalidAccessKeyId,
    "S3_SECRET_NOT_FOUND": InvalidAccessKeyId,
    "QUOTA_EXCEEDED": QuotaExceeded,
    "INVALID_PART": InvalidPart,
    "INVALID_PART_ORDER": InvalidPartOrder,
    "ENTITY_TOO_SMALL": EntityTooSmall,
    "NO_SUCH_MULTIPART_UPLOAD_ERROR": NoSuchUpload,
    "FEATURE_NOT_ENABLED": NotImplemented,
    "NOT_SUPPORTED_OPERATION": NotImplemented,
    "NOT_SUPPORTED_OPERATION_PRIOR_FINALIZATION": NotImplemented,
    "SAFE_MODE_EXCEPTION": ServiceUnavailable,
    "SCM_IN_SAFE_MODE": ServiceUnavailable,
}

_OF_BUCKETS: Final = (
    NoSuchBucket,
    BucketAlreadyExists,
    BucketNotEmpty,
    InvalidBucketName,
)
_OF_UPLOADS: Final = (NoSuchUpload, InvalidPart, InvalidPartOrder)
_NAMES: Final = frozenset(("INVALID_KEY_NAME", "INVALID_PATH"))
"""Codes of keys that a bucket cannot have: where keys are files, or below a name that snapshots have."""

_IN_THE_WAY: Final = frozenset(
    ("FILE_ALREADY_EXISTS", "DIRECTORY_ALREADY_EXISTS", "NOT_A_FILE", "NOT_A_DIRECTORY")
)
"""Codes of keys of such a bucket where a folder is a file, or the other way round."""

_CONDITIONS: Final = frozenset(
    (
        "ATOMIC_WRITE_CONFLICT",
        "ETAG_MISMATCH",
        "ETAG_NOT_AVAILABLE",
        "KEY_ALREADY_EXISTS",
    )
)
"""Codes of writes that hung on what was there."""


def as_s3_error(call: Call, refused: Refused) -> S3Error:
    """What a client is told about a refusal of what it asked for."""
    if refused.code in _CONDITIONS:
        is_match = "if-match" in call.headers
        return PreconditionFailed(Condition="If-Match" if is_match else "If-None-Match")
    upload_id = call.query("uploadId") or ""
    return as_s3_error_of(refused, call.bucket_name, call.key, upload_id)


def as_s3_error_of(
    refused: Refused, bucket: str, key: str, upload_id: str = ""
) -> S3Error:
    """As :func:`as_s3_error`, of a key that the request names, if only as what it copies."""
    code = refused.code
    if code in _NAMES:
        return InvalidArgument(
            "The bucket can have no key of that name.",
            ArgumentName="key",
            ArgumentValue=key,
        )
    if code in _IN_THE_WAY:
        return InvalidRequest(
            "The bucket keeps its keys as files: where the key, or part of its name, is a folder there can be no file, and the other way round."
        )
    made = _CODES.get(code)
    if made is None:
        _log.error("the other system refused: {refused}", refused=refused)
        return InternalError()
    if made in _OF_BUCKETS:
        return made(BucketName=bucket)
    if made is NoSuchKey:
        return made(Key=key)
    return made(UploadId=upload_id) if made in _OF_UPLOADS else made()
