"""The schema of the SQLite metadata, as migrations that sqlite-utils applies.

``PRAGMA user_version`` holds the number of migrations applied, so that an up-to-date database is
recognized without importing sqlite-utils. A migration that has been released is never changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import Unavailable
from ..declared.rowchecks import check_of, check_of_data
from .early import LISTING, SURFACE, TABLES
from .identitytables import IDENTITIES
from .sparse import give_room
from .starts import give_starts

if TYPE_CHECKING:
    from sqlite_utils import Database

OBJECT_PARTS = """UPDATE object_parts SET checked =
    ozgate_check_object_parts(sequence, number, placed.place, size, checksum)
    FROM (
        SELECT sequence AS object, number AS part, COALESCE(SUM(size) OVER (
            PARTITION BY sequence ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS place FROM object_parts
    ) AS placed
    WHERE sequence = placed.object AND number = placed.part"""


CHECKED_4 = {
    "volumes": "number name owner created admin quota_bytes quota_names acls modified",
    "buckets": "number volume name owner created region versioning source_volume source_bucket quota_bytes"
    " quota_names acls modified layout",
    "configurations": "bucket kind document",
    "versions": "bucket key sequence is_delete_marker modified size etag traits version_id checksum_value"
    " parts_count tags headers metadata",
    "bodies": "sequence body",
    "extents": "owner ordinal store blob blob_length blob_crc64nvme offset length",
    "object_parts": "sequence number offset size checksum",
    "uploads": "number bucket key upload_id initiated owner storage_class checksum_algorithm checksum_type"
    " is_completed completed completed_parts tags headers metadata",
    "parts": "upload number owner size etag modified checksums",
    "secrets": "access_id user created expires sealed",
}
"""What the check of a row covered at first, by table: ``offset`` of a part in its object is no column."""

DATA_4 = ("configurations", "bodies", "secrets")
"""Those tables whose last such column is bytes."""


def m001_tables(db: Database) -> None:
    """Everything there was at first."""
    for statement in TABLES:
        db.execute(statement)


def m002_surface(db: Database) -> None:
    """Access control lists, quotas and what is used; sealed secrets; named values."""
    for statement in SURFACE:
        db.execute(statement)


def m003_listing(db: Database) -> None:
    """Fewer columns in the index that listings read."""
    for statement in LISTING:
        db.execute(statement)


def m004_checks(db: Database) -> None:
    """A check of each row, which tells bits that flipped; see :mod:`ozgate.metadata.declared.rowchecks`."""
    connection = db.conn
    assert connection is not None
    for table, columns in CHECKED_4.items():
        names = columns.split()
        function = f"ozgate_check_{table}"
        check = check_of_data if table in DATA_4 else check_of
        connection.create_function(function, len(names), check, deterministic=True)
        db.execute(f"ALTER TABLE {table} ADD COLUMN checked INTEGER NOT NULL DEFAULT 0")
        if table == "object_parts":
            db.execute(OBJECT_PARTS)
        else:
            db.execute(f"UPDATE {table} SET checked = {function}({', '.join(names)})")


def m005_starts(db: Database) -> None:
    """Extents and parts know where they start, parts their ETag; removed versions that are still read."""
    connection = db.conn
    assert connection is not None
    give_starts(connection)


def m006_sparse(db: Database) -> None:
    """Rare members of versions and uploads; which documents a bucket has."""
    connection = db.conn
    assert connection is not None
    give_room(connection)


def m007_seals(db: Database) -> None:
    """How bytes are sealed, where they are."""
    for table in ("bodies", "extents"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN seal TEXT NOT NULL DEFAULT ''")


def m008_terms(db: Database) -> None:
    """Leases have terms, with numbers. Those of before are over: who had them was called as its host, and is dead."""
    db.execute("ALTER TABLE leases ADD COLUMN term INTEGER NOT NULL DEFAULT 0")
    db.execute("UPDATE leases SET expires = 0")


def m009_events(db: Database) -> None:
    """The outbox. An event is JSON: it is read as a whole, and in order."""
    db.execute(
        """CREATE TABLE events (
            sequence INTEGER PRIMARY KEY,
            event TEXT NOT NULL,
            checked INTEGER NOT NULL
        )"""
    )


def m010_processes(db: Database) -> None:
    """The processes that use the database, and since when they read."""
    db.execute(
        """CREATE TABLE processes (
            id TEXT PRIMARY KEY,
            since INTEGER NOT NULL,
            reads_since INTEGER NOT NULL,
            noted_until INTEGER NOT NULL
        ) WITHOUT ROWID"""
    )


def m011_doomed(db: Database) -> None:
    """What is doomed is looked for by blob store."""
    db.execute("DROP INDEX doomed_order")
    db.execute("CREATE INDEX doomed_order ON doomed (store, doomed_at)")


def m012_identities(db: Database) -> None:
    """Users, groups and policies; what few secrets have, and whose they are."""
    for statement in IDENTITIES:
        db.execute(statement)


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    m001_tables,
    m002_surface,
    m003_listing,
    m004_checks,
    m005_starts,
    m006_sparse,
    m007_seals,
    m008_terms,
    m009_events,
    m010_processes,
    m011_doomed,
    m012_identities,
)

SCHEMA_VERSION = len(MIGRATIONS)

_SET, _RECORD = "ozgate", "_sqlite_migrations"
"""How sqlite-utils calls our migrations, and the table in which it notes what it applied."""


def is_current(connection: sqlite3.Connection, path: str) -> bool:
    """Whether a database has this schema; it is only looked at.

    :param path: of the database, for messages.
    :return: ``False`` when it is to be migrated, as a new one is.
    :raises Unavailable: the schema is newer than this code, or another program's.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise Unavailable(
            f"{path} has metadata schema {version}, but this ozgate knows only up to"
            f" {SCHEMA_VERSION}: start the newer ozgate that made it"
        )
    (foreign,) = connection.execute(
        "SELECT COUNT(*) FROM sqlite_master WHERE tbl_name <> '_sqlite_migrations'"
    ).fetchone()
    if version == 0 and foreign:
        raise Unavailable(f"{path} is a database of another program")
    return bool(version == SCHEMA_VERSION)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply what is pending, each migration in one transaction with its number.

    :param connection: in autocommit mode, no transaction open.
    """
    # Imported only here: most starts find the schema up to date, and save 0.2 s and some memory.
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    version = _version_by_number(connection)
    migrations = Migrations(_SET)
    for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):

        def numbered(
            db: Database,
            number: int = number,
            migration: Callable[[Database], None] = migration,
        ) -> None:
            migration(db)
            db.execute(f"PRAGMA user_version = {number}")

        migrations(name=migration.__name__)(numbered)
    migrations.apply(Database(connection, execute_plugins=False))


def _version_by_number(connection: sqlite3.Connection) -> int:
    """The schema, by its number, with which the structure agrees.

    sqlite-utils goes by a record of its own, which no check covers. Where that says something else, a bit of it flipped: it
    goes. In one transaction, should somebody else migrate meanwhile.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if _recorded(connection) != [each.__name__ for each in MIGRATIONS[:version]]:
            connection.execute(f"DROP TABLE IF EXISTS {_RECORD}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return int(version)


def _recorded(connection: sqlite3.Connection) -> list[str]:
    """What sqlite-utils believes to have applied."""
    try:
        rows = connection.execute(
            f"SELECT CAST(name AS BLOB) FROM {_RECORD} WHERE migration_set = ? ORDER BY id",
            (_SET,),
        ).fetchall()
    except sqlite3.OperationalError:
        # There is none, or it is of another form.
        return []
    return [bytes(name).decode("utf-8", "replace") for (name,) in rows]
