"""Declared tables: what is made of the declarations, and that they are those of the schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from attrs import evolve, frozen
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import Damaged
from ozgate.metadata.declared.columns import Column, Conversion, Made
from ozgate.metadata.declared.relation import Table
from ozgate.metadata.declared.rowchecks import check_of, check_of_data
from ozgate.metadata.declared.tables import (
    BODIES,
    BUCKETS,
    CHECKED,
    CONFIGURATIONS,
    EXTENTS,
    GROUPS,
    OBJECT_PARTS,
    PARTS,
    POLICIES,
    RETIRED,
    SECRETS,
    UPLOADS,
    USERS,
    VERSIONS,
    VOLUMES,
)
from ozgate.metadata.sqlite.connections import connect_writer, prepare_database
from ozgate.testing.metadata_base import FULL
from ozgate.values import (
    Acl,
    BlobRef,
    Bucket,
    Checksum,
    Content,
    Extent,
    Group,
    ManagedPolicy,
    ObjectPart,
    ObjectVersion,
    Part,
    Secret,
    Upload,
    User,
    Volume,
)

ACLS = (Acl.parse("user:bob:rl[ACCESS]"), Acl.parse("world::a"))

VERSION = ObjectVersion("bä\0", 9, 1_700_000_000_000, **FULL)

BUCKET = Bucket(
    "s3v", "b", "me", 17, "eu", "Enabled", ("v", "c"), 5, 1 << 60, 7, ACLS, 18, 19, 20
)

NAMED, JSON = frozenset({"b", "a"}), {"n": '{"é": "\0"}'}

ROWS = (
    (VOLUMES, Volume("s3v", "me", 17, 4, "om", 1 << 60, 7, ACLS, 18, 19, 20), (), (0,)),
    (BUCKETS, BUCKET, (), (0, 0)),
    (BUCKETS, evolve(BUCKET, configured=frozenset({"b", "a"})), (), (0, 0)),
    (BUCKETS, Bucket("s3v", "b", "", 0), (), (0, 0)),
    (VERSIONS, VERSION, (5,), ()),
    (VERSIONS, evolve(VERSION, checksum=None, more={}, tags={}, headers={}), (5,), ()),
    (VERSIONS, evolve(VERSION, is_delete_marker=True), (5,), ()),
    (EXTENTS, Extent(BlobRef("files", "ab", 9, (1 << 64) - 1), 2, 7), (5, 6), ()),
    (EXTENTS, Extent(BlobRef("files", "ab", 9, 1), 2, 7, "sealed"), (5, 6), ()),
    (OBJECT_PARTS, ObjectPart(3, 7, None, "e", 11), (5, 11), ()),
    (OBJECT_PARTS, ObjectPart(3, 7, "c", "", 11), (5, 11), ()),
    (
        UPLOADS,
        Upload("k", "u", 1, "me", "S", {"h": "1"}, {"m": "2"}, {"t": "3"}, "A", "T"),
        (1, 5),
        (),
    ),
    (
        UPLOADS,
        Upload("k", "u", 1, "me", completed=VERSION, more={"a": "b"}),
        (1, 5),
        (),
    ),
    (PARTS, Part(3, 7, "e", 17, {"A": "b"}, Content(b"")), (1, 8), (Content(b""),)),
    (SECRETS, Secret("key", "me", b"\0\xff", 17, 18), (), ()),
    (SECRETS, Secret("key", "me", b"", 17, None), (), ()),
    (SECRETS, Secret("key", "me", b"\0", 17, 18, is_managed=True), (), ()),
    (SECRETS, Secret("k", "me", b"", 1, 2, True, True, ("{}", "é"), "d", "c"), (), ()),
    (USERS, User("a/b@C", "AIDA", 17), (), ()),
    (USERS, User("a", "", 1, True, NAMED, NAMED, JSON, JSON, {"m": "é"}), (), ()),
    (GROUPS, Group("staff", "AGPA", 17), (), ()),
    (GROUPS, Group("staff", "AGPA", 17, NAMED, JSON, {"m": "é"}), (), ()),
    (POLICIES, ManagedPolicy("all", "ANPA", 17, "{}", 18), (), ()),
    (POLICIES, ManagedPolicy("all", "", 1, "{}", 18, 3, "é", JSON, JSON), (), ()),
)
"""Values, with what is given to make a row of each, and handed in to read it."""


def database(path: str) -> sqlite3.Connection:
    """A new database."""
    prepare_database(path).close()
    return connect_writer(path)


def others_of(value: object, table: Table[object]) -> tuple[object, ...]:
    """What a row has besides what is checked: what changes on its own."""
    if table is VERSIONS:
        return (1,)
    if isinstance(value, Volume | Bucket):
        return (value.used_bytes, value.used_names)
    return ()


class TableTests(SynchronousTestCase):
    """The tables of ozgate."""

    def test_rows(self) -> None:
        """Each value comes back of its row as it was, and its row agrees with its check."""
        for table, value, given, handed_in in ROWS:
            row = (*table.row(value, *given), *others_of(value, table))
            self.assertEqual(len(row), table.width)
            self.assertTrue(table.agrees(row))
            self.assertEqual(
                table.check(*row[: len(table.columns)]), row[len(table.columns)]
            )
            self.assertEqual(table.read(row, *handed_in), value)
            self.assertEqual(table.make(row, *handed_in), value)

    def test_damage(self) -> None:
        """Whatever is another one in a row, it does not agree, and becomes no value."""
        for table, value, given, handed_in in ROWS:
            row = [*table.row(value, *given), *others_of(value, table)]
            for place in range(len(table.columns) + 1):
                for wrong in ("another", b"another", 1.5):
                    changed = (*row[:place], wrong, *row[place + 1 :])
                    self.assertFalse(table.agrees(changed), (table.name, place, wrong))
                    self.assertRaises(Damaged, table.read, changed, *handed_in)

    def test_counted(self) -> None:
        """What is counted is not checked, but is a number, or the row is damaged."""
        row = BUCKETS.row(BUCKET)
        found = BUCKETS.read((*row, 19, 20), 1, 2)
        self.assertEqual((found.used_bytes, found.used_names), (20, 22))
        error = self.assertRaises(Damaged, BUCKETS.read, (*row, "19", 20), 0, 0)
        self.assertEqual((error.kind, error.name), ("metadata", "b"))

    def test_checks(self) -> None:
        """The checked text is that of released versions: columns as text with NUL between, then bytes; nothing of what is sparse and empty."""
        sparse = {"more", "configured", "seal"}
        of_secrets = {"is_managed", "is_disabled", "limits", "description"}
        for table in CHECKED:
            empty = sparse
            if table is SECRETS:
                empty = of_secrets | {"created_by"}
            always = [name for name in table.columns if name not in empty]
            has_data = table in (BODIES, CONFIGURATIONS, SECRETS)
            values = {name: f"ü{place}" for place, name in enumerate(always)}
            if has_data:
                values[always[-1]] = b"\0\xff"  # type: ignore[assignment]
            check = check_of_data if has_data else check_of
            columns = [values.get(name, "") for name in table.columns]
            self.assertEqual(table.check(*columns), check(*values.values()), table.name)
            self.assertNotEqual(
                table.check(*columns), check(*[*values.values()][::-1]), table.name
            )

    def test_sparse(self) -> None:
        """What is sparse is in the checked text after its name, where it is there."""
        row = BODIES.row(5, "sealed", b"data")
        self.assertEqual(row[-1], check_of_data(5, "seal", "sealed", b"data"))
        row = EXTENTS.row(Extent(BlobRef("f", "b", 9, 1), 2, 7, "sealed"), 5, 6)
        expected = check_of(5, 6, "f", "b", 9, 1, 2, 7, "seal", "sealed")
        self.assertEqual(row[-1], expected)

    def test_no_bytes(self) -> None:
        """What must be bytes and is something else agrees with no check."""
        for wrong in ("data", None, 7):
            row = (5, "", wrong)
            # SQLite's integers have 64 bits.
            self.assertNotIn(BODIES.check(*row), range(-(1 << 63), 1 << 63))
            for check in (0, None, -1):
                self.assertFalse(BODIES.agrees((*row, check)))

    def test_schema(self) -> None:
        """The declared columns are those of the database, and their keys its keys."""
        with closing(database(self.mktemp())) as connection:
            for table in CHECKED:
                found = connection.execute(
                    f"PRAGMA table_info({table.name})"
                ).fetchall()
                declared = [each.split(".")[1] for each in table.select.split(", ")]
                self.assertEqual(sorted(declared), sorted(row[1] for row in found))
                key = sorted((row[5], row[1]) for row in found if row[5])
                self.assertEqual(table.key, tuple(name for _, name in key))

    def test_statements(self) -> None:
        """What a table has rows put in with takes them, and what is put is what is selected."""
        with closing(database(self.mktemp())) as connection:
            for statement in (RETIRED.insert, RETIRED.put):
                connection.execute(statement, RETIRED.row(5, 6))
            found = connection.execute(f"SELECT {RETIRED.select} FROM retired")
            self.assertEqual(found.fetchall(), [RETIRED.row(5, 6)])
            again = (RETIRED.insert, RETIRED.row(5, 6))
            self.assertRaises(sqlite3.IntegrityError, connection.execute, *again)


@frozen
class Thing:
    """Something with a member that came later."""

    name: str
    size: int = 0
    where: tuple[int, int] = (0, 0)
    held: str = ""


class DeclarationTests(SynchronousTestCase):
    """Tables as somebody may come to declare them."""

    def declared(self, *later: Column) -> Table[Thing]:
        """A table of things."""
        return Table(
            "things",
            Thing,
            Column("name"),
            Column("size", is_kept=True),
            Column("x", Conversion(write=lambda where: where[0]), of="where"),
            Column("y", Conversion(write=lambda where: where[1]), of="where"),
            *later,
            members={"where": Made(lambda x, y: (x, y), "x, y")},
        )

    def test_later(self) -> None:
        """A member takes one line, and rows from before there was one agree as they are."""
        self.assertRaises(TypeError, self.declared)
        table = self.declared(Column("held", is_sparse=True))
        thing = Thing("a", 5, (1, 2))
        row = table.row(thing)
        self.assertEqual(row, ("a", 5, 1, 2, "", check_of("a", 5, 1, 2)))
        self.assertEqual(table.read(row), thing)
        held = table.row(evolve(thing, held="yes"))
        self.assertNotEqual(held[-1], row[-1])
        self.assertEqual(table.read(held).held, "yes")
        self.assertEqual(table.replaced(held), {"x": 1, "y": 2, "held": "yes"})

    def test_checksums(self) -> None:
        """The parts of a version that columns share come back together."""
        row = (*VERSIONS.row(VERSION, 5), 1)
        found = VERSIONS.read(row)
        self.assertEqual(found.checksum, Checksum("CRC32C", "COMPOSITE", "AAAAAA==-3"))
        self.assertEqual(
            (found.owner, found.storage_class), (VERSION.owner, "STANDARD_IA")
        )

    def test_own_mappings(self) -> None:
        """No two values share a mapping that one of them may be asked to change."""
        row = (*VERSIONS.row(VERSION, 5), 1)
        one, other = VERSIONS.read(row), VERSIONS.read(row)
        for name in ("headers", "metadata", "tags", "more"):
            self.assertIsNot(getattr(one, name), getattr(other, name), name)
