"""What an operator is told of an SQLite database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from ...filesystems import diagnose_folder
from ...values import Diagnosis
from ...values.diagnosis import risk, well, wrong


def diagnose(
    connection: sqlite3.Connection, path: str, is_relaxed: bool
) -> Sequence[Diagnosis]:
    """Look at a database. Source: SQLite, "Write-Ahead Logging".

    :param is_relaxed: whether a commit need not wait for the disk.
    """
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    (version,) = connection.execute("SELECT sqlite_version()").fetchone()
    told = [well(f"SQLite {version}, {os.path.getsize(path) / 1e6:.1f} MB")]
    if mode != "wal":
        told.append(
            wrong(
                f"its journal mode is {mode}, and not wal",
                "stop the service, and start it: that sets it",
            )
        )
    if is_relaxed:
        told.append(
            risk(
                "writes are answered before they are synced: a power cut takes the last ones",
                "set ozgate.durability to strict",
            )
        )
    else:
        told.append(well("a write is answered once its commit is synced"))
    folder = os.path.dirname(os.path.abspath(path))
    return [*told, *diagnose_folder(folder, "metadata", is_shared=False)]
