"""What an operator is told of a PostgreSQL server. Each refusal of a start (:mod:`.serversettings`) is one of these, and more is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from ...values import Diagnosis
from ...values.diagnosis import note, risk, well, wrong
from .session import Session

_SETTINGS = (
    "SELECT name, setting FROM pg_settings WHERE name IN"
    " ('fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names', 'server_version',"
    " 'data_checksums', 'max_connections', 'superuser_reserved_connections', 'autovacuum')"
)

_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    " OR backend_type IS NULL AND usesysid IS NOT NULL"
)
"""Of what others do, a role that is not let is told nothing but that they are there."""

_STANDBYS = (
    "SELECT count(*), count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')),"
    " count(*) FILTER (WHERE sync_state IS NULL) FROM pg_stat_replication"
)

_CHECKSUMS = "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"

_ENCRYPTED = "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), coalesce(host(inet_server_addr()), '')"

_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"

_APART = 5.0
"""Seconds between two clocks from which on an operator is told of it; a start refuses 300."""

_CROWDED = 0.8
"""The share of connections in use from which on there may soon be none."""


def diagnose(session: Session) -> Sequence[Diagnosis]:
    """Look at a server, over a connection of its own. Source: PostgreSQL, "Server Configuration" and "The Cumulative Statistics System"."""
    session.begin("READ ONLY")
    asked = [
        session.ask(each)
        for each in (_SETTINGS, _CONNECTIONS, _STANDBYS, _CHECKSUMS, _ENCRYPTED)
    ]
    found: dict[str, str] = dict(asked[0].fetchall())
    (connections,), standbys, (failures,), (is_encrypted, host) = (
        each.fetchone() for each in asked[1:]
    )
    before = time()
    (theirs,) = session.ask(_CLOCK).fetchone()
    after = time()
    session.roll_back()
    where = session.address.where
    told = [well(f"{where}: PostgreSQL {found['server_version']}")]
    told += _durability(found, standbys)
    told += _checks(found, failures)
    most = int(found["max_connections"]) - int(found["superuser_reserved_connections"])
    told.append(_crowd(connections, most))
    told.append(_clocks(before, theirs / 1000, after))
    if host and not is_encrypted and not host.startswith(("127.", "::1")):
        told.append(
            risk(
                f"the connection to {host} is not encrypted",
                "set up TLS there, and say sslmode=verify-full in ozgate.metadata",
            )
        )
    return told


def _durability(
    found: Mapping[str, str], standbys: tuple[int, int, int]
) -> list[Diagnosis]:
    told = []
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if found[name] == "off":
            told.append(
                wrong(
                    f"{name} is off: a crash of its machine loses or damages what was answered 200",
                    f"set {name} to on; the next start of a gateway is refused else",
                )
            )
    if not told:
        told.append(
            well(
                "a commit is synced on its machine: fsync, full_page_writes, synchronous_commit"
            )
        )
    return [*told, _standbys(found, *standbys)]


def _standbys(
    found: Mapping[str, str], connected: int, synchronous: int, untold: int
) -> Diagnosis:
    """Source: PostgreSQL, "Synchronous Replication" and "pg_stat_replication".

    :param untold: standbys of which this role may not be told what they are.
    """
    names, commit = found["synchronous_standby_names"], found["synchronous_commit"]
    if not connected and names:
        return risk(
            "a synchronous standby is named, and none is connected: writes may wait for one",
            "start the standby, or see synchronous_standby_names",
        )
    if not connected:
        return note(
            "there is no standby: the database's machine must not fail",
            "see docs/scale-out.md, high availability; archive the log, or make backups",
        )
    if not names or commit == "local" or not synchronous + untold:
        return risk(
            "its standby is asynchronous: a failover loses the last writes that were answered 200",
            "set synchronous_standby_names, and synchronous_commit to on",
        )
    if not synchronous:
        return note(
            f"{_count(connected, 'standby is', 'standbys are')} connected, and one that is synchronous is asked for: whether one is, this role is not told",
            "GRANT pg_read_all_stats to it",
        )
    if commit == "remote_write":
        return note(
            "a synchronous standby has a commit in memory: synchronous_commit is remote_write",
            "set it to on, for it to be synced there, too",
        )
    return well(f"{_count(synchronous, 'standby', 'standbys')}, synchronous")


def _checks(found: Mapping[str, str], failures: int) -> list[Diagnosis]:
    told = []
    if failures:
        told.append(
            wrong(
                f"{_count(failures, 'page', 'pages')} of the database failed their checksums",
                "look at the server's log and disk, and bring back a backup",
            )
        )
    elif found["data_checksums"] == "on":
        told.append(
            well("pages of the database have checksums, and none was found wrong")
        )
    else:
        told.append(
            note(
                "pages of the database have no checksums: rows have ozgate's own, indexes have none",
                "pg_checksums --enable, while the server is down",
            )
        )
    if found["autovacuum"] == "off":
        told.append(
            risk(
                "autovacuum is off: what is overwritten stays, and the server stops in the end",
                "set autovacuum to on",
            )
        )
    return told


def _crowd(connections: int, most: int) -> Diagnosis:
    said = f"{connections} of {most} connections of the server are in use"
    if connections < most * _CROWDED:
        return well(said)
    return risk(
        said, "raise max_connections, lower ozgate.postgresql.writers, or use PgBouncer"
    )


def _clocks(before: float, theirs: float, after: float) -> Diagnosis:
    apart = max(theirs - after, before - theirs, 0.0)
    if apart < _APART:
        return well(
            f"its clock and this machine's are less than {_APART:.0f} seconds apart"
        )
    return risk(
        f"its clock and this machine's are {apart:.0f} seconds apart; gateways are refused at 300",
        "have NTP set both",
    )


def _count(number: Any, one: str, more: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {more}"
