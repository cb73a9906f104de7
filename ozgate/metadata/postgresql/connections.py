"""Connections to a PostgreSQL database, and what its errors mean to the code above."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import psycopg
from attrs import field
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from ...errors import Damaged, NoSpace, Overtaken, StoreError, Unavailable
from ...immutable import frozen

ERRORS = (psycopg.Error, UnicodeDecodeError)
"""What psycopg raises; the latter where text of a server is no UTF-8."""

CONNECT_SECONDS = 5
"""How long each host of the URL is tried."""

_AGAIN = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
)
"""What another transaction was faster at: the interaction is run anew. Source: PostgreSQL, "Serialization Failure Handling"."""

_HINTS = {
    "password": "it comes from the file that ozgate.postgresql.password-file names, else from PGPASSWORD or PGPASSFILE",
    "read-only": "ozgate writes: name the server that takes writes, and set default_transaction_read_only to off there",
}
"""What is said besides of errors in which a word is."""

_FULL = (errors.DiskFull,)

_CORRUPT = (errors.DataCorrupted, errors.IndexCorrupted)


@frozen
class Address:
    """Where a database is, and how long is waited for it.

    :ivar url: libpq's connection URI, which holds no password. Source: PostgreSQL, "Connection Strings".
    :ivar password: ``""`` where libpq finds one by itself, in the environment or a file of its own.
    :ivar statement: seconds that one statement may take.
    :ivar lock: seconds that one statement may wait for a lock.
    """

    url: str
    password: str = field(default="", repr=False)
    statement: float = 30.0
    lock: float = 10.0

    @property
    def where(self) -> str:
        """Database and hosts, for messages."""
        said = _said(self.url)
        host = said.get("host") or said.get("service") or "its socket"
        name = said.get("dbname") or said.get("user") or "of this user"
        return f"PostgreSQL database {name} at {host}"


def checked(address: Address) -> Address:
    """An address that can be used.

    :raises Unavailable: it is no connection URI, or has a password in it, where logs and pages would show it.
    """
    try:
        said = conninfo_to_dict(address.url)
    except psycopg.Error as error:
        raise Unavailable(f"no PostgreSQL URL: {one_line(error)}") from None
    if said.get("password"):
        raise Unavailable(
            "a PostgreSQL URL with a password in it: put that into a file that ozgate.postgresql.password-file names"
        )
    return address


@lru_cache(16)
def _said(url: str) -> Mapping[str, Any]:
    """What a URL says; each commit asks for that, in case it fails."""
    try:
        found: Mapping[str, Any] = conninfo_to_dict(url)
    except psycopg.Error:
        return {}
    return found


def connect(address: Address) -> psycopg.Connection[Any]:
    """A connection to whichever host can be written to.

    Keepalives and TCP's own time-out find a server that is gone; the deadline of a statement is its session's.
    Source: PostgreSQL, "Parameter Key Words" (``target_session_attrs``, ``tcp_user_timeout``).

    :raises Unavailable: there is none, in one line.
    """
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "ozgate",
        "target_session_attrs": "read-write",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(address.statement * 1000),
    }
    for name in _said(address.url):
        options.pop(name, None)
    if address.password:
        options["password"] = address.password
    try:
        connection: psycopg.Connection[Any] = psycopg.connect(
            address.url, autocommit=True, **options
        )
    except ERRORS as error:
        # Of several hosts the last is named first, and then once more with all others.
        said = one_line(error).rpartition("All failures were: ")[2]
        hints = [f"; {hint}" for word, hint in _HINTS.items() if word in said]
        raise Unavailable(f"{address.where}: {said}{''.join(hints)}") from None
    return connection


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def translated(error: Exception, address: Address) -> StoreError:
    """What an error of PostgreSQL says in the words of :mod:`ozgate.errors`, of a transaction that was surely not committed.

    :param error: one of :data:`ERRORS`.
    """
    if isinstance(error, UnicodeDecodeError):
        return Damaged(
            f"metadata in {address.where}: text that is no UTF-8", "metadata"
        )
    state = getattr(error, "sqlstate", None) or "no SQLSTATE"
    message = f"metadata in {address.where}: {one_line(error)} ({state})"
    if isinstance(error, _AGAIN):
        return Overtaken(message)
    if isinstance(error, _FULL):
        return NoSpace(message)
    if isinstance(error, _CORRUPT):
        return Damaged(message, "metadata")
    if isinstance(error, errors.InsufficientPrivilege):
        what = f"{error.diag.message_primary} ({state})"
        message = f"metadata in {address.where}: {what}; ozgate's role has to own the database and the tables"
    return Unavailable(message)
