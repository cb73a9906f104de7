"""Columns to members of values, and back.

An empty mapping is kept as ``""``, so that the common case costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from attrs import asdict

from ...values import Acl, Cause, Checksum, Event, ObjectVersion, Traits
from .rowchecks import damaged

encode = json.JSONEncoder(separators=(",", ":")).encode
# What json.loads does after looking at its options, at half the cost.
_scan = json.JSONDecoder().raw_decode

is_one: Callable[[object], bool] = frozenset({1}).__contains__
"""A flag, of a number."""

_UNSIGNED = (1 << 64) - 1


def any_text(text: bytes) -> str:
    """Text of a column, which need not be UTF-8: a bit that flips can make any."""
    return text.decode("utf-8", "surrogateescape")


def is_text(value: str) -> bool:
    """Whether what :func:`any_text` gave is UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def pack(mapping: Mapping[str, str]) -> str:
    """A mapping as compact JSON; ``""`` when it is empty."""
    return _packed(tuple(mapping.items())) if mapping else ""


@lru_cache(256)
def _packed(items: tuple[tuple[str, str], ...]) -> str:
    """Most objects have one of a few content types and nothing else."""
    return encode(dict(items))


def unpack(text: str) -> dict[str, str]:
    """The mapping that :func:`pack` made text of, which is not empty."""
    found: dict[str, str] = _scan(text)[0]
    return found


def unpack_headers(text: str) -> dict[str, str]:
    """Likewise, of headers: those that were read before are only copied, at a quarter of the cost."""
    return _unpacked(text).copy()


_unpacked = lru_cache(256)(unpack)


def pack_acls(acls: Iterable[Acl]) -> str:
    """An access control list as compact JSON; ``""`` when it is empty."""
    entries = [acl.to_json() for acl in acls]
    return encode(entries) if entries else ""


@lru_cache(256)
def unpack_acls(text: str) -> tuple[Acl, ...]:
    """The list that :func:`pack_acls` made text of, which is not empty. Every request looks at one."""
    return tuple(map(Acl.from_json, _scan(text)[0]))


def pack_kinds(kinds: Iterable[str]) -> str:
    """The kinds of documents as compact JSON, in order; ``""`` when there are none."""
    entries = sorted(kinds)
    return encode(entries) if entries else ""


@lru_cache(256)
def unpack_kinds(text: str) -> frozenset[str]:
    """The kinds that :func:`pack_kinds` made text of, which is not empty."""
    return frozenset(_scan(text)[0])


def pack_texts(texts: Iterable[str]) -> str:
    """Texts as compact JSON, in their order; ``""`` when there are none."""
    entries = list(texts)
    return encode(entries) if entries else ""


def unpack_texts(text: str) -> tuple[str, ...]:
    """The texts that :func:`pack_texts` made text of, which are some."""
    return tuple(_scan(text)[0])


def signed(number: int) -> int:
    """A number of 64 bits, as SQLite's integers are signed."""
    return number - (1 << 64) if number >> 63 else number


def unsigned(number: int) -> int:
    """The number that :func:`signed` made another one of."""
    return number & _UNSIGNED


def traits_text(version: ObjectVersion) -> str:
    """What listings show of a version that repeats from row to row, as one column."""
    algorithm = type_ = ""
    if version.checksum is not None:
        algorithm, type_ = version.checksum.algorithm, version.checksum.type
    return f"{version.owner}\n{version.storage_class}\n{algorithm}\n{type_}"


@lru_cache(1024)
def traits_of(text: str) -> Traits:
    """The traits that :func:`traits_text` made text of."""
    try:
        return Traits(*text.rsplit("\n", 3))
    except (AttributeError, TypeError):
        raise damaged("versions", "traits") from None


def checksum_value(checksum: Checksum | None) -> str:
    """What traits do not say of a checksum."""
    return checksum.value if checksum else ""


def checksum_of(traits: Traits, value: str) -> Checksum | None:
    """The checksum of a version."""
    algorithm = traits.checksum_algorithm
    return Checksum(algorithm, traits.checksum_type, value) if algorithm else None


def source_volume(source: tuple[str, str] | None) -> str | None:
    """The volume that a link leads to."""
    return source and source[0]


def source_bucket(source: tuple[str, str] | None) -> str | None:
    """The bucket that a link leads to."""
    return source and source[1]


def source_of(volume: str | None, bucket: str) -> tuple[str, str] | None:
    """Where a link leads."""
    return None if volume is None else (volume, bucket)


def is_there(member: object) -> int:
    """Whether a member is there, as a number."""
    return int(member is not None)


def event_text(event: Event) -> str:
    """An event as JSON."""
    return encode(asdict(event))


def event_of(sequence: int, text: str) -> Event:
    """The event that :func:`event_text` made text of, in its place."""
    members = _scan(text)[0]
    cause = Cause(**members["cause"])
    return Event(**{**members, "cause": cause, "sequence": sequence})


def completed_text(version: ObjectVersion | None) -> str:
    """A version as JSON, for an upload that became it."""
    return "" if version is None else encode(asdict(version))


def completed_of(text: str) -> ObjectVersion:
    """The version that :func:`completed_text` made text of."""
    members = _scan(text)[0]
    if members["checksum"] is not None:
        members["checksum"] = Checksum(**members["checksum"])
    return ObjectVersion(**members)
