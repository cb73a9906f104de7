"""The start after an upgrade: from schema 5, and from schema 1, to the newest, with many keys.

Each figure is a ratio to what SQLite takes in the same run: to walk through all rows, to write them. Run
``python -m benchmarks.migration [keys]``.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from contextlib import closing
from unittest.mock import patch

from benchmarks.measure import argument, verdict
from ozgate.metadata.sqlite import schema

FILL = (
    "INSERT INTO volumes (name, owner, created) VALUES ('s3v', 'me', 1)",
    """INSERT INTO buckets (volume, name, owner, created, region, versioning)
        VALUES ('s3v', 'bucket', 'me', 1, 'us-east-1', '')""",
    "INSERT INTO configurations VALUES (1, 'policy', CAST('{}' AS BLOB))",
    """INSERT INTO versions SELECT 1, printf('key-%09d', value), value, 1, 0, 1700000000000, 5,
        '5d41402abc4b2a76b9719d911017c592', 'me', 'STANDARD', 'null', 'CRC64NVME', 'FULL_OBJECT',
        'AAAAAAAAAAA=', 0, '', '{"content-type":"text/plain"}', '' FROM numbers""",
    "INSERT INTO bodies SELECT value, CAST('hello' AS BLOB) FROM numbers WHERE value % 2",
    """INSERT INTO extents SELECT value, 0, 'files', printf('%018x', value), 5, value, 0, 5
        FROM numbers WHERE NOT value % 2""",
)
"""Half of the objects are in their rows, half in blobs of their own; by SQL that schema 1 understands."""

NUMBERS = """CREATE TEMP TABLE numbers AS WITH RECURSIVE up(value) AS
    (SELECT 1 UNION ALL SELECT value + 1 FROM up WHERE value < ?) SELECT value FROM up"""

WALK = (
    "SELECT COUNT(*), SUM(LENGTH(metadata)) FROM versions NOT INDEXED",
    "SELECT COUNT(*), SUM(LENGTH(body)) FROM bodies",
    "SELECT COUNT(*), SUM(LENGTH(store)) FROM extents",
)


def migrated(connection: sqlite3.Connection, to: int) -> float:
    """CPU seconds of bringing a database to a schema."""
    began = time.process_time()
    with patch.object(schema, "MIGRATIONS", schema.MIGRATIONS[:to]):
        schema.migrate(connection)
    taken = time.process_time() - began
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != to:
        raise RuntimeError(f"the schema is {version}, not {to}")
    return taken


def ran(connection: sqlite3.Connection, statements: tuple[str, ...]) -> float:
    """CPU seconds of statements, in one transaction."""
    began = time.process_time()
    connection.execute("BEGIN")
    for statement in statements:
        connection.execute(statement).fetchall()
    connection.execute("COMMIT")
    return time.process_time() - began


def main() -> int:
    """Print the figures; 1 when one misses."""
    keys = int(argument(__doc__, "keys", 1_000_000))
    with tempfile.TemporaryDirectory(prefix="ozgate-migration-") as folder:
        path = os.path.join(folder, "metadata.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # As the writer has it.
            connection.execute("PRAGMA journal_mode = WAL")
            migrated(connection, 1)
            connection.execute(NUMBERS, (keys,))
            written = ran(connection, FILL)
            before = migrated(connection, 5)
            walked = ran(connection, WALK)
            after = migrated(connection, schema.SCHEMA_VERSION)
        print(
            f"     {keys} keys: written in {written:.2f} s CPU, walked in {walked:.2f};"
            f" from 1 to 5 in {before:.2f}, from 5 to {schema.SCHEMA_VERSION} in {after:.3f}"
        )
    results = [
        verdict("5 to newest, of a walk", after / walked, 0.5, at_most=True),
        verdict("1 to newest, of writing", (before + after) / written, 8, at_most=True),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
