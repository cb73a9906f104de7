"""ListMultipartUploads and ListParts.

Source: Amazon S3 API Reference, the pages of these names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ...values import Bucket, Part, Upload, UploadPage
from ..call import Call
from ..documents import document, element
from ..owners import owner_element
from ..params import encoding_type, integer
from ..reply import Reply, xml_reply
from ..times import timestamp
from .uploads import find_upload

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked

_MAX_ENTRIES = 1000
_LARGEST = 2**31 - 1


FindParts = Callable[
    [Call, str, int, int], Awaitable[tuple[str, Upload, Sequence[Part]]]
]
"""Finds for a call who owns the bucket, an upload, and a page of its parts: by its id, the number to go on after, and limit."""

FindUploads = Callable[
    [Call, str, str, str, str, int], Awaitable[tuple[str, UploadPage]]
]
"""Finds for a call who owns the bucket, and a page of uploads: by prefix, both markers, delimiter and limit."""


async def list_parts(call: Call) -> Reply:
    """List the parts of an upload in progress."""
    return await list_found_parts(call, _find_parts)


async def list_found_parts(call: Call, find: FindParts) -> Reply:
    """As :func:`list_parts`, wherever they are."""
    upload_id = call.query("uploadId") or ""
    limit = min(integer(call, "max-parts", _MAX_ENTRIES, 0, _LARGEST), _MAX_ENTRIES)
    marker = integer(call, "part-number-marker", 0, 0, _LARGEST)
    owner, upload, parts = await find(call, upload_id, marker, limit + 1)
    shown = parts[:limit]
    algorithm = upload.checksum_algorithm
    children = [
        element("Bucket", call.bucket_name),
        element("Key", call.key),
        element("UploadId", upload_id),
        owner_element(upload.owner, "Initiator"),
        owner_element(owner),
        element("StorageClass", upload.storage_class),
        element("PartNumberMarker", marker),
        element("NextPartNumberMarker", shown[-1].number if shown else 0),
        element("MaxParts", limit),
        element("IsTruncated", limit > 0 and len(parts) > limit),
    ]
    if algorithm:
        children.append(element("ChecksumAlgorithm", algorithm))
        children.append(element("ChecksumType", upload.checksum_type))
    children.extend(_part(part, algorithm) for part in shown)
    return xml_reply(document("ListPartsResult", *children))


async def list_multipart_uploads(call: Call) -> Reply:
    """List the uploads in progress of a bucket."""
    return await list_found_uploads(call, _find_uploads)


async def list_found_uploads(call: Call, find: FindUploads) -> Reply:
    """As :func:`list_multipart_uploads`, wherever they are."""
    encode = encoding_type(call)
    limit = min(integer(call, "max-uploads", _MAX_ENTRIES, 0, _LARGEST), _MAX_ENTRIES)
    prefix = call.query("prefix") or ""
    delimiter = call.query("delimiter") or ""
    key_marker = call.query("key-marker") or ""
    # Without a key-marker, S3 ignores the upload-id-marker.
    id_marker = (call.query("upload-id-marker") or "") if key_marker else ""
    owner, page = await find(call, prefix, key_marker, id_marker, delimiter, limit)
    children = [
        element("Bucket", call.bucket_name),
        element("KeyMarker", encode(key_marker)),
        element("UploadIdMarker", id_marker),
    ]
    last_key, last_id = _end(page)
    if last_key:
        children.append(element("NextKeyMarker", encode(last_key)))
        children.append(element("NextUploadIdMarker", last_id))
    if delimiter:
        children.append(element("Delimiter", encode(delimiter)))
    children.append(element("Prefix", encode(prefix)))
    if call.query("encoding-type"):
        children.append(element("EncodingType", "url"))
    children.append(element("MaxUploads", limit))
    children.append(element("IsTruncated", page.next_key is not None))
    children.extend(_upload(upload, owner, encode) for upload in page.items)
    children.extend(
        f"<CommonPrefixes>{element('Prefix', encode(common))}</CommonPrefixes>"
        for common in page.common_prefixes
    )
    return xml_reply(document("ListMultipartUploadsResult", *children))


async def _find_parts(
    call: Call, upload_id: str, after: int, limit: int
) -> tuple[str, Upload, Sequence[Part]]:
    return await call.read_authorized(_parts, upload_id, after, limit)


async def _find_uploads(
    call: Call, prefix: str, key: str, upload_id: str, delimiter: str, limit: int
) -> tuple[str, UploadPage]:
    return await call.read_authorized(
        _uploads, prefix, key, upload_id, delimiter, limit
    )


def _parts(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    upload_id: str,
    after: int,
    limit: int,
) -> tuple[str, Upload, Sequence[Part]]:
    upload = find_upload(tx, bucket, asked.key, upload_id)
    return bucket.owner, upload, tx.parts(bucket, upload, after, limit, False)


def _uploads(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    prefix: str,
    key_marker: str,
    id_marker: str,
    delimiter: str,
    limit: int,
) -> tuple[str, UploadPage]:
    page = tx.upload_page(bucket, prefix, key_marker, id_marker, delimiter, limit)
    return bucket.owner, page


def _end(page: UploadPage) -> tuple[str, str]:
    """The last key, or common prefix, and upload id of a page; S3 names them also where nothing follows."""
    if page.next_key is not None:
        return page.next_key, page.next_upload_id
    last_prefix = page.common_prefixes[-1] if page.common_prefixes else ""
    if page.items and page.items[-1].key > last_prefix:
        return page.items[-1].key, page.items[-1].upload_id
    return last_prefix, ""


def _part(part: Part, algorithm: str) -> str:
    checksum = ""
    if algorithm:
        checksum = element(f"Checksum{algorithm}", part.checksums.get(algorithm))
    return (
        f"<Part>{element('PartNumber', part.number)}"
        f"{element('LastModified', timestamp(part.modified))}"
        f"{element('ETag', _quoted(part.etag))}"
        f"{element('Size', part.size)}{checksum}</Part>"
    )


def _upload(upload: Upload, owner: str, encode: Callable[[str], str]) -> str:
    checksum = ""
    if upload.checksum_algorithm:
        checksum = element("ChecksumAlgorithm", upload.checksum_algorithm)
        checksum += element("ChecksumType", upload.checksum_type)
    return (
        f"<Upload>{element('Key', encode(upload.key))}"
        f"{element('UploadId', upload.upload_id)}"
        f"{owner_element(upload.owner, 'Initiator')}{owner_element(owner)}"
        f"{element('StorageClass', upload.storage_class)}"
        f"{element('Initiated', timestamp(upload.initiated))}{checksum}</Upload>"
    )


def _quoted(etag: str) -> str:
    return f'"{etag}"'
