"""Where a copy comes from: what CopyObject and UploadPartCopy share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ...errors import InvalidRequest
from ...values import NULL_VERSION, Bucket, ObjectVersion
from ..conditions import check_copy_source
from ..params import copy_source
from ..versions import check_version_id, find_source

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..call import Call

MAX_SOURCE = 5 << 30
"""Bytes of one copy source at most."""

ROUNDS = 5
"""How often a source that changes under the copy is read again."""


class Changed(Exception):
    """The source is another version than the one that was read."""


@frozen
class Source:
    """Where a copy comes from, as the request names it."""

    bucket: str
    key: str
    version_id: str | None


def read_source(call: Call) -> Source:
    """The source that the header ``x-amz-copy-source`` names.

    :raises InvalidArgument: it names none.
    :raises InvalidRequest: it comes with a key for an encryption that is not there.
    """
    if "x-amz-copy-source-server-side-encryption-customer-algorithm" in call.headers:
        raise InvalidRequest(
            "The encryption parameters are not applicable to this object."
        )
    bucket, key, version_id = copy_source(call.headers.get("x-amz-copy-source") or "")
    check_version_id(version_id)
    return Source(bucket, key, version_id)


def locate_source(
    tx: IMetadataTransaction, call: Call, source: Source
) -> tuple[Bucket, ObjectVersion]:
    """The version to copy, with the conditions on it asked.

    :raises PreconditionFailed: one does not hold.
    """
    bucket = call.bucket(tx, source.bucket)
    version = find_source(tx, call, bucket, source.key, source.version_id)
    check_copy_source(call.headers, version.etag, version.modified, tx.now())
    return bucket, version


def check_same(
    tx: IMetadataTransaction, call: Call, source: Source, sequence: int
) -> tuple[Bucket, ObjectVersion]:
    """The version to copy, if it is still the one that was read: else its bytes may be gone.

    :raises Changed: it is another.
    """
    bucket, version = locate_source(tx, call, source)
    if version.sequence != sequence:
        raise Changed()
    return bucket, version


def check_size(size: int) -> None:
    """Refuse to copy more at once than S3 does.

    :raises InvalidRequest: it is more.
    """
    if size > MAX_SOURCE:
        raise InvalidRequest(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_SOURCE}"
        )


def source_headers(version: ObjectVersion) -> list[tuple[str, str]]:
    """The headers that say what was copied."""
    if version.version_id == NULL_VERSION:
        return []
    return [("x-amz-copy-source-version-id", version.version_id)]
