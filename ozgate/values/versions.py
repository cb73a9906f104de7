"""Versions of keys, and pages of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from attrs import field

from ..immutable import frozen

__all__ = [
    "NULL_VERSION",
    "Checksum",
    "ListedObject",
    "ListedVersion",
    "ObjectPart",
    "ObjectRow",
    "ObjectVersion",
    "Page",
    "Traits",
    "VersionPage",
    "VersionRow",
]

NULL_VERSION = "null"
"""The version id of an object in a bucket that is not versioned."""


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
    :ivar more: what few versions have, by name.
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
    more: Mapping[str, str] = field(factory=dict)


class Traits(NamedTuple):
    """What most rows of a listing have in common; rows next to each other share one."""

    owner: str
    storage_class: str
    checksum_algorithm: str = ""
    checksum_type: str = ""


class ListedObject(NamedTuple):
    """What a listing shows of a current object; read from an index, so that a list costs a page."""

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


ObjectRow = tuple[str, int, int, str, Hashable]
"""The members of a :class:`ListedObject`, in the place of the last of which is what :attr:`Page.traits` has it by.

A page has a thousand: as rows of a store they cost nothing more.
"""

VersionRow = tuple[str, int, int, str, Hashable, str, int, int]
"""Likewise those of a :class:`ListedVersion`; the last two are 1 or 0."""


@frozen
class Page:
    """A page of a listing of the current objects of a bucket.

    :ivar rows: in order of the UTF-8 bytes of their keys.
    :ivar common_prefixes: prefixes rolled up at the delimiter, in the same order.
    :ivar next_after: give it as ``after`` for the next page; ``None`` when this is the last.
        It is the last key or common prefix of this page.
    :ivar traits: those of the rows.
    """

    rows: Sequence[ObjectRow] = ()
    common_prefixes: tuple[str, ...] = ()
    next_after: str | None = None
    traits: Mapping[Hashable, Traits] = field(factory=dict)

    @property
    def items(self) -> tuple[ListedObject, ...]:
        """The rows, with names for their members."""
        return tuple(
            ListedObject(key, modified, size, etag, self.traits[traits])
            for key, modified, size, etag, traits in self.rows
        )


@frozen
class VersionPage:
    """A page of all versions: by key, newest first.

    :ivar next_key: the last key or common prefix of this page; ``None`` when this is the last page.
    :ivar next_version_id: the version id to go on after within that key; ``""`` after a common prefix.
    :ivar traits: those of the rows.
    """

    rows: Sequence[VersionRow] = ()
    common_prefixes: tuple[str, ...] = ()
    next_key: str | None = None
    next_version_id: str = ""
    traits: Mapping[Hashable, Traits] = field(factory=dict)

    @property
    def items(self) -> tuple[ListedVersion, ...]:
        """The rows, with names for their members."""
        return tuple(
            ListedVersion(
                key, modified, size, etag, self.traits[traits], version_id, bool(latest), bool(marker)
            )
            for key, modified, size, etag, traits, version_id, latest, marker in self.rows
        )  # fmt: skip
