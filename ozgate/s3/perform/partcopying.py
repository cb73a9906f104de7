"""UploadPartCopy. The part names the source's extents.

A part's ETag is the MD5 of its bytes, since CompleteMultipartUpload makes the object's of them.
It is known where the part is a whole object that was put in one piece, or just one part of the source; otherwise the bytes are
read once and hashed. An inline source becomes a blob first: parts are extents always.

Source: Amazon S3 API Reference, UploadPartCopy.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from typing import TYPE_CHECKING

from attrs import evolve

from ...content.extents import count_extents, joined, known_crc64nvme
from ...content.intake import now_of, store
from ...content.outlet import Located, begin_read, body_of, locate
from ...content.sealing import copied, is_sealed
from ...errors import SlowDown
from ...immutable import frozen
from ...values import (
    Bucket,
    ByteRange,
    Claim,
    Content,
    ObjectPart,
    ObjectVersion,
    Part,
    Upload,
)
from ..changing import check_part
from ..checksums import encode
from ..documents import document, element
from ..headers import refuse_unbuilt
from ..naming import keep
from ..params import copy_source_range
from ..receive import Received
from ..reply import Reply, xml_reply
from ..times import timestamp
from ..versions import shown_id
from .copysource import (
    ROUNDS,
    Changed,
    CopySource,
    check_same,
    check_size,
    locate_authorized_source,
    locate_claimed_authorized_source,
    read_source,
    source_headers,
)
from .digesting import digest
from .partlist import MAX_PARTS
from .reading import part_number_of
from .uploads import find_upload, store_part

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call


@frozen
class _Found:
    """What is to be copied.

    :ivar version_id: what answers call the source.
    :ivar etag: the hex MD5 of it; ``""`` where that is not known.
    :ivar checksums: those of it that the source has: algorithm → base64.
    """

    upload: Upload
    version: ObjectVersion
    version_id: str
    located: Located
    etag: str
    checksums: dict[str, str]


async def upload_part_copy(call: Call) -> Reply:
    """Make a part of an object, or of a range of it."""
    number = part_number_of(call.query("partNumber") or "")
    upload_id = call.query("uploadId") or ""
    source = read_source(call)
    refuse_unbuilt(call.headers)
    for _ in range(ROUNDS):
        token = begin_read(call.gateway)
        try:
            found = await call.read_authorized(_find, upload_id, number, source)
            etag, sums = await _sums(call, found, upload_id, source)
            return await _store(call, upload_id, source, found, (number, etag, sums))
        except Changed:
            continue
        finally:
            call.gateway.readers.leave(token)
    raise SlowDown()


def _find(
    tx: IMetadataTransaction,
    asked: Asked,
    target: Bucket,
    upload_id: str,
    number: int,
    source: CopySource,
) -> _Found:
    upload = find_upload(tx, target, asked.key, upload_id)
    bucket, version = locate_authorized_source(tx, asked, source)
    header = asked.headers.get("x-amz-copy-source-range")
    wanted = ByteRange(0, version.size)
    if header is not None:
        wanted = copy_source_range(header, version.size)
    check_size(wanted.length)
    # What does not fit is not read first.
    check_part(tx, target, upload, number, wanted.length)
    located = locate(tx, bucket, version, wanted)
    etag, checksums = _sums_of(tx, bucket, version, wanted)
    shown = shown_id(bucket, version)
    return _Found(upload, version, shown, located, etag, checksums)


def _sums_of(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion, wanted: ByteRange
) -> tuple[str, dict[str, str]]:
    """The MD5 and the checksums of a range, as far as the rows have them."""
    checksum = version.checksum
    if not version.parts_count:
        if wanted.length < version.size or len(version.etag) != 32:
            return "", {}
        if checksum is None or checksum.type != "FULL_OBJECT":
            return version.etag, {}
        return version.etag, {checksum.algorithm: checksum.value}
    part = _part_of(tx, bucket, version, wanted)
    if part is None:
        return "", {}
    if checksum is None or not part.checksum:
        return part.etag, {}
    # Whatever the object's is, that of a part is of all its bytes.
    return part.etag, {checksum.algorithm: part.checksum}


def _part_of(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion, wanted: ByteRange
) -> ObjectPart | None:
    """The part that a range is all of; ``None`` where it is not just one."""

    def first_after(number: int) -> ObjectPart | None:
        found = tx.object_parts(bucket, version, number, 1)
        return found[0] if found else None

    def start_after(number: int) -> int:
        part = first_after(number)
        return version.size + 1 if part is None else part.start

    # Parts start in the order of their numbers, of which some may be left out.
    after = bisect_right(range(MAX_PARTS), wanted.offset, key=start_after) - 1
    part = first_after(after) if after >= 0 else None
    if part is None or (part.start, part.size) != (wanted.offset, wanted.length):
        return None
    return part


async def _sums(
    call: Call, found: _Found, upload_id: str, source: CopySource
) -> tuple[str, dict[str, str]]:
    """The MD5 and the checksums of a part, from what is known of its source or from its bytes."""
    needed = {"CRC64NVME", found.upload.checksum_algorithm} - {""}
    known = _known(found, needed)
    if known is not None:
        return known
    sequence = found.version.sequence
    return await digest(
        call, found.located, needed, _check_wanted, upload_id, source, sequence
    )


def _check_wanted(
    tx: IMetadataTransaction,
    asked: Asked,
    target: Bucket,
    upload_id: str,
    source: CopySource,
    sequence: int,
) -> None:
    """Make sure that a part can still be stored, before more of it is hashed."""
    find_upload(tx, target, asked.key, upload_id)
    check_same(tx, asked, target, source, sequence)


def _known(found: _Found, needed: Collection[str]) -> tuple[str, dict[str, str]] | None:
    """The sums of a part, if all that are needed are known."""
    if not found.etag:
        return None
    sums = {"MD5": encode(bytes.fromhex(found.etag)), **found.checksums}
    if "CRC64NVME" not in sums:
        crc = None
        if found.located.is_all:
            crc = known_crc64nvme(found.located.content)
        if crc is not None:
            sums["CRC64NVME"] = crc
    if not sums.keys() >= set(needed):
        return None
    return found.etag, {name: sums[name] for name in needed}


async def _store(
    call: Call,
    upload_id: str,
    source: CopySource,
    found: _Found,
    sums: tuple[int, str, dict[str, str]],
) -> Reply:
    number, etag, checksums = sums
    located = found.located
    part = Part(number, located.span.length, etag, 0, checksums)
    values = (upload_id, source, found.version.sequence, located.span)
    body = body_of(call.gateway, located)
    if body:
        began = now_of(call.gateway)
        content = await store(call.gateway, body)
        part = evolve(part, content=content)
        received = Received(part.size, etag, checksums, "", content, began)
        stored = await keep(call, received, _put, *values, part, None)
    else:
        stored = await call.write_authorized(_put, *values, part, None)
        if isinstance(stored, Content):
            part = evolve(part, content=copied(call.gateway, stored))
            stored = await call.write_authorized(_put, *values, part, stored)
    assert isinstance(stored, Part)
    algorithm = found.upload.checksum_algorithm
    return part_reply(stored, algorithm, found.version_id)


def _put(
    tx: IMetadataTransaction,
    asked: Asked,
    target: Bucket,
    upload_id: str,
    source: CopySource,
    sequence: int,
    span: ByteRange,
    part: Part,
    of: Content | None,
) -> Part | Content:
    """Store the part if its source is still the version that was read.

    :param part: without content, it is made of the extents of its source.
    :param of: those of which its content was made, where they are sealed: they may name other blobs by now.
    :return: the part; where those are sealed, they are first, to be given as they are for a copy.
    """
    bucket, version = locate_claimed_authorized_source(
        tx, asked, source, Claim.upload(target.number, upload_id)
    )
    if version.sequence != sequence:
        raise Changed()
    if of is not None:
        if joined(tx.content(bucket, version, span)) != of:
            raise Changed()
    elif not count_extents(part.content):
        content = joined(tx.content(bucket, version, span))
        if is_sealed(content):
            return content
        part = evolve(part, content=content)
    return store_part(tx, asked, target, upload_id, part)


def part_reply(part: Part, algorithm: str, source_id: str) -> Reply:
    """The answer once a part is copied.

    :param algorithm: of its upload; ``""`` where that has none.
    :param source_id: as :func:`~ozgate.s3.versions.shown_id` gives it.
    """
    children = [
        element("LastModified", timestamp(part.modified)),
        element("ETag", f'"{part.etag}"'),
    ]
    if algorithm:
        children.append(element(f"Checksum{algorithm}", part.checksums[algorithm]))
    reply = xml_reply(document("CopyPartResult", *children))
    reply.headers.extend(source_headers(source_id))
    return reply
