"""Versions: which one a request means, inside an interaction; their ids, and how these are shown."""

from __future__ import annotations

import re
from os import urandom
from typing import TYPE_CHECKING

from ..errors import (
    InvalidArgument,
    InvalidRequest,
    MethodNotAllowed,
    NoSuchKey,
    NoSuchVersion,
)
from ..values import NULL_VERSION, Bucket, ObjectVersion
from .policy.decide import authorize
from .times import http_date

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from .asked import Asked

_VERSION_ID = re.compile(r"[A-Za-z0-9._-]{32}")


def new_version_id() -> str:
    """An id for a version to come: it says nothing, and is never made twice.

    Not for use inside an interaction, which has no chance in it. It begins with no ``-``, which commands would take for an option.
    """
    return urandom(16).hex()


def shown_id(bucket: Bucket, version: ObjectVersion) -> str:
    """What answers call a version: ``""``, for nothing, in a bucket that never was versioned."""
    is_named = bucket.versioning or version.version_id != NULL_VERSION
    return version.version_id if is_named else ""


def id_headers(version_id: str) -> list[tuple[str, str]]:
    """The header that says which version was meant.

    :param version_id: as :func:`shown_id` gives it.
    """
    return [("x-amz-version-id", version_id)] if version_id else []


def made_headers(version: ObjectVersion) -> list[tuple[str, str]]:
    """The header that says which version was made. While versioning is suspended S3 says nothing here, though it says ``null`` of the same version later.

    Source: Amazon S3 API Reference, the examples of PutObject.
    """
    return [] if version.version_id == NULL_VERSION else id_headers(version.version_id)


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
    tx: IMetadataTransaction,
    bucket: Bucket,
    key: str,
    version_id: str | None,
    method: str = "GET",
) -> ObjectVersion:
    """The version a request means that is not to delete it.

    :param version_id: the one asked for; ``None`` for the latest.
    :param method: the verb that a delete marker does not know.
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
        refused = MethodNotAllowed(Method=method, ResourceType="DeleteMarker")
        refused.headers.extend(_marker_headers(version))
        refused.headers.append(("Allow", "DELETE"))
        refused.headers.append(("Last-Modified", http_date(version.modified)))
        raise refused
    return version


def find_authorized(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    key: str,
    version_id: str | None,
    method: str = "GET",
) -> ObjectVersion:
    """The version a read, or a change of its lock, means; as :func:`find_version`, but who may not list is not told what is not there.

    Source: Amazon S3 API Reference, GetObject, "Permissions".

    :raises AccessDenied: there is none, and the caller may not list the bucket.
    """
    try:
        return find_version(tx, bucket, key, version_id, method)
    except (NoSuchKey, NoSuchVersion):
        authorize(tx, asked, "s3:ListBucket", bucket)
        raise


def find_authorized_source(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    key: str,
    version_id: str | None,
) -> ObjectVersion:
    """The version a copy means; as :func:`find_authorized`, but for a delete marker named by its id.

    :raises InvalidRequest: the version named is a delete marker.
    """
    try:
        return find_authorized(tx, asked, bucket, key, version_id)
    except MethodNotAllowed:
        raise InvalidRequest(
            "The source of a copy request may not specifically refer to a delete marker by version id."
        ) from None


def _marker_headers(version: ObjectVersion) -> list[tuple[str, str]]:
    return [("x-amz-delete-marker", "true"), *id_headers(version.version_id)]
