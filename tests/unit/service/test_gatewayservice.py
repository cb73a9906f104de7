"""What the service makes where it is missing, at its start."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import QuotaExceeded
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.newbuckets import AS_ON_AWS, Beginning
from ozgate.service.furnishing import make_missing
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import ask, change


class MissingTests(SynchronousTestCase):
    """The volume and the buckets that are to be there. The provider in memory refuses what is not claimed."""

    def setUp(self) -> None:
        """Open a store."""
        self.metadata = MemoryMetadataStore(Clock())
        self.successResultOf(self.metadata.open())

    def make(self, *buckets: str, beginning: Beginning = AS_ON_AWS) -> Any:
        """Make what is missing."""
        return self.metadata.write(make_missing, "s3v", buckets, "owner", beginning)

    def there(self) -> list[str]:
        """The buckets."""
        found = self.metadata.read(ask, "buckets", ("s3v", "", "", 10))
        return [each.name for each in self.successResultOf(found)]

    def test_made(self) -> None:
        """All of it is made at once; what is there already stays as it is."""
        self.successResultOf(self.make("b", "a"))
        before = self.metadata.snapshot()
        self.successResultOf(self.make("a", "b"))
        self.assertEqual(self.metadata.snapshot(), before)
        self.successResultOf(self.make("a", "c"))
        self.assertEqual(self.there(), ["a", "b", "c"])

    def test_beginning(self) -> None:
        """Buckets begin as the settings say."""
        self.successResultOf(self.make("a", beginning=Beginning("ObjectWriter")))
        found = self.metadata.read(ask, "bucket", ("s3v", "a"))
        self.assertEqual(self.successResultOf(found).configured, {"ownership"})

    def test_quota(self) -> None:
        """What goes beyond the quota of names of the volume is not made, and nothing is done by halves."""
        self.successResultOf(self.make("a"))
        self.successResultOf(self.metadata.write(_bound))
        self.failureResultOf(self.make("b", "c"), QuotaExceeded)
        self.assertEqual(self.there(), ["a"])
        self.successResultOf(self.make("b"))


def _bound(tx: IMetadataTransaction) -> None:
    """Have the volume hold two buckets at most."""
    volume = tx.volume("s3v")
    assert volume is not None
    change(tx, "replace_volume", (evolve(volume, quota_names=2),))
