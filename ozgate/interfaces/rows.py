"""The facets of a transaction: rows by what they are about, and ordered pages of them; of what no bucket has, :mod:`ozgate.interfaces.shared`.

What holds for all of them is said in :class:`~ozgate.interfaces.IMetadataTransaction`, which is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from zope.interface import Interface

from ..values import (
    BlobRef,
    Bucket,
    ByteRange,
    CheckedRows,
    Content,
    DamagedRow,
    Event,
    ObjectPart,
    ObjectVersion,
    Page,
    Part,
    Upload,
    UploadPage,
    VersionPage,
    Volume,
)

__all__ = [
    "IBlobNames",
    "IBuckets",
    "IEvents",
    "IOrder",
    "IRepairs",
    "IUploads",
    "IVersions",
]


class IOrder(Interface):
    """The store's time, and the order of what is written."""

    def now() -> int:
        """Milliseconds since the epoch: the same in the whole transaction.

        It stands still while the wall clock is set back by a day or less, and follows where that is set back further. Among
        processes that write by turns, it is not before a time that another has committed.
        """

    def next_sequence() -> int:
        """A number larger than every one before it in this transaction, and than every one that was committed before, by whatever process.

        A server database may promise the latter only for what was committed under the same claim.
        """


class IBuckets(Interface):
    """Volumes, buckets and links, and what they hold."""

    def volume(name: str) -> Volume | None:
        """The volume of that name."""

    def volumes(prefix: str, after: str, limit: int) -> Sequence[Volume]:
        """Volumes by name, those after ``after`` that start with ``prefix``."""

    def add_volume(volume: Volume) -> Volume:
        """Store a volume; its number and ``modified`` are set in what is returned.

        What it uses is counted, not taken from the value. Fails with ``Conflict`` when there is one.
        """

    def replace_volume(volume: Volume) -> None:
        """Store a volume's changed members (owner, admin, quotas, acls); ``modified`` becomes :meth:`now`."""

    def remove_volume(volume: Volume) -> None:
        """Remove a volume. Fails with ``Conflict`` when it holds a bucket or link."""

    def bucket(volume: str, name: str, counted: bool = True) -> Bucket | None:
        """The bucket or link of that name; ``None`` also when there is no such volume.

        :param counted: whether it is asked what it uses. Where it is not, ``used_bytes`` and ``used_names`` say nothing.
        """

    def buckets(volume: str, prefix: str, after: str, limit: int) -> Sequence[Bucket]:
        """Buckets and links of a volume by name, those after ``after``."""

    def add_bucket(bucket: Bucket) -> Bucket:
        """Store a bucket that the caller has found absent; its number and ``modified`` are set in what is returned.

        What it uses is counted, not taken from the value, and it has no documents yet.
        """

    def replace_bucket(bucket: Bucket) -> None:
        """Store a bucket's changed members; ``modified`` becomes :meth:`now`.

        They are owner, region, versioning, source, quotas, acls and layout; what it uses is counted.
        """

    def remove_bucket(bucket: Bucket) -> None:
        """Remove a bucket that holds no version, with its configurations and uploads."""

    def is_empty(bucket: Bucket) -> bool:
        """Whether the bucket holds no version and no delete marker. Uploads do not count."""

    def recount(bucket: Bucket) -> tuple[int, int]:
        """Bytes and names of a bucket, counted from its rows: what ``used_bytes``, ``used_names`` must be.

        Costs a walk through all its rows.
        """

    def configuration(bucket: Bucket, kind: str) -> bytes | None:
        """A named configuration document of a bucket (``policy``, ``cors``, …).

        ``bucket.configured`` says which there are: on the way of a request, it is asked first, and costs nothing.
        """

    def set_configuration(bucket: Bucket, kind: str, document: bytes | None) -> None:
        """Keep a configuration document, or remove it with ``None``; the bucket's ``configured`` follows."""


