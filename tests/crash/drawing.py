"""What a history asks next: operations drawn by Hypothesis, most of them about what is there."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import frozen
from hypothesis import strategies as st

from tests.crash import lock_operations as locks
from tests.crash.model import Conditions, Model, Thing, md5_hex
from tests.crash.object_operations import (
    CopyObject,
    DeleteObject,
    DeleteObjects,
    DeleteObjectTagging,
    GetObject,
    GetObjectTagging,
    GetRange,
    HeadObject,
    PutObject,
    PutObjectTagging,
)
from tests.crash.operations import INLINE, CreateBucket, DeleteBucket, Operation
from tests.crash.upload_operations import (
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CreateMultipartUpload,
    ListMultipartUploads,
    ListObjectsV2,
    ListParts,
    UploadPart,
    UploadPartCopy,
)
from tests.crash.version_operations import (
    DeleteVersion,
    GetVersion,
    ListObjectVersions,
    PutBucketVersioning,
    RestoreVersion,
)

BUCKETS = ("one", "two")
KEYS = ("a", "a/b", "a/b/c", "b", "b &+%", "é/ü")

SIZES = (0, 1, 1023, 1024, 100, 16384, INLINE, INLINE + 1, 262144, 300_001)
"""Bodies in rows, at the border, collected and streamed blobs, blobs of one block and of more."""

PART_SIZES = (1024, 0, 1, 1023, 20_000, 70_000)

_BYTES = [random.Random(salt).randbytes(max(SIZES)) for salt in range(3)]
_NAMED: tuple[dict[str, str], ...] = ({}, {"color": "blue"}, {"color": "red", "n": "1"})

Draw = Callable[[st.SearchStrategy[Any]], Any]


def pick(draw: Draw, options: Sequence[Any]) -> Any:
    """One of several; the first is the simplest."""
    return draw(st.sampled_from(options))


def rarely(draw: Draw, of: int = 6) -> bool:
    """Once in a while."""
    return bool(draw(st.integers(0, of - 1)) == of - 1)


def some_body(draw: Draw, sizes: Sequence[int] = SIZES) -> bytes:
    """One of a few bodies, cut to one of the sizes."""
    size = pick(draw, sizes)
    found: bytes = pick(draw, _BYTES)[:size]
    return found


def some_names(draw: Draw) -> Mapping[str, str]:
    """Metadata or tags."""
    found: Mapping[str, str] = pick(draw, _NAMED)
    return found


@frozen
class Known:
    """What a history has so far.

    :ivar uploads: bucket and key of each upload there ever was, by the test's name.
    """

    model: Model
    uploads: Mapping[str, tuple[str, str]]

    def bucket(self, draw: Draw) -> str:
        """Mostly one that is there."""
        there = [name for name in BUCKETS if name in self.model.held]
        found: str = pick(draw, BUCKETS if not there or rarely(draw) else there)
        return found

    def place(self, draw: Draw, there: bool = True) -> dict[str, str]:
        """Bucket and key.

        :param there: whether mostly one with an object.
        """
        bucket = self.bucket(draw)
        held = self.model.bucket(bucket) if bucket in self.model.held else {}
        things = [key for key in KEYS if key in held]
        keys = things if there and things and not rarely(draw) else KEYS
        return {"bucket": bucket, "key": pick(draw, keys)}

    def thing(self, place: Mapping[str, str]) -> Thing | None:
        """The object that is there."""
        if place["bucket"] not in self.model.held:
            return None
        return self.model.bucket(place["bucket"]).get(place["key"])

    def version(self, draw: Draw) -> dict[str, Any]:
        """Bucket, key and number, mostly of a version that is there."""
        there = [
            {"bucket": bucket, "key": key, "number": version.number}
            for bucket, keys in self.model.held.items()
            for key, versions in keys.items()
            for version in versions
        ]
        if not there or rarely(draw):
            return {**self.place(draw), "number": 0}
        found: dict[str, Any] = pick(draw, there)
        return found

    def etag(self, draw: Draw, place: Mapping[str, str]) -> str:
        """Mostly that of what is there."""
        thing = self.thing(place)
        if thing is None or rarely(draw, 3):
            return md5_hex(b"another")
        return thing.etag

    def conditions(self, draw: Draw, place: Mapping[str, str]) -> Conditions:
        """Mostly none."""
        kind = draw(st.integers(0, 5))
        if kind == 4:
            return Conditions(self.etag(draw, place))
        return Conditions(if_none_match=kind == 5)

    def upload(self, draw: Draw) -> dict[str, str]:
        """Mostly one in progress."""
        active = [
            name
            for name in self.uploads
            if name in self.model.uploads and self.model.uploads[name].listed is None
        ]
        names = active if active and not rarely(draw) else sorted(self.uploads)
        name = pick(draw, names)
        bucket, key = self.uploads[name]
        return {"bucket": bucket, "key": key, "upload": name}


def put_object(draw: Draw, known: Known) -> Operation:
    """Mostly a plain one; now and then conditional, with a wrong digest, or cut off."""
    place = known.place(draw, there=False)
    return PutObject(
        **place,
        body=some_body(draw),
        metadata=some_names(draw),
        tags=some_names(draw),
        algorithm=pick(draw, ("", "CRC32", "SHA256", "CRC64NVME")),
        content_type=pick(draw, ("binary/octet-stream", "text/plain")),
        conditions=known.conditions(draw, place),
        wrong=rarely(draw, 12),
        cut=rarely(draw, 12),
    )


def get_object(draw: Draw, known: Known) -> Operation:
    """With a condition now and then."""
    place = known.place(draw)
    if rarely(draw, 3):
        return GetObject(**place, if_match=known.etag(draw, place))
    if rarely(draw, 3):
        return GetObject(**place, if_none_match=known.etag(draw, place))
    return GetObject(**place)


def get_range(draw: Draw, known: Known) -> Operation:
    """Around the ends of what is there."""
    place = known.place(draw)
    thing = known.thing(place)
    size = len(thing.body) if thing is not None else 10
    ends = st.one_of(st.integers(0, size + 1), st.integers(max(0, size - 9), size + 1))
    first = draw(st.one_of(ends, st.none()))
    last = draw(ends if first is None else st.one_of(ends, st.none()))
    if first is not None and last is not None:
        first, last = min(first, last), max(first, last)
    return GetRange(**place, first=first, last=last)


def head_object(draw: Draw, known: Known) -> Operation:
    """With a condition now and then."""
    place = known.place(draw)
    if rarely(draw, 3):
        return HeadObject(**place, if_match=known.etag(draw, place))
    return HeadObject(**place)


def delete_object(draw: Draw, known: Known) -> Operation:
    """With a condition now and then."""
    place = known.place(draw)
    if rarely(draw, 3):
        return DeleteObject(**place, if_match=known.etag(draw, place))
    return DeleteObject(**place)


def delete_objects(draw: Draw, known: Known) -> Operation:
    """Several keys, there or not."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4))
    return DeleteObjects(bucket=known.bucket(draw), keys=tuple(keys))


