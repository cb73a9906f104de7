"""The knobs of engines beyond this machine: databases and blob stores that several gateways share.

Which engine is used says a URL (``ozgate.metadata``, ``ozgate.blobs``), which never has a secret in it: secrets are in files that knobs name, or in the environment.
"""

from __future__ import annotations

from ..immutable import frozen
from .knob import knob


@frozen(kw_only=True)
class EngineSettings:
    """The knobs of engines; those of all else are in :class:`~ozgate.config.settings.Settings`."""

    postgresql_password_file: str = knob(
        "ozgate.postgresql.password-file",
        "",
        "File that has the password of the user in ozgate.metadata's postgresql: URL, and nothing else; empty: as libpq finds it, by PGPASSWORD, PGPASSFILE or ~/.pgpass. A relative path is inside ozgate.data.",
    )
