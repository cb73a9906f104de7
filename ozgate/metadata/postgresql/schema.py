"""The schema and its migrations, so that gateways are upgraded one by one.

A migration *expands*: what came before goes on to work. What gateways of before still need is taken away by a later release, which raises :data:`OLDEST`
then: gateways that are older are refused from that moment on, and told so. Source: PostgreSQL, "Modifying Tables", "Explicit Locking".
"""

from __future__ import annotations

from ...errors import Unavailable
from .epochs import EPOCHS
from .locks import MIGRATION
from .objecttables import OBJECTS
from .session import Session
from .tables import BUCKETS, IDENTITIES, ORDER, SHARED

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (*ORDER, *BUCKETS, *IDENTITIES, *SHARED, *OBJECTS),
    EPOCHS,
)
"""The statements of each; what was released stays as it is."""

SCHEMA_VERSION = len(MIGRATIONS)

OLDEST = 1
"""The oldest schema version of a gateway that works on what the migrations make."""

_TABLE = (
    "CREATE TABLE ozgate_schema (version integer NOT NULL, oldest integer NOT NULL)"
)


def found_version(session: Session) -> int:
    """The version of the schema, in a transaction that is open; 0 where there is none.

    :raises Unavailable: it is newer than this gateway knows, or another program's.
    """
    where = session.address.where
    row = session.ask(
        "SELECT to_regclass('ozgate_schema') IS NOT NULL,"
        " EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())"
    ).fetchone()
    is_ours, is_used = row
    if not is_ours:
        if is_used:
            raise Unavailable(
                f"{where} is another program's: make one for ozgate that is empty"
            )
        return 0
    version, oldest = session.ask(
        "SELECT version, oldest FROM ozgate_schema"
    ).fetchone()
    if oldest > SCHEMA_VERSION:
        raise Unavailable(
            f"{where} has metadata schema {version}, but this ozgate knows only up to"
            f" {SCHEMA_VERSION}: start the newer ozgate that made it"
        )
    return int(version)


def migrate(session: Session) -> None:
    """Apply what is pending, in one transaction, while no other gateway does so.

    :raises Unavailable: as :func:`found_version`.
    """
    session.begin("READ WRITE")
    session.change("SELECT set_config('statement_timeout', '0', true)")
    session.change("SELECT set_config('lock_timeout', '60s', true)")
    session.ask("SELECT pg_advisory_xact_lock($1)", (MIGRATION,)).fetchone()
    version = found_version(session)
    if version >= SCHEMA_VERSION:
        session.roll_back()
        return
    if not version:
        session.change(_TABLE)
        session.change("INSERT INTO ozgate_schema VALUES (0, 0)")
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            session.change(statement)
    session.change(
        "UPDATE ozgate_schema SET version = $1, oldest = $2", (SCHEMA_VERSION, OLDEST)
    )
    if not session.commit():
        raise Unavailable(f"{session.address.where}: the schema could not be made")
