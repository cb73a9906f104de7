"""Connections to the SQLite database, and what its errors mean to the code above."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable

from ...errors import Damaged, NoSpace, StoreError, Unavailable, Uncertain
from .logcheck import unmark_relaxed
from .schema import is_current, migrate
from .structure import foreign_parts

BUSY_SECONDS = 5.0
"""How long a statement waits for another process, such as a backup or an administrator's shell."""

CACHE_KIB = 8192
"""Page cache of each of the two connections. More would gain little: the kernel's cache is behind it."""

CHECKPOINT_PAGES = 2000
"""Pages in the write-ahead log at which a commit moves them into the database."""

LOG_LIMIT = 64 << 20
"""Bytes that the file of the write-ahead log keeps after a large transaction."""

STATEMENTS = 256
"""Prepared statements kept, which is more than there are."""


PROBE = 64 << 10
"""Bytes written to find out whether a quota is used up."""


ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the latter when it speaks of names in its schema that are damaged."""

_NO_TEXT = "Could not decode to UTF-8"


def is_full(error: sqlite3.Error, path: str) -> bool:
    """Whether there is no room, on the disk or in a quota.

    For SQLite a quota that is used up is a broken disk: only ENOSPC is SQLITE_FULL (``unixWrite``), and the number
    of the error is nowhere to be asked for. So the file system is asked again, beside the database.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF == sqlite3.SQLITE_FULL:
        return True
    if code not in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE):
        return False
    try:
        _write_something(os.path.dirname(path) or ".")
    except OSError as found:
        return found.errno in (errno.ENOSPC, errno.EDQUOT)
    return False


def _write_something(folder: str) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        os.write(file.fileno(), bytes(PROBE))


def translated(
    error: sqlite3.Error | UnicodeDecodeError, path: str, committing: bool = False
) -> StoreError:
    """What an error of SQLite says in the words of :mod:`ozgate.errors`.

    :param error: one of :data:`ERRORS`.
    :param committing: whether COMMIT failed, so that the outcome may be unknown.
    """
    if isinstance(error, UnicodeDecodeError):
        return Damaged(f"metadata in {path}: text that is no UTF-8", "metadata")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    message = f"metadata in {path}: {error} ({name})"
    # A write of the log failed, and so what it was to end with is not in it.
    if is_full(error, path):
        return NoSpace(message)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Damaged(message, "metadata")
    if not code and str(error).startswith(_NO_TEXT):
        # Said by Python's module, which quotes the bytes.
        return Damaged(f"metadata in {path}: text that is no UTF-8", "metadata")
    # A busy COMMIT has not begun; after any other failure the log may hold all of it.
    if committing and code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Uncertain(message)
    return Unavailable(message)


def _connect(path: str, own_thread: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=own_thread,
        cached_statements=STATEMENTS,
    )
    harden(connection)
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def harden(connection: sqlite3.Connection) -> None:
    """Trust nothing that a database has in it: no function in its schema, no cell that is not where it should be.

    Source: SQLite, "Defense Against The Dark Arts".
    """
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def prepare_database(path: str, relaxed: bool = False) -> sqlite3.Connection:
    """Bring a database up to date, and empty its log; while nobody has it open.

    :param relaxed: commits to it need not wait for the disk.
    :return: a connection to be closed, in any thread, when another one is there: the last takes the log's file along, and
        on a full disk there would be no room for a new one.
    :raises Unavailable: it cannot be opened or its schema is not ours, in one line.
    """
    return _set_up(path, relaxed, _prepare, own_thread=False)


def connect_writer(path: str, relaxed: bool = False) -> sqlite3.Connection:
    """A connection that writes, to a database that is prepared.

    :param relaxed: a commit need not wait for the disk.
    :raises Unavailable: it cannot be opened, or is not prepared, in one line.
    """
    if not os.path.exists(path):
        # SQLite would make one.
        raise Unavailable(f"{path} is not prepared: it is not there")
    return _set_up(path, relaxed, _tune)


def _set_up(
    path: str,
    relaxed: bool,
    set_up: Callable[[sqlite3.Connection, str, bool], None],
    own_thread: bool = True,
) -> sqlite3.Connection:
    try:
        connection = _connect(path, own_thread)
    except ERRORS as error:
        raise Unavailable(f"cannot open {path}: {_reason(error, path)}") from None
    try:
        set_up(connection, path, relaxed)
    except ERRORS as error:
        connection.close()
        raise Unavailable(f"cannot use {path}: {_reason(error, path)}") from None
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str, relaxed: bool) -> None:
    # Looked at before anything is changed: a newer database is left as it is.
    current = is_current(connection, path)
    _check_structure(connection, path)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise Unavailable(f"cannot use {path}: its file system has no write-ahead log")
    _choose(connection, relaxed)
    if empty_log(connection, path) and not relaxed:
        unmark_relaxed(path)
    if not current:
        migrate(connection)


def _tune(connection: sqlite3.Connection, path: str, relaxed: bool) -> None:
    if not is_current(connection, path):
        raise Unavailable(f"{path} is not prepared: its metadata are of another schema")
    _choose(connection, relaxed)
    connection.execute("PRAGMA foreign_keys = ON")


def _choose(connection: sqlite3.Connection, relaxed: bool) -> None:
    # With NORMAL a power cut takes the last commits, but leaves the database whole.
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if relaxed else 'FULL'}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
    # Debian builds SQLite to overwrite what is deleted, which only means more to write.
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")


def _check_structure(connection: sqlite3.Connection, path: str) -> None:
    """Run nothing that somebody else put into a database.

    :raises Unavailable: it has another structure than its schema says.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    found = foreign_parts(connection, version)
    if found:
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        raise Unavailable(
            f"{path} is not used, for it is not built as ozgate builds its databases: it has {', '.join(found[:3])}{more}. "
            "Somebody changed it, or its disk did: bring back a backup that you trust, with 'ozgate admin restore'"
        )


def empty_log(connection: sqlite3.Connection, path: str) -> bool:
    """Move what the log holds into the database, before anything is added to it; whether it is empty then.

    A commit that a process before, or a connection before, could not make durable reads well for as long as the
    kernel has it cached. What came after it in the log would be lost with it in a power cut.
    """
    try:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        # On a full disk the log stays, and deletions make room.
        if not is_full(error, path):
            raise
        return False
    return not busy


def connect_reader(path: str) -> sqlite3.Connection:
    """A connection that only reads, to a database that is open for writing.

    :raises Unavailable: it cannot be opened.
    """
    try:
        connection = _connect(path)
        connection.execute("PRAGMA query_only = ON")
    except ERRORS as error:
        raise Unavailable(f"cannot open {path}: {_reason(error, path)}") from None
    return connection


def _reason(error: Exception, path: str) -> str:
    """Why, with a hint where SQLite's own words leave one guessing."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        return f"there is no folder {folder}"
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return f"{error}; folder {folder} is not writable"
    return str(error)
