"""Tags of objects: PutObjectTagging, GetObjectTagging, DeleteObjectTagging."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from ...interfaces import IMetadataTransaction
from ...values import Bucket, Claim
from ..asked import Asked
from ..call import Call
from ..changing import replace_members
from ..receive import document
from ..reply import Reply, xml_reply
from ..tags import from_document, to_document
from ..versions import (
    check_version_id,
    find_authorized,
    find_version,
    id_headers,
    shown_id,
)

_Headers = list[tuple[str, str]]
"""The headers that say which version was meant."""


async def put_object_tagging(call: Call) -> Reply:
    """Replace the tag set of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    tags = from_document(await document(call))
    call.state(*((f"s3:requestobjecttag/{key}", text) for key, text in tags.items()))
    return Reply(200, await call.write_authorized(_put_tags, wanted, tags))


async def get_object_tagging(call: Call) -> Reply:
    """Show the tag set of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    tags, headers = await call.read_authorized(_read_tags, wanted)
    reply = xml_reply(to_document(tags))
    reply.headers += headers
    return reply


async def delete_object_tagging(call: Call) -> Reply:
    """Remove the tag set of one version of an object."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    return Reply(204, await call.write_authorized(_delete_tags, wanted))


def _read_tags(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: str | None
) -> tuple[Mapping[str, str], _Headers]:
    version = find_authorized(tx, asked, bucket, asked.key, wanted)
    return version.tags, id_headers(shown_id(bucket, version))


def _put_tags(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    wanted: str | None,
    tags: Mapping[str, str],
) -> _Headers:
    tx.claim(Claim.key(bucket.number, asked.key))
    version = evolve(find_version(tx, bucket, asked.key, wanted, "PUT"), tags=tags)
    replace_members(tx, asked.cause, bucket, version, "ObjectTagging:Put")
    return id_headers(shown_id(bucket, version))


def _delete_tags(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: str | None
) -> _Headers:
    tx.claim(Claim.key(bucket.number, asked.key))
    version = evolve(find_version(tx, bucket, asked.key, wanted, "DELETE"), tags={})
    replace_members(tx, asked.cause, bucket, version, "ObjectTagging:Delete")
    return id_headers(shown_id(bucket, version))
