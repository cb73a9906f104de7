"""What metadata know of blob stores."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.content.storenames import (
    KEPT,
    KnownStore,
    known_stores,
    note_configured,
    note_drained,
    note_draining,
    note_restored,
    note_stays,
)
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import (
    BlobRef,
    Bucket,
    Claim,
    Content,
    Extent,
    ObjectVersion,
    Volume,
)


class StoreNamesTests(SynchronousTestCase):
    """A setting, and what it means."""

    def setUp(self) -> None:
        """Metadata of two stores."""
        self.metadata = MemoryMetadataStore(Clock())
        self.successResultOf(self.metadata.open())
        self.write(note_configured, "files", {"files": "1a"})
        self.write(note_configured, "disk2", {"disk2": "2b", "files": "1a"})

    def write(self, interaction, *values):
        """Run an interaction."""
        return self.successResultOf(self.metadata.write(interaction, *values))

    def known(self):
        """What they know."""
        return dict(self.successResultOf(self.metadata.read(known_stores)))

    def test_configured(self) -> None:
        """Each store that bytes went to is kept with its identity; one that is only configured is not."""
        both = {"files": KnownStore("1a"), "disk2": KnownStore("2b")}
        self.assertEqual(self.known(), both)
        self.write(note_configured, "disk2", {"disk2": "", "disk3": "3c"})
        self.assertEqual(self.known(), both)

    def test_drain(self) -> None:
        """A drain is known from its beginning to its end, one at a time; bytes that go to a store end it."""
        self.assertFalse(self.write(note_draining, "files"))
        self.assertEqual(self.known()["files"], KnownStore("1a", is_draining=True))
        self.assertTrue(self.write(note_draining, "files"))
        self.write(note_stays, "files")
        self.assertEqual(self.known()["files"], KnownStore("1a"))
        self.write(note_draining, "files")
        self.write(note_draining, "disk3")
        draining = [name for name, each in self.known().items() if each.is_draining]
        self.assertEqual(draining, ["disk3"])
        self.write(note_draining, "files")
        self.write(note_drained, "files")
        self.assertEqual(self.known()["files"], KnownStore("1a", is_needed=False))
        self.write(note_stays, "files")
        self.assertFalse(self.known()["files"].is_needed)
        self.write(note_draining, "files")
        self.write(note_configured, "files", {"files": "1a"})
        self.assertEqual(self.known()["files"], KnownStore("1a"))

    def test_restored(self) -> None:
        """After a restore bytes are in the stores that it made, and in no other."""
        self.write(note_restored, {"disk2": "9f"})
        self.assertEqual(self.known(), {"disk2": KnownStore("9f")})

    def test_damaged(self) -> None:
        """Whichever bit flips, nothing of it is believed: the rows tell what is needed, and it is kept anew."""
        kept = self.successResultOf(self.metadata.read(_kept))
        self.write(_put, Bucket("s3v", "bucket", "o", 1))
        for place in range(len(kept)):
            changed = bytearray(kept)
            changed[place] ^= 1 << place % 8
            self.write(_keep, bytes(changed))
            self.assertEqual(self.known(), {"disk2": KnownStore()}, place)
        self.write(note_configured, "disk2", {"disk2": "2b"})
        self.assertEqual(self.known(), {"disk2": KnownStore("2b")})


def _kept(tx: IMetadataTransaction) -> bytes:
    return tx.setting(KEPT) or b""


def _keep(tx: IMetadataTransaction, value: bytes) -> None:
    tx.claim(Claim.setting(KEPT))
    tx.set_setting(KEPT, value)


def _put(tx: IMetadataTransaction, bucket: Bucket) -> None:
    """A key with a blob in the second store."""
    tx.claim(Claim.volume(bucket.volume), Claim.name(bucket.volume, bucket.name))
    tx.add_volume(Volume(bucket.volume, "o", 1))
    made = tx.add_bucket(bucket)
    extent = Extent(BlobRef("disk2", "0a", 9, 1), 0, 9)
    version = ObjectVersion("key", tx.next_sequence(), 1, 9)
    tx.add_version(made, version, Content(None, (extent,)))
