"""ListMultipartUploads and ListParts.

Source: Amazon S3 API Reference, the pages of these names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...values import Bucket, Part, Upload, UploadPage
from ..documents import document, element
from ..owners import owner_element
from ..params import encoding_type, integer
from ..reply import Reply, xml_reply
from ..times import timestamp
from .uploads import find_upload

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call

_MAX_ENTRIES = 1000
_LARGEST = 2**31 - 1


async def list_parts(call: Call) -> Reply:
    """List the parts of an upload in progress."""
    upload_id = call.query("uploadId") or ""
    limit = min(integer(call, "max-parts", _MAX_ENTRIES, 0, _LARGEST), _MAX_ENTRIES)
    marker = integer(call, "part-number-marker", 0, 0, _LARGEST)
    owner, upload, parts = await call.read_authorized(
        _parts, upload_id, marker, limit + 1
    )
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
    encode = encoding_type(call)
    limit = min(integer(call, "max-uploads", _MAX_ENTRIES, 0, _LARGEST), _MAX_ENTRIES)
    prefix = call.query("prefix") or ""
    delimiter = call.query("delimiter") or ""
    key_marker = call.query("key-marker") or ""
    # Without a key-marker, S3 ignores the upload-id-marker.
    id_marker = (call.query("upload-id-marker") or "") if key_marker else ""
    owner, page = await call.read_authorized(
        _uploads, prefix, key_marker, id_marker, delimiter, limit
    )
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
