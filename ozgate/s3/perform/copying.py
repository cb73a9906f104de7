"""CopyObject. Moves no bytes: the copy names the extents of its source.

The copy of a multipart object keeps its source's ETag and parts, and a checksum that cannot be had without reading all
bytes: a composite SHA. AWS gives it the MD5 of all bytes and a full-object checksum instead; but an ETag need not be an
MD5 (Amazon S3 API Reference, "Object"). A composite CRC becomes that of the whole object here too.

Source: Amazon S3 API Reference, CopyObject; Amazon S3 User Guide, "Copying, moving, and renaming objects".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from ...content.extents import joined, known_crc64nvme
from ...content.outlet import Located, begin_read, locate
from ...content.sealing import copied, is_sealed
from ...errors import InvalidArgument, InvalidRequest, SlowDown
from ...immutable import frozen
from ...values import (
    Bucket,
    ByteRange,
    Checksum,
    Claim,
    Content,
    ObjectPart,
    ObjectVersion,
)
from ..changing import Draft, Lock, put_version
from ..checksums import ALGORITHMS, combine, encode
from ..documents import document, element
from ..grantees import Wanted, wanted_of
from ..headers import read_object_headers, read_tags
from ..lockheaders import check_authorized_lock, read_lock
from ..ownership import owned
from ..policy.decide import authorize
from ..policy.versionactions import action_on
from ..reply import Reply, xml_reply
from ..times import timestamp
from ..versions import made_headers, new_version_id, shown_id
from .copysource import (
    ROUNDS,
    Changed,
    CopySource,
    check_same,
    check_size,
    locate_claimed_authorized_source,
    read_source,
    source_headers,
)
from .digesting import asked_algorithm, digest
from .partcopying import upload_part_copy

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..asked import Asked
    from ..call import Call

__all__ = ["copy_object", "upload_part_copy"]

REDIRECT = "x-amz-website-redirect-location"


@frozen
class _Wish:
    """What the copy shall have that is not simply its source's.

    :ivar headers: system headers and user metadata; ``None`` for the source's.
    :ivar redirect: the website redirect, which is never the source's.
    :ivar algorithm: the checksum asked for; ``""`` for the source's own.
    :ivar version_id: see :class:`~ozgate.s3.changing.Draft`.
    :ivar listed: the access control list asked for, which is never the source's.
    :ivar lock: what is to protect it, which is never the source's.
    """

    headers: tuple[Mapping[str, str], Mapping[str, str]] | None
    tags: Mapping[str, str] | None
    storage_class: str
    redirect: str | None
    algorithm: str
    version_id: str
    listed: Wanted | None
    lock: Lock


@frozen
class _Outcome:
    """What became of a copy.

    :ivar source_id: what answers call the source.
    :ivar version: the copy; ``None`` when something is wanted first.
    :ivar located: the bytes of which a checksum is wanted.
    :ivar content: what is wanted as it is for a copy, where it is sealed.
    """

    source: ObjectVersion
    source_id: str
    version: ObjectVersion | None = None
    located: Located | None = None
    content: Content | None = None


@frozen
class _Prepared:
    """What was wanted of a source.

    :ivar sequence: of the version that it is of.
    :ivar content: that of the source as it is for a copy, where it is sealed.
    :ivar source: that of the source, of which it was made: its bytes may have moved since.
    """

    sequence: int
    checksum: Checksum | None = None
    content: Content | None = None
    source: Content | None = None


async def copy_object(call: Call) -> Reply:
    """Store a copy of an object."""
    source = read_source(call)
    wish = _read_wish(call, await wanted_of(call))
    refuse_idle_copy(call, source)
    prepared: _Prepared | None = None
    readers = call.gateway.readers
    for _ in range(ROUNDS):
        token = begin_read(call.gateway)
        try:
            outcome = await call.write_authorized(
                _copy_authorized, source, wish, prepared
            )
            if outcome.version is not None:
                return copied_reply(outcome.version, outcome.source_id)
            prepared = await _prepare(call, source, wish.algorithm, outcome)
        except Changed:
            continue
        finally:
            readers.leave(token)
    raise SlowDown()


async def _prepare(
    call: Call, source: CopySource, algorithm: str, outcome: _Outcome
) -> _Prepared:
    """What an outcome says is wanted.

    :raises Changed: the source is another version now.
    """
    sequence, checksum, content = outcome.source.sequence, None, outcome.content
    if outcome.located is not None:
        _, sums = await digest(
            call, outcome.located, (algorithm,), check_same, source, sequence
        )
        checksum = Checksum(algorithm, "FULL_OBJECT", sums[algorithm])
    if content is not None:
        content = copied(call.gateway, content)
    return _Prepared(sequence, checksum, content, outcome.content)


def _read_wish(call: Call, listed: Wanted | None) -> _Wish:
    system, metadata, storage_class = read_object_headers(call)
    redirect = system.pop(REDIRECT, None)
    replace = replaces(call, "metadata")
    return _Wish(
        headers=(system, metadata) if replace else None,
        tags=read_tags(call) if replaces(call, "tagging") else None,
        storage_class=storage_class,
        redirect=redirect,
        algorithm=asked_algorithm(call),
        version_id=new_version_id(),
        listed=listed,
        lock=read_lock(call.headers),
    )


def replaces(call: Call, what: str) -> bool:
    """Whether a directive says ``REPLACE``, not ``COPY``, the default.

    :raises InvalidArgument: it says something else.
    """
    name = f"x-amz-{what}-directive"
    directive = call.headers.get(name) or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise InvalidArgument(
            f"Unknown {what} directive.", ArgumentName=name, ArgumentValue=directive
        )
    return directive == "REPLACE"


def refuse_idle_copy(call: Call, source: CopySource) -> None:
    """Refuse the copy of an object onto itself that would change nothing.

    :raises InvalidRequest: it is one.
    """
    if (
        source == CopySource(call.bucket_name, call.key, None)
        and not replaces(call, "metadata")
        and "x-amz-storage-class" not in call.headers
        and REDIRECT not in call.headers
    ):
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
        )


def _copy_authorized(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    source: CopySource,
    wish: _Wish,
    prepared: _Prepared | None,
) -> _Outcome:
    """Read the source and write the copy, in one transaction, unless something of the source is wanted first.

    :param prepared: what was wanted before, if it is of the version that is copied.
    """
    source_bucket, version = locate_claimed_authorized_source(
        tx, asked, source, Claim.key(bucket.number, asked.key)
    )
    if version.tags and wish.tags is None:
        _authorize_tags(tx, asked, bucket, source_bucket, source, version)
    check_size(version.size)
    check_authorized_lock(tx, asked, bucket, wish.lock)
    if prepared is None or prepared.sequence != version.sequence:
        prepared = _Prepared(version.sequence)
    content = joined(tx.content(source_bucket, version))
    located = None
    parts = _parts(tx, source_bucket, version)
    checksum = _whole(version, parts)
    if wish.algorithm and (
        checksum is None
        or (checksum.algorithm, checksum.type) != (wish.algorithm, "FULL_OBJECT")
    ):
        checksum = prepared.checksum or _known(wish.algorithm, version, content)
        if checksum is None:
            span = ByteRange(0, version.size)
            located = locate(tx, source_bucket, version, span)
        parts = [evolve(part, checksum=None) for part in parts]
    copy: Content | None = content
    if is_sealed(content):
        copy = prepared.content if prepared.source == content else None
    if located is not None or copy is None:
        return _Outcome(version, "", None, located, content)
    draft = _draft(asked.key, wish, version, copy, checksum, parts)
    draft = owned(tx, asked, bucket, draft, wish.listed)
    made = put_version(tx, asked.cause, bucket, draft, asked.headers)
    return _Outcome(version, shown_id(source_bucket, version), made)


def _authorize_tags(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    source_bucket: Bucket,
    source: CopySource,
    version: ObjectVersion,
) -> None:
    """Make sure that the caller may read the tags of the source, and give them to the copy.

    Source: Amazon S3 User Guide, "Categorizing your objects using tags", there "API operations related to object tagging".

    :raises AccessDenied: no.
    """
    named = source.version_id or ""
    reading = action_on("s3:GetObjectTagging", named)
    authorize(tx, asked, reading, source_bucket, source.key, named)
    stated = [
        (f"s3:requestobjecttag/{key}", text) for key, text in version.tags.items()
    ]
    writing = evolve(asked, stated=tuple(stated))
    authorize(tx, writing, "s3:PutObjectTagging", bucket, asked.key)


def _draft(
    key: str,
    wish: _Wish,
    version: ObjectVersion,
    content: Content,
    checksum: Checksum | None,
    parts: Sequence[ObjectPart],
) -> Draft:
    """What the copy of a version is to be."""
    system, metadata = wish.headers or (version.headers, version.metadata)
    return Draft(
        event="ObjectCreated:Copy",
        key=key,
        version_id=wish.version_id,
        content=content,
        etag=version.etag,
        storage_class=wish.storage_class,
        headers=redirected(system, wish.redirect),
        metadata=metadata,
        tags=version.tags if wish.tags is None else wish.tags,
        checksum=checksum,
        parts_count=version.parts_count,
        parts=parts,
        lock=wish.lock,
    )


def _parts(
    tx: IMetadataTransaction, bucket: Bucket, version: ObjectVersion
) -> Sequence[ObjectPart]:
    if not version.parts_count:
        return ()
    return tx.object_parts(bucket, version, 0, version.parts_count)


def _known(algorithm: str, version: ObjectVersion, content: Content) -> Checksum | None:
    """A checksum that the store of blobs has already, or that is the ETag."""
    value = None
    if algorithm == "CRC64NVME":
        value = known_crc64nvme(content)
    elif algorithm == "MD5" and not version.parts_count and len(version.etag) == 32:
        value = encode(bytes.fromhex(version.etag))
    return None if value is None else Checksum(algorithm, "FULL_OBJECT", value)


def _whole(version: ObjectVersion, parts: Sequence[ObjectPart]) -> Checksum | None:
    """The checksum of the whole object, where the parts' checksums give it; else the one that there is."""
    checksum = version.checksum
    if checksum is None or checksum.type != "COMPOSITE":
        return checksum
    known = [(part.checksum, part.size) for part in parts if part.checksum]
    combinable = ALGORITHMS[checksum.algorithm].full_object_combinable
    # Rows of parts that were damaged may have been removed.
    if not combinable or len(known) < version.parts_count:
        return checksum
    value = combine(checksum.algorithm, known)
    return Checksum(checksum.algorithm, "FULL_OBJECT", value)


def redirected(system: Mapping[str, str], redirect: str | None) -> dict[str, str]:
    """System headers with the website redirect that the copy shall have, and no other."""
    kept = {name: value for name, value in system.items() if name != REDIRECT}
    if redirect is not None:
        kept[REDIRECT] = redirect
    return kept


def copied_reply(version: ObjectVersion, source_id: str) -> Reply:
    """The answer once a copy is made.

    :param source_id: as :func:`~ozgate.s3.versions.shown_id` gives it.
    """
    children = [
        element("LastModified", timestamp(version.modified)),
        element("ETag", f'"{version.etag}"'),
    ]
    checksum = version.checksum
    if checksum is not None:
        children.append(element("ChecksumType", checksum.type))
        children.append(element(f"Checksum{checksum.algorithm}", checksum.value))
    reply = xml_reply(document("CopyObjectResult", *children))
    reply.headers += source_headers(source_id) + made_headers(version)
    return reply
