"""What is known of buckets and keys whose truth another system has, such as a cluster of Apache Ozone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attrs import field

from ..immutable import frozen
from .access import Presented

__all__ = [
    "ITSELF",
    "NO_PRECONDITION",
    "ForeignBucket",
    "ForeignListed",
    "ForeignObject",
    "ForeignPage",
    "ForeignPart",
    "ForeignRow",
    "ForeignUpload",
    "ForeignUploadPage",
    "OnBehalf",
    "Precondition",
]


@frozen
class OnBehalf:
    """For whom another system is asked.

    Who has no name and is not the gateway is nobody, for whom nothing is asked: so whoever did not sign never passes for the gateway.

    :ivar user: whoever asks.
    :ivar presented: what was signed, where the other system holds it against secrets of its own; ``None`` where it believes the name.
    :ivar is_gateway: the gateway asks for itself, with rights of its own.
    """

    user: str = ""
    presented: Presented | None = None
    is_gateway: bool = False


ITSELF = OnBehalf(is_gateway=True)
"""The gateway."""


@frozen
class ForeignBucket:
    """A bucket, or a link to one as what it leads to.

    :ivar owner: of the link, where it is one, as the other system has it.
    :ivar layout: Ozone's name of how keys are kept.
    :ivar source: of a link, the (volume, bucket) that it names; ``None`` for a real bucket.
    """

    volume: str
    name: str
    owner: str
    created: int
    layout: str = "OBJECT_STORE"
    source: tuple[str, str] | None = None


@frozen
class ForeignObject:
    """A key, as the other system has it.

    :ivar modified: milliseconds since the epoch.
    :ivar etag: without quotes; ``""`` where there is none, as for what was not written by S3.
    :ivar metadata: whatever is kept with it, under the other system's names, but for the ETag.
    :ivar tags: likewise.
    :ivar generation: rises with every change of the key.
    :ivar is_folder: whether it is an entry of a file system's tree that holds others, and no bytes.
    :ivar replication: what the other system calls how it is kept, such as ``RATIS/THREE``.
    :ivar parts: how many parts of an upload it was made of; 0 where it was not, or that is not known.
    """

    key: str
    size: int
    modified: int
    etag: str = ""
    owner: str = ""
    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    generation: int = 0
    is_folder: bool = False
    replication: str = ""
    parts: int = 0


class ForeignListed(NamedTuple):
    """What a page shows of a key; the members are those of a :class:`ForeignObject`."""

    key: str
    modified: int
    size: int
    etag: str
    owner: str
    is_folder: bool = False


ForeignRow = tuple[str, int, int, str, str]
"""The members of a :class:`ForeignListed` but for the last. A page has a thousand: as rows they cost nothing more."""


@frozen
class ForeignPage:
    """A page of keys, in order of their UTF-8 bytes.

    :ivar is_last: whether there are no more after these.
    :ivar folders: those of the keys that are folders.
    """

    rows: Sequence[ForeignRow] = ()
    is_last: bool = True
    folders: frozenset[str] = frozenset()

    @property
    def items(self) -> tuple[ForeignListed, ...]:
        """The rows, with names for their members."""
        folders = self.folders
        return tuple(ForeignListed(*row, row[0] in folders) for row in self.rows)


@frozen
class ForeignUpload:
    """A multipart upload in progress.

    :ivar initiated: milliseconds since the epoch.
    """

    key: str
    upload_id: str
    initiated: int
    owner: str = ""


@frozen
class ForeignUploadPage:
    """A page of uploads: by key, then by upload id.

    :ivar is_last: whether there are no more after these.
    """

    items: Sequence[ForeignUpload] = ()
    is_last: bool = True


@frozen
class ForeignPart:
    """A part of an upload.

    :ivar etag: hex MD5, without quotes.
    """

    number: int
    size: int
    etag: str
    modified: int


@frozen
class Precondition:
    """What has to be true of a key at the moment that it is written, or nothing is.

    :ivar absent: that there is none.
    :ivar etag: that it has this ETag; ``None``: any.
    """

    absent: bool = False
    etag: str | None = None


NO_PRECONDITION = Precondition()
"""Whatever is there."""
