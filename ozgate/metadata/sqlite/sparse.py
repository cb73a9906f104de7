"""The migration that gives rows room for what few of them have.

``more`` of a version or an upload holds its rare members. ``configured`` of a bucket holds the kinds of its configuration
documents. Only the rows of buckets that have documents are written: a check leaves out what is empty.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from ..declared.rowchecks import check_of

COLUMNS = (
    "ALTER TABLE versions ADD COLUMN more TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE uploads ADD COLUMN more TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE buckets ADD COLUMN configured TEXT NOT NULL DEFAULT ''",
)

BUCKETS = """SELECT number, volume, name, owner, created, region, versioning, source_volume, source_bucket,
    quota_bytes, quota_names, acls, modified, layout, checked FROM buckets
    WHERE number IN (SELECT bucket FROM configurations) ORDER BY number"""
"""What the check of a bucket covered, and the check."""


def give_room(connection: sqlite3.Connection) -> None:
    """Add the columns, inside of the transaction of a migration."""
    for statement in COLUMNS:
        connection.execute(statement)
    factory = connection.text_factory
    # A bit that flips can make text that is no UTF-8.
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        for *columns, checked in connection.execute(BUCKETS).fetchall():
            _configure(connection, columns, checked)
    finally:
        connection.text_factory = factory


def _configure(
    connection: sqlite3.Connection, columns: Sequence[object], checked: int
) -> None:
    """Have a bucket's row say which documents there are. A damaged row stays as it is, and damaged."""
    try:
        if checked != check_of(*columns):
            return
    except UnicodeEncodeError:
        return
    kinds = connection.execute(
        "SELECT kind FROM configurations WHERE bucket = ? ORDER BY kind", columns[:1]
    ).fetchall()
    configured = json.dumps([kind for (kind,) in kinds], separators=(",", ":"))
    connection.execute(
        "UPDATE buckets SET configured = ?, checked = ? WHERE number = ?",
        (configured, check_of(*columns, "configured", configured), columns[0]),
    )
