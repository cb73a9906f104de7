"""Tags of objects: PutObjectTagging, GetObjectTagging, DeleteObjectTagging."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from ...interfaces import IMetadataTransaction
from ...values import NULL_VERSION, Bucket, Claim, ObjectVersion
from ..asked import Asked
from ..call import Call
from ..changing import replace_members
from ..receive import document
from ..reply import Reply, xml_reply
from ..tags import from_document, to_document
from ..versions import check_version_id, find_authorized, find_version


async def put_object_tagging(call: Call) -> Reply:
    """Replace the tag set of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    tags = from_document(await document(call))
    version = await call.write_authorized(_put_tags, wanted, tags)
    return Reply(200, _version_header(version))


async def get_object_tagging(call: Call) -> Reply:
    """Show the tag set of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    version = await call.read_authorized(_read_version, wanted)
    reply = xml_reply(to_document(version.tags))
    reply.headers += _version_header(version)
    return reply


async def delete_object_tagging(call: Call) -> Reply:
    """Remove the tag set of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    version = await call.write_authorized(_delete_tags, wanted)
    return Reply(204, _version_header(version))


def _read_version(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: str | None
) -> ObjectVersion:
    return find_authorized(tx, asked, bucket, asked.key, wanted)


def _put_tags(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    wanted: str | None,
    tags: Mapping[str, str],
) -> ObjectVersion:
    tx.claim(Claim.key(bucket.number, asked.key))
    version = evolve(find_version(tx, bucket, asked.key, wanted), tags=tags)
    replace_members(tx, asked.cause, bucket, version, "ObjectTagging:Put")
    return version


def _delete_tags(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: str | None
) -> ObjectVersion:
    tx.claim(Claim.key(bucket.number, asked.key))
    version = evolve(find_version(tx, bucket, asked.key, wanted), tags={})
    replace_members(tx, asked.cause, bucket, version, "ObjectTagging:Delete")
    return version


def _version_header(version: ObjectVersion) -> list[tuple[str, str]]:
    """Which version was meant; S3 says nothing of null versions here."""
    if version.version_id == NULL_VERSION:
        return []
    return [("x-amz-version-id", version.version_id)]
