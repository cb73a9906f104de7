"""Versions inside an interaction: which one a request means, and how a write makes a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import (
    InvalidArgument,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchKey,
    NoSuchVersion,
)
from ..values import NULL_VERSION, Bucket, Content, ObjectPart, ObjectVersion
from .conditions import check_write
from .policy.decide import authorize
from .quotas import check_quota
from .xml import http_date

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..wire.headers import Headers
    from .asked import Asked

_VERSION_ID = re.compile(r"[A-Za-z0-9._-]{32}")


def check_version_id(version_id: str | None) -> None:
    """Check the form of a version id, as S3 does before it looks for one.

    :raises InvalidArgument: it can be no version id.
    """
    if version_id is None or version_id == NULL_VERSION:
        return
    if not version_id:
        raise InvalidArgument(
            "Version id cannot be the empty string",
            ArgumentName="versionId",
            ArgumentValue="",
        )
    if not _VERSION_ID.fullmatch(version_id):
        raise InvalidArgument(
            "Invalid version id specified",
            ArgumentName="versionId",
            ArgumentValue=version_id,
        )


def find_version(
    tx: IMetadataTransaction, bucket: Bucket, key: str, version_id: str | None
) -> ObjectVersion:
    """The version a read means.

    :param version_id: the one asked for; ``None`` for the latest.
    :raises NoSuchKey: there is none, or the latest is a delete marker.
    :raises NoSuchVersion: that version is not there.
    :raises MethodNotAllowed: that version is a delete marker.
    """
    if version_id is None:
        version = tx.latest(bucket, key)
        if version is None:
            raise NoSuchKey(Key=key)
        if version.is_delete_marker:
            gone = NoSuchKey(Key=key)
            gone.headers.extend(_marker_headers(version))
            raise gone
        return version
    check_version_id(version_id)
    version = tx.version(bucket, key, version_id)
    if version is None:
        raise NoSuchVersion(Key=key, VersionId=version_id)
    if version.is_delete_marker:
        refused = MethodNotAllowed(Method="GET", ResourceType="DeleteMarker")
        refused.headers.extend(_marker_headers(version))
        refused.headers.append(("Allow", "DELETE"))
        refused.headers.append(("Last-Modified", http_date(version.modified)))
        raise refused
    return version


def find_readable(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    key: str,
    version_id: str | None,
) -> ObjectVersion:
    """The version a read means; as :func:`find_version`, but who may not list is not told what is not there.

    Source: Amazon S3 API Reference, GetObject, "Permissions".

    :raises AccessDenied: there is none, and the caller may not list the bucket.
    """
    try:
        return find_version(tx, bucket, key, version_id)
    except (NoSuchKey, NoSuchVersion):
        authorize(tx, asked, "s3:ListBucket", bucket)
        raise


def find_source(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    key: str,
    version_id: str | None,
) -> ObjectVersion:
    """The version a copy means; as :func:`find_readable`, but for a delete marker named by its id.

    :raises InvalidRequest: the version named is a delete marker.
    """
    try:
        return find_readable(tx, asked, bucket, key, version_id)
    except MethodNotAllowed:
        raise InvalidRequest(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        ) from None


def _marker_headers(version: ObjectVersion) -> list[tuple[str, str]]:
    pairs = [("x-amz-delete-marker", "true")]
    if version.version_id != NULL_VERSION:
        pairs.append(("x-amz-version-id", version.version_id))
    return pairs


def check_growth(
    tx: IMetadataTransaction,
    bucket: Bucket,
    key: str,
    latest: ObjectVersion | None,
    more: int,
) -> ObjectVersion | None:
    """Make sure that there is room for a new null version of a key, in the place of the null version before it.

    To be asked before that one is removed, for what is used must be as the bucket says.

    :param latest: the key's newest version.
    :param more: bytes that come, less those that go besides the version replaced.
    :return: the version to be replaced, if there is one.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    """
    replaced = latest
    if latest is not None and latest.version_id != NULL_VERSION:
        replaced = tx.version(bucket, key, NULL_VERSION)
    if replaced is None:
        check_quota(tx, bucket, more, 1)
    else:
        check_quota(tx, bucket, more - replaced.size, 0)
    return replaced


def store_version(
    tx: IMetadataTransaction,
    bucket: Bucket,
    headers: Headers,
    members: Mapping[str, Any],
    content: Content,
    parts: Sequence[ObjectPart] = (),
    counted: int = 0,
) -> ObjectVersion:
    """Make a new null version of a key the latest, in the place of the null version before it.

    :param headers: the request's; its ``If-Match`` and ``If-None-Match`` are asked of the key's latest version.
    :param members: members of :class:`~ozgate.values.ObjectVersion`; sequence, time and owner are set here.
    :param counted: bytes that the bucket's use has counted already and that this write frees.
    :raises PreconditionFailed: a condition does not hold.
    :raises QuotaExceeded: the bucket or its volume cannot take it.
    """
    key = members["key"]
    latest = tx.latest(bucket, key)
    check_write(headers, latest, key)
    replaced = check_growth(tx, bucket, key, latest, content.length - counted)
    if replaced is not None:
        tx.remove_version(bucket, replaced)
    version = ObjectVersion(
        sequence=tx.next_sequence(),
        modified=tx.now(),
        owner=bucket.owner,
        **members,
    )
    tx.add_version(bucket, version, content, parts)
    return version
