"""Multipart uploads, and pages of them."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field

from ..immutable import frozen
from .content import NO_BYTES, Content
from .versions import ObjectVersion

__all__ = ["Part", "Upload", "UploadPage"]


@frozen
class Upload:
    """A multipart upload in progress, or just completed.

    :ivar upload_id: opaque; ids sort by the time they were made.
    :ivar initiated: when it began; 0 until then.
    :ivar checksum_algorithm: ``""`` when the client named none.
    :ivar checksum_type: ``COMPOSITE``, ``FULL_OBJECT`` or ``""``.
    :ivar completed: the version the upload became, kept for a while so that a repeated
        CompleteMultipartUpload can be answered; ``None`` while in progress.
    :ivar completed_parts: what the Complete that won listed, as an opaque digest.
    :ivar more: what few uploads have, by name.
    """

    key: str
    upload_id: str
    initiated: int
    owner: str
    storage_class: str = "STANDARD"
    headers: Mapping[str, str] = field(factory=dict)
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    checksum_algorithm: str = ""
    checksum_type: str = ""
    completed: ObjectVersion | None = None
    completed_parts: str = ""
    more: Mapping[str, str] = field(factory=dict)


@frozen
class UploadPage:
    """A page of uploads in progress: by key, then by upload id.

    :ivar next_key: the last key or common prefix of this page; ``None`` when this is the last page.
    :ivar next_upload_id: the last upload id of this page; ``""`` after a common prefix.
    """

    items: tuple[Upload, ...] = ()
    common_prefixes: tuple[str, ...] = ()
    next_key: str | None = None
    next_upload_id: str = ""


@frozen
class Part:
    """An uploaded part.

    :ivar etag: hex MD5 of the part, without quotes.
    :ivar modified: when it was stored; 0 until then.
    :ivar checksums: algorithm → base64 of the part: what the client sent, what the upload
        asks for, and always CRC64NVME, so that a full-object checksum can be combined.
    :ivar content: always extents, never an inline body, unless the part is empty. Neither where it was not asked for.
    """

    number: int
    size: int
    etag: str
    modified: int
    checksums: Mapping[str, str] = field(factory=dict)
    content: Content = NO_BYTES
