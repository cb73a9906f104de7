"""The schema of the SQLite metadata, as migrations that sqlite-utils applies.

``PRAGMA user_version`` holds the number of migrations applied, so that an up-to-date database is
recognized without importing sqlite-utils. A migration that has been released is never changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import Unavailable
from .rowchecks import check_of, check_of_data
from .sparse import give_room
from .starts import give_starts

if TYPE_CHECKING:
    from sqlite_utils import Database

COUNTED = """SELECT
    (SELECT COALESCE(SUM(size), 0) FROM versions WHERE bucket = buckets.number)
    + (SELECT COALESCE(SUM(parts.size), 0) FROM uploads
        JOIN parts ON parts.upload = uploads.number WHERE uploads.bucket = buckets.number),
    (SELECT COUNT(*) FROM versions WHERE bucket = buckets.number)"""
"""Bytes and names of the bucket of an outer statement, from its rows."""

TABLES = (
    """CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE volumes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        created INTEGER NOT NULL
    )""",
    # AUTOINCREMENT: a bucket's number is never given to another bucket.
    """CREATE TABLE buckets (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        volume TEXT NOT NULL REFERENCES volumes (name),
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        created INTEGER NOT NULL,
        region TEXT NOT NULL,
        versioning TEXT NOT NULL,
        source_volume TEXT,
        source_bucket TEXT,
        UNIQUE (volume, name)
    )""",
    """CREATE TABLE configurations (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        kind TEXT NOT NULL,
        document BLOB NOT NULL,
        PRIMARY KEY (bucket, kind)
    ) WITHOUT ROWID""",
    # The columns that can be long come last, so that a listing does not read them.
    """CREATE TABLE versions (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        is_latest INTEGER NOT NULL,
        is_delete_marker INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        owner TEXT NOT NULL,
        storage_class TEXT NOT NULL,
        version_id TEXT NOT NULL,
        checksum_algorithm TEXT NOT NULL,
        checksum_type TEXT NOT NULL,
        checksum_value TEXT NOT NULL,
        parts_count INTEGER NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (bucket, key, sequence DESC)
    ) WITHOUT ROWID""",
    # What a listing of current objects reads, and nothing else. The two flags are in it, although
    # they never differ, for SQLite to see that it need not look at the table.
    """CREATE UNIQUE INDEX current_versions ON versions (
        bucket, key, sequence, modified, size, etag, owner, storage_class,
        version_id, checksum_algorithm, checksum_type, is_latest, is_delete_marker
    ) WHERE is_latest = 1 AND is_delete_marker = 0""",
    # Finds a version by its id. The only version of a key in a bucket that was never
    # versioned is found without, so that it costs such a bucket nothing.
    """CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)
        WHERE is_latest = 0 OR version_id <> 'null'""",
    """CREATE TABLE bodies (
        sequence INTEGER PRIMARY KEY,
        body BLOB NOT NULL
    )""",
    # An owner is the sequence of a version, or the number of a part from the same counter.
    """CREATE TABLE extents (
        owner INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        blob_length INTEGER NOT NULL,
        blob_crc64nvme INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        length INTEGER NOT NULL,
        PRIMARY KEY (owner, ordinal)
    ) WITHOUT ROWID""",
    "CREATE INDEX extents_blob ON extents (blob, store)",
    """CREATE TABLE object_parts (
        sequence INTEGER NOT NULL,
        number INTEGER NOT NULL,
        size INTEGER NOT NULL,
        checksum TEXT,
        PRIMARY KEY (sequence, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE uploads (
        number INTEGER PRIMARY KEY,
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        upload_id TEXT NOT NULL,
        initiated INTEGER NOT NULL,
        owner TEXT NOT NULL,
        storage_class TEXT NOT NULL,
        checksum_algorithm TEXT NOT NULL,
        checksum_type TEXT NOT NULL,
        is_completed INTEGER NOT NULL,
        completed TEXT NOT NULL,
        completed_parts TEXT NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        UNIQUE (bucket, key, upload_id)
    )""",
    """CREATE INDEX open_uploads ON uploads (bucket, key, upload_id)
        WHERE is_completed = 0""",
    "CREATE INDEX uploads_initiated ON uploads (initiated)",
    """CREATE TABLE parts (
        upload INTEGER NOT NULL,
        number INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        modified INTEGER NOT NULL,
        checksums TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID""",
    """CREATE TABLE doomed (
        store TEXT NOT NULL,
        blob TEXT NOT NULL,
        doomed_at INTEGER NOT NULL,
        PRIMARY KEY (store, blob)
    ) WITHOUT ROWID""",
    "CREATE INDEX doomed_order ON doomed (doomed_at)",
    """CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE secrets (
        access_id TEXT PRIMARY KEY,
        secret TEXT NOT NULL
    ) WITHOUT ROWID""",
)


SURFACE = (
    "ALTER TABLE volumes ADD COLUMN admin TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE volumes ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE volumes ADD COLUMN quota_names INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE volumes ADD COLUMN acls TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE volumes ADD COLUMN modified INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE volumes ADD COLUMN used_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE volumes ADD COLUMN used_names INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE buckets ADD COLUMN quota_names INTEGER NOT NULL DEFAULT -1",
    "ALTER TABLE buckets ADD COLUMN acls TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE buckets ADD COLUMN modified INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN used_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN used_names INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE buckets ADD COLUMN layout TEXT NOT NULL DEFAULT 'OBJECT_STORE'",
    "UPDATE buckets SET modified = created",
    "UPDATE volumes SET modified = created, admin = owner",
    f"UPDATE buckets SET (used_bytes, used_names) = ({COUNTED})",
    """UPDATE volumes SET (used_bytes, used_names) = (
        SELECT COALESCE(SUM(used_bytes), 0), COUNT(*) FROM buckets
        WHERE buckets.volume = volumes.name
    )""",
    # Nothing issued secrets before this version, and clear ones are not wanted any more.
    "DROP TABLE secrets",
    """CREATE TABLE secrets (
        access_id TEXT PRIMARY KEY,
        user TEXT NOT NULL,
        sealed BLOB NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER
    ) WITHOUT ROWID""",
    """CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) WITHOUT ROWID""",
)


LISTING = (
    # What a listing shows that repeats from row to row is one column: SQLite and Python take time for each.
    """CREATE TABLE versions_3 (
        bucket INTEGER NOT NULL REFERENCES buckets (number),
        key TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        is_latest INTEGER NOT NULL,
        is_delete_marker INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        traits TEXT NOT NULL,
        version_id TEXT NOT NULL,
        checksum_value TEXT NOT NULL,
        parts_count INTEGER NOT NULL,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (bucket, key, sequence DESC)
    ) WITHOUT ROWID""",
    """INSERT INTO versions_3 SELECT bucket, key, sequence, is_latest, is_delete_marker, modified, size, etag,
        owner || char(10) || storage_class || char(10) || checksum_algorithm || char(10) || checksum_type,
        version_id, checksum_value, parts_count, tags, headers, metadata FROM versions""",
    "DROP TABLE versions",
    "ALTER TABLE versions_3 RENAME TO versions",
    """CREATE UNIQUE INDEX current_versions ON versions (
        bucket, key, modified, size, etag, traits, is_latest, is_delete_marker
    ) WHERE is_latest = 1 AND is_delete_marker = 0""",
    """CREATE UNIQUE INDEX named_versions ON versions (bucket, key, version_id)
        WHERE is_latest = 0 OR version_id <> 'null'""",
)


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
    """A check of each row, which tells bits that flipped; see :mod:`ozgate.metadata.sqlite.rowchecks`."""
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
)

SCHEMA_VERSION = len(MIGRATIONS)


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

    migrations = Migrations("ozgate")
    for number, migration in enumerate(MIGRATIONS, start=1):

        def numbered(
            db: Database,
            number: int = number,
            migration: Callable[[Database], None] = migration,
        ) -> None:
            migration(db)
            db.execute(f"PRAGMA user_version = {number}")

        migrations(name=migration.__name__)(numbered)
    migrations.apply(Database(connection, execute_plugins=False))
