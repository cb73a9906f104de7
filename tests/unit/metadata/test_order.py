"""The order of keys in SQLite, and seeking in it."""

from __future__ import annotations

import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.order import END, common_prefix, first_after, just_after, successor

TEXTS = st.text("ab\0\ud7ff\ue000\uffff\U00010000\U0010fffe\U0010ffff", max_size=4)


class OrderTests(SynchronousTestCase):
    """Bounds of ranges of keys."""

    def test_successor(self) -> None:
        """The last code point is incremented, surrogates being no characters."""
        for prefix, expected in (
            ("a", "b"),
            ("a\0", "a\x01"),
            ("\x7f", "\x80"),
            ("\ud7ff", "\ue000"),
            ("\uffff", "\U00010000"),
            ("a\U0010ffff", "b"),
            ("a\ud7ff\U0010ffff\U0010ffff", "a\ue000"),
            ("", None),
            ("\U0010ffff", None),
            ("\U0010ffff\U0010ffff", None),
        ):
            self.assertEqual(successor(prefix), expected)

    @settings(deadline=None, database=None, derandomize=True)
    @given(TEXTS, TEXTS)
    def test_successor_bounds(self, prefix: str, key: str) -> None:
        """Keys from a prefix to its successor are those that start with it."""
        bound = successor(prefix)
        within = prefix <= key and (bound is None or key < bound)
        self.assertEqual(within, key.startswith(prefix))

    @settings(deadline=None, database=None, derandomize=True)
    @given(TEXTS, TEXTS)
    def test_just_after(self, key: str, other: str) -> None:
        """Nothing is between a key and the text just after it."""
        self.assertEqual(other > key, other >= just_after(key))

    def test_first_after(self) -> None:
        """A listing goes on after its marker, behind all of a common prefix, within its prefix."""
        for after, prefix, delimiter, expected in (
            ("", "", "", ""),
            ("", "a", "/", "a"),
            ("a", "", "/", "a\0"),
            ("a/", "", "/", "a0"),
            ("a/b", "", "/", "a/b\0"),
            ("a/", "a/", "/", "a/\0"),
            ("a", "b", "/", "b"),
            ("x\U0010ffff", "", "\U0010ffff", "y"),
            ("\U0010ffff", "", "\U0010ffff", None),
        ):
            self.assertEqual(first_after(after, prefix, delimiter), expected)

    def test_common_prefix(self) -> None:
        """A key is rolled up at the first delimiter after the prefix."""
        self.assertEqual(common_prefix("a/b/c", "", "/"), "a/")
        self.assertEqual(common_prefix("a/b/c", "a/", "/"), "a/b/")
        self.assertEqual(common_prefix("a---b", "", "--"), "a--")
        self.assertIsNone(common_prefix("a/b", "a/", "/"))
        self.assertIsNone(common_prefix("a/b", "", ""))

    @settings(deadline=None, database=None, derandomize=True)
    @given(st.sets(TEXTS))
    def test_sqlite_agrees(self, keys: set[str]) -> None:
        """SQLite sorts TEXT as Python sorts str, and the end after all of it."""
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE texts (key TEXT PRIMARY KEY)")
            connection.executemany("INSERT INTO texts VALUES (?)", [(k,) for k in keys])
            found = connection.execute(
                "SELECT key FROM texts WHERE key < ? ORDER BY key", (END,)
            ).fetchall()
        connection.close()
        self.assertEqual([key for (key,) in found], sorted(keys))
