"""Values that cross layers: frozen, without behavior that needs a store or a socket.

Imports nothing of ozgate. Times are milliseconds since the epoch, UTC; sizes are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from attrs import field, frozen

NULL_VERSION = "null"
"""The version id of an object in a bucket that is not versioned."""

RIGHTS = {
    "r": "READ",
    "w": "WRITE",
    "c": "CREATE",
    "l": "LIST",
    "d": "DELETE",
    "x": "READ_ACL",
    "y": "WRITE_ACL",
    "a": "ALL",
    "n": "NONE",
}
"""Ozone's rights by their letters, in the order in which Ozone shows them."""

_ACL = re.compile(r"([a-z]+):([^:]*):([a-z]+)(?:\[(ACCESS|DEFAULT)\])?", re.IGNORECASE)


@frozen
class Principal:
    """Who asks.

    :ivar access_id: the access key id as it was sent; a Kerberos principal such
        as ``testuser/scm@EXAMPLE.COM`` is one.
    :ivar user: who owns things and is granted things; the access id unless told otherwise.
    :ivar is_admin: an administrator, who passes every check.
    :ivar short_name: what ``hadoop.security.auth_to_local`` makes of the user: owners and entries of access control
        lists may be named so as well, and what the user makes is.
    :ivar groups: of the operating system, as they were when the gate asked.
    """

    access_id: str
    user: str = ""
    is_admin: bool = False
    short_name: str = ""
    groups: frozenset[str] = frozenset()

    def __attrs_post_init__(self) -> None:
        """A key of its own is its user's first."""
        if not self.user:
            object.__setattr__(self, "user", self.access_id)
        if not self.short_name:
            object.__setattr__(self, "short_name", self.user)

    def is_called(self, name: str) -> bool:
        """Whether a name, by which something is owned or granted, means this user."""
        return name in (self.user, self.short_name)


@frozen
class Credential:
    """What a signature is checked with, and whom it speaks for."""

    secret: str = field(repr=False)
    user: str


@frozen
class Secret:
    """The stored row of an access id.

    :ivar sealed: the secret as the secret store encrypted it; ``b""`` in a listing.
    :ivar created: when it was issued.
    :ivar expires: from when on it is refused; ``None``: never.
    """

    access_id: str
    user: str
    sealed: bytes = field(repr=False)
    created: int
    expires: int | None = None


@frozen
class Acl:
    """One entry of an Ozone access control list.

    :ivar kind: ``user``, ``group``, ``world`` or ``anonymous``.
    :ivar name: of the user or group; ``WORLD`` and ``ANONYMOUS`` name themselves, as in Ozone.
    :ivar rights: values of :data:`RIGHTS`.
    :ivar scope: ``ACCESS``, or ``DEFAULT`` for what is made inside later.
    """

    kind: str
    name: str
    rights: frozenset[str]
    scope: str = "ACCESS"

    @classmethod
    def parse(cls, text: str) -> Acl:
        """Read the form of Ozone's commands, such as ``user:alice:rw[ACCESS]`` or ``world::r``.

        :raises ValueError: it has another form.
        """
        match = _ACL.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not of the form type:name:rights[scope]")
        kind, name, letters, scope = match.groups()
        unknown = set(letters.lower()) - set(RIGHTS)
        if unknown:
            raise ValueError(f"{text!r}: there is no right {min(unknown)!r}")
        rights = frozenset(RIGHTS[letter] for letter in letters.lower())
        return cls._checked(kind.lower(), name, rights, (scope or "ACCESS").upper())

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Acl:
        """Read the form that :meth:`to_json` gives.

        :raises ValueError: it has another form.
        """
        try:
            kind, rights = members["type"].lower(), frozenset(members["aclList"])
            scope, name = members.get("aclScope", "ACCESS"), members.get("name", "")
        except (KeyError, TypeError, AttributeError):
            raise ValueError(f"{members!r} is not an access control entry") from None
        if not rights <= set(RIGHTS.values()) or scope not in ("ACCESS", "DEFAULT"):
            raise ValueError(f"{members!r} has an unknown right or scope")
        if not isinstance(name, str):
            raise ValueError(f"{members!r} has a name that is no text")
        return cls._checked(kind, name, rights, scope)

    @classmethod
    def _checked(cls, kind: str, name: str, rights: Iterable[str], scope: str) -> Acl:
        if kind in ("world", "anonymous"):
            if name not in ("", kind.upper()):
                raise ValueError(f"{kind} takes no name, not {name!r}")
            name = kind.upper()
        elif kind not in ("user", "group"):
            raise ValueError(
                f"there is no type {kind!r}: user, group, world, anonymous"
            )
        elif not name:
            raise ValueError(f"a {kind} needs a name")
        return cls(kind, name, frozenset(rights), scope)

    def __str__(self) -> str:
        """The form that :meth:`parse` reads."""
        letters = "".join(
            letter for letter, right in RIGHTS.items() if right in self.rights
        )
        return f"{self.kind}:{self.name}:{letters}[{self.scope}]"

    def to_json(self) -> dict[str, Any]:
        """The form in which Ozone's commands show it."""
        return {
            "type": self.kind.upper(),
            "name": self.name,
            "aclScope": self.scope,
            "aclList": [right for right in RIGHTS.values() if right in self.rights],
        }


