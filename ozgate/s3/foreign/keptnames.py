"""What is kept with a key of another system, and under which names.

A cluster keeps a map of texts with each key. User metadata stand in it under their bare names, as Ozone's own gateway keeps them, so that each reads the other's;
system headers under theirs, as Ozone has them since HDDS-15515 (``Content-Type``, as it has ``ETag``). What else S3 knows of an object has names that begin with
:data:`RESERVED`, which that gateway gives to nobody's metadata (as seen at its master), nor does this one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import md5
from typing import Final

from ...errors import InvalidArgument
from ...values import Checksum, ForeignObject, ObjectVersion
from ..checksums import ALGORITHMS
from ..headers import DEFAULT_TYPE, STORAGE_CLASSES, SYSTEM_HEADERS

RESERVED: Final = "ozone-s3-internal-"
"""How the names begin that no client can give to metadata, and that are shown to none."""

_CHECKSUM: Final = f"{RESERVED}ozgate-checksum"
_CLASS: Final = f"{RESERVED}ozgate-storage-class"
_REDIRECT: Final = "x-amz-website-redirect-location"

_HEADERS: Final[Mapping[str, str]] = {
    **{name: shown for name, shown in SYSTEM_HEADERS.items() if name != _REDIRECT},
    _REDIRECT: f"{RESERVED}ozgate-website-redirect-location",
}
"""System header → its name in the map."""

_OF_HEADERS: Final = {kept: name for name, kept in _HEADERS.items()}

_OZONES: Final = frozenset(
    ("ETag", "gdprEnabled", "algorithm", "secret", "hsyncClientId", "leaseRecovery")
)
"""What Ozone itself keeps in the map."""

_OF_NOTHING: Final = md5(usedforsecurity=False).hexdigest()

_is_checksum = re.compile("([0-9A-Z]+) FULL_OBJECT ([0-9A-Za-z+/]+=*)").fullmatch
is_etag = re.compile("[0-9A-Za-z+/=._-]{1,128}").fullmatch
_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


def kept(
    system: Mapping[str, str],
    metadata: Mapping[str, str],
    storage_class: str,
) -> dict[str, str]:
    """The map of an object.

    :param system: system headers, user metadata and storage class are those of an :class:`~ozgate.values.ObjectVersion`.
    :raises InvalidArgument: user metadata have a name that is reserved.
    """
    for name in metadata:
        if name.startswith(RESERVED):
            raise InvalidArgument(
                f"Names of metadata that begin with {RESERVED} are reserved.",
                ArgumentName=f"x-amz-meta-{name}",
                ArgumentValue=metadata[name],
            )
    made = dict(metadata)
    for name, value in system.items():
        if (name, value) != ("content-type", DEFAULT_TYPE):
            made[_HEADERS[name]] = value
    if storage_class != "STANDARD":
        made[_CLASS] = storage_class
    return made


def kept_checksum(checksum: Checksum) -> dict[str, str]:
    """What the map has of a checksum."""
    return {_CHECKSUM: f"{checksum.algorithm} {checksum.type} {checksum.value}"}


def version_of(found: ForeignObject) -> ObjectVersion:
    """A key as an object of S3's."""
    system, metadata = {"content-type": DEFAULT_TYPE}, {}
    for name, value in found.metadata.items():
        if name in _OF_HEADERS:
            system[_OF_HEADERS[name]] = value
        elif not name.startswith(RESERVED) and not _is_ozones(name, found.metadata):
            metadata[name.lower()] = value
    return ObjectVersion(
        key=found.key,
        sequence=0,
        modified=found.modified,
        size=found.size,
        etag=etag_of(found),
        owner=found.owner,
        storage_class=_class(found.metadata.get(_CLASS, "")),
        headers=system,
        metadata={name: text for name, text in metadata.items() if _token(name)},
        tags=found.tags,
        checksum=_checksum(found.metadata.get(_CHECKSUM, "")),
        parts_count=found.parts or _parts_in(found.etag),
    )


def missing_metadata(found: ForeignObject) -> int:
    """How many user metadata have names that are no header's, as those that were put another way than by S3 may."""
    return sum(
        not _token(name) and not _is_ozones(name, found.metadata)
        for name in found.metadata
    )


def etag_of(found: ForeignObject) -> str:
    """The ETag of a key; see :func:`shown_etag`."""
    return shown_etag(found.key, found.modified, found.size, found.etag)


def shown_etag(key: str, modified: int, size: int, etag: str) -> str:
    """The ETag of a key: what was kept with it, or one that tells what is there now from what was before.

    What was not written by S3 has none, and on AWS everything has. That of no bytes is known; else the one that is made up ends in ``-0``, so that nobody
    takes it for the MD5 of the bytes.
    """
    if is_etag(etag):
        return etag
    if not size:
        return _OF_NOTHING
    said = f"{size} {modified} {key}".encode("utf-8", "replace")
    return f"{md5(said, usedforsecurity=False).hexdigest()}-0"


def _parts_in(etag: str) -> int:
    """How many parts an object was made of, by what its ETag ends in."""
    _, dash, count = etag.rpartition("-")
    return int(count) if dash and count.isdecimal() and len(count) < 6 else 0


def _is_ozones(name: str, metadata: Mapping[str, str]) -> bool:
    """Whether Ozone keeps something there for itself. Its algorithm and secret come with a flag, and are metadata like others without."""
    if name in ("algorithm", "secret"):
        return "gdprEnabled" in metadata
    return name in _OZONES


def _class(name: str) -> str:
    return name if name in STORAGE_CLASSES else "STANDARD"


def _checksum(text: str) -> Checksum | None:
    """A checksum as :func:`kept_checksum` keeps it; ``None`` where somebody else has kept what is none."""
    match = _is_checksum(text)
    if match is None or match[1] not in ALGORITHMS:
        return None
    return Checksum(match[1], "FULL_OBJECT", match[2])
