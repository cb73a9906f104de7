"""Removing objects: DeleteObject and DeleteObjects.

Removing what is not there succeeds, as in S3. What is removed, and whether a condition
holds, is decided by :func:`~ozgate.s3.changing.delete_key`, inside the one write.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from ...errors import Damaged, InternalError, MalformedXML, S3Error
from ...interfaces import IMetadataTransaction
from ...values import Bucket, Claim, ObjectVersion
from ...wire.headers import Headers
from ...wire.target import check_key
from ..asked import Asked
from ..call import Call
from ..changing import Deleted, Doomed, delete_key
from ..documents import Element, document, element, read
from ..lockheaders import check_bypass, read_authorized_bypass
from ..policy.decide import authorize
from ..policy.versionactions import action_on
from ..receive import document as receive_document
from ..reply import Reply, xml_reply
from ..versions import check_version_id, id_headers, new_version_id

_log = Logger()

MAX_OBJECTS = 1000

_CONDITIONS = {
    "ETag": "if-match",
    "Size": "x-amz-if-match-size",
    "LastModifiedTime": "x-amz-if-match-last-modified-time",
}
"""The element of an ObjectIdentifier → the header of DeleteObject that means the same."""


async def delete_object(call: Call) -> Reply:
    """Remove an object, or one version of it; where the bucket is versioned, hide it by a delete marker."""
    wanted = call.query("versionId")
    check_version_id(wanted)
    doomed = Doomed(call.key, wanted, new_version_id(), call.headers)
    deleted = await call.write_authorized(_delete_one, doomed)
    return Reply(204, _delete_headers(wanted, deleted))


async def delete_objects(call: Call) -> Reply:
    """Remove up to 1000 objects in one transaction; each has its own outcome."""
    quiet, doomed = read_request(await receive_document(call))
    outcomes = await call.write_authorized(_delete_authorized, doomed)
    rows = []
    for one, outcome in zip(doomed, outcomes, strict=True):
        if isinstance(outcome, Damaged):
            call.gateway.tally.damage(outcome.kind)
            _log.error("damaged: {key!r}: {error}", key=one.key, error=outcome)
            rows.append(error_row(one, InternalError()))
        elif isinstance(outcome, S3Error):
            rows.append(error_row(one, outcome))
        elif not quiet:
            rows.append(deleted_row(one, outcome))
    return xml_reply(document("DeleteResult", *rows))


def _delete_one(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, doomed: Doomed
) -> Deleted:
    bypass = read_authorized_bypass(
        tx, asked, bucket, doomed.key, doomed.version_id or ""
    )
    return delete_key(tx, asked.cause, bucket, doomed, bypass)


def _delete_authorized(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, doomed: Sequence[Doomed]
) -> list[Deleted | S3Error | Damaged]:
    check_bypass(asked, bucket)
    # All at once, for claims are taken in order.
    tx.claim(*(Claim.key(bucket.number, one.key) for one in doomed))
    outcomes: list[Deleted | S3Error | Damaged] = []
    for one in doomed:
        try:
            check_key(one.key)
            check_version_id(one.version_id)
            # The bucket's door was open; each key has an answer of its own, as in S3.
            version_id = one.version_id or ""
            action = action_on(asked.action, version_id)
            authorize(tx, asked, action, bucket, one.key, version_id)
            if one.conditions:
                # They tell what it is: as for DeleteObject, in ozgate.s3.entering.
                action = action_on("s3:GetObject", version_id)
                authorize(tx, asked, action, bucket, one.key, version_id)
            if bucket.versioning and bucket.quota_names >= 0:
                # The markers before this one count.
                bucket = tx.bucket(bucket.volume, bucket.name) or bucket
            bypass = read_authorized_bypass(tx, asked, bucket, one.key, version_id)
            outcomes.append(delete_key(tx, asked.cause, bucket, one, bypass))
        except (S3Error, Damaged) as error:
            # What is damaged is found before anything of it is removed.
            outcomes.append(error)
    return outcomes


def _delete_headers(wanted: str | None, deleted: Deleted) -> list[tuple[str, str]]:
    marker = _marker(deleted)
    if marker is None:
        return id_headers(wanted or "")
    return [("x-amz-delete-marker", "true"), *id_headers(marker.version_id)]


def _marker(deleted: Deleted) -> ObjectVersion | None:
    """The delete marker that was made, or has gone."""
    removed = deleted.removed
    return removed if removed and removed.is_delete_marker else deleted.marker


def read_request(data: bytes) -> tuple[bool, list[Doomed]]:
    """The document ``Delete``: whether it asks for quiet, and what to remove.

    :raises MalformedXML: it is another document, or names none or more than 1000 objects.
    """
    root = read(data, "Delete")
    root.allow("Object", "Quiet")
    objects = root.all("Object")
    if not 1 <= len(objects) <= MAX_OBJECTS or len(root.all("Quiet")) > 1:
        raise MalformedXML()
    quiet = (root.text_of("Quiet") or "false").strip().lower()
    if quiet not in ("true", "false"):
        raise MalformedXML()
    return quiet == "true", [_read_object(one) for one in objects]


def _read_object(identifier: Element) -> Doomed:
    identifier.allow("Key", "VersionId", *_CONDITIONS)
    keys = identifier.all("Key")
    if len(keys) != 1 or not keys[0].text:
        raise MalformedXML()
    conditions = {}
    for name, header in _CONDITIONS.items():
        value = identifier.text_of(name)
        if value is not None:
            conditions[header] = value.strip()
    version_id = identifier.text_of("VersionId") or None
    return Doomed(keys[0].text, version_id, new_version_id(), Headers(conditions))


def deleted_row(doomed: Doomed, deleted: Deleted) -> str:
    """What DeleteObjects says of what has gone."""
    marker, said = _marker(deleted), ""
    if marker is not None:
        said = element("DeleteMarker", True) + element(
            "DeleteMarkerVersionId", marker.version_id
        )
    return (
        f"<Deleted>{element('Key', doomed.key)}"
        f"{element('VersionId', doomed.version_id)}{said}</Deleted>"
    )


def error_row(doomed: Doomed, error: S3Error) -> str:
    """What it says of what has not."""
    return (
        f"<Error>{element('Key', doomed.key)}{element('VersionId', doomed.version_id)}"
        f"{element('Code', error.code)}{element('Message', error.message)}</Error>"
    )