def copy_object(draw: Draw, known: Known) -> Operation:
    """From anywhere to anywhere, onto itself too."""
    source = known.place(draw)
    target = known.place(draw, there=False)
    return CopyObject(
        **target,
        source=(source["bucket"], source["key"]),
        source_if_match=known.etag(draw, source) if rarely(draw, 4) else None,
        metadata=pick(draw, (None, *_NAMED)),
        tags=pick(draw, (None, *_NAMED)),
        conditions=known.conditions(draw, target),
    )


def get_tags(draw: Draw, known: Known) -> Operation:
    """Of mostly something that is there."""
    return GetObjectTagging(**known.place(draw))


def put_tags(draw: Draw, known: Known) -> Operation:
    """On mostly something that is there."""
    return PutObjectTagging(**known.place(draw), tags=some_names(draw))


def delete_tags(draw: Draw, known: Known) -> Operation:
    """Of mostly something that is there."""
    return DeleteObjectTagging(**known.place(draw))


def create_bucket(draw: Draw, known: Known) -> Operation:
    """New, or there already."""
    return CreateBucket(bucket=pick(draw, BUCKETS))


def delete_bucket(draw: Draw, known: Known) -> Operation:
    """Empty ones often enough."""
    empty = [name for name in BUCKETS if not known.model.held.get(name, True)]
    return DeleteBucket(
        bucket=pick(draw, empty if empty and rarely(draw, 2) else BUCKETS)
    )