@frozen
class ByteRange:
    """A run of bytes, ``offset`` from the start and ``length`` long."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The offset just past the last byte."""
        return self.offset + self.length


@frozen
class Volume:
    """An Ozone volume: the name space above buckets. S3 shows one of them, ``s3v``.

    :ivar number: the store's own number of the volume; 0 until stored.
    :ivar admin: who made it.
    :ivar quota_bytes: bytes that its buckets may hold together; -1: any number.
    :ivar quota_names: buckets and links that it may hold; -1: any number.
    :ivar modified: when a member last changed. The store sets it.
    :ivar used_bytes: bytes that its real buckets hold. The store counts them.
    :ivar used_names: buckets and links in it. The store counts them.
    """

    name: str
    owner: str
    created: int
    number: int = 0
    admin: str = ""
    quota_bytes: int = -1
    quota_names: int = -1
    acls: tuple[Acl, ...] = ()
    modified: int = 0
    used_bytes: int = 0
    used_names: int = 0


@frozen
class Bucket:
    """A bucket, or a link to one.

    :ivar number: the store's own number of the bucket, never used again for another; 0 until stored.
    :ivar source: for a link, the (volume, bucket) it points at; ``None`` for a real bucket.
    :ivar versioning: ``""`` (never enabled), ``"Enabled"`` or ``"Suspended"``.
    :ivar quota_bytes: bytes that it may hold; -1: any number.
    :ivar quota_names: versions that it may hold; -1: any number.
    :ivar modified: when a member last changed. The store sets it.
    :ivar used_bytes: bytes of all its versions and of uploaded parts, as they were when this was read.
        The store counts them, as it does names.
    :ivar used_names: versions in it, delete markers included.
    :ivar layout: Ozone's name of how keys are kept.
    """

    volume: str
    name: str
    owner: str
    created: int
    region: str = ""
    versioning: str = ""
    source: tuple[str, str] | None = None
    number: int = 0
    quota_bytes: int = -1
    quota_names: int = -1
    acls: tuple[Acl, ...] = ()
    modified: int = 0
    used_bytes: int = 0
    used_names: int = 0
    layout: str = "OBJECT_STORE"


@frozen
class BlobRef:
    """Names one blob of one blob store.

    :ivar store: the name of the blob store, so that two can live side by side.
    :ivar id: the blob's id; ids of one store sort by the time they were made.
    :ivar length: bytes in the blob.
    :ivar crc64nvme: CRC64NVME of all its bytes, as an unsigned integer.
    """

    store: str
    id: str
    length: int
    crc64nvme: int


@frozen
class BlobUser:
    """What names a blob: a version of a key, or a part of an upload.

    :ivar version_id: ``""`` for a part.
    :ivar upload_id: ``""`` for a version.
    :ivar part: the part's number, 0 for a version.
    """

    blob: str
    volume: str
    bucket: str
    key: str
    version_id: str = ""
    upload_id: str = ""
    part: int = 0


@frozen
class Drift:
    """A counter that does not agree with what it counts.

    :ivar bucket: ``""`` where it is the volume's own.
    :ivar more_bytes: what has to be added to it.
    :ivar more_names: what has to be added to it.
    """

    volume: str
    bucket: str
    more_bytes: int
    more_names: int


EXTENTS_AT_ONCE = 64
"""Extents of a version that are read at once where its bytes are sent: what a slow reader holds, a few kB."""


@frozen
class Extent:
    """A run of bytes inside a blob."""

    blob: BlobRef
    offset: int
    length: int


@frozen
class Content:
    """Where the bytes of a version or a part are: in the metadata row, or in extents.

    Exactly one of the two holds bytes; an empty object is an empty ``body``.
    """

    body: bytes | None = None
    extents: tuple[Extent, ...] = ()

    @property
    def length(self) -> int:
        """Bytes in all."""
        if self.body is not None:
            return len(self.body)
        return sum(extent.length for extent in self.extents)

    def cut(self, wanted: ByteRange) -> Content:
        """Where the bytes of a range of it are; for no bytes, an empty body."""
        if self.body is not None:
            return Content(self.body[wanted.offset : wanted.end])
        extents = []
        start = 0
        for extent in self.extents:
            low = max(wanted.offset, start)
            high = min(wanted.end, start + extent.length)
            if low < high:
                offset = extent.offset + low - start
                extents.append(Extent(extent.blob, offset, high - low))
            start += extent.length
        return Content(extents=tuple(extents)) if extents else Content(b"")


