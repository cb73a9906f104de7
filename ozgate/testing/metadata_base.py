"""What the contract suite of :class:`~ozgate.interfaces.IMetadataStore` builds on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from ..interfaces import IMetadataStore, IMetadataTransaction
from ..values import (
    BlobRef,
    Bucket,
    Checksum,
    Claim,
    Content,
    Extent,
    ObjectVersion,
    Part,
    Upload,
    Volume,
)
from .metadata_needs import NEEDS, claim_whole

if TYPE_CHECKING:
    from twisted.trial.unittest import TestCase as Base
else:
    Base = object

START = 1_700_000_000
"""Seconds: the clock of every test begins here."""

OWNER = "testuser"

FULL: dict[str, Any] = {
    "size": 5,
    "etag": "d41d8cd98f00b204e9800998ecf8427e-3",
    "owner": "täst/sćm@EXAMPLE.COM",
    "version_id": "v1",
    "storage_class": "STANDARD_IA",
    "headers": {"content-type": "text/plain; charset=utf-8", "expires": "never"},
    "metadata": {"color": "grün", "empty": ""},
    "tags": {"a key": "a\0value", "ключ": "=&<>\"'"},
    "checksum": Checksum("CRC32C", "COMPOSITE", "AAAAAA==-3"),
    "parts_count": 3,
    "more": {"a rare one": "ja\0", "empty": ""},
}
"""A version with every member set."""


class Refused(Exception):
    """What an interaction of these tests raises."""


Interaction = str | Callable[..., Any]
"""The name of a transaction's method, or a function of a module that is given the transaction first."""


def ask(
    tx: IMetadataTransaction,
    what: Interaction,
    args: Sequence[Any] = (),
    named: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """Call a method of a transaction, or a function with it; an interaction that is given values only."""
    if isinstance(what, str):
        return getattr(tx, what)(*args, **named)
    return what(tx, *args, **named)


def change(
    tx: IMetadataTransaction,
    what: Interaction,
    args: Sequence[Any] = (),
    named: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """As :func:`ask`, where something is to change: what a method of the transaction needs is claimed. A function claims for itself."""
    if isinstance(what, str) and what in NEEDS:
        tx.claim(*NEEDS[what](*args, **named))
    return ask(tx, what, args, named)


def add_volume(tx: IMetadataTransaction, name: str) -> Volume:
    """Add a volume as it is made."""
    tx.claim(Claim.volume(name))
    return tx.add_volume(Volume(name, OWNER, tx.now()))


def add_bucket(tx: IMetadataTransaction, name: str, **members: Any) -> Bucket:
    """Add a bucket to the volume of the tests."""
    tx.claim(Claim.volume("s3v", shared=True), Claim.name("s3v", name))
    return tx.add_bucket(Bucket("s3v", name, OWNER, tx.now(), **members))


def blob(name: str, length: int = 10, crc: int = 0xF000_0000_0000_0001) -> BlobRef:
    """A reference to a blob. Its checksum needs all of 64 bits."""
    return BlobRef("files", name, length, crc)


def extents(*names: str) -> Content:
    """A content of one extent a blob."""
    return Content(None, tuple(Extent(blob(name), 2, 8) for name in names))


def version(tx: IMetadataTransaction, key: str, **members: Any) -> ObjectVersion:
    """A version that is newer than all before."""
    return ObjectVersion(
        key=key, sequence=tx.next_sequence(), modified=tx.now(), **members
    )


def put(
    tx: IMetadataTransaction,
    bucket: Bucket,
    key: str,
    content: Content = Content(b"body"),  # noqa: B008 (a value that never changes)
    **members: Any,
) -> ObjectVersion:
    """Add a version, in the place of the one of the same id that it replaces."""
    claim_whole(tx, bucket)
    members.setdefault("size", content.length)
    added = version(tx, key, **members)
    replaced = tx.version(bucket, key, added.version_id)
    tx.add_version(bucket, added, content, (), replaced)
    return added


def upload(
    tx: IMetadataTransaction, bucket: Bucket, key: str, upload_id: str, **members: Any
) -> Upload:
    """Begin an upload."""
    claim_whole(tx, bucket)
    added = Upload(key, upload_id, tx.now(), OWNER, **members)
    tx.add_upload(bucket, added)
    return added


def part(number: int, *names: str, **members: Any) -> Part:
    """A part whose bytes are in these blobs."""
    content = extents(*names) if names else Content(b"")
    return Part(
        number,
        content.length,
        f"{number:032x}",
        START * 1000,
        content=content,
        **members,
    )


def doomed_names(tx: IMetadataTransaction) -> list[str]:
    """The ids of all doomed blobs, sorted."""
    return sorted(
        doomed.id
        for store in tx.doomed_stores()
        for doomed in tx.doomed(store, tx.now() + 1, 100_000)
    )


class MetadataTests(Base):
    """A store that is open, with a volume and a bucket in it.

    :ivar clock: the clock that the store tells the time by.
    """

    clock: Clock
    store: IMetadataStore
    bucket: Bucket

    def make_store(self, clock: Clock) -> IMetadataStore:
        """A new, empty store that tells the time by this clock, not yet open."""
        raise NotImplementedError

    async def setUp(self) -> None:  # type: ignore[override]
        """Open a store."""
        self.clock = Clock()
        self.clock.advance(START)
        self.store = self.make_store(self.clock)
        await self.store.prepare()
        await self.store.open()
        self.addCleanup(self.store.close)
        await self.write(add_volume, "s3v")
        self.bucket = await self.add_bucket("bucket")

    def read(self, what: Interaction, *args: Any, **named: Any) -> Deferred[Any]:
        """Run a reading interaction; see :func:`ask`."""
        return self.store.read(ask, what, args, named)

    def write(self, what: Interaction, *args: Any, **named: Any) -> Deferred[Any]:
        """Run a writing interaction; see :func:`change`."""
        return self.store.write(change, what, args, named)

    def add_bucket(self, name: str, **members: Any) -> Deferred[Any]:
        """Add a bucket; fires with it."""
        return self.write(add_bucket, name, **members)
