"""What is kept of an epoch of the database, and for how long."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.postgresql.epochs import KEPT, KEPT_BYTES, Epochs, Known


class KnownTests(SynchronousTestCase):
    """Kept until anything of its kind changes, and not too much."""

    def test_kept(self) -> None:
        """What was read in an epoch is found by whoever reads in the same, and by nobody else; also that there was nothing."""
        epochs = Epochs()
        epochs.of("1").keep(("users", "a"), 1)
        epochs.of("1").keep(("users", "b"), None)
        self.assertEqual(epochs.of("1").find(("users", "a")), (1,))
        self.assertEqual(epochs.of("1").find(("users", "b")), (None,))
        self.assertIsNone(epochs.of("1").find(("users", "c")))
        self.assertIsNone(epochs.of("2").find(("users", "a")))
        self.assertIsNone(epochs.of("1").find(("users", "a")))

    def test_without_epoch(self) -> None:
        """Where the database has none, nothing is kept."""
        epochs = Epochs()
        epochs.of(None).keep(("users", "a"), 1)
        self.assertIsNone(epochs.of(None).find(("users", "a")))

    def test_other_kinds(self) -> None:
        """Rows whose change ends no epoch are not kept."""
        for kind in ("versions", "usage", "settings", "leases"):
            self.assertRaises(ValueError, Known("1").keep, (kind, 1), 1)

    def test_bounded(self) -> None:
        """There is room for so many things, and so many bytes; where there is none, it is made."""
        known = Known("1")
        for number in range(KEPT):
            known.keep(("users", number), number)
        self.assertEqual(known.find(("users", 0)), (0,))
        known.keep(("users", KEPT), KEPT)
        self.assertIsNone(known.find(("users", 0)))
        self.assertEqual(known.find(("users", KEPT)), (KEPT,))
        known.keep(("configurations", 0), b"", 1)
        known.keep(("configurations", 1), b"", KEPT_BYTES)
        self.assertIsNone(known.find(("users", KEPT)))
        known.keep(("configurations", 2), b"", KEPT_BYTES + 1)
        self.assertIsNone(known.find(("configurations", 2)))
