"""What is kept of a state of the database, and for how long."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.postgresql.snapshots import KEPT, KEPT_BYTES, State, States


class StateTests(SynchronousTestCase):
    """Kept until anything is committed, and not too much."""

    def test_kept(self) -> None:
        """What was read of a state is found by whoever reads the same, and by nobody else."""
        states = States()
        states.of("1:2:").keep("a", 1)
        self.assertEqual(states.of("1:2:").find("a"), 1)
        self.assertTrue(states.is_still)
        self.assertIsNone(states.of("1:3:").find("a"))
        self.assertFalse(states.is_still)
        self.assertIsNone(states.of("1:2:").find("a"))

    def test_bounded(self) -> None:
        """There is room for so many things, and so many bytes; what is not there is not kept."""
        state = State("")
        state.keep("nothing", None)
        for number in range(KEPT + 5):
            state.keep(number, number)
        self.assertIsNone(state.find("nothing"))
        self.assertEqual(state.find(KEPT - 1), KEPT - 1)
        self.assertIsNone(state.find(KEPT))
        state = State("")
        state.keep("all", 1, KEPT_BYTES)
        state.keep("more", 1, 1)
        self.assertEqual((state.find("all"), state.find("more")), (1, None))
