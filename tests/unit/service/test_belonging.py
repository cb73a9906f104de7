"""Metadata and blob stores that belong together, and those that do not."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.config.sitefile import ConfigurationError
from ozgate.content.storenames import KEPT, known_stores, note_drained
from ozgate.content.stores import BlobStores
from ozgate.errors import NoSpace
from ozgate.interfaces import IMetadataTransaction
from ozgate.service.belonging import check_belonging
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.testing.metadata_base import OWNER, change
from ozgate.values import Claim, Volume


def _line(failure: Failure) -> str:
    """What a start is refused with."""
    failure.trap(ConfigurationError)
    return str(failure.value)


def damage(tx: IMetadataTransaction, kept: bytes) -> None:
    """Have the metadata keep something else of stores; an interaction."""
    tx.claim(Claim.setting(KEPT))
    tx.set_setting(KEPT, kept)


class BelongingTests(SynchronousTestCase):
    """What a start looks at."""

    def setUp(self) -> None:
        """Metadata that are new, and two empty stores."""
        self.clock = Clock()
        self.clock.advance(1_795_000_000)
        self.metadata = MemoryMetadataStore(self.clock)
        self.successResultOf(self.metadata.open())
        self.files = MemoryBlobStore(self.clock, "files")
        self.disk2 = MemoryBlobStore(self.clock, "disk2")

    def check(self, *stores: MemoryBlobStore) -> str:
        """Start with these; returns what it is refused for."""
        first, *more = [f"{each.name}=memory:{each.name}" for each in stores]
        settings = Settings(blob_provider=first, more_blob_providers=tuple(more))
        blobs = BlobStores(stores[0], stores[1:])
        checking = Deferred.fromCoroutine(
            check_belonging(self.metadata, blobs, settings)
        )
        refused: list[str] = []
        checking.addErrback(lambda failure: refused.append(_line(failure)))
        self.successResultOf(checking)
        return "".join(refused)

    def fill(self) -> None:
        """Make the metadata old."""
        volume = Volume("s3v", OWNER, 1)
        self.successResultOf(self.metadata.write(change, "add_volume", (volume,)))

    def known(self) -> set[str]:
        """The stores that the metadata know."""
        return set(self.successResultOf(self.metadata.read(known_stores)))

    def test_new(self) -> None:
        """New metadata go with empty stores, whatever their names; with bytes in any of them they do not."""
        self.assertEqual(self.check(self.files, self.disk2), "")
        self.disk2.keep(b"bytes")
        refused = self.check(self.files, self.disk2)
        self.assertIn("disk2=memory:disk2 in", refused)
        self.assertIn("sqlite:metadata.db", refused)

    def test_first_name(self) -> None:
        """Metadata from before there were names know the one store there was."""
        self.fill()
        self.files.keep(b"bytes")
        self.assertEqual(self.known(), {"files"})
        self.assertEqual(self.check(self.files), "")
        self.assertEqual(self.check(self.files, self.disk2), "")
        self.assertEqual(self.known(), {"files"})

    def test_damaged(self) -> None:
        """Where what is known of stores is damaged, rows tell which there are: what they name is missed, foreign bytes are refused, and it is known anew."""
        self.fill()
        self.assertEqual(self.check(self.disk2, self.files), "")
        blob = self.files.keep(b"bytes")
        self.successResultOf(self.metadata.write(change, "doom", ([blob],)))
        for wrong in (b"fi\xffes", b"0123456789abcdef\nfhles id=0", b""):
            self.successResultOf(self.metadata.write(damage, wrong))
            self.assertIn(
                "names of bytes in the blob store 'files'", self.check(self.disk2)
            )
            foreign = MemoryBlobStore(self.clock, "foreign")
            foreign.keep(b"of others")
            refused = self.check(self.files, foreign)
            self.assertIn("foreign=memory:foreign in", refused)
            self.assertEqual(self.check(self.files), "")
            self.assertEqual(self.known(), {"files"})

    def test_another_default(self) -> None:
        """A store is known once bytes may go to it, and from then on missed where it is not configured."""
        self.fill()
        self.assertEqual(self.check(self.disk2, self.files), "")
        self.assertEqual(self.known(), {"files", "disk2"})
        for store in (self.files, self.disk2):
            refused = self.check(store)
            [other] = {"files", "disk2"} - {store.name}
            self.assertIn(f"'{other}'", refused)
            self.assertIn(f"ozgate.blobs.more, as {other}=URL", refused)

    def test_drained(self) -> None:
        """A store that was drained is not missed, may still have what is to be removed, and is needed again once bytes go to it."""
        self.fill()
        self.assertEqual(self.check(self.disk2, self.files), "")
        self.successResultOf(self.metadata.write(note_drained, "files"))
        self.assertEqual(self.check(self.disk2), "")
        self.files.keep(b"bytes")
        self.assertEqual(self.check(self.disk2, self.files), "")
        self.assertEqual(self.check(self.files, self.disk2), "")
        self.assertIn("'files'", self.check(self.disk2))

    def test_new_default_of_new(self) -> None:
        """New metadata with a store of another name do not miss the one that everybody once had."""
        self.assertEqual(self.check(self.disk2), "")
        self.fill()
        self.assertEqual(self.known(), {"disk2"})
        self.assertEqual(self.check(self.disk2), "")

    def test_bytes_of_others(self) -> None:
        """Bytes under a name that the metadata never had are another service's: the sweep would remove them."""
        self.fill()
        self.disk2.keep(b"bytes")
        self.assertIn("disk2=memory:disk2 in", self.check(self.files, self.disk2))

    def test_another_folder(self) -> None:
        """A store that was put in the place of one that rows name is refused, though it is empty: its disk is not mounted."""
        self.fill()
        self.assertEqual(self.check(self.disk2, self.files), "")
        for name, others in (("files", [self.disk2]), ("disk2", [self.files])):
            refused = self.check(MemoryBlobStore(self.clock, name), *others)
            self.assertIn(f"is not the blob store {name!r} that rows name", refused)
        self.assertEqual(self.check(self.disk2, self.files), "")

    def test_another_after_drain(self) -> None:
        """In the place of one that was drained there may be an empty one, and none with the bytes of others."""
        self.fill()
        self.assertEqual(self.check(self.disk2, self.files), "")
        self.successResultOf(self.metadata.write(note_drained, "files"))
        other = MemoryBlobStore(self.clock, "files")
        other.keep(b"bytes")
        self.assertIn("knows nothing of", self.check(self.disk2, other))
        other.data.clear()
        self.assertEqual(self.check(self.disk2, other), "")
        self.assertEqual(self.check(other, self.disk2), "")
        self.assertIn("'files'", self.check(self.files, self.disk2))

    def test_two_at_once(self) -> None:
        """Of two gateways that start at a time with folders of their own for a store of one name, the second is refused, though nothing was known when it looked."""
        other, refused = MemoryBlobStore(self.clock, "files"), []
        write = self.metadata.write

        def write_second(*args: Any) -> Any:
            self.patch(self.metadata, "write", write)
            refused.append(self.check(other))
            return write(*args)

        self.patch(self.metadata, "write", write_second)
        refused.append(self.check(self.files))
        self.assertEqual(refused[0], "")
        self.assertIn("is not the blob store 'files' that rows name", refused[1])
        self.assertEqual(self.check(other), "")

    def test_no_identity(self) -> None:
        """A store from before there were identities is known by its name, and by its own from when it has one."""
        self.fill()
        self.files.identity = ""
        self.assertEqual(self.check(self.files), "")
        self.files.identity = "first"
        self.assertEqual(self.check(self.files), "")
        other = MemoryBlobStore(self.clock, "files")
        self.assertIn("that rows name", self.check(other))

    def full(self) -> None:
        """Fill the disk of the metadata."""

        def write(*_: object, **__: object) -> None:
            raise NoSpace("the disk is full")

        self.patch(self.metadata, "write", write)

    def test_full_disk(self) -> None:
        """On a full disk the service starts all the same."""
        self.fill()
        self.full()
        self.assertEqual(self.check(self.files), "")

    def test_full_disk_and_a_new_one(self) -> None:
        """While the metadata cannot keep that new bytes go to another store, none may: the next start would take them for a stranger's."""
        self.fill()
        self.full()
        refused = self.check(self.disk2, self.files)
        self.assertIn("make room on its disk first", refused)
        self.assertNotIn("\n", refused)
