"""CompleteMultipartUpload. Moves no bytes: the object names the extents of its parts.

A Complete may be repeated, since its answer can be lost: the upload is kept a while with the
version it became, and the same list gets the same answer.

Source: Amazon S3 API Reference, CompleteMultipartUpload; Amazon S3 User Guide, "Multipart upload
overview" and "Checking object integrity".
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import evolve

from ...content.extents import put_together
from ...errors import (
    BadDigest,
    EntityTooLarge,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    NoSuchUpload,
)
from ...immutable import frozen
from ...values import (
    Bucket,
    Checksum,
    Claim,
    Content,
    ObjectPart,
    ObjectVersion,
    Part,
    Upload,
)
from ...wire.headers import Headers
from ..asked import Asked
from ..call import Call
from ..changing import Draft, complete_upload
from ..changing.locks import kept_lock
from ..checksums import ALGORITHMS, combine, composite
from ..documents import document, element
from ..headers import refuse_unbuilt
from ..ownership import owned_upload
from ..receive import document as receive_document
from ..reply import Reply, xml_reply
from ..versions import made_headers, new_version_id
from .partlist import MAX_PARTS, Listed, fingerprint, read_list

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction

MIN_PART = 5 << 20
"""Bytes of every part but the last, at least."""

MAX_SIZE = MAX_PARTS * (5 << 30)
"""Bytes of an object, at most: 48.8 TiB."""


@frozen
class Claimed:
    """What the request says of the object it makes: each is compared with what was computed.

    :ivar size: ``x-amz-mp-object-size``.
    :ivar kind: ``x-amz-checksum-type``.
    :ivar checksum: algorithm and value of an ``x-amz-checksum-*`` header.
    """

    size: int | None
    kind: str | None
    checksum: tuple[str, str] | None


async def complete_multipart_upload(call: Call) -> Reply:
    """Make an object of the parts of an upload."""
    upload_id = call.query("uploadId") or ""
    refuse_unbuilt(call.headers)
    claim = read_claim(call)
    about = about_document(call)
    listed = read_list(await receive_document(about), upload_id)
    # Who asks may have been found out anew by then.
    version = await about.write_authorized(
        _complete, upload_id, listed, fingerprint(listed), claim, new_version_id()
    )
    reply = completed(call, version.etag, version.checksum)
    reply.headers += made_headers(version)
    return reply


def completed(call: Call, etag: str, checksum: Checksum | None) -> Reply:
    """The answer once an object is made."""
    children = [
        element("Location", _location(call)),
        element("Bucket", call.bucket_name),
        element("Key", call.key),
        element("ETag", f'"{etag}"'),
    ]
    if checksum is not None:
        children.append(element(f"Checksum{checksum.algorithm}", checksum.value))
        children.append(element("ChecksumType", checksum.type))
    return xml_reply(document("CompleteMultipartUploadResult", *children))


def about_document(call: Call) -> Call:
    """The call without its checksum: that of a Complete is of the object, not of the document it comes with.

    Nor does Complete know ``x-amz-sdk-checksum-algorithm``, which other documents come with.
    """
    headers = {
        name: value
        for name, value in call.headers.items()
        if not name.startswith(("x-amz-checksum-", "x-amz-sdk-"))
    }
    return evolve(call, asked=evolve(call.asked, headers=Headers(headers)))


def read_claim(call: Call) -> Claimed:
    """What the headers say of the object.

    :raises InvalidRequest: they say it badly.
    """
    headers = call.headers
    size = headers.get("x-amz-mp-object-size")
    if size is not None and not (size.isascii() and size.isdigit() and len(size) <= 18):
        raise InvalidRequest("Value for x-amz-mp-object-size header is invalid.")
    kind = headers.get("x-amz-checksum-type")
    if kind is not None and kind.upper() not in ("COMPOSITE", "FULL_OBJECT"):
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    given = [
        (name, value)
        for name, algorithm in ALGORITHMS.items()
        if (value := headers.get(algorithm.header)) is not None
    ]
    if len(given) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    return Claimed(
        size=None if size is None else int(size),
        kind=None if kind is None else kind.upper(),
        checksum=given[0] if given else None,
    )


def _complete(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    upload_id: str,
    listed: Sequence[Listed],
    digest: str,
    claim: Claimed,
    version_id: str,
) -> ObjectVersion:
    """Make the object, or find that it was made already.

    :param version_id: see :class:`~ozgate.s3.changing.Draft`.
    """
    number = bucket.number
    tx.claim(Claim.upload(number, upload_id), Claim.key(number, asked.key))
    upload = tx.upload(bucket, asked.key, upload_id)
    if upload is None:
        raise NoSuchUpload(UploadId=upload_id)
    if upload.completed is not None:
        if upload.completed_parts != digest:
            raise NoSuchUpload(UploadId=upload_id)
        return upload.completed
    stored = tx.parts(bucket, upload, 0, MAX_PARTS)
    parts = _match(upload, listed, stored)
    _check_sizes(parts, claim)
    checksum = _checksum(upload, parts, claim)
    draft = Draft(
        event="ObjectCreated:CompleteMultipartUpload",
        key=upload.key,
        version_id=version_id,
        content=_content(parts),
        etag=multipart_etag(parts),
        storage_class=upload.storage_class,
        headers=upload.headers,
        metadata=upload.metadata,
        tags=upload.tags,
        checksum=checksum,
        parts_count=len(parts),
        parts=_kept(parts, checksum.algorithm),
        lock=kept_lock(upload.more, upload.key),
    )
    draft = owned_upload(tx, asked, bucket, draft, upload)
    return complete_upload(
        tx, asked.cause, bucket, upload, draft, asked.headers, stored, digest
    )


def _kept(parts: Sequence[Part], algorithm: str) -> list[ObjectPart]:
    """What is kept of the parts."""
    return [
        ObjectPart(part.number, part.size, part.checksums.get(algorithm), part.etag)
        for part in parts
    ]


def _content(parts: Sequence[Part]) -> Content:
    """Where the bytes of the object are."""
    return put_together(part.content for part in parts)


def _match(
    upload: Upload, listed: Sequence[Listed], stored: Sequence[Part]
) -> list[Part]:
    """The stored parts that a list means.

    :raises InvalidPart: one is missing, or is not what the client thinks.
    :raises InvalidRequest: the upload demands a checksum of each, and one is missing.
    :raises InvalidPartOrder: it does, and their numbers are not 1, 2, and so on (API Reference, ``CompletedPart``).
    """
    by_number = {part.number: part for part in stored}
    algorithm = upload.checksum_algorithm
    demanded = algorithm if upload.checksum_type == "COMPOSITE" else ""
    parts = []
    for wanted in listed:
        part = by_number.get(wanted.number)
        if (
            part is None
            or part.etag != wanted.etag
            or any(
                part.checksums.get(name) != value
                for name, value in wanted.checksums.items()
            )
        ):
            raise InvalidPart(
                UploadId=upload.upload_id, PartNumber=wanted.number, ETag=wanted.etag
            )
        if demanded and demanded not in wanted.checksums:
            raise InvalidRequest(
                f"The upload was created using a {demanded.lower()} checksum. The complete request must include the checksum for each part. It was missing for part {wanted.number} in the request."
            )
        parts.append(part)
    # With numbers that ascend from 1 on at least, the last one tells.
    if demanded and parts[-1].number != len(parts):
        raise InvalidPartOrder(UploadId=upload.upload_id)
    return parts


def _check_sizes(parts: Sequence[Part], claim: Claimed) -> None:
    """Make sure that the sizes of the parts, and of the object, are allowed and expected.

    :raises EntityTooSmall: a part that is not the last is too small.
    :raises EntityTooLarge: the object is too large.
    :raises InvalidRequest: the client expects another size.
    """
    for part in parts[:-1]:
        if part.size < MIN_PART:
            raise EntityTooSmall(
                ProposedSize=part.size,
                MinSizeAllowed=MIN_PART,
                PartNumber=part.number,
                ETag=part.etag,
            )
    size = sum(part.size for part in parts)
    if size > MAX_SIZE:
        raise EntityTooLarge(ProposedSize=size, MaxSizeAllowed=MAX_SIZE)
    if claim.size is not None and claim.size != size:
        raise InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {claim.size} does not match what was computed: {size}"
        )


def _checksum(upload: Upload, parts: Sequence[Part], claim: Claimed) -> Checksum:
    """The checksum of the object, compared with what the client expects.

    :raises InvalidRequest: the client expects another algorithm or type.
    :raises BadDigest: it expects another value.
    """
    algorithm = upload.checksum_algorithm or "CRC64NVME"
    kind = upload.checksum_type or "FULL_OBJECT"
    if claim.kind is not None and claim.kind != kind:
        raise InvalidRequest(
            f"The upload was created using the {kind} checksum mode. The complete request must use the same checksum mode."
        )
    if kind == "COMPOSITE":
        value = composite(algorithm, [part.checksums[algorithm] for part in parts])
    else:
        value = combine(
            algorithm, ((part.checksums[algorithm], part.size) for part in parts)
        )
    if claim.checksum is not None:
        name, expected = claim.checksum
        if name != algorithm:
            raise InvalidRequest(
                f"Checksum Type mismatch occurred, expected checksum Type: {algorithm.lower()}, actual checksum Type: {name.lower()}"
            )
        # A composite value may come with or without its number of parts.
        if expected not in (value, value.partition("-")[0]):
            raise BadDigest(
                f"The {name} you specified did not match the calculated checksum."
            )
    return Checksum(algorithm, kind, value)


def multipart_etag(parts: Sequence[Part]) -> str:
    """The ETag of a multipart object: the MD5 of its parts' binary MD5s, and their number."""
    digests = bytes.fromhex("".join(part.etag for part in parts))
    return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _location(call: Call) -> str:
    """The object's address, as S3 writes it."""
    path = quote(call.key, safe="")
    if not call.address.virtual_host:
        path = f"{call.bucket_name}/{path}"
    scheme = "https" if call.asked.is_secure else "http"
    return f"{scheme}://{call.address.host}/{path}"
