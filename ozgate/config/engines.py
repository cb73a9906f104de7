"""The knobs of engines beyond this machine: databases and blob stores that several gateways share.

Which engine is used says a URL (``ozgate.metadata``, ``ozgate.blobs``), which never has a secret in it: secrets are in files that knobs name, or in the environment.
"""

from __future__ import annotations

from ..immutable import frozen
from .knob import knob
from .parsers import duration, positive


@frozen(kw_only=True)
class EngineSettings:
    """The knobs of engines; those of all else are in :class:`~ozgate.config.settings.Settings`."""

    postgresql_password_file: str = knob(
        "ozgate.postgresql.password-file",
        "",
        "File that has the password of the user in ozgate.metadata's postgresql: URL, and nothing else; empty: as libpq finds it, by PGPASSWORD, PGPASSFILE or ~/.pgpass. A relative path is inside ozgate.data.",
    )
    postgresql_deadline: float = knob(
        "ozgate.postgresql.deadline",
        30.0,
        "How long PostgreSQL has for one statement, and a request waits for a connection, before it is answered 503.",
        duration,
    )
    postgresql_lock_deadline: float = knob(
        "ozgate.postgresql.lock-deadline",
        10.0,
        "How long a statement waits for a lock that another request holds, before it is answered 503.",
        duration,
    )
    postgresql_readers: int = knob(
        "ozgate.postgresql.readers",
        4,
        "Connections to PostgreSQL that read, at most, of each process.",
        positive,
    )
    postgresql_writers: int = knob(
        "ozgate.postgresql.writers",
        12,
        "Connections to PostgreSQL that write, at most, of each process.",
        positive,
    )
