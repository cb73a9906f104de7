"""Every interface of ozgate: what a provider of metadata, bytes or secrets promises.

A provider can be written from this module alone; its contract suite is in
:mod:`ozgate.testing`. Imports values only. All methods are called in the reactor's
thread and return at once, unless a docstring says otherwise; Deferreds fire in the
reactor's thread. Errors of stores are those of :mod:`ozgate.errors`:
``Unavailable`` (surely not done), ``Uncertain`` (outcome unknown), ``NoSpace``, ``Absent``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from zope.interface import Attribute, Interface

from .values import (
    BlobRef,
    BlobUser,
    Bucket,
    ByteRange,
    CheckedRows,
    Content,
    Credential,
    DamagedRow,
    Drift,
    ObjectPart,
    ObjectVersion,
    Page,
    Part,
    Secret,
    Upload,
    UploadPage,
    VersionPage,
    Volume,
)

__all__ = [
    "IBlobSink",
    "IBlobStore",
    "IByteSource",
    "IFiles",
    "IInspected",
    "IMeasured",
    "IMetadataStore",
    "IMetadataTransaction",
    "IProviderMaker",
    "ISecretStore",
]


class IMetadataTransaction(Interface):
    """What an interaction is given: rows, not S3 calls. S3's meaning is written above.

    Calls are synchronous and may come from another thread than the reactor's. A transaction
    given by :meth:`IMetadataStore.read` refuses the writing methods with ``TypeError``.
    A method that is handed a :class:`Bucket` uses its ``number`` and ``volume``; links are resolved above.
    ``used_bytes`` and ``used_names`` change with the rows, in the same transaction: versions count in
    names (delete markers too) and bytes, uploaded parts in bytes, until their upload ends.
    """

    def now() -> int:
        """Milliseconds since the epoch: the same in the whole transaction.

        It stands still while the wall clock is set back by a day or less, and follows where that is set back further.
        """

    def next_sequence() -> int:
        """A number larger than every one before it, in the whole store."""

    # Volumes and buckets

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

    def bucket(volume: str, name: str) -> Bucket | None:
        """The bucket or link of that name; ``None`` also when there is no such volume."""

    def buckets(volume: str, prefix: str, after: str, limit: int) -> Sequence[Bucket]:
        """Buckets and links of a volume by name, those after ``after``."""

    def add_bucket(bucket: Bucket) -> Bucket:
        """Store a bucket that the caller has found absent; its number and ``modified`` are set in what is returned.

        What it uses is counted, not taken from the value.
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
        """A named configuration document of a bucket (``policy``, ``cors``, …)."""

    def set_configuration(bucket: Bucket, kind: str, document: bytes | None) -> None:
        """Keep a configuration document, or remove it with ``None``."""

    # Versions

    def latest(bucket: Bucket, key: str) -> ObjectVersion | None:
        """The newest version of a key; it may be a delete marker."""

    def version(bucket: Bucket, key: str, version_id: str) -> ObjectVersion | None:
        """One version of a key; ``"null"`` names the null version."""

    def add_version(
        bucket: Bucket,
        version: ObjectVersion,
        content: Content,
        parts: Sequence[ObjectPart] = (),
    ) -> None:
        """Add a version, which becomes the latest. ``version.sequence`` comes from :meth:`next_sequence`.

        The caller removes a null version that it replaces, first.
        """

    def replace_version(bucket: Bucket, version: ObjectVersion) -> None:
        """Store a version's changed members (tags, metadata); its content and size stay."""

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

    # Multipart uploads

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

    # Removed versions that somebody may be reading still

    def retired(before: int, limit: int) -> Sequence[int]:
        """Sequences of the versions retired before that time, oldest first."""

    def release(sequence: int, limit: int) -> bool:
        """Drop extents of a retired version, at most so many, dooming blobs that have no name left.

        :return: whether none is left, and the version no longer retired.
        """

    # Blobs that may have no name left

    def doomed(before: int, limit: int) -> Sequence[BlobRef]:
        """Blobs doomed before that time, oldest first. ``length`` and checksum may be 0."""

    def is_named(store: str, blob_id: str) -> bool:
        """Whether any extent of a version, retired or not, or of a part names the blob."""

    def nameless(store: str, blob_ids: Sequence[str]) -> Sequence[str]:
        """Those of these blobs that no extent names, in their order. Looks at every extent, should an index be damaged."""

    def blobs(store: str, after: str, limit: int) -> Sequence[BlobRef]:
        """The blobs of a blob store that extents name, each once, by id, those after ``after``."""

    def is_doomed(store: str, blob_id: str) -> bool:
        """Whether the blob is on the doomed list."""

    def forget_doomed(blobs: Iterable[BlobRef]) -> None:
        """Take blobs off the doomed list."""

    def doom(blobs: Iterable[BlobRef]) -> None:
        """Put blobs on the doomed list, as the sweeper does with those it found without a name."""

    # Repairs of what should be right by itself

    def correct_usage(
        volume: str, bucket: str, more_bytes: int, more_names: int
    ) -> None:
        """Add to the counters of a bucket or, where ``bucket`` is ``""``, of a volume, and to nothing else.

        A store that keeps none, but counts each time, has nothing to correct.
        """

    # Rows that are not what was written

    def check_rows(after: str, limit: int) -> CheckedRows:
        """Check rows of every kind, those after ``after``, at most ``limit``; ``""`` begins.

        Reading a damaged row fails with ``Damaged`` wherever it is read; this finds it before somebody needs it. It
        may also fail with ``Damaged`` itself, where the store can no longer tell row from row.
        """

    def mend_row(row: DamagedRow, owner: str) -> str:
        """Get rid of a damaged row, with what only it leads to; says in a line what was done.

        A version goes with its bytes, a run of bytes with the version or part it belongs to, an upload with its
        parts. A volume or bucket stays, with all that is in it: it becomes ``owner``'s, and its list of rights empty.
        Nothing happens to a row that has been mended or written since.
        """

    # Work that only one process does

    def lease(name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lease: ``False`` while another owner's term runs."""

    # Secrets, and values of the store's own

    def secret_row(access_id: str) -> Secret | None:
        """The row of an access id, whether expired or not."""

    def put_secret(secret: Secret) -> None:
        """Store a row; one of the same access id is replaced."""

    def remove_secret(access_id: str) -> None:
        """Remove a row; nothing happens if it is gone."""

    def secrets(after: str, limit: int) -> Sequence[Secret]:
        """Rows by access id, those after ``after``."""

    def setting(name: str) -> bytes | None:
        """A named value of the store's own, such as the check value of the master key."""

    def set_setting(name: str, value: bytes | None) -> None:
        """Keep a named value, or remove it with ``None``."""


class IMetadataStore(Interface):
    """Rows and transactions.

    An *interaction* is a synchronous function ``interaction(tx, *args)``, run with an
    :class:`IMetadataTransaction`. It may run in another thread, and more than once: it is pure over
    its arguments and the transaction, takes no clock and no randomness, has no side effect and gives
    its result by returning it.
    """

    def open() -> Deferred[None]:
        """Open, creating or migrating the schema. Fails with ``Unavailable`` and one clear line."""

    def close() -> Deferred[None]:
        """Finish the writes that were asked for, then close."""

    def read(interaction: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Run an interaction that only reads, on one consistent state that has every fired write.

        :return: fires with what the interaction returned, or fails with what it raised.
        """

    def write(
        interaction: Callable[..., Any],
        *args: Any,
        claims: Sequence[tuple[str, ...]] = (),
    ) -> Deferred[Any]:
        """Run an interaction, atomically: an exception rolls it back and is what the Deferred fails with.

        :param claims: what it decides about, each ``(kind, …names)``; a server database
            takes them as locks, SQLite with its one writer ignores them.
        :return: fires with what the interaction returned, when that is durable. Cancelling has no
            effect on the write. Fails with ``Unavailable`` when it was surely not done, ``Uncertain``
            when that is unknown, ``NoSpace`` when the disk is full.
        """

    def reusable() -> int:
        """Bytes that writes can fill before the store needs more room on its disk; 0 where that is unknown."""

    def changed(topic: str) -> None:
        """Tell caches that declared an interest in ``topic`` that it changed."""

    def watch(topic: str, callback: Callable[[], None]) -> None:
        """Have ``callback`` called after each change of ``topic``."""


class IMeasured(Interface):
    """What a provider may provide besides: figures about itself, for the metrics."""

    def watch_commits(callback: Callable[[int], None]) -> None:
        """Have ``callback`` called in the reactor's thread after each commit, with how many interactions it held."""

    def sizes() -> Mapping[str, int]:
        """Bytes that the store takes, by what for, such as ``database``. Cheap enough to be asked for every second."""


class IInspected(Interface):
    """What a provider of metadata may provide besides: looks at everything it holds, for scrub, fsck and backup.

    Each call works in a thread of its own, on one consistent state, while transactions go on.
    """

    def examine() -> Deferred[Sequence[str]]:
        """Look whether the store is built as it should be; fires with what is wrong, one line each."""

    def drifts() -> Deferred[Sequence[Drift]]:
        """Hold what the counters of buckets and volumes say against the rows."""

    def users_of(store: str, blob_ids: Sequence[str]) -> Deferred[Sequence[BlobUser]]:
        """Which versions and parts name these blobs. Costs a walk through all versions."""

    def users_of_row(row: DamagedRow) -> Deferred[Sequence[BlobUser]]:
        """Which version or part a damaged row belongs to, as far as that can be told; likewise."""

    def copy_to(path: str, tell: Callable[[int, int], None]) -> Deferred[None]:
        """Write a copy of everything into a new file, which a provider of the same kind opens.

        It has every write that has fired, and survives a power cut once this has fired.

        :param tell: called in another thread, now and then, with the bytes copied and the bytes in all; what it raises
            ends the copy, and is what the Deferred fails with.
        """


class IFiles(Interface):
    """What a provider of blobs may provide besides: a blob is one local file, in the form of :mod:`ozgate.blobs.files.blobfile`."""

    def file_of(blob_id: str) -> str:
        """The path of a blob's file. It is only to be read."""


class IByteSource(Interface):
    """A run of stored bytes, ready to be sent once."""

    length = Attribute("Bytes it will send, an ``int``.")

    def send_to(consumer: IConsumer) -> Deferred[None]:
        """Write all bytes to a consumer as a push producer, registering and unregistering itself.

        :return: fires when the last byte was written to the consumer (not when it left); fails
            when bytes are missing or damaged, or the consumer stopped it. Cancelling stops it.
        """

    def as_bytes() -> bytes | None:
        """All bytes, where they are few and can be had without waiting, else ``None``; as well verified as those of
        :meth:`send_to`, or lately. Raises ``Damaged``.
        """

    def as_file() -> tuple[int, int, int] | None:
        """(file descriptor, offset, count) where the bytes are those of a local file, else ``None``.

        Whoever reads them so verifies nothing: a store gives ``None`` for those that it has not verified lately. The
        descriptor stays valid until :meth:`close`.
        """

    def close() -> None:
        """Release what it holds. Idempotent; needed also after :meth:`send_to`."""


class IBlobSink(IConsumer):
    """A blob being written. Pauses its producer while it is above its high-water mark."""

    def commit() -> Deferred[BlobRef]:
        """Make the blob durable.

        :return: fires with its name when a power cut can no longer take it away; fails with
            ``NoSpace`` or ``Unavailable``, and then nothing of it is left. Not to be called before the
            last ``write``. Cancelling has no effect.
        """

    def abort() -> Deferred[None]:
        """Drop the blob. Idempotent, and allowed at any moment before ``commit`` has fired."""


class IBlobStore(Interface):
    """Bytes under ids of their own. A blob never changes."""

    name = Attribute("The store's name in each BlobRef, a ``str``.")
    extent_size = Attribute("Bytes of one blob at most; 0 where there is no limit.")
    inline_below = Attribute(
        "Bodies of at most this many bytes belong in the metadata row."
    )

    def open_store() -> Deferred[None]:
        """Make ready, removing what unfinished writes left."""

    def close_store() -> Deferred[None]:
        """Release everything; sinks still open are aborted."""

    def create(size_hint: int | None) -> IBlobSink:
        """Begin a blob. ``size_hint`` is its length in bytes where that is known."""

    def open(blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """Open a run of a blob. Fails with ``Absent`` or, where the store sees it, ``Damaged``."""

    def delete(blob_id: str) -> Deferred[None]:
        """Remove a blob. Idempotent. Only the reaper calls this."""

    def list(before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """Ids of the blobs made before a time (milliseconds since the epoch), in order.

        :param ending: only ids that end so. Ids end in evenly spread lower-case hex digits, so that a
            sweep of very many blobs can ask for a 256th of them at a time.
        """

    def inspect(blobs: Sequence[BlobRef]) -> Deferred[Mapping[str, str]]:
        """Look whether blobs are there and have the lengths and checksums of their references, without reading them.

        :return: fires with what is wrong with those that are not well, or cannot be reached, by id, one line each; fails with
            ``Unavailable`` when that tells nothing of them, as for want of a descriptor.
        """

    def verify(
        blob_id: str, pace: Callable[[int], Deferred[None]] | None = None
    ) -> Deferred[int]:
        """Read a whole blob, from the disk where that can be had, and hold it against its checksums.

        :param pace: called with the bytes of each run that was read; the next is read when what it returns has fired.
        :return: fires with the bytes that the blob has; fails with ``Absent`` or ``Damaged``.
        """


class ISecretStore(Interface):
    """Secrets of access ids, sealed at rest."""

    def secret(access_id: str) -> Deferred[Credential | None]:
        """The secret of an access id and whose it is; ``None`` when there is none or it has expired.

        Cached only as long as revocation allows: not at all.
        """

    def issue(
        user: str, key: str = "", ttl: float | None = None
    ) -> Deferred[tuple[str, str]]:
        """Make and keep a new secret, 64 hex digits.

        :param key: names a further key of the user; the first one has none.
        :param ttl: seconds after which the secret is refused; ``None``: never.
        :return: fires with the access id (``user``, or ``user~key``) and the secret; fails with
            ``Conflict`` when that access id has one.
        """

    def set(access_id: str, secret: str) -> Deferred[None]:
        """Keep a given secret instead of the one there is. Fails with ``Absent`` when there is none."""

    def revoke(access_id: str) -> Deferred[None]:
        """Remove a secret. Fails with ``Absent`` when there is none."""

    def listed(after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """Rows by access id, those after ``after``, expired ones included; ``sealed`` is empty."""


class IProviderMaker(Interface):
    """A plugin that makes providers of one URL scheme; found with ``twisted.plugin.getPlugins``."""

    scheme = Attribute(
        "The scheme of the URL that names the provider, such as ``sqlite``."
    )
    provides = Attribute("The interface that what is made provides.")

    def make(
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
    ) -> Any:
        """Make a provider, not yet opened.

        :param location: what follows ``scheme:`` in the URL.
        :param settings: every declared knob, by key.
        :param run_in_thread: ``run_in_thread(f, *args)`` → a Deferred of what ``f`` returns, from a
            thread of the service's own pool.
        """
