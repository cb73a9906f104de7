"""What the tests of buckets of another system stand on: that system, in memory, beside the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve

from ozgate.gateway.foreign import Foreign
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.perform.buckets import add_bucket
from ozgate.testing.memory_foreign import MemoryForeignSystem
from ozgate.testing.memory_foreign_keys import Key
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import ITSELF, Bucket, ForeignObject
from tests.operations.support import Client, OperationTestCase


class ForeignTestCase(OperationTestCase):
    """A test of an operation where all volumes are another system's, in which there is the one bucket ``bucket``.

    Rows of a bucket of that name are in the stores, left from before: nobody may see them.

    :cvar volumes: the other system's; ``None`` for all.
    :ivar system: the other system.
    """

    volumes: Sequence[str] | None = None
    system: MemoryForeignSystem

    async def _open(self) -> None:
        await super()._open()
        names = ("s3v", *(self.volumes or ()))
        self.system = MemoryForeignSystem(self.clock, names)
        volumes = None if self.volumes is None else frozenset(self.volumes)
        before = self.client
        gateway = evolve(before.gateway, foreign=Foreign(self.system, volumes))
        self.client = Client(gateway, before.access_log, before.audit_log)
        if self.volumes is None:
            made = await self.client.request("PUT", "/bucket")
            self.assertEqual(made.status, 200, made.body)

    def _nothing_left(self) -> None:
        super()._nothing_left()
        self.assertEqual(self.system.sinks, set())

    def there(self, bucket: str = "bucket", volume: str = "s3v") -> Mapping[str, Key]:
        """The keys that the other system has."""
        return self.system.kept(volume, bucket).keys

    def put_there(self, key: str, data: bytes = b"", **members: object) -> None:
        """Have a key put by another way than S3's: it has no ETag unless it is said.

        :param members: those of :class:`~ozgate.values.ForeignObject`.
        """
        generation = self.system.next_generation()
        shown = ForeignObject(
            key,
            len(data),
            self.system.now(),
            **{"owner": "somebody", "generation": generation, **members},  # type: ignore[arg-type]
        )
        self.system.kept("s3v", "bucket").keys[key] = Key(shown, data)

    async def make_there(self, volume: str, name: str) -> None:
        """Have a bucket made by another way than S3's."""
        await self.system.create_bucket(volume, name, ITSELF)


class MixedTestCase(ForeignTestCase):
    """A test where the volume ``cluster`` is another system's: a link of ours, ``link``, leads to the bucket ``data`` in it."""

    volumes = ("cluster",)

    async def _open(self) -> None:
        await super()._open()
        await self.make_there("cluster", "data")
        store = self.client.gateway.metadata
        await store.write(add_link_here, "s3v", "link", ("cluster", "data"))


def add_bucket_here(tx: IMetadataTransaction, volume: str, name: str) -> Bucket:
    """Make a bucket in the stores; an interaction."""
    return add_bucket(tx, volume, name, "testuser", "")


def add_link_here(
    tx: IMetadataTransaction, volume: str, name: str, end: tuple[str, str]
) -> None:
    """Make a link in the stores; an interaction."""
    made = add_bucket_here(tx, volume, name)
    claim_whole(tx, made)
    tx.replace_bucket(evolve(made, source=end))
