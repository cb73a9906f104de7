"""Versions and locks under many clients and kills: what was acknowledged is there, in its order, and what is locked stays.

The whole: ``python -m tests.crash.linear_run --versions --clients 100 --seconds 60 --kills 5``.
"""

from __future__ import annotations

import os
import tempfile
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.crash.histories import crowd_of, play
from tests.crash.linear_run import SETTINGS, unexplained
from tests.crash.version_histories import LOCKING, Made, VersionClient, unkept
from tests.running import Server

SEED = 20261130


class VersionHistoryTests(SynchronousTestCase):
    """A real server, with a bucket that keeps versions and has object lock."""

    def setUp(self) -> None:
        """Play a history with a kill, and die once more."""
        folder = tempfile.TemporaryDirectory(prefix="ozgate-versions-")
        self.addCleanup(folder.cleanup)
        self.server = Server(os.path.join(folder.name, "data"), *SETTINGS)
        self.server.start()
        self.addCleanup(lambda: self.server.kill())
        self.assertEqual(self.server.request("PUT", "/bucket", LOCKING)[0], 200)
        self.crowd = crowd_of(VersionClient, self.server, "bucket", 6, 3, SEED)
        self.history = play(self.server, self.crowd, 5, 1, SEED)
        self.server.kill()
        self.server.start()

    def unkept(self) -> list[str]:
        """What is not as clients were told."""
        return unkept(self.server, "bucket", self.crowd, self.history, Random(SEED))

    def one(self, *, is_removed: bool = False) -> Made:
        """A version with bytes that is not locked, removed or not."""
        return next(
            each
            for client in self.crowd
            for each in client.made
            if each.value and not each.is_locked and each.is_removed is is_removed
        )

    def test_kept(self) -> None:
        """Every answer is right in some order, every version that was acknowledged is there in its place, none that was removed; a lie is found."""
        self.assertEqual(unexplained(self.history), [])
        self.assertEqual(self.unkept(), [])
        done = sum((client.beside for client in self.crowd), self.history.done)
        for kind in ("put 200", "delete 204", "remove 204"):
            self.assertGreater(done[kind], 0, done)
        removed, kept = self.one(is_removed=True), self.one()
        removed.is_removed = False
        self.check_found(removed, "is lost")
        removed.is_removed = True
        kept.is_removed = True
        self.check_found(kept, "is there again")
        kept.is_removed = False
        kept.value, value = "another", kept.value
        self.check_found(kept, "is listed with")
        kept.value = value
        kept.begun, begun = kept.begun + 1e6, kept.begun
        self.check_found(None, "that was begun later")
        kept.begun = begun
        kept.is_locked = True
        self.check_found(kept, "is locked: DELETE answers 204")
        kept.is_locked, kept.is_removed = False, True
        self.assertEqual(self.unkept(), [])
        for owner in self.crowd:
            owner.made = [each for each in owner.made if each.is_removed is not False]
        self.check_found(None, "is from nowhere")

    def check_found(self, lie: Made | None, said: str) -> None:
        """Something is wrong: of one version, or of any."""
        found = self.unkept()
        self.assertTrue(
            any(
                said in line and (lie is None or lie.version_id in line)
                for line in found
            ),
            (said, found[:3]),
        )
