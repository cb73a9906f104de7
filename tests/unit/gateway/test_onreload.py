"""What SIGHUP runs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.gateway.onreload import ReloadingParts


class ReloadsTests(SynchronousTestCase):
    """Parts that reload."""

    def test_order_and_outcomes(self) -> None:
        """Each part says what came of it, in the order of registration."""
        reloads = ReloadingParts()
        self.assertEqual(reloads.run(), [])
        reloads.register("logs", lambda: "reopened")
        reloads.register("certificates", lambda: "unchanged")
        self.assertEqual(
            reloads.run(), [("logs", "reopened"), ("certificates", "unchanged")]
        )

    def test_one_that_fails(self) -> None:
        """What one raises becomes its outcome, is logged, and keeps no other from its turn."""

        def fail() -> str:
            raise ValueError("no\nsuch file")

        reloads = ReloadingParts()
        reloads.register("one", fail)
        reloads.register("other", lambda: "done")
        self.assertEqual(
            reloads.run(), [("one", "failed: no such file"), ("other", "done")]
        )
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
