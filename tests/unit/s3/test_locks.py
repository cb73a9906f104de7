"""What protects a version, whether it may go, and how its protection may change."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import AccessDenied, Damaged
from ozgate.s3.changing.locks import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    OFF,
    ON,
    Bypass,
    Lock,
    check_retention,
    lock_of,
    with_lock,
)
from ozgate.values import ObjectVersion

NOW = 1_795_000_000_000
LATER, EVEN_LATER, BEFORE = NOW + 1000, NOW + 2000, NOW - 1000

LOCKS = st.builds(
    Lock, st.just(""), st.just(0), st.sampled_from(("", ON, OFF))
) | st.builds(
    Lock,
    st.sampled_from((GOVERNANCE, COMPLIANCE)),
    st.integers(0, 2**50),
    st.sampled_from(("", ON, OFF)),
)


def locked(more: dict[str, str]) -> ObjectVersion:
    """A version with these rare members."""
    return ObjectVersion("key", 1, 0, more=more)


class LockTests(SynchronousTestCase):
    """Locks as values, and as members of versions."""

    @given(LOCKS, st.dictionaries(st.text(), st.text(), max_size=3), LOCKS)
    def test_kept(self, lock: Lock, others: dict[str, str], before: Lock) -> None:
        """A lock that is kept is read back; it takes the place of the one before, and what else is there stays."""
        others = {f"other {name}": value for name, value in others.items()}
        more = with_lock(with_lock(others, before), lock)
        self.assertEqual(lock_of(locked(more)), lock)
        self.assertEqual(with_lock(more, NO_LOCK), others)

    def test_none(self) -> None:
        """A version that says nothing has none."""
        self.assertEqual(lock_of(locked({})), NO_LOCK)
        self.assertEqual(lock_of(locked({"other": "x"})), NO_LOCK)
        self.assertFalse(NO_LOCK.holds(NOW, Bypass.NOTHING))

    def test_unreadable(self) -> None:
        """A lock that is in any way not one that was written is damaged, rather than none."""
        good = with_lock({}, Lock(COMPLIANCE, NOW, ON))
        self.assertEqual(len(good), 3)
        for name, values in (
            ("lock-mode", ("", "compliance", "x", "COMPLIANCE ")),
            ("lock-until", ("", "-1", "1.5", "x", "\u0661", " 1")),
            ("lock-hold", ("on", "x", "0")),
        ):
            for value in values:
                self.assertRaises(Damaged, lock_of, locked({**good, name: value}))
        for name in ("lock-mode", "lock-until"):
            one = {n: v for n, v in good.items() if n != name}
            self.assertRaises(Damaged, lock_of, locked(one))

    def test_holds(self) -> None:
        """A retention holds to its end, GOVERNANCE unless it is bypassed; a legal hold holds whatever else is so."""
        both = (Bypass.NOTHING, Bypass.GOVERNANCE)
        for hold, bypass in product(("", OFF), both):
            holds = bypass is Bypass.NOTHING
            self.assertEqual(Lock(GOVERNANCE, LATER, hold).holds(NOW, bypass), holds)
            self.assertTrue(Lock(COMPLIANCE, LATER, hold).holds(NOW, bypass))
            for mode in (GOVERNANCE, COMPLIANCE):
                self.assertFalse(Lock(mode, NOW, hold).holds(NOW, bypass))
                self.assertTrue(Lock(COMPLIANCE, NOW, hold).holds(NOW - 1, bypass))
        for mode, until, bypass in product(
            (GOVERNANCE, COMPLIANCE), (BEFORE, LATER), both
        ):
            self.assertTrue(Lock(mode, until, ON).holds(NOW, bypass))
            self.assertTrue(Lock(hold=ON).holds(NOW, bypass))


class RetentionTests(SynchronousTestCase):
    """How a retention may change."""

    def allowed(self, old: Lock, new: Lock, bypass: Bypass) -> bool:
        """Whether it may."""
        try:
            check_retention(old, new, NOW, bypass)
        except AccessDenied as error:
            expected = "Access Denied because object protected by object lock."
            self.assertEqual(error.message, expected)
            return False
        return True

    def test_compliance(self) -> None:
        """COMPLIANCE lasts as long, or longer: nobody shortens, changes or ends it."""
        old = Lock(COMPLIANCE, LATER)
        for bypass in Bypass:
            for new, allowed in (
                (Lock(COMPLIANCE, EVEN_LATER), True),
                (Lock(COMPLIANCE, LATER), True),
                (Lock(COMPLIANCE, LATER - 1), False),
                (Lock(GOVERNANCE, EVEN_LATER), False),
                (Lock(GOVERNANCE, LATER), False),
                (NO_LOCK, False),
            ):
                self.assertIs(self.allowed(old, new, bypass), allowed, new)

    def test_governance(self) -> None:
        """GOVERNANCE may last longer; all else takes a bypass."""
        old = Lock(GOVERNANCE, LATER)
        for new, allowed in (
            (Lock(GOVERNANCE, EVEN_LATER), True),
            (Lock(GOVERNANCE, LATER), True),
            (Lock(GOVERNANCE, LATER - 1), False),
            (Lock(COMPLIANCE, EVEN_LATER), False),
            (NO_LOCK, False),
        ):
            self.assertIs(self.allowed(old, new, Bypass.NOTHING), allowed, new)
            self.assertTrue(self.allowed(old, new, Bypass.GOVERNANCE), new)

    def test_over(self) -> None:
        """What is over, or was never there, may become anything."""
        for old, new, bypass in product(
            (NO_LOCK, Lock(GOVERNANCE, NOW), Lock(COMPLIANCE, BEFORE)),
            (NO_LOCK, Lock(GOVERNANCE, LATER), Lock(COMPLIANCE, LATER)),
            Bypass,
        ):
            self.assertTrue(self.allowed(old, new, bypass))

    @given(LOCKS, LOCKS, st.sampled_from(Bypass))
    def test_no_way_round(self, old: Lock, new: Lock, bypass: Bypass) -> None:
        """What holds a version until a time goes on to hold it until then, whatever the retention is changed to, unless it is bypassed."""
        if not old.is_retained(NOW) or not self.allowed(old, new, bypass):
            return
        end = old.until - 1
        if old.mode == COMPLIANCE or bypass is Bypass.NOTHING:
            self.assertTrue(new.is_retained(end))
            self.assertTrue(old.mode != COMPLIANCE or new.holds(end, Bypass.GOVERNANCE))
