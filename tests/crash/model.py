"""The reference model: what a gateway holds, as dicts, and what S3 says of it.

Each method is an operation: it changes the dicts and gives what an answer says, or raises :class:`Refusal` and changes
nothing. Written from the Amazon S3 API Reference, not from ozgate: nothing of ozgate is imported.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from hashlib import md5, sha256
from typing import Any

from attrs import define, evolve, field, frozen
from awscrt.checksums import crc64nvme

MIN_PART = 1 << 10
"""Bytes of every part but the last, at least: a five-thousandth of S3's, for histories of many parts."""

DEFAULT_TYPE = "binary/octet-stream"


class Refusal(Exception):
    """An answer that is not a success.

    :ivar status: of HTTP.
    :ivar code: S3's.
    """

    def __init__(self, status: int, code: str) -> None:
        super().__init__(status, code)
        self.status, self.code = status, code


def no_such_bucket() -> Refusal:
    """The bucket is not there."""
    return Refusal(404, "NoSuchBucket")


def precondition_failed() -> Refusal:
    """A condition does not hold."""
    return Refusal(412, "PreconditionFailed")


CHECKSUMS: Mapping[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: crc64nvme(data).to_bytes(8, "big"),
    "SHA256": lambda data: sha256(data).digest(),
}


def checksum(algorithm: str, data: bytes) -> str:
    """A checksum, base64."""
    return b64encode(CHECKSUMS[algorithm](data)).decode()


def md5_hex(data: bytes) -> str:
    """The ETag of what came in one piece."""
    return md5(data, usedforsecurity=False).hexdigest()


def counted(data: Any) -> str:
    """How bytes are shown."""
    return f"<{len(data)} bytes>"


@frozen
class Thing:
    """An object.

    :ivar etag: without quotes.
    :ivar metadata: user metadata.
    :ivar checksum: algorithm, and base64.
    :ivar parts: how many parts it was made of; 0 when it came in one piece.
    """

    body: bytes = field(repr=counted)
    etag: str
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    checksum: tuple[str, str]
    content_type: str = DEFAULT_TYPE
    parts: int = 0

    @classmethod
    def whole(
        cls,
        body: bytes,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        algorithm: str,
        content_type: str = DEFAULT_TYPE,
    ) -> Thing:
        """One that comes in one piece."""
        summed = algorithm, checksum(algorithm, body)
        return cls(body, md5_hex(body), metadata, tags, summed, content_type)


@frozen
class Version:
    """One version of a key.

    :ivar number: the model's name of it. Of two states that differ in nothing else one is enough.
    :ivar thing: ``None`` of a delete marker.
    :ivar is_null: whether it is the null version.
    :ivar is_held: whether a legal hold keeps it.
    :ivar retention: mode, and the year until which it is retained.
    """

    number: int = field(eq=False)
    thing: Thing | None
    is_null: bool
    is_held: bool = False
    retention: tuple[str, int] | None = None

    def may_bypass(self, bypass: bool) -> bool:
        """Whether its retention is passed over."""
        return (
            bypass and self.retention is not None and self.retention[0] == "GOVERNANCE"
        )


@frozen
class Upload:
    """A multipart upload.

    :ivar parts: number → bytes.
    :ivar listed: what the Complete that won listed; ``None`` while in progress.
    :ivar became: what that Complete was answered.
    """

    bucket: str
    key: str
    metadata: Mapping[str, str]
    tags: Mapping[str, str]
    parts: Mapping[int, bytes] = field(
        factory=dict, repr=lambda parts: str(sorted(parts))
    )
    listed: tuple[tuple[int, str], ...] | None = None
    became: Any = None


@frozen
class Conditions:
    """What a write asks of the object that is there.

    :ivar if_match: an ETag.
    :ivar if_none_match: whether there must be none.
    """

    if_match: str | None = None
    if_none_match: bool = False

    def check(self, there: Thing | None) -> None:
        """Refuse when they do not hold."""
        if self.if_match is not None:
            if there is None:
                raise Refusal(404, "NoSuchKey")
            if there.etag != self.if_match:
                raise precondition_failed()
        if self.if_none_match and there is not None:
            raise precondition_failed()


