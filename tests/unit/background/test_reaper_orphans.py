"""Blobs without a name are found and doomed, and those that are to have one are not."""

from __future__ import annotations

from twisted.internet.defer import Deferred, maybeDeferred

from ozgate.background.reaper import ORPHANS_EVERY, TERM
from ozgate.config.settings import Settings
from ozgate.content.intake import ExtentSink, abandon, begin
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.testing.metadata_base import ask
from tests.unit.background.sweeping import (
    DELAY,
    HELD,
    SweepCase,
    name_blob,
    name_content,
    remove_key,
)


class OrphanTests(SweepCase):
    """:meth:`Reaper.sweep_orphans`."""

    def test_orphan(self) -> None:
        """A blob that a crash left without a name is doomed, and goes after the delay."""
        orphan, named = self.put(), self.put("a")
        self.clock.advance(1)
        self.assertEqual(self.sweep(self.now()), 1)
        self.assertEqual(self.kept(), {orphan.id, named.id})
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)
        self.assertEqual(self.kept(), {named.id})

    def test_young(self) -> None:
        """A blob made after the given time may be a commit in progress, and is left alone."""
        self.clock.advance(1)
        before = self.now()
        self.put()
        self.assertEqual(self.sweep(before), 0)

    def test_slow_commit(self) -> None:
        """A row that comes after the sweep has seen its blob without one still saves it."""
        blob = self.put()
        self.clock.advance(1)
        self.assertEqual(self.sweep(self.now()), 1)
        self.write(name_blob, self.bucket, "slow", blob)
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})

    def body_of_hours(self) -> tuple[Gateway, ExtentSink]:
        """A body whose first blob has been durable for hours, and whose last bytes are on their way; the sweep and the reaper came by."""
        self.blobs.extent_size = 5  # type: ignore[misc]
        stores = self.metadata, BlobStores(self.blobs), self.readers, self.clock
        gateway = Gateway(Settings(), *stores, maybeDeferred, process="gateway")
        body = begin(gateway, 12)
        body.write(b"some by")
        for _ in range(3):
            self.clock.advance(ORPHANS_EVERY)
            self.sweep(self.now() - round(ORPHANS_EVERY * 1000))
            self.clock.advance(DELAY + 1)
            self.assertEqual(self.reap(), 0)
        self.assertEqual(len(self.kept()), 1)
        return gateway, body

    def test_slow_body(self) -> None:
        """The first blobs of a slow body stay until a row names them."""
        _, body = self.body_of_hours()
        body.write(b"te...")
        content = self.do(body, "commit")
        self.assertIsNotNone(self.readers.oldest())
        self.write(name_content, self.bucket, "slow", content)
        self.clock.advance(DELAY + 1)
        self.assertIsNone(self.readers.oldest())
        self.assertEqual(self.reap(), 0)
        self.assertEqual(len(self.kept()), 3)

    def test_slow_body_given_up(self) -> None:
        """Those of one that broke off go."""
        gateway, body = self.body_of_hours()
        self.successResultOf(Deferred.fromCoroutine(abandon(gateway, body)))
        self.assertIsNone(self.readers.oldest())
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 1)

    def test_reader_of_what_is_swept(self) -> None:
        """A blob just overwritten, seen by the sweep, stays for the reader that is still at it."""
        blob = self.put("a")
        token = self.readers.enter(self.now())
        self.clock.advance(1)
        self.write(remove_key, self.bucket, "a")
        self.clock.advance(7200)
        self.sweep(self.now())
        self.clock.advance(DELAY + 1)
        self.assertEqual(self.reap(), 0)
        self.assertEqual(self.kept(), {blob.id})
        self.readers.leave(token)
        self.assertEqual(self.reap(), 1)

    def test_many(self) -> None:
        """All of very many are found, and the reactor has its turns meanwhile."""
        for _ in range(1000):
            blob = self.put()
            # All with one ending, so that they come in more than one batch.
            self.blobs.data[blob.id[:-2] + "aa"] = self.blobs.data.pop(blob.id)
        self.clock.advance(1)
        self.assertEqual(self.sweep(self.now()), 1000)

    def test_lease(self) -> None:
        """While another holds the lease nothing is looked at, and the caller hears of it."""
        self.put()
        self.clock.advance(1)
        self.write("lease", HELD, "other", TERM)
        self.assertIsNone(self.sweep(self.now()))

    def test_lost_lease(self) -> None:
        """Another that swept meanwhile ends the search: nothing is doomed any more."""
        orphan = self.put()
        self.clock.advance(1)
        real = self.blobs.list

        def listed(before: int, ending: str = ""):
            if orphan.id.endswith(ending):
                self.clock.advance(TERM)
                self.assertEqual(self.write("lease", HELD, "other", 0), 2)
            return real(before, ending)

        self.patch(self.blobs, "list", listed)
        self.assertIsNone(self.sweep(self.now()))
        doomed = self.metadata.read(ask, "is_doomed", (orphan.store, orphan.id))
        self.assertFalse(self.successResultOf(doomed))

    def test_stops(self) -> None:
        """Told not to go on, it says that it did not come to the end."""
        self.put()
        self.clock.advance(1)
        found = self.do(self.reaper, "sweep_orphans", self.now(), lambda: False)
        self.assertIsNone(found)
