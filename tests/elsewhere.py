"""Engines that services and gateways of tests have in the place of their own, where the environment says so: no test is written twice.

``OZGATE_TEST_METADATA=postgresql`` gives each a database of its own on one PostgreSQL, ``OZGATE_TEST_BLOBS=s3`` a place of its own in a bucket of one
other ozgate; both are started by the first test of a process that needs them, and end with it. ``python -m tests.engines postgresql`` runs whole suites so.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.running import Server

METADATA = os.environ.get("OZGATE_TEST_METADATA", "")
BLOBS = os.environ.get("OZGATE_TEST_BLOBS", "")
BUCKET = "elsewhere"
"""Of the engine, for all."""

_numbers = count(1)
_TEMPLATE = "prepared"


def timeout(seconds: float) -> float:
    """Seconds that a test may take which takes so long without: what is asked of an engine takes a hundred times as long as what is asked of a dictionary."""
    return seconds * 30 if METADATA or BLOBS else seconds


def settings_for(data: str, settings: Sequence[str]) -> tuple[str, ...]:
    """Further ``key=value`` of a service, the same ones whenever it is started.

    :param data: its folder.
    :param settings: its own; what they say of engines stays as it is.
    """
    found: tuple[str, ...] = ()
    if METADATA and not _says(settings, "ozgate.metadata"):
        found += (f"ozgate.metadata={_database_of(data)}",)
    if BLOBS and not _says(settings, "ozgate.blobs"):
        found += (f"ozgate.blobs={_place_of(data)}", *_pair())
    return found


def database() -> str:
    """Make a new database that is prepared already, which takes a tenth of the time; its URL."""
    from tests.engines.postgresql import USER, shared

    name = f"elsewhere{next(_numbers)}"
    server = shared()
    server.execute(f"CREATE DATABASE {name} TEMPLATE {_template()} OWNER {USER}")
    return server.url(name)


def place() -> str:
    """The URL of a new place for blobs."""
    return f"s3+{engine().url}/{BUCKET}/{next(_numbers)}"


def _says(settings: Sequence[str], key: str) -> bool:
    return any(each.startswith(f"{key}=") for each in settings)


@cache
def _database_of(data: str) -> str:
    return database()


@cache
def _place_of(data: str) -> str:
    return place()


@cache
def _template() -> str:
    """The name of a database in which nothing is but its tables."""
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.schema import migrate
    from ozgate.metadata.postgresql.session import Session
    from tests.engines.postgresql import USER, shared

    shared().execute(f"CREATE DATABASE {_TEMPLATE} OWNER {USER}")
    session = Session(Address(shared().url(_TEMPLATE)))
    session.open()
    try:
        migrate(session)
    finally:
        session.close()
    return _TEMPLATE


@cache
def engine() -> Server:
    """An ozgate that is over files itself."""
    from tests.running import Server

    folder = tempfile.TemporaryDirectory(prefix="ozgate-elsewhere-")
    server = Server(os.path.join(folder.name, "data"))
    server.is_elsewhere = False
    server.start()
    atexit.register(folder.cleanup)
    atexit.register(server.stop)
    status, _, said = server.request("PUT", f"/{BUCKET}")
    assert status == 200, said
    secret = _secret_of(server)
    secret.write_text(server.secret_key)
    secret.chmod(0o600)
    return server


def _secret_of(server: Server) -> Path:
    return Path(server.data).with_name("secret")


def _pair() -> tuple[str, ...]:
    return (
        f"ozgate.blobs.s3.access-key={engine().access_key}",
        f"ozgate.blobs.s3.secret-key-file={_secret_of(engine())}",
    )
