"""The tables of the memory provider, and what the parts of its transaction share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import define, evolve, field, fields

from ..values import (
    BlobRef,
    Bucket,
    Claim,
    Content,
    Event,
    Group,
    ManagedPolicy,
    ObjectPart,
    ObjectVersion,
    Part,
    Process,
    Secret,
    Upload,
    User,
    Volume,
)
from .memory_claims import Claims

LEAD = 86_400_000
"""Milliseconds that time stands still at most when the clock is set back; a lease that lasts longer was taken when it was wrong."""


@define
class Kept:
    """A version with its bytes and parts."""

    version: ObjectVersion
    content: Content
    parts: tuple[ObjectPart, ...]


@define
class State:
    """Everything stored. Values are immutable, so that a copy of the tables is a snapshot."""

    sequence: int = 0
    number: int = 0
    volumes: dict[str, Volume] = field(factory=dict)
    buckets: dict[tuple[str, str], Bucket] = field(factory=dict)
    configurations: dict[tuple[int, str], bytes] = field(factory=dict)
    versions: dict[tuple[int, str], tuple[Kept, ...]] = field(factory=dict)
    uploads: dict[tuple[int, str, str], Upload] = field(factory=dict)
    parts: dict[tuple[int, str, str], dict[int, Part]] = field(factory=dict)
    retired: dict[int, tuple[int, Content]] = field(factory=dict)
    events: dict[int, Event] = field(factory=dict)
    doomed: dict[tuple[str, str], int] = field(factory=dict)
    leases: dict[str, tuple[str, int, int]] = field(factory=dict)
    processes: dict[str, Process] = field(factory=dict)
    users: dict[str, User] = field(factory=dict)
    groups: dict[str, Group] = field(factory=dict)
    policies: dict[str, ManagedPolicy] = field(factory=dict)
    secrets: dict[str, Secret] = field(factory=dict)
    settings: dict[str, bytes] = field(factory=dict)

    def copy(self) -> State:
        """An independent copy."""
        tables: dict[str, Any] = {
            attribute.name: dict(value)
            for attribute in fields(State)
            if isinstance(value := getattr(self, attribute.name), dict)
        }
        tables["parts"] = {key: dict(parts) for key, parts in self.parts.items()}
        return evolve(self, **tables)


def by_name(names: Iterable[str], prefix: str, after: str, limit: int) -> Sequence[str]:
    """Names with a prefix, after a name, in order, to a limit."""
    wanted = sorted(n for n in names if n > after and n.startswith(prefix))
    return wanted[: max(limit, 0)]


def kept_content(content: Content) -> Content:
    """A content as it comes back: with extents, or a body that may be empty."""
    if content.extents:
        return Content(None, tuple(content.extents))
    return evolve(content, body=bytes(content.body or b""))


class Rows:
    """Tables that are thrown away if the interaction fails.

    :param at_claim: called as a claim is held, with the tables; gives those that are read from then on, in which others may have
        written meanwhile. Then what was read before may be out of date.
    """

    def __init__(
        self,
        state: State,
        now: int,
        writing: bool,
        at_claim: Callable[[State], State] | None = None,
    ) -> None:
        self._state = state
        self._now = now
        self._writing = writing
        self._at_claim = at_claim
        self._claims = Claims()

    @property
    def state(self) -> State:
        """The tables."""
        return self._state

    def _written(self, *claims: Claim) -> State:
        """The state, for a method that changes it.

        :param claims: what has to be claimed for that.
        :raises Unclaimed: it is not.
        """
        if not self._writing:
            raise TypeError("this method is for interactions that write")
        for claim in claims:
            self._claims.check(claim)
        return self._state

    def _inside(self, bucket: Bucket, claim: Claim) -> State:
        """The state, for a method that changes something in a bucket; as :meth:`_written`."""
        return self._written(*Claim.inside(bucket), claim)

    is_alone = False

    def claim(self, *claims: Claim) -> bool:
        """Hold what is claimed, in order."""
        self._written()
        self._claims.take(claims)
        if self._at_claim is None:
            return False
        self._state = self._at_claim(self._state)
        return True

    def now(self) -> int:
        """The time of the whole transaction."""
        return self._now

    def next_sequence(self) -> int:
        """A number larger than every one before it."""
        state = self._written()
        state.sequence += 1
        return state.sequence

    def _next_number(self) -> int:
        state = self._written()
        state.number += 1
        return state.number

    def _counted(self, bucket: Bucket) -> Bucket:
        """A bucket with what it uses, which is not kept but counted each time."""
        size, names = self.recount(bucket)
        return evolve(bucket, used_bytes=size, used_names=names)

    def recount(self, bucket: Bucket) -> tuple[int, int]:
        """Bytes and names, counted from the rows."""
        number = bucket.number
        sizes = [
            kept.version.size
            for place, versions in self._state.versions.items()
            if place[0] == number
            for kept in versions
        ]
        names = len(sizes)
        for place, parts in self._state.parts.items():
            if place[0] == number:
                sizes.extend(part.size for part in parts.values())
        return sum(sizes), names

    def _drop(self, content: Content) -> None:
        """Doom the blobs of a content that nothing names any more."""
        for extent in content.extents:
            if not self.is_named(extent.blob.store, extent.blob.id):
                self.doom([extent.blob])

    def _named(self) -> dict[tuple[str, str], BlobRef]:
        """Every blob that an extent names, by store and id."""
        contents = [
            kept.content
            for versions in self._state.versions.values()
            for kept in versions
        ]
        for parts in self._state.parts.values():
            contents.extend(part.content for part in parts.values())
        contents.extend(content for _, content in self._state.retired.values())
        return {
            (extent.blob.store, extent.blob.id): extent.blob
            for content in contents
            for extent in content.extents
        }

    def is_named(self, store: str, blob_id: str) -> bool:
        """Whether any extent of a version or part names the blob."""
        return (store, blob_id) in self._named()

    def doom(self, blobs: Iterable[BlobRef]) -> None:
        """Put blobs on the doomed list."""
        doomed = self._written().doomed
        for blob in blobs:
            doomed[blob.store, blob.id] = self._now
