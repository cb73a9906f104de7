"""Looking at a whole SQLite database beside its transactions: for scrub, fsck and backup.

Each look is a thread with a connection of its own, inside of one read transaction: it sees one state, and neither waits for
the writer nor has the writer wait. The write-ahead log cannot be emptied meanwhile, and grows.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from threading import Thread
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, fail

from ...errors import NoSpace, Unavailable
from ...values import BlobUser, DamagedRow, Drift
from ..declared.conversions import any_text, is_text
from .connections import connect_reader, harden, translated
from .schema import SCHEMA_VERSION
from .structure import foreign_parts
from .usage import AS_COUNTED, COUNTED

COPIED_AT_ONCE = 1024
"""Pages of a copy between two calls that tell how far it is."""

MOST_USERS = 1000
"""Versions and parts that are told of at most."""

MOST_LINES = 100
"""Lines of SQLite about its own structure at most."""

_STRAYS = (
    (
        "rows of extents belong to no version and no part",
        """SELECT COUNT(*) FROM extents WHERE owner NOT IN (SELECT sequence FROM versions)
        AND owner NOT IN (SELECT owner FROM parts) AND owner NOT IN (SELECT owner FROM retired)""",
    ),
    (
        "bodies belong to no version",
        "SELECT COUNT(*) FROM bodies WHERE sequence NOT IN (SELECT sequence FROM versions)",
    ),
    (
        "rows of completed parts belong to no version",
        "SELECT COUNT(*) FROM object_parts WHERE sequence NOT IN (SELECT sequence FROM versions)",
    ),
    (
        "uploaded parts belong to no upload",
        "SELECT COUNT(*) FROM parts WHERE upload NOT IN (SELECT number FROM uploads)",
    ),
)
"""What is wrong when a count is not 0, and the count."""

_VERSIONS_OF = """SELECT versions.sequence, buckets.volume, buckets.name, versions.key,
    versions.version_id, '', 0 FROM versions JOIN buckets ON buckets.number = versions.bucket
    WHERE versions.sequence IN (SELECT value FROM json_each(?)) LIMIT ?"""

_PARTS_OF = """SELECT parts.owner, buckets.volume, buckets.name, uploads.key,
    '', uploads.upload_id, parts.number FROM parts
    JOIN uploads ON uploads.number = parts.upload
    JOIN buckets ON buckets.number = uploads.bucket
    WHERE parts.owner IN (SELECT value FROM json_each(?)) LIMIT ?"""


_OWNERS = {"versions": 2, "bodies": 0, "extents": 0, "object_parts": 0}
"""Tables, and where in their keys is the number of the version or part."""


class FromThread(Protocol):
    """What is asked of the reactor."""

    def callFromThread(self, f: Callable[..., object], *args: object) -> None:
        """As :class:`~twisted.internet.interfaces.IReactorFromThreads`."""


class Inspections:
    """The looks under way at one database."""

    def __init__(self, path: str, reactor: FromThread) -> None:
        self._path = path
        self._reactor = reactor
        self._connections: set[sqlite3.Connection] = set()
        self._running: set[Deferred[None]] = set()
        self._is_closed = True

    def open(self) -> None:
        """Allow them."""
        self._is_closed = False

    def close(self) -> Deferred[Any]:
        """Interrupt those under way; fires when they have ended."""
        self._is_closed = True
        for connection in list(self._connections):
            with suppress(sqlite3.Error):
                connection.interrupt()
        return DeferredList(list(self._running))

    def run(self, look: Callable[..., object], *args: object) -> Deferred[Any]:
        """Call ``look(connection, *args)`` in a thread, inside of a read transaction.

        :return: fires with what it returned; fails with what it raised, SQLite's errors as those of stores.
        """
        done: Deferred[Any] = Deferred()
        ended: Deferred[None] = Deferred()
        self._running.add(ended)

        def settle(fire: Callable[[Any], None], value: object) -> None:
            self._running.discard(ended)
            ended.callback(None)
            fire(value)

        def work() -> None:
            try:
                value = self._look(look, args)
            except BaseException as error:
                self._reactor.callFromThread(settle, done.errback, error)
            else:
                self._reactor.callFromThread(settle, done.callback, value)

        try:
            Thread(target=work, name="ozgate-inspection", daemon=True).start()
        except RuntimeError as error:
            # The operating system has a limit.
            self._running.discard(ended)
            return fail(Unavailable(str(error)))
        return done

    def _look(self, look: Callable[..., object], args: tuple[object, ...]) -> object:
        connection = connect_reader(self._path)
        self._connections.add(connection)
        try:
            if self._is_closed:
                raise Unavailable(f"metadata in {self._path} is not open")
            connection.execute("BEGIN")
            # A transaction sees the state at its first read.
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            return look(connection, *args)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise (NoSpace if full else Unavailable)(str(error)) from error
        finally:
            self._connections.discard(connection)
            connection.close()


def examine(connection: sqlite3.Connection) -> Sequence[str]:
    """See :meth:`~ozgate.interfaces.IInspected.examine`."""
    return list(_structure(connection))


def drifts(connection: sqlite3.Connection) -> Sequence[Drift]:
    """See :meth:`~ozgate.interfaces.IInspected.drifts`."""
    return list(_drifts(connection))


def _structure(connection: sqlite3.Connection) -> Iterator[str]:
    for found in foreign_parts(connection, SCHEMA_VERSION):
        yield f"the database has {found}"
    for (line,) in _asked(connection, f"PRAGMA integrity_check({MOST_LINES})"):
        if line != "ok":
            yield from str(line).splitlines()
    for table, row, parent, _ in _asked(connection, "PRAGMA foreign_key_check"):
        where = "" if row is None else f" {row}"
        yield f"row{where} of {table} refers to one of {parent} that is not there"
    for what, statement in _STRAYS:
        for (count,) in _asked(connection, statement):
            if isinstance(count, str):
                yield count
            elif count:
                yield f"{count} {what}: nothing is lost, they only take room"


def _asked(connection: sqlite3.Connection, statement: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement; where the database is too damaged for it, what SQLite says, as the last one."""
    try:
        yield from connection.execute(statement)
    except sqlite3.DatabaseError as error:
        _reraise(error)
        said = str(error)
        yield (said, None, "", 0) if "foreign" in statement else (said,)


