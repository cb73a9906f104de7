"""Sequence numbers and time of one database, as each process that writes keeps them."""

from __future__ import annotations

import sqlite3

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.metadata.sqlite.counters import LEAD, RESERVED, Sequences, Times

START = 1_700_000_000


class CountersTests(SynchronousTestCase):
    """A database with nothing but the tables that are asked, and the processes that write to it."""

    def setUp(self) -> None:
        """Make the tables."""
        self.clock = Clock()
        self.clock.advance(START)
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(self.connection.close)
        for table in (
            "counters (name TEXT PRIMARY KEY, value)",
            "versions (sequence)",
            "parts (owner)",
            "bodies (sequence)",
            "extents (owner)",
            "events (sequence)",
        ):
            self.connection.execute(f"CREATE TABLE {table}")

    def process(self) -> Sequences:
        """One that has opened the database."""
        sequences = Sequences(Times(self.clock.seconds))
        sequences.load(self.connection)
        return sequences

    def commit(self, sequences: Sequences) -> int:
        """Commit one interaction; the number it took."""
        self.connection.execute("BEGIN IMMEDIATE")
        sequences.begin(self.connection)
        number = sequences.next()
        sequences.end(self.connection)
        self.connection.execute("COMMIT")
        sequences.committed()
        return number

    def counters(self) -> dict[str, int]:
        """What the database says."""
        return dict(self.connection.execute("SELECT name, value FROM counters"))

    def test_alone(self) -> None:
        """A process that is alone reserves once, and neither writes nor skips numbers with the commits after."""
        sequences = self.process()
        first = self.commit(sequences)
        before = self.counters()
        self.assertEqual(before, {"sequence": first + RESERVED, "time": START * 1000})
        self.clock.advance(60)
        changes = self.connection.total_changes
        self.assertEqual(self.commit(sequences), first + 1)
        self.assertEqual(self.connection.total_changes, changes)

    def test_time_is_kept_for_others(self) -> None:
        """One that has met another keeps the time of each commit, and the other learns it."""
        first, second = self.process(), self.process()
        for sequences in first, second, first:
            self.commit(sequences)
        self.clock.advance(60)
        self.commit(first)
        self.assertEqual(self.counters()["time"], (START + 60) * 1000)
        self.clock.rightNow -= 60
        times = Times(self.clock.seconds)
        third = Sequences(times)
        third.load(self.connection)
        self.assertEqual(times.now(), (START + 60) * 1000)

    def test_wrong_time_is_not_kept_up(self) -> None:
        """A clock that was ahead by more than a day is not followed by others for longer than it was wrong."""
        self.clock.advance(2 * LEAD / 1000)
        self.commit(self.process())
        self.clock.rightNow = float(START)
        times = Times(self.clock.seconds)
        Sequences(times).load(self.connection)
        self.assertEqual(times.now(), START * 1000)

    def test_give_back(self) -> None:
        """At an orderly end unused numbers are given back, but not when another has reserved some since."""
        first, second = self.process(), self.process()
        self.commit(first)
        second.give_back(self.connection)
        self.assertEqual(self.counters()["sequence"], 1 + RESERVED)
        last = self.commit(second)
        first.give_back(self.connection)
        self.assertEqual(self.counters()["sequence"], last + RESERVED)
        second.give_back(self.connection)
        self.assertEqual(self.counters()["sequence"], last + 1)

    def test_damaged_rows(self) -> None:
        """What a damaged row has in the place of its number keeps nobody from writing, nor makes numbers jump."""
        for table, column in (
            *(("bodies", "sequence"), ("extents", "owner"), ("events", "sequence")),
            *(("versions", "sequence"), ("parts", "owner")),
        ):
            self.connection.execute(f"INSERT INTO {table} VALUES (17)")
            for wrong in ("''", "'x'", "x'ff'", "CAST(x'ff' AS TEXT)", "1 << 62"):
                self.connection.execute(f"INSERT INTO {table} VALUES ({wrong})")
                self.assertEqual(self.commit(self.process()), 18, (table, wrong))
                for other in (table, "counters"):
                    self.connection.execute(f"DELETE FROM {other} WHERE rowid > 1")
                self.connection.execute("DELETE FROM counters")
            self.assertEqual(
                self.connection.execute(f"SELECT {column} FROM {table}").fetchall(),
                [(17,)],
            )

    def test_damaged_counter(self) -> None:
        """A counter that holds no number, or more than anybody reserves, is made anew of what is there."""
        self.connection.execute("INSERT INTO versions VALUES (17)")
        for wrong in ("x", b"", 1 << 62, None):
            self.connection.execute("DELETE FROM counters")
            self.connection.execute(
                "INSERT INTO counters VALUES ('sequence', ?)", (wrong,)
            )
            self.assertEqual(self.commit(self.process()), 18, wrong)