def put_versioning(draw: Draw, known: Known) -> Operation:
    """Mostly that versions are kept."""
    status = pick(draw, ("Enabled", "Suspended"))
    return PutBucketVersioning(bucket=known.bucket(draw), status_wanted=status)


def get_version(draw: Draw, known: Known) -> Operation:
    """Of mostly one that is there."""
    return GetVersion(**known.version(draw))


def delete_version(draw: Draw, known: Known) -> Operation:
    """Likewise."""
    return DeleteVersion(**known.version(draw))


def restore_version(draw: Draw, known: Known) -> Operation:
    """Likewise."""
    return RestoreVersion(**known.version(draw))


def upload_part(draw: Draw, known: Known) -> Operation:
    """Small numbers, so that parts come again."""
    return UploadPart(
        **known.upload(draw),
        number=draw(st.integers(1, 4)),
        body=some_body(draw, PART_SIZES),
        wrong=rarely(draw, 12),
    )


def upload_part_copy(draw: Draw, known: Known) -> Operation:
    """Of a whole object, or of a range."""
    upload, source = known.upload(draw), known.place(draw)
    thing = known.thing(source)
    span = None
    if rarely(draw, 2):
        size = len(thing.body) if thing is not None else 10
        ends = draw(st.tuples(st.integers(0, size), st.integers(0, size)))
        span = min(ends), max(ends)
    return UploadPartCopy(
        **upload,
        number=draw(st.integers(1, 4)),
        source=(source["bucket"], source["key"]),
        span=span,
    )


def list_parts(draw: Draw, known: Known) -> Operation:
    """Of mostly an upload in progress."""
    return ListParts(**known.upload(draw))


def complete(draw: Draw, known: Known) -> Operation:
    """What was uploaded, or the same list again; now and then without a part, or with one that never came."""
    place = known.upload(draw)
    upload = known.model.uploads.get(place["upload"])
    listed: list[tuple[int, str]] = []
    if upload is not None and upload.listed is not None:
        listed = list(upload.listed)
    elif upload is not None:
        listed = [(number, md5_hex(part)) for number, part in upload.parts.items()]
        listed.sort()
    if listed and rarely(draw, 4):
        del listed[draw(st.integers(0, len(listed) - 1))]
    if not listed or rarely(draw, 8):
        listed.append((7, md5_hex(b"another")))
    return CompleteMultipartUpload(
        **place, listed=tuple(listed), conditions=known.conditions(draw, place)
    )


def abort(draw: Draw, known: Known) -> Operation:
    """Mostly one in progress."""
    return AbortMultipartUpload(**known.upload(draw))


def list_uploads(draw: Draw, known: Known) -> Operation:
    """Of mostly a bucket that is there."""
    return ListMultipartUploads(bucket=known.bucket(draw))


def create_upload(draw: Draw, known: Known) -> Operation:
    """With a name of the test's own, since ids differ from run to run."""
    return CreateMultipartUpload(
        **known.place(draw, there=False),
        upload=f"upload {len(known.uploads)}",
        metadata=some_names(draw),
        tags=some_names(draw),
    )


def listing(draw: Draw, known: Known) -> ListObjectsV2 | ListObjectVersions:
    """Small pages, with every kind of prefix, delimiter and marker."""
    kind = pick(draw, (ListObjectsV2, ListObjectVersions))
    asked: ListObjectsV2 | ListObjectVersions = kind(
        bucket=known.bucket(draw),
        prefix=pick(draw, ("", "a", "a/", "b", "é/", "none")),
        delimiter=pick(draw, ("", "/", "/b", " ")),
        after=pick(draw, ("", *KEYS, "a/", "a0")),
        limit=draw(st.integers(1, 7)),
    )
    return asked


ON_OBJECTS = (
    put_object,
    get_object,
    delete_object,
    get_range,
    head_object,
    delete_objects,
    copy_object,
    get_tags,
    put_tags,
    delete_tags,
    listing,
    list_uploads,
    create_bucket,
    delete_bucket,
    put_versioning,
    get_version,
    delete_version,
    restore_version,
    locks.lock_bucket,
    locks.hold,
    locks.retain,
    locks.delete_kept,
    locks.put_locked,
)
ON_UPLOADS = (
    upload_part,
    complete,
    abort,
    list_parts,
    upload_part_copy,
)
"""What needs an upload to be about."""