def _reraise(error: sqlite3.DatabaseError) -> None:
    """Pass on what does not say that the database is damaged."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        raise error


def _drifts(connection: sqlite3.Connection) -> Iterator[Drift]:
    # Those whose names are damaged are counted, but not told of: whoever checks rows names them.
    connection.text_factory = any_text
    buckets = connection.execute(
        f"SELECT number, volume, name, {AS_COUNTED}, used_bytes, used_names FROM buckets"
    )
    held: dict[str, tuple[int, int]] = {}
    for number, volume, name, size, names, *used in buckets.fetchall():
        counted = connection.execute(
            f"{COUNTED} FROM (SELECT ? AS number) AS buckets", (number,)
        ).fetchone()
        so_far, count = held.get(volume, (0, 0))
        held[volume] = (so_far + counted[0], count + 1)
        if _is_off(used, counted) and is_text(f"{volume}{name}"):
            yield Drift(volume, name, counted[0] - size, counted[1] - names)
    volumes = connection.execute(
        f"SELECT name, {AS_COUNTED}, used_bytes, used_names FROM volumes"
    )
    for volume, size, names, *used in volumes.fetchall():
        counted = held.get(volume, (0, 0))
        if _is_off(used, counted) and is_text(f"{volume}"):
            yield Drift(volume, "", counted[0] - size, counted[1] - names)


def _is_off(used: Sequence[object], counted: Sequence[int]) -> bool:
    """Whether counters are others than what was counted; 1.0 is no counter."""
    return list(map(repr, used)) != list(map(repr, counted))


def users_of(
    connection: sqlite3.Connection, store: str, blob_ids: Sequence[str]
) -> Sequence[BlobUser]:
    """See :meth:`~ozgate.interfaces.IInspected.users_of`."""
    owned: dict[int, set[str]] = {}
    for blob in blob_ids:
        for (owner,) in connection.execute(
            "SELECT owner FROM extents WHERE blob = ? AND store = ?", (blob, store)
        ):
            owned.setdefault(owner, set()).add(blob)
    return _owners(connection, owned)


def users_of_row(connection: sqlite3.Connection, row: DamagedRow) -> Sequence[BlobUser]:
    """See :meth:`~ozgate.interfaces.IInspected.users_of_row`."""
    column = _OWNERS.get(row.table)
    owner = None if column is None else row.place[column]
    return _owners(connection, {owner: {""}}) if isinstance(owner, int) else ()


def _owners(
    connection: sqlite3.Connection, owned: Mapping[int, set[str]]
) -> Sequence[BlobUser]:
    """The versions and parts of these numbers, once for each of the blobs that a number stands for."""
    numbers = json.dumps(list(owned))
    # Names may be what is damaged.
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return [
        BlobUser(blob, *place)
        for statement in (_VERSIONS_OF, _PARTS_OF)
        for owner, *place in connection.execute(statement, (numbers, MOST_USERS))
        for blob in sorted(owned[owner])
    ]


def copy_to(
    connection: sqlite3.Connection, path: str, tell: Callable[[int, int], None]
) -> None:
    """See :meth:`~ozgate.interfaces.IInspected.copy_to`.

    Since the connection is inside of a transaction, what others commit meanwhile neither changes the copy nor has it
    begin again.
    """
    (page,) = connection.execute("PRAGMA page_size").fetchone()

    def progress(_: int, remaining: int, total: int) -> None:
        tell((total - remaining) * page, total * page)

    # The umask may be anybody's; a database has secrets in it, if sealed ones.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        harden(target)
        connection.backup(target, pages=COPIED_AT_ONCE, progress=progress)
    for each, flags in (
        (path, os.O_RDONLY),
        (os.path.dirname(path) or ".", os.O_DIRECTORY),
    ):
        fd = os.open(each, flags | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
