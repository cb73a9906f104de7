"""Tags of objects: PutObjectTagging, GetObjectTagging, DeleteObjectTagging."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from ...errors import MethodNotAllowed, NoSuchKey, NoSuchVersion
from ...interfaces import IMetadataTransaction
from ...values import NULL_VERSION, Bucket, ObjectVersion
from ..call import Call
from ..receive import document
from ..reply import Reply, xml_reply
from ..tags import from_document, to_document
from .deleting import checked_version_id


async def put_object_tagging(call: Call) -> Reply:
    """Replace the tag set of one version of an object."""
    wanted = checked_version_id(call.query("versionId"))
    tags = from_document(await document(call))
    version = await call.write(
        _replace_tags, call, wanted, tags, claims=(("key", call.bucket_name, call.key),)
    )
    return Reply(200, _version_header(version))


async def get_object_tagging(call: Call) -> Reply:
    """Show the tag set of one version of an object."""
    wanted = checked_version_id(call.query("versionId"))
    version = await call.read(_read_version, call, wanted)
    reply = xml_reply(to_document(version.tags))
    reply.headers += _version_header(version)
    return reply


async def delete_object_tagging(call: Call) -> Reply:
    """Remove the tag set of one version of an object."""
    wanted = checked_version_id(call.query("versionId"))
    version = await call.write(
        _replace_tags, call, wanted, {}, claims=(("key", call.bucket_name, call.key),)
    )
    return Reply(204, _version_header(version))


def _read_version(
    tx: IMetadataTransaction, call: Call, wanted: str | None
) -> ObjectVersion:
    return _tagged(tx, call.bucket(tx), call.key, wanted)


def _replace_tags(
    tx: IMetadataTransaction, call: Call, wanted: str | None, tags: Mapping[str, str]
) -> ObjectVersion:
    bucket = call.bucket(tx)
    version = evolve(_tagged(tx, bucket, call.key, wanted), tags=tags)
    tx.replace_version(bucket, version)
    return version


def _tagged(
    tx: IMetadataTransaction, bucket: Bucket, key: str, wanted: str | None
) -> ObjectVersion:
    """The version whose tags are meant; a delete marker has none.

    :raises NoSuchKey: the key has no current object.
    :raises NoSuchVersion: there is no such version.
    :raises MethodNotAllowed: the version is a delete marker.
    """
    if wanted is None:
        version: ObjectVersion | None = tx.latest(bucket, key)
        if version is None or version.is_delete_marker:
            raise NoSuchKey(Key=key)
        return version
    version = tx.version(bucket, key, wanted)
    if version is None:
        raise NoSuchVersion(Key=key, VersionId=wanted)
    if version.is_delete_marker:
        raise MethodNotAllowed(Method="GET", ResourceType="DeleteMarker")
    return version


def _version_header(version: ObjectVersion) -> list[tuple[str, str]]:
    """Which version was meant; S3 says nothing of null versions here."""
    if version.version_id == NULL_VERSION:
        return []
    return [("x-amz-version-id", version.version_id)]
