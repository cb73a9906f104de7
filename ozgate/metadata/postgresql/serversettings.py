"""What a server is asked before anything is trusted to it."""

from __future__ import annotations

from ...errors import Unavailable
from .session import Session

OLDEST_SERVER = 13
"""Whose transactions have numbers of 64 bits that can be asked about."""

_UNSAFE = {
    "fsync": "a crash of its machine damages the database",
    "full_page_writes": "a crash of its machine damages the database",
    "synchronous_commit": "a crash of its machine loses writes that were answered 200",
}
"""What must not be off. Source: PostgreSQL, "Write Ahead Log" (Server Configuration)."""

_SETTINGS = (
    "SELECT name, setting FROM pg_settings WHERE name IN"
    " ('fsync', 'full_page_writes', 'synchronous_commit', 'server_encoding',"
    " 'server_version_num', 'synchronous_standby_names')"
)

_STANDBYS = "SELECT count(*) FROM pg_stat_replication"


def check_server(session: Session) -> list[str]:
    """See that a server keeps what it is given.

    :return: what is to be warned of, a line each.
    :raises Unavailable: it would lose something, or is too old.
    """
    where = session.address.where
    session.begin("READ ONLY")
    asked = session.ask(_SETTINGS), session.ask(_STANDBYS)
    found = dict(asked[0].fetchall())
    (standbys,) = asked[1].fetchone()
    session.roll_back()
    version = int(found["server_version_num"]) // 10_000
    if version < OLDEST_SERVER:
        raise Unavailable(
            f"{where}: PostgreSQL {version} is too old, ozgate needs {OLDEST_SERVER} or newer"
        )
    if found["server_encoding"] != "UTF8":
        raise Unavailable(
            f"{where}: the database's encoding is {found['server_encoding']}: make one with ENCODING 'UTF8'"
        )
    for name, what in _UNSAFE.items():
        if found[name] == "off":
            raise Unavailable(f"{where}: {name} is off, so that {what}: set it to on")
    if standbys and not found["synchronous_standby_names"]:
        return [
            f"{where}: its standby is asynchronous: after a failover writes that were answered 200 may be lost;"
            " set synchronous_standby_names"
        ]
    if found["synchronous_commit"] == "local" and standbys:
        return [
            f"{where}: synchronous_commit is local: after a failover writes that were answered 200 may be lost"
        ]
    return []
