"""What a provider of bytes promises: blobs that never change, written by a consumer and read by a producer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from zope.interface import Attribute, Interface

from ..values import BlobRef, ByteRange

__all__ = [
    "IBlobSink",
    "IBlobStore",
    "IByteSource",
    "IFiles",
    "IOpenedAhead",
    "ISyncsTogether",
]


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

        Its id is made now, however long ago it was begun: not from a time before this call. Before it has fired the blob may be listed.

        :return: fires with its name when a power cut can no longer take it away; fails with
            ``NoSpace`` or ``Unavailable``, and then nothing of it is left. Not to be called before the
            last ``write``. Cancelling has no effect.
        """

    def abort() -> Deferred[None]:
        """Drop the blob. Idempotent, and allowed at any moment before ``commit`` has fired."""


class IBlobStore(Interface):
    """Bytes under ids of their own. A blob never changes."""

    name = Attribute("The store's name in each BlobRef, a ``str``.")
    identity = Attribute(
        'What tells the store from every other one, also of its name, a ``str`` without spaces; made with the store, kept with its bytes, and known once it is prepared or open. ``""`` where it could not be kept yet.'
    )
    extent_size = Attribute(
        "Bytes of the next blob at most; 0 where there is no limit. It is asked for each, and may be another each time."
    )
    inline_below = Attribute(
        "Bodies of at most this many bytes belong in the metadata row."
    )

    def prepare_store() -> Deferred[None]:
        """Do what is done once, however many processes open the store: make what it needs, remove what unfinished writes left.

        It is called by whoever holds the data folder, while no process has the store open. Fails with ``Unavailable`` and one
        clear line, also where the store sees that one has. A store that several gateways share is prepared by each of them, while others
        have it open: there only what no living gateway writes is taken for unfinished.
        """

    def open_store() -> Deferred[None]:
        """Open what is prepared, in this process. Others may have it open, and nothing they have under way is touched.

        Fails with ``Unavailable`` and one clear line, also where it is not prepared.
        """

    def close_store() -> Deferred[None]:
        """Release everything, also what :meth:`prepare_store` holds; sinks still open are aborted. Idempotent."""

    def create(size_hint: int | None) -> IBlobSink:
        """Begin a blob. ``size_hint`` is its length in bytes where that is known."""

    def open(blob: BlobRef, byte_range: ByteRange) -> Deferred[IByteSource]:
        """Open a run of a blob.

        :return: fires with its source, which is to be closed; fails with ``Absent`` or, where the store sees it, ``Damaged``.
        """

    def delete(blob_id: str) -> Deferred[None]:
        """Remove a blob. Idempotent. Only the reaper calls this.

        :return: fires when the blob cannot be opened any more; a power cut may bring it back.
        """

    def list(before: int, ending: str = "") -> Deferred[Sequence[str]]:
        """Ids of the blobs made before a time (milliseconds since the epoch), in order.

        A blob is made when its commit is asked for, whatever process does. One whose commit was asked for at ``before`` or later is not among
        them, nor is one that is still being written: the sweep takes what this lists, and no row names, for left over. So a store
        that has to name bytes when they begin (a file of HDFS, an object of S3) gives them a name that is no id, and the
        id when they are committed; where nothing can be renamed, a row stages the id before, and it is left out here until
        that row is gone.

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


class IOpenedAhead(Interface):
    """What a provider of blobs may provide besides: to open one takes a while, so that the next of several is opened while one is sent. It has no members."""


class ISyncsTogether(Interface):
    """What a provider of blobs may provide besides: blobs that are committed at a time share what makes their names durable."""

    def watch_syncs(callback: Callable[[int], None]) -> None:
        """Have ``callback`` called in the reactor's thread after each such sync, with how many blobs shared it."""


class IFiles(Interface):
    """What a provider of blobs may provide besides: a blob is one local file, in the form of :mod:`ozgate.blobs.files.blobfile`."""

    folder = Attribute("The path of the folder that all of them are in, a ``str``.")

    def file_of(blob_id: str) -> str:
        """The path of a blob's file. It is only to be read."""
