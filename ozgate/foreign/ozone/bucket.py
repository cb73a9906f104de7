"""A bucket of a cluster, for somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from ...interfaces import IForeignBucket, IForeignReading, IForeignSink
from ...values import (
    NO_PRECONDITION,
    ForeignBucket,
    ForeignObject,
    ForeignPage,
    ForeignPart,
    ForeignUploadPage,
    OnBehalf,
    Precondition,
)
from . import keys as of_keys
from . import uploads as of_uploads
from .found import ETAG, bucket_of
from .listing import list_keys
from .reading import look_up
from .writing import Writers

if TYPE_CHECKING:
    from .client import Client
    from .keys import Place
    from .system import Connection


@implementer(IForeignBucket)
class OzoneBucket:
    """A bucket, or what a link leads to: the OM follows links itself.

    :param place: its volume and name.
    """

    def __init__(
        self,
        connection: Connection,
        writers: Writers,
        place: Place,
        behalf: OnBehalf,
    ) -> None:
        self._connection = connection
        self._writers = writers
        self._place = place
        self._behalf = behalf

    def info(self) -> Deferred[ForeignBucket]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._connection.run(_info, self._place, behalf=self._behalf)

    def head(self, key: str) -> Deferred[ForeignObject]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._ask(of_keys.head, key)

    def open(self, key: str, part: int = 0) -> Deferred[IForeignReading]:
        """See :class:`~ozgate.interfaces.IForeignBucket`. A small key is read in the same call."""
        connection, behalf = self._connection, self._behalf
        return connection.run(
            look_up, connection, behalf, self._place, key, part, behalf=behalf
        )

    def create(
        self,
        key: str,
        size: int,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[IForeignSink]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        opening = of_keys.opening_of(self._place, key, size, metadata, tags, wanted)
        return self._writers.open(opening, self._behalf, size)

    def put(
        self,
        key: str,
        data: bytes,
        etag: str,
        metadata: Mapping[str, str],
        tags: Mapping[str, str],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignBucket`. It is one call, in one thread."""
        kept = {**metadata, ETAG: etag}
        opening = of_keys.opening_of(self._place, key, len(data), kept, tags, wanted)
        # Its commit says that it is a change.
        return self._ask(of_keys.put, key, opening, data)

    def delete(self, key: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._change(of_keys.delete, key)

    def delete_all(
        self, keys: Sequence[str]
    ) -> Deferred[Mapping[str, tuple[str, str]]]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._change(of_keys.delete_all, keys)

    def list(self, prefix: str, after: str, limit: int) -> Deferred[ForeignPage]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._ask(list_keys, prefix, after, limit)

    def tags(self, key: str) -> Deferred[Mapping[str, str]]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._ask(of_keys.tags, key)

    def put_tags(self, key: str, tags: Mapping[str, str]) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._change(of_keys.put_tags, key, tags)

    def create_upload(
        self, key: str, metadata: Mapping[str, str], tags: Mapping[str, str]
    ) -> Deferred[str]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._change(of_uploads.create_upload, key, metadata, tags)

    def create_part(
        self, key: str, upload_id: str, number: int, size: int
    ) -> Deferred[IForeignSink]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        opening = of_uploads.opening_of_part(self._place, key, upload_id, number, size)
        return self._writers.open(opening, self._behalf, size)

    def parts(
        self, key: str, upload_id: str, after: int, limit: int
    ) -> Deferred[Sequence[ForeignPart]]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._ask(of_uploads.parts, key, upload_id, after, limit)

    def uploads(
        self, prefix: str, after_key: str, after_id: str, limit: int
    ) -> Deferred[ForeignUploadPage]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._ask(of_uploads.uploads, prefix, after_key, after_id, limit)

    def complete(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[tuple[int, str]],
        wanted: Precondition = NO_PRECONDITION,
    ) -> Deferred[str]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._change(of_uploads.complete, key, upload_id, parts, wanted)

    def abort(self, key: str, upload_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.IForeignBucket`."""
        return self._change(of_uploads.abort, key, upload_id)

    def _ask(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return self._connection.run(function, self._place, *args, behalf=self._behalf)

    def _change(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return self._connection.run(
            function, self._place, *args, behalf=self._behalf, is_change=True
        )


def _info(client: Client, place: Place) -> ForeignBucket:
    return bucket_of(client.protocol.getBucketDetails(*place))


def list_buckets(
    client: Client, volume: str, prefix: str, after: str, limit: int
) -> list[ForeignBucket]:
    """A page of the buckets of a volume. Their names are ASCII, so that the OM's order is ours."""
    found = client.protocol.listBuckets(volume, prefix, after, limit, False)
    return [bucket_of(each) for each in found]


def create_bucket(client: Client, place: Place) -> None:
    """Make a bucket as Ozone's S3 gateway does: a flat one, of whoever asks."""
    named = client.java("org.apache.hadoop.ozone.client.BucketArgs").newBuilder()
    layout = client.java("org.apache.hadoop.ozone.om.helpers.BucketLayout")
    named.setBucketLayout(layout.OBJECT_STORE)
    client.protocol.createBucket(*place, named.build())


def delete_bucket(client: Client, place: Place) -> None:
    """Remove an empty bucket, or a link."""
    client.protocol.deleteBucket(*place)
