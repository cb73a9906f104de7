"""What a provider of buckets promises whose truth is in another system: names, versions of rows, ETags, uploads, rights and secrets are its own.

It knows no S3: what headers mean, how conditions are put together, what a document looks like is decided above it, in
:mod:`ozgate.s3.foreign`. Every call is made on behalf of somebody, whom the other system asks its own rights.

Errors: ``Refused`` with the other system's own code (those of Ozone: ``KEY_NOT_FOUND``, ``PERMISSION_DENIED`` …); ``Unavailable`` where
surely nothing was done, also where it did not answer in time; ``Uncertain`` where a change was asked for and no answer came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer
from zope.interface import Attribute, Interface

from ..values import (
    NO_PRECONDITION,
    ByteRange,
    ForeignBucket,
    ForeignObject,
    ForeignPage,
    ForeignPart,
    ForeignUploadPage,
    OnBehalf,
    Precondition,
)
from .blobs import IByteSource

__all__ = [
    "IForeignBucket",
    "IForeignCommands",
    "IForeignReading",
    "IForeignSink",
    "IForeignSystem",
]


class IForeignSystem(Interface):
    """Another system that has volumes, and buckets in them.

    It is asked for nobody but whom an :class:`~ozgate.values.OnBehalf` names: where that names nobody, or brings nothing that was signed though
    :attr:`verifies`, and is not of the gateway itself, the call fails with ``Refused``: ``PERMISSION_DENIED``, and nothing is asked.
    """

    verifies = Attribute(
        "Whether it holds signatures against secrets of its own, a ``bool`` that is known before it is started: then it is an ``IVerifier`` as well, and every call brings what was signed."
    )
    commands = Attribute(
        "What shells ask of it, an :class:`IForeignCommands`; ``None`` where they are told nothing."
    )

    def start() -> Deferred[None]:
        """Get ready, in this process. Called once the reactor runs, and after every fork.

        Calls may be made before it has fired: they wait for it. Where it fails with ``Unavailable``, the next call tries again.
        """

    def stop() -> Deferred[None]:
        """Let what is under way end, within a bound, and release everything. Idempotent."""

    def bucket(volume: str, name: str, behalf: OnBehalf) -> IForeignBucket:
        """A bucket, or what a link of that name leads to, for somebody. Nothing is asked of the other system yet."""

    def buckets(
        volume: str, prefix: str, after: str, limit: int, behalf: OnBehalf
    ) -> Deferred[Sequence[ForeignBucket]]:
        """A page of the buckets and links of a volume, in order of names.

        :param after: only names after this one.
        """

    def create_bucket(volume: str, name: str, behalf: OnBehalf) -> Deferred[None]:
        """Make a bucket as S3 does, owned by whoever asks. Fails with ``Refused``: ``BUCKET_ALREADY_EXISTS`` and others."""

    def delete_bucket(volume: str, name: str, behalf: OnBehalf) -> Deferred[None]:
        """Remove an empty bucket, or a link. Fails with ``Refused``: ``BUCKET_NOT_FOUND``, ``BUCKET_NOT_EMPTY``."""


class IForeignBucket(Interface):
    """A bucket of another system, for somebody.

    Every method fails with ``Refused``: ``BUCKET_NOT_FOUND`` where there is none, or a link leads nowhere.
    """

    def info() -> Deferred[ForeignBucket]:
        """What is known of the bucket."""

    def head(key: str) -> Deferred[ForeignObject]:
        """What is known of a key, all members. Fails with ``Refused``: ``KEY_NOT_FOUND``."""

    def open(key: str, part: int = 0) -> Deferred[IForeignReading]:
        """Look a key up to read it: one that is replaced or removed meanwhile can still be read as it was.

        :param part: the number of a part of an upload that it was made of: only its bytes are there then; 0 for all.
        :return: fails as :meth:`head`; with ``Refused``: ``INVALID_PART`` where there is no such part.
        """

    def create(
        key: str,
        size: int,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[IForeignSink]:
        """Begin to write a key. Nothing is visible until it is committed.

        :param size: bytes that are expected: a hint.
        :param metadata: under the other system's names; more may come with the commit.
        :return: fails with ``Refused`` early, where what is wanted is not so already: ``KEY_ALREADY_EXISTS``, ``ETAG_MISMATCH``, ``KEY_NOT_FOUND``,
            ``ETAG_NOT_AVAILABLE``.
        """

    def put(
        key: str,
        data: bytes,
        etag: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[None]:
        """Write a key whose bytes are in memory, at once: cheaper than :meth:`create` where they are few.

        :param etag: hex MD5, kept with it.
        :return: fires and fails as :meth:`create` and :meth:`IForeignSink.commit` do.
        """

    def delete(key: str) -> Deferred[None]:
        """Remove a key. Fails with ``Refused``: ``KEY_NOT_FOUND``."""

    def delete_all(keys: Sequence[str]) -> Deferred[Mapping[str, tuple[str, str]]]:
        """Remove keys, each by itself.

        :return: fires with those that were not removed: key → the other system's code and message. One that is not there is among them.
        """

    def list(prefix: str, after: str, limit: int) -> Deferred[ForeignPage]:
        """A page of keys.

        :param after: only keys after this string, whether there is such a key or not; by the order of UTF-8 bytes.
        """

    def tags(key: str) -> Deferred[Mapping[str, str]]:
        """The tags of a key. Fails with ``Refused``: ``KEY_NOT_FOUND``."""

    def put_tags(key: str, tags: Mapping[str, str]) -> Deferred[None]:
        """Replace all tags of a key; none: remove them. Fails with ``Refused``: ``KEY_NOT_FOUND``."""

    def create_upload(
        key: str, metadata: Mapping[str, str], tags: Mapping[str, str]
    ) -> Deferred[str]:
        """Begin a multipart upload.

        :return: fires with its id.
        """

    def create_part(
        key: str, upload_id: str, number: int, size: int
    ) -> Deferred[IForeignSink]:
        """Begin to write a part. Fails with ``Refused``: ``NO_SUCH_MULTIPART_UPLOAD_ERROR``."""

    def parts(
        key: str, upload_id: str, after: int, limit: int
    ) -> Deferred[Sequence[ForeignPart]]:
        """A page of the parts of an upload, in order. Fails as :meth:`create_part`.

        :param after: only numbers after this one.
        """

    def uploads(
        prefix: str, after_key: str, after_id: str, limit: int
    ) -> Deferred[ForeignUploadPage]:
        """A page of the uploads in progress.

        :param after_key: only those of keys after this one; with an ``after_id``, those of this key too whose ids come after that.
        """

    def complete(
        key: str,
        upload_id: str,
        parts: Sequence[tuple[int, str]],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[str]:
        """Make a key of parts, by number and ETag, in order.

        :return: fires with the ETag that the other system gives it; fails with ``Refused``: ``INVALID_PART``, ``INVALID_PART_ORDER``, ``ENTITY_TOO_SMALL``,
            ``NO_SUCH_MULTIPART_UPLOAD_ERROR``, and as :meth:`create`.
        """

    def abort(key: str, upload_id: str) -> Deferred[None]:
        """Drop an upload. Fails as :meth:`create_part`."""


class IForeignReading(Interface):
    """A key that was looked up to be read."""

    found = Attribute(
        "What is known of it, a :class:`~ozgate.values.ForeignObject`; where a part was asked for, its size is the part's."
    )
    start = Attribute(
        "Where in the whole key its bytes begin, an ``int``: 0, or where the part does."
    )
    whole = Attribute("Bytes of the whole key, an ``int``.")

    def source(span: ByteRange) -> IByteSource:
        """A run of its bytes. It is closed with :meth:`~ozgate.interfaces.IByteSource.close`; several may be taken, one after the other."""

    def close() -> None:
        """Release what it holds. Idempotent."""


class IForeignSink(IConsumer):
    """A key or part being written. Pauses its producer while it is above its high-water mark.

    What was written never becomes visible but by :meth:`commit`, whatever fails.
    """

    def commit(etag: str, metadata: Mapping[str, str]) -> Deferred[None]:
        """Make what was written the key or part.

        :param etag: hex MD5, kept with it.
        :param metadata: kept besides what was said in the beginning; a part keeps none.
        :return: fires once the other system has it, as durable as it makes things; fails with ``Refused`` where what was wanted is not so any more
            (``ATOMIC_WRITE_CONFLICT``, ``KEY_ALREADY_EXISTS``, ``KEY_NOT_FOUND``, ``ETAG_MISMATCH``), with ``Uncertain`` where no answer came. Cancelling has no effect.
        """

    def abort() -> Deferred[None]:
        """Drop what was written. Idempotent, and allowed at any moment before :meth:`commit` was called."""


class IForeignCommands(Interface):
    """What shells ask of another system: its volumes, buckets, keys, rights and secrets, as its own commands would show them.

    Everything is asked as whoever calls, a user of this machine or one who proved who he is, and never with the gateway's own rights.
    """

    names = Attribute(
        "Commands there are, a ``frozenset``: names of :data:`ozgate.admin.commands.table.COMMANDS`, with the arguments that those have."
    )

    def run(name: str, user: str, arguments: Mapping[str, object]) -> Deferred[object]:
        """Run a command.

        :param user: who calls.
        :return: fires with what JSON can hold; fails with ``Refused``, whose code is ``""`` where the other system's own command would print the
            message alone.
        """

    def open(
        user: str, volume: str, bucket: str, key: str
    ) -> Deferred[IForeignReading]:
        """Look a key up to read it, once. Fails as :meth:`run`."""

    def create(
        user: str,
        volume: str,
        bucket: str,
        key: str,
        size: int,
        replication_type: str = "",
        replication: str = "",
    ) -> Deferred[IForeignSink]:
        """Begin to write a key. Fails as :meth:`run`.

        :param size: bytes that are expected: a hint.
        :param replication_type: the other system's name of how it is kept, with ``replication``; ``""``: as the bucket's keys are.
        """