@define
class Model:
    """Everything a gateway holds.

    :ivar held: bucket → key → its versions, the newest first.
    :ivar states: of the versioning of buckets that ever had any.
    :ivar uploads: by names of the test's own, for ids are the gateway's to choose.
    :ivar made: how many versions there ever were.
    :ivar locking: the buckets that have object lock.
    """

    held: dict[str, dict[str, tuple[Version, ...]]] = field(factory=dict)
    states: dict[str, str] = field(factory=dict)
    uploads: dict[str, Upload] = field(factory=dict)
    made: int = field(default=0, eq=False)
    locking: set[str] = field(factory=set)

    def copy(self) -> Model:
        """One that changes on its own."""
        held = {name: copy(keys) for name, keys in self.held.items()}
        states, uploads = copy(self.states), copy(self.uploads)
        return Model(held, states, uploads, self.made, copy(self.locking))

    # What is there

    @property
    def buckets(self) -> dict[str, dict[str, Thing]]:
        """Bucket → key → object."""
        return {name: self.bucket(name) for name in self.held}

    def bucket(self, name: str) -> dict[str, Thing]:
        """The objects of a bucket."""
        if name not in self.held:
            raise no_such_bucket()
        latest = {key: versions[0].thing for key, versions in self.held[name].items()}
        return {key: thing for key, thing in latest.items() if thing is not None}

    def versions(self, bucket: str, key: str) -> tuple[Version, ...]:
        """The versions of a key."""
        if bucket not in self.held:
            raise no_such_bucket()
        return self.held[bucket].get(key, ())

    def shown(self, bucket: str, version: Version) -> str:
        """What answers say of a version's id: nothing (``""``), ``null``, or one of its ``own``."""
        if version.is_null:
            return "null" if bucket in self.states else ""
        return "own"

    def thing(self, bucket: str, key: str) -> Thing:
        """An object."""
        found = self.bucket(bucket).get(key)
        if found is None:
            raise Refusal(404, "NoSuchKey")
        return found

    def upload(self, bucket: str, name: str) -> Upload:
        """An upload in progress."""
        self.bucket(bucket)
        found = self.uploads.get(name)
        if found is None or found.listed is not None:
            raise Refusal(404, "NoSuchUpload")
        return found

    def used(self, bucket: str) -> tuple[int, int]:
        """Bytes and names that a bucket holds; parts count until their upload ends."""
        versions = [v for each in self.held[bucket].values() for v in each]
        bodies = (len(v.thing.body) for v in versions if v.thing is not None)
        parts = (
            len(part)
            for upload in self.uploads.values()
            if upload.bucket == bucket and upload.listed is None
            for part in upload.parts.values()
        )
        return sum(bodies) + sum(parts), len(versions)

    # Buckets

    def create_bucket(self, name: str) -> None:
        """CreateBucket; one's own is made again in vain."""
        self.held.setdefault(name, {})

    def set_versioning(self, name: str, status: str) -> None:
        """PutBucketVersioning."""
        self.bucket(name)
        if name in self.locking and status != "Enabled":
            raise Refusal(409, "InvalidBucketState")
        self.states[name] = status

    def delete_bucket(self, name: str) -> None:
        """DeleteBucket; uploads in progress go with it."""
        self.bucket(name)
        if self.held[name]:
            raise Refusal(409, "BucketNotEmpty")
        del self.held[name]
        self.states.pop(name, None)
        self.locking.discard(name)
        self.uploads = {
            each: upload
            for each, upload in self.uploads.items()
            if upload.bucket != name
        }

    # Objects

    def check(self, bucket: str, key: str, conditions: Conditions) -> None:
        """Refuse a write whose conditions do not hold."""
        conditions.check(self.bucket(bucket).get(key))

    def put(self, bucket: str, key: str, thing: Thing, conditions: Conditions) -> str:
        """PutObject, and what else makes an object; gives what is said of its id: nothing of the null version."""
        self.check(bucket, key, conditions)
        return "" if self._add(bucket, key, thing).is_null else "own"

    def _add(self, bucket: str, key: str, thing: Thing | None) -> Version:
        """A version, or delete marker, that comes; a null version takes the place of another."""
        is_null = self.states.get(bucket) != "Enabled"
        older = self.versions(bucket, key)
        if is_null:
            older = tuple(each for each in older if not each.is_null)
        self.made += 1
        made = Version(self.made, thing, is_null)
        self.held[bucket][key] = (made, *older)
        return made

    def delete(self, bucket: str, key: str, if_match: str | None) -> str:
        """DeleteObject; what is not there is deleted too. Gives what is said of the marker's id."""
        self.check(bucket, key, Conditions(if_match))
        if bucket in self.states:
            return self.shown(bucket, self._add(bucket, key, None))
        self.held[bucket].pop(key, None)
        return ""

    def remove(
        self, bucket: str, key: str, version: Version | None, bypass: bool
    ) -> bool:
        """DeleteObject of a version that is named; whether it was a delete marker.

        :param bypass: whether retention in the mode GOVERNANCE is passed over.
        """
        versions = self.versions(bucket, key)
        if bypass and bucket not in self.locking:
            raise Refusal(400, "InvalidArgument")
        if version is None:
            return False
        if version.is_held or (version.retention and not version.may_bypass(bypass)):
            raise Refusal(403, "AccessDenied")
        left = tuple(each for each in versions if each is not version)
        if left:
            self.held[bucket][key] = left
        else:
            del self.held[bucket][key]
        return version.thing is None

    def copy_object(
        self,
        source: tuple[str, str],
        target: tuple[str, str],
        source_if_match: str | None,
        metadata: Mapping[str, str] | None,
        tags: Mapping[str, str] | None,
        conditions: Conditions,
    ) -> tuple[Thing, str]:
        """CopyObject; metadata and tags of the source when ``None``."""
        if source == target and metadata is None:
            raise Refusal(400, "InvalidRequest")
        self.bucket(target[0])
        found = self.thing(*source)
        if source_if_match is not None and found.etag != source_if_match:
            raise precondition_failed()
        made = found
        if metadata is not None:
            made = evolve(made, metadata=metadata, content_type=DEFAULT_TYPE)
        if tags is not None:
            made = evolve(made, tags=tags)
        return made, self.put(*target, made, conditions)

    def put_tags(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        """PutObjectTagging; DeleteObjectTagging when there are none."""
        thing = evolve(self.thing(bucket, key), tags=tags)
        latest, *older = self.versions(bucket, key)
        self.held[bucket][key] = (evolve(latest, thing=thing), *older)

    # Uploads

    def put_part(self, bucket: str, name: str, number: int, body: bytes) -> None:
        """UploadPart; the last of one number wins."""
        upload = self.upload(bucket, name)
        self.uploads[name] = evolve(upload, parts={**upload.parts, number: body})

    def complete(
        self,
        bucket: str,
        name: str,
        listed: Sequence[tuple[int, str]],
        conditions: Conditions,
    ) -> Any:
        """CompleteMultipartUpload; the same list again gets the same answer."""
        self.bucket(bucket)
        known = self.uploads.get(name)
        if known is not None and known.listed == tuple(listed):
            return known.became
        upload = self.upload(bucket, name)
        parts = [upload.parts.get(number) for number, _ in listed]
        bodies = [part for part in parts if part is not None]
        if len(bodies) < len(parts) or any(
            md5_hex(body) != etag
            for body, (_, etag) in zip(bodies, listed, strict=True)
        ):
            raise Refusal(400, "InvalidPart")
        if any(len(body) < MIN_PART for body in bodies[:-1]):
            raise Refusal(400, "EntityTooSmall")
        digests = b"".join(bytes.fromhex(md5_hex(body)) for body in bodies)
        whole = b"".join(bodies)
        thing = Thing(
            whole,
            f"{md5_hex(digests)}-{len(bodies)}",
            upload.metadata,
            upload.tags,
            ("CRC64NVME", checksum("CRC64NVME", whole)),
            parts=len(bodies),
        )
        said = self.put(upload.bucket, upload.key, thing, conditions)
        became = thing.etag, thing.checksum, said
        ended = evolve(upload, parts={}, listed=tuple(listed), became=became)
        self.uploads[name] = ended
        return became

    def abort(self, bucket: str, name: str) -> None:
        """AbortMultipartUpload."""
        self.upload(bucket, name)
        del self.uploads[name]
