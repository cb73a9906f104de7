"""Databases of earlier schemas: which there are, and what they say once they are migrated."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ozgate.metadata.sqlite import connections
from ozgate.metadata.sqlite.store import SQLiteMetadataStore
from tests.crash.gate import Loop
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import look


def dumps() -> dict[int, Path]:
    """Databases of earlier schemas, by the number of each."""
    folder = Path(__file__).parent.parent / "unit" / "metadata" / "sqlite"
    return {
        int(path.stem.removeprefix("metadata_v")): path
        for path in sorted(folder.glob("metadata_v*.sql"))
    }


def migrate(folder: str) -> None:
    """Bring the database of a folder up to date."""
    connections.prepare_database(f"{folder}/metadata.db").close()


def rows_of(folder: str) -> list[Any]:
    """Everything that a database says, once it is migrated.

    :raises AssertionError: it is not sound.
    """
    path = f"{folder}/metadata.db"
    loop: Any = Loop()
    store = SQLiteMetadataStore(path, loop)
    loop.wait(started(store))
    try:
        found: list[Any] = loop.wait(store.read(look))
    finally:
        loop.wait(store.close())
    with closing(sqlite3.connect(path)) as connection:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
    assert sound == "ok", sound
    return found