@frozen
class Checksum:
    """A checksum as S3 shows it.

    :ivar algorithm: its name in S3's service model, such as ``CRC64NVME``.
    :ivar type: ``FULL_OBJECT`` or ``COMPOSITE``.
    :ivar value: base64; a composite value ends in ``-`` and the number of parts.
    """

    algorithm: str
    type: str
    value: str


@frozen
class ObjectPart:
    """One part of a completed multipart object (for ``partNumber`` reads and ObjectParts).

    :ivar number: 1 to 10000, as the client numbered it.
    :ivar checksum: the part's own checksum, base64, in the object's algorithm.
    :ivar etag: hex MD5 of the part; ``""`` where it is not known.
    :ivar start: where it starts in the object. The store finds that from the sizes of the parts before it.
    """

    number: int
    size: int
    checksum: str | None = None
    etag: str = ""
    start: int = 0


@frozen
class ObjectVersion:
    """One version of one key: everything but where its bytes are.

    :ivar sequence: the store's order of versions: a later one is newer. Unique in the store.
    :ivar version_id: ``"null"`` in a bucket that is not versioned.
    :ivar etag: without quotes.
    :ivar headers: system headers kept with the object, lower-case names
        (content-type, cache-control, content-disposition, content-encoding,
        content-language, expires, x-amz-website-redirect-location).
    :ivar metadata: user metadata, lower-case names without ``x-amz-meta-``.
    :ivar parts_count: the number of parts of a multipart object, else 0.
    """

    key: str
    sequence: int
    modified: int
    size: int = 0
    etag: str = ""
    owner: str = ""
    version_id: str = NULL_VERSION
    is_latest: bool = True
    is_delete_marker: bool = False
    storage_class: str = "STANDARD"
    headers: Mapping[str, str] = field(factory=dict)
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    checksum: Checksum | None = None
    parts_count: int = 0


class Traits(NamedTuple):
    """What most rows of a listing have in common; rows next to each other share one."""

    owner: str
    storage_class: str
    checksum_algorithm: str = ""
    checksum_type: str = ""


class ListedObject(NamedTuple):
    """What a listing shows of a current object; read from an index, so that a list costs a page.

    A tuple, for a page has a thousand: an attrs class takes ten times as long to make.
    """

    key: str
    modified: int
    size: int
    etag: str
    traits: Traits


class ListedVersion(NamedTuple):
    """What a listing shows of a version or delete marker."""

    key: str
    modified: int
    size: int
    etag: str
    traits: Traits
    version_id: str
    is_latest: bool = True
    is_delete_marker: bool = False


@frozen
class Page:
    """A page of a listing of the current objects of a bucket.

    :ivar items: keys in order of their UTF-8 bytes.
    :ivar common_prefixes: prefixes rolled up at the delimiter, in the same order.
    :ivar next_after: give it as ``after`` for the next page; ``None`` when this is the last.
        It is the last key or common prefix of this page.
    """

    items: tuple[ListedObject, ...] = ()
    common_prefixes: tuple[str, ...] = ()
    next_after: str | None = None


@frozen
class VersionPage:
    """A page of all versions: by key, newest first.

    :ivar next_key: the last key or common prefix of this page; ``None`` when this is the last page.
    :ivar next_version_id: the version id to go on after within that key; ``""`` after a common prefix.
    """

    items: tuple[ListedVersion, ...] = ()
    common_prefixes: tuple[str, ...] = ()
    next_key: str | None = None
    next_version_id: str = ""


@frozen
class Upload:
    """A multipart upload in progress, or just completed.

    :ivar upload_id: opaque; ids sort by the time they were made.
    :ivar checksum_algorithm: ``""`` when the client named none.
    :ivar checksum_type: ``COMPOSITE``, ``FULL_OBJECT`` or ``""``.
    :ivar completed: the version the upload became, kept for a while so that a repeated
        CompleteMultipartUpload can be answered; ``None`` while in progress.
    :ivar completed_parts: what the Complete that won listed, as an opaque digest.
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
    :ivar checksums: algorithm → base64 of the part: what the client sent, what the upload
        asks for, and always CRC64NVME, so that a full-object checksum can be combined.
    :ivar content: always extents, never an inline body, unless the part is empty. Neither where it was not asked for.
    """

    number: int
    size: int
    etag: str
    modified: int
    checksums: Mapping[str, str] = field(factory=dict)
    content: Content = Content(b"")


@frozen
class DamagedRow:
    """A stored row that is not what was written.

    :ivar table: the store's name of where it is, such as ``versions``.
    :ivar place: what tells it from the others there; opaque above the store.
    :ivar message: what is wrong with it, in a line without secrets.
    :ivar loses: whether something is lost when it is mended.
    """

    table: str
    place: tuple[str | int | bytes, ...]
    message: str
    loses: bool = True


@frozen
class CheckedRows:
    """A stretch of rows that were checked.

    :ivar count: how many.
    :ivar next_after: give it as ``after`` for the next stretch; ``None`` when this is the last.
    """

    count: int = 0
    damaged: tuple[DamagedRow, ...] = ()
    next_after: str | None = None
