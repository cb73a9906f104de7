"""Where a copy comes from: what CopyObject and UploadPartCopy share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ...errors import InvalidRequest
from ...immutable import frozen
from ...secondlook import claimed
from ...values import Bucket, Claim, ObjectVersion
from ..conditions import check_copy_source
from ..entering import authorized_source
from ..params import copy_source
from ..versions import check_version_id, find_authorized_source

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call

MAX_SOURCE = 5 << 30
"""Bytes of one copy source at most."""

ROUNDS = 5
"""How often a source that changes under the copy is read again."""


class Changed(Exception):
    """The source is another version than the one that was read."""


@frozen
class CopySource:
    """Where a copy comes from, as the request names it."""

    bucket: str
    key: str
    version_id: str | None


def read_source(call: Call) -> CopySource:
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
    return CopySource(bucket, key, version_id)


def locate_authorized_source(
    tx: IMetadataTransaction, asked: Asked, source: CopySource
) -> tuple[Bucket, ObjectVersion]:
    """The version to copy, where the caller may read it, with the conditions on it asked.

    :raises PreconditionFailed: one does not hold.
    """
    key, version_id = source.key, source.version_id
    bucket = authorized_source(tx, asked, source.bucket, key, version_id or "")
    version = find_authorized_source(tx, asked, bucket, key, version_id)
    check_copy_source(asked.headers, version.etag, version.modified, tx.now())
    return bucket, version


def locate_claimed_authorized_source(
    tx: IMetadataTransaction, asked: Asked, source: CopySource, target: Claim
) -> tuple[Bucket, ObjectVersion]:
    """As :func:`locate_authorized_source`, for a copy that is made now: the key is claimed, shared, so that the bytes keep their name.

    Whether the caller may read them is asked of the bucket as it is after that.

    :param target: what else the copy claims: claims are taken in order.
    """

    def claims(found: tuple[Bucket, ObjectVersion]) -> tuple[Claim, Claim]:
        return Claim.key(found[0].number, source.key, shared=True), target

    look = partial(locate_authorized_source, tx, asked, source)
    return claimed(tx, look, claims)


def locate_same_source(
    tx: IMetadataTransaction, asked: Asked, source: CopySource, sequence: int
) -> tuple[Bucket, ObjectVersion]:
    """As :func:`locate_authorized_source`, if it is still the version that was read: else its bytes may be gone.

    :raises Changed: it is another.
    """
    bucket, version = locate_authorized_source(tx, asked, source)
    if version.sequence != sequence:
        raise Changed()
    return bucket, version


def check_same(
    tx: IMetadataTransaction,
    asked: Asked,
    target: Bucket,
    source: CopySource,
    sequence: int,
) -> None:
    """Make sure that a copy into a bucket can still be stored, before more of it is hashed; an interaction inside of the bucket.

    :raises Changed: the source is another version than the one that was read.
    """
    locate_same_source(tx, asked, source, sequence)


def check_size(size: int) -> None:
    """Refuse to copy more at once than S3 does.

    :raises InvalidRequest: it is more.
    """
    if size > MAX_SOURCE:
        raise InvalidRequest(
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_SOURCE}"
        )


def source_headers(version_id: str) -> list[tuple[str, str]]:
    """The header that says which version was copied.

    :param version_id: as :func:`~ozgate.s3.versions.shown_id` gives it.
    """
    return [("x-amz-copy-source-version-id", version_id)] if version_id else []
