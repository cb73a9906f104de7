"""Everything that clients and administrators can see of a store, to be held against what they saw before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IPushProducer

from ozgate.content.outlet import Located, begin_read, body_of, open_sources
from ozgate.interfaces import IMetadataTransaction
from ozgate.values import (
    Bucket,
    ByteRange,
    Content,
    ObjectPart,
    ObjectVersion,
    Part,
    Upload,
    Volume,
)
from tests.crash.gate import VOLUME, Gate

ALL = 1000
"""More than there is of anything."""


@frozen
class Stored:
    """A version and what it is made of."""

    bucket: str
    version: ObjectVersion
    parts: tuple[ObjectPart, ...]
    content: Content


@frozen
class View:
    """Everything that clients and administrators can see of a store; two are equal when these see no difference.

    :ivar data: the bytes of each content that is in blobs, or sealed.
    """

    volume: Volume
    buckets: tuple[Bucket, ...]
    versions: tuple[Stored, ...]
    uploads: tuple[tuple[str, Upload, tuple[Part, ...]], ...]
    data: dict[Content, bytes]

    def latest(self) -> dict[tuple[str, str], Stored]:
        """What a GET without a version finds, by bucket and key."""
        return {
            (stored.bucket, stored.version.key): stored
            for stored in self.versions
            if stored.version.is_latest and not stored.version.is_delete_marker
        }

    def contents(self) -> list[Content]:
        """Where the bytes of all versions and parts are."""
        found = [stored.content for stored in self.versions]
        return found + [part.content for _, _, parts in self.uploads for part in parts]

    def bytes_of(self, content: Content) -> bytes:
        """The bytes of a version or part."""
        if content.body is None or content.seal:
            return self.data[content]
        return content.body


class _Collecting:
    """A consumer that keeps what it is given."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.write = self.data.extend

    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None:
        """Take anything."""

    def unregisterProducer(self) -> None:
        """Nothing to do."""


def view(gate: Gate) -> View:
    """What is there.

    :raises StoreError: something cannot be read.
    """
    volume, buckets, versions, uploads = gate.read(rows)
    found = View(volume, buckets, versions, uploads, {})
    contents = [each for each in found.contents() if each.body is None or each.seal]
    return evolve(found, data={each: bytes_in(gate, each) for each in contents})


def rows(tx: IMetadataTransaction) -> tuple[Any, ...]:
    """The volume, its buckets, their versions and their uploads; an interaction."""
    volume = tx.volume(VOLUME)
    buckets = tuple(tx.buckets(VOLUME, "", "", ALL))
    named = {bucket.number: bucket.name for bucket in buckets}
    versions = tuple(stored for bucket in buckets for stored in _versions(tx, bucket))
    uploads = tuple(
        (named[bucket.number], upload, tuple(tx.parts(bucket, upload, 0, ALL)))
        for bucket, upload in tx.uploads_before(1 << 60, ALL)
    )
    return volume, buckets, versions, uploads


def _versions(tx: IMetadataTransaction, bucket: Bucket) -> Iterator[Stored]:
    for item in tx.version_page(bucket, "", "", "", "", ALL).items:
        version = tx.version(bucket, item.key, item.version_id)
        assert version is not None, f"listed, but not there: {item}"
        parts = tuple(tx.object_parts(bucket, version, 0, ALL))
        yield Stored(bucket.name, version, parts, tx.content(bucket, version))


def bytes_in(gate: Gate, content: Content) -> bytes:
    """The bytes of a content, by the door that clients have them through."""
    whole: Any = None
    span = ByteRange(0, content.length)
    located = Located(whole, whole, span, content)
    body = body_of(gate.gateway, located)
    if body is not None:
        return body
    collecting: Any = _Collecting()
    gate.loop.wait(ensureDeferred(_send(gate, located, collecting)))
    return bytes(collecting.data)


async def _send(gate: Gate, located: Located, consumer: Any) -> None:
    gateway = gate.gateway
    sources = await open_sources(gateway, located, begin_read(gateway))
    await sources.send_to(consumer)
