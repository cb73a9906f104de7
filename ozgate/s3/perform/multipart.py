"""CreateMultipartUpload, UploadPart and AbortMultipartUpload, with the rest of multipart beside them.

Whether an upload goes on or has ended is decided in the write of each operation: of a Complete, an
Abort and an UploadPart that race, each sees what the one before it left.

Source: Amazon S3 API Reference, the pages of these names; Amazon S3 User Guide, "Multipart upload
overview" and "Checking object integrity".
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from ...errors import InvalidRequest
from ...values import Bucket, Claim, Part, Upload
from ..changing import Lock, begin_upload, check_part, drop_upload
from ..changing.locks import kept_lock, with_lock
from ..checksums import ALGORITHMS, declared, trailer
from ..conditions import check_abort
from ..configuration.accesslist import ACCESS_LIST
from ..documents import document, element
from ..grantees import Wanted, wanted_of
from ..headers import read_object_headers, read_tags, refuse_unbuilt
from ..lockheaders import check_authorized_lock, check_integrity, read_lock
from ..naming import keep
from ..ownership import check_list
from ..receive import receive
from ..reply import Reply, xml_reply
from ..terms import stated_size
from .completing import complete_multipart_upload
from .digesting import asked_algorithm
from .reading import part_number_of
from .uploadlisting import list_multipart_uploads, list_parts
from .uploads import find_upload, store_part, upload_in_progress

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call

__all__ = [
    "abort_multipart_upload",
    "complete_multipart_upload",
    "create_multipart_upload",
    "list_multipart_uploads",
    "list_parts",
    "upload_part",
]


async def create_multipart_upload(call: Call) -> Reply:
    """Begin an upload."""
    system, metadata, storage_class = read_object_headers(call)
    algorithm, kind = checksum_rule(call)
    wanted, lock = await wanted_of(call), read_lock(call.headers)
    upload_id = new_upload_id(call.gateway.clock.seconds())
    upload = Upload(
        key=call.key,
        upload_id=upload_id,
        initiated=0,
        owner=call.principal.short_name,
        storage_class=storage_class,
        headers=system,
        metadata=metadata,
        tags=read_tags(call),
        checksum_algorithm=algorithm,
        checksum_type=kind,
        more=with_lock({} if wanted is None else {ACCESS_LIST: wanted.pack()}, lock),
    )
    await call.write_authorized(_create, upload, wanted, lock)
    return begun(call, upload_id, algorithm, kind)


def begun(call: Call, upload_id: str, algorithm: str, kind: str) -> Reply:
    """The answer once an upload is begun.

    :param algorithm: and ``kind``: as :func:`checksum_rule` gives them.
    """
    reply = xml_reply(
        document(
            "InitiateMultipartUploadResult",
            element("Bucket", call.bucket_name),
            element("Key", call.key),
            element("UploadId", upload_id),
        )
    )
    if algorithm:
        reply.headers.append(("x-amz-checksum-algorithm", algorithm))
        reply.headers.append(("x-amz-checksum-type", kind))
    return reply


async def upload_part(call: Call) -> Reply:
    """Take a part."""
    number = part_number_of(call.query("partNumber") or "")
    upload_id = call.query("uploadId") or ""
    refuse_unbuilt(call.headers)
    size = stated_size(call)
    upload = await call.read_authorized(look_up, upload_id, number, size)
    check_algorithm(upload, declared_algorithm(call))
    algorithm = upload.checksum_algorithm
    received = await receive(
        call, inline=False, algorithms=(algorithm,) if algorithm else ()
    )
    part = Part(
        number=number,
        size=received.size,
        etag=received.md5,
        modified=0,
        checksums=received.checksums,
        content=received.content,
    )
    part = await keep(call, received, store_part, upload_id, part)
    headers = [("ETag", f'"{part.etag}"')]
    # S3 shows the checksum of the upload's algorithm, sent or not: SDKs copy it from here into the list of a Complete.
    shown = received.declared or algorithm
    if shown:
        headers.append((ALGORITHMS[shown].header, part.checksums[shown]))
    return Reply(200, headers)


async def abort_multipart_upload(call: Call) -> Reply:
    """End an upload and drop its parts."""
    upload_id = call.query("uploadId") or ""
    await call.write_authorized(_abort, upload_id)
    return Reply(204)


def new_upload_id(now: float) -> str:
    """An upload id nobody can guess; ids sort by the time they were made.

    :param now: seconds since the epoch.
    """
    return f"{int(now * 1000):012x}{token_hex(16)}"


def checksum_rule(call: Call) -> tuple[str, str]:
    """The checksum algorithm and type an upload shall have; ``""`` twice when it names none.

    :raises InvalidRequest: they do not go together.
    """
    algorithm = asked_algorithm(call)
    kind = call.headers.get("x-amz-checksum-type")
    if kind is None:
        if not algorithm:
            return "", ""
        return algorithm, "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    kind = kind.upper()
    if not algorithm:
        raise InvalidRequest(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        )
    if kind not in ("COMPOSITE", "FULL_OBJECT"):
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    if (kind == "COMPOSITE" and algorithm == "CRC64NVME") or (
        kind == "FULL_OBJECT" and not ALGORITHMS[algorithm].full_object_combinable
    ):
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return algorithm, kind


def declared_algorithm(call: Call) -> str:
    """The algorithm of the checksum that a body comes with, by header or trailer; ``""`` for none."""
    stated = declared(call.headers)
    return stated[0] if stated else trailer(call.headers) or ""


def check_algorithm(upload: Upload, actual: str) -> None:
    """Refuse a part whose checksum is not of the upload's algorithm.

    An upload without an algorithm takes parts with any: SDKs send CRC32 unasked.

    :raises InvalidRequest: it is of another, or is missing from a composite upload.
    """
    expected = upload.checksum_algorithm
    if not expected or actual == expected:
        return
    if not actual and upload.checksum_type == "FULL_OBJECT":
        return
    raise InvalidRequest(
        f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower()}, actual checksum Type: {actual.lower() or 'null'}"
    )


def _create(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    upload: Upload,
    wanted: Wanted | None,
    lock: Lock,
) -> None:
    check_list(tx, asked, bucket, wanted)
    check_authorized_lock(tx, asked, bucket, lock)
    begin_upload(tx, bucket, upload)


def look_up(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    upload_id: str,
    number: int,
    size: int,
) -> Upload:
    """The upload, before a part's body is taken; an interaction inside of its bucket.

    :param size: bytes of the part, by what the client says.
    :raises QuotaExceeded: a part of that length does not fit.
    :raises InvalidRequest: what it will be part of will be locked, and it comes without a checksum.
    """
    upload = find_upload(tx, bucket, asked.key, upload_id)
    check_integrity(tx, asked, bucket, kept_lock(upload.more, upload.key), "Part")
    check_part(tx, bucket, upload, number, size)
    return upload


def _abort(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, upload_id: str
) -> None:
    tx.claim(Claim.upload(bucket.number, upload_id))
    upload = upload_in_progress(tx, bucket, asked.key, upload_id)
    check_abort(asked.headers, upload, upload_id)
    if upload is not None:
        drop_upload(tx, bucket, upload)
