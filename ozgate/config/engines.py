"""The knobs of engines beyond this machine: databases and blob stores that several gateways share.

Which engine is used says a URL (``ozgate.metadata``, ``ozgate.blobs``), which never has a secret in it: secrets are in files that knobs name, or in the environment.
"""

from __future__ import annotations

from ..immutable import frozen
from .knob import knob
from .parsers import half_a_minute, interval, positive, region_name, size


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
        half_a_minute,
    )
    postgresql_lock_deadline: float = knob(
        "ozgate.postgresql.lock-deadline",
        10.0,
        "How long a statement waits for a lock that another request holds, before it is answered 503.",
        half_a_minute,
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
    s3_access_key: str = knob(
        "ozgate.blobs.s3.access-key",
        "",
        "Access key that the engines of s3+https: and s3+http: blob stores are asked with.",
    )
    s3_secret_key: str = knob(
        "ozgate.blobs.s3.secret-key",
        "",
        "Its secret key, as OZGATE_BLOBS_S3_SECRET_KEY in the environment has it; better in a file: ozgate.blobs.s3.secret-key-file.",
        secret=True,
    )
    s3_secret_key_file: str = knob(
        "ozgate.blobs.s3.secret-key-file",
        "",
        "File that has that secret key, and nothing else. A relative path is inside ozgate.data.",
    )
    s3_region: str = knob(
        "ozgate.blobs.s3.region",
        "us-east-1",
        "Region that requests to these engines are signed for.",
        region_name,
    )
    s3_ca: str = knob(
        "ozgate.blobs.s3.ca",
        "",
        "PEM file of the certificates that issue those of these engines; empty: those that the system trusts.",
    )
    s3_connections: int = knob(
        "ozgate.blobs.s3.connections",
        64,
        "Connections to an engine that each process has at a time for what it sends on as it comes, as many for what it reads at once, and as many for all else; more requests wait.",
        positive,
    )
    s3_timeout: float = knob(
        "ozgate.blobs.s3.timeout",
        20.0,
        "Seconds without a byte from or to an engine, after which a request is given up, and tried again.",
        interval,
    )
    s3_deadline: float = knob(
        "ozgate.blobs.s3.deadline",
        60.0,
        "Seconds that a request to an engine is tried for, after which what needs it is answered 503.",
        interval,
    )
    s3_memory: int = knob(
        "ozgate.blobs.s3.memory",
        48 << 20,
        "Bytes that bodies on their way to an engine may hold in each process, about; the more come at a time, the smaller are their objects, from 16 MiB down to 512 KiB.",
        size,
    )
    blobs_deadline: float = knob(
        "ozgate.blobs.deadline",
        30.0,
        "Time that a call to an engine of blobs may take, HDFS or a file system that several gateways share, after which it is answered 503.",
        interval,
    )