class IVersions(Interface):
    """Versions of keys, where their bytes are, and ordered pages of them."""

    def latest(bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key; it may be a delete marker."""

    def version(bucket: Bucket, key: str, version_id: str) -> ObjectVersion | None:
        """One version of a key; ``"null"`` names the null version."""

    def add_version(
        bucket: Bucket,
        version: ObjectVersion,
        content: Content,
        parts: Sequence[ObjectPart] = (),
        replaced: ObjectVersion | None = None,
    ) -> None:
        """Add a version, which becomes the latest. ``version.sequence`` comes from :meth:`next_sequence`.

        :param replaced: a version of the key that goes as this one comes, as by :meth:`remove_version`: the null version, where this is one, too.
        """

    def replace_version(bucket: Bucket, version: ObjectVersion) -> None:
        """Store a version's changed members (tags, metadata, what ``more`` holds); its content and size stay."""

    def remove_version(bucket: Bucket, version: ObjectVersion) -> None:
        """Remove a version; the next newest becomes the latest.

        The blobs of its extents are doomed, unless it has more than ``EXTENTS_AT_ONCE``: then the version is *retired*,
        and :meth:`content` goes on finding its extents, which go on naming their blobs, until they are released.
        """

    def content(
        bucket: Bucket,
        version: ObjectVersion,
        wanted: ByteRange | None = None,
        limit: int = 0,
    ) -> Content:
        """Where a version's bytes are. Costs what it returns, wherever in the version that is.

        :param wanted: the bytes meant, which the version has; ``None`` for all. Extents are cut to them.
        :param limit: how many extents of a range at most; 0 for all. The length of what is returned tells how far they go.
        :raises Absent: the version is gone.
        """

    def object_parts(
        bucket: Bucket, version: ObjectVersion, after: int, limit: int
    ) -> Sequence[ObjectPart]:
        """Parts of a completed multipart object by number, those after ``after``. Costs what it returns."""

    def page(
        bucket: Bucket, prefix: str, after: str, delimiter: str, limit: int
    ) -> Page:
        """A page of the keys whose latest version is no delete marker.

        Keys are those after ``after`` (excluded) that start with ``prefix``; an ``after`` that is
        itself a common prefix skips all below it. Keys with ``delimiter`` (``""``: none) after the
        prefix are rolled up. Items and common prefixes together are at most ``limit`` (0: an empty, last
        page). Costs what it returns: neither what is rolled up nor old versions are walked.
        """

    def version_page(
        bucket: Bucket,
        prefix: str,
        key_marker: str,
        version_id_marker: str,
        delimiter: str,
        limit: int,
    ) -> VersionPage:
        """A page of all versions and delete markers, by key, newest first.

        With a ``version_id_marker``, those of ``key_marker`` older than that version come first;
        without, the listing starts after ``key_marker``.
        """


class IUploads(Interface):
    """Multipart uploads and their parts."""

    def upload(bucket: Bucket, key: str, upload_id: str) -> Upload | None:
        """An upload, in progress or completed."""

    def add_upload(bucket: Bucket, upload: Upload) -> None:
        """Begin an upload."""

    def complete_upload(bucket: Bucket, upload: Upload) -> None:
        """Keep ``upload.completed``, ``completed_parts``; drop the parts, dooming their blobs."""

    def remove_upload(bucket: Bucket, upload: Upload) -> None:
        """Drop an upload and its parts, dooming their blobs."""

    def upload_page(
        bucket: Bucket,
        prefix: str,
        key_marker: str,
        upload_id_marker: str,
        delimiter: str,
        limit: int,
    ) -> UploadPage:
        """A page of uploads in progress, by key, then by upload id.

        With an ``upload_id_marker``, those of ``key_marker`` after that id come first; without,
        the listing starts after ``key_marker``.
        """

    def uploads_before(initiated: int, limit: int) -> Sequence[tuple[Bucket, Upload]]:
        """Uploads of all buckets begun before that time, completed ones included, oldest first; not those whose rows are damaged."""

    def put_part(bucket: Bucket, upload: Upload, part: Part) -> None:
        """Store a part; the one it replaces is dropped, dooming its blobs."""

    def parts(
        bucket: Bucket, upload: Upload, after: int, limit: int, contents: bool = True
    ) -> Sequence[Part]:
        """Parts by number, those after ``after``; with their content, unless ``contents`` is ``False``."""

    def count_extents(bucket: Bucket, upload: Upload, most: int) -> int:
        """Extents of all parts of an upload together, counted up to ``most`` and no further."""


class IEvents(Interface):
    """The outbox: what became of objects, in the order in which it did, until it was told to whom it concerns.

    An event is told at least once: whoever tells events forgets them afterwards, and keeps how far he is nowhere else. So a store
    that is brought back from a backup tells again what it had not told when that was made, and passes over nothing that comes later. Whoever
    tells events forgets those of buckets that are gone, or where nobody listens any more, too: all that nobody forgets stays.
    """

    def note_event(event: Event) -> None:
        """Add an event, in the transaction that makes the change; its ``sequence`` is set here."""

    def events(after: int, limit: int) -> Sequence[Event]:
        """Events in order, those whose sequence is larger than ``after``.

        None appears later among or before those that were read: whoever goes on after the last one misses none.

        :raises Damaged: one of them is; ``ozgate admin fsck`` finds and removes it.
        """

    def forget_events(upto: int) -> None:
        """Remove the events up to that sequence, that one included."""


class IBlobNames(Interface):
    """Which blobs have a name: removed versions that somebody may be reading still, and blobs that may have no name left."""

    def retired(before: int, limit: int) -> Sequence[int]:
        """Sequences of the versions retired before that time, oldest first."""

    def release(sequence: int, limit: int) -> bool:
        """Drop extents of a retired version, at most so many, dooming blobs that have no name left.

        :return: whether none is left, and the version no longer retired.
        """

    def doomed(store: str, before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs of a blob store that were doomed before that time, oldest first. ``length`` and checksum may be 0."""

    def doomed_stores() -> Sequence[str]:
        """The blob stores that doomed blobs are in, by name. Costs what it returns."""

    def is_named(store: str, blob_id: str) -> bool:
        """Whether any extent of a version, retired or not, or of a part names the blob."""

    def nameless(store: str, blob_ids: Sequence[str]) -> Sequence[str]:
        """Those of these blobs that no extent names, in their order. Looks at every extent, should an index be damaged."""

    def blobs(after: tuple[str, str], limit: int) -> Sequence[BlobRef]:
        """The blobs that extents name, of all blob stores, each once, by id and then by store; those after ``after``, which has both.

        :param limit: blobs at most. They may be fewer, where many extents name one, but never none while there are more.
        """

    def move_blob(old: BlobRef, new: Sequence[BlobRef], most: int, limit: int) -> bool:
        """Have extents that name a blob name others instead, which have its bytes, one after the other; then doom it.

        Nothing else of an extent changes. One whose bytes end up in several blobs becomes several.

        :param most: extents that a version or part may have then.
        :param limit: extents that are changed at most.
        :return: whether none names it any more, so that it is doomed; else call again.
        :raises Conflict: a version or part would have more than ``most``; or an extent that is sealed would have to be cut.
        :raises Damaged: an extent that names it is.
        """

    def is_doomed(store: str, blob_id: str) -> bool:
        """Whether the blob is on the doomed list."""

    def forget_doomed(blobs: Iterable[BlobRef]) -> None:
        """Take blobs off the doomed list."""

    def doom(blobs: Iterable[BlobRef]) -> None:
        """Put blobs on the doomed list, as the sweeper does with those it found without a name."""


class IRepairs(Interface):
    """Rows and counters that are not what was written, or what should be right by itself."""

    def correct_usage(
        volume: str, bucket: str, more_bytes: int, more_names: int
    ) -> None:
        """Add to the counters of a bucket or, where ``bucket`` is ``""``, of a volume, and to nothing else.

        A store that keeps none, but counts each time, has nothing to correct.
        """

    def check_rows(after: str, limit: int) -> CheckedRows:
        """Check rows of every kind, those after ``after``, at most ``limit``; ``""`` begins.

        Reading a damaged row fails with ``Damaged`` wherever it is read; this finds it before somebody needs it. It
        may also fail with ``Damaged`` itself, where the store can no longer tell row from row.
        """

    def mend_row(
        row: DamagedRow, owner: str, keeping: Set[str], closing: Set[str]
    ) -> str:
        """Get rid of a damaged row, with what only it leads to; says in a line what was done, ``""`` where it stays.

        A version goes with its bytes, a run of bytes with the version or part it belongs to, an upload with its
        parts. A volume or bucket stays, with all that is in it: it becomes ``owner``'s, and its list of rights empty.
        Of its other members those stay that can be used; a name that nobody could ask for becomes another one.
        Nothing happens to a row that has been mended or written since.

        :param keeping: kinds of configuration documents. Where a bucket has one, or may be thought to, its versions stay, with their
            bytes, whatever is damaged of them; so do such documents themselves.
        :param closing: kinds of configuration documents without which more would be allowed than with them. They stay, too, damaged
            as they are, and a bucket goes on to say that it has one that is gone: until somebody writes it anew, or removes it.
        """
