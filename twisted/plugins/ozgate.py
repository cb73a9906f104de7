"""What ozgate gives Twisted's plugin system: ``twistd ozgate``, and the built-in providers.

Every ``twistd`` on the machine imports this module once, to cache what it holds: so it
imports next to nothing, and each maker imports what it makes when asked to.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import ServiceMaker
from twisted.plugin import IPlugin
from zope.interface import implementer

from ozgate.errors.stores import Unavailable
from ozgate.interfaces import (
    IBlobStore,
    IForeignSystem,
    IMetadataStore,
    IProviderMaker,
)

ozgate = ServiceMaker(
    "ozgate", "ozgate.service", "An S3 gateway over local storage.", "ozgate"
)


@implementer(IPlugin, IProviderMaker)
class SQLite:
    """Metadata in an SQLite database: ``sqlite:PATH``."""

    scheme = "sqlite"
    provides = IMetadataStore

    def make(
        self,
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make the store; a relative path is inside ``ozgate.data``."""
        from ozgate.metadata.sqlite.store import SQLiteMetadataStore

        return SQLiteMetadataStore(
            str(Path(settings["ozgate.data"], location)),
            reactor,
            relaxed=settings["ozgate.durability"] == "relaxed",
            accept_lost=settings["ozgate.metadata.accept-lost-writes"],
        )


@implementer(IPlugin, IProviderMaker)
class PostgreSQL:
    """Metadata in a PostgreSQL database: ``postgresql://USER@HOST/DATABASE``, as libpq has it."""

    scheme = "postgresql"
    provides = IMetadataStore

    def make(
        self,
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make the store. It has threads of its own.

        :raises Unavailable: its extra is not installed.
        """
        try:
            from ozgate.metadata.postgresql.store import make_store
        except ImportError as error:
            raise Unavailable(
                f"postgresql: needs psycopg ({error}): pip install 'ozgate[postgresql]'"
            ) from None

        from ozgate.config.secretfile import secret_in

        key = "ozgate.postgresql.password-file"
        path, data = settings[key], settings["ozgate.data"]
        password = secret_in(key, path, data) if path else ""
        return make_store(reactor, f"postgresql:{location}", password, settings)


@implementer(IPlugin, IProviderMaker)
class Files:
    """Blobs in files: ``files:FOLDER``."""

    scheme = "files"
    provides = IBlobStore

    def make(
        self,
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make the store; a relative folder is inside ``ozgate.data``.

        Metadata in a database of the service's own have one service, and so have its blobs: the folder is locked. Those of a
        server may have several, on many machines, and share the folder.
        """
        folder = str(Path(settings["ozgate.data"], location))
        inline_below = settings["ozgate.blobs.inline-below"]
        relaxed = settings["ozgate.durability"] == "relaxed"
        verified_for = settings["ozgate.blobs.verified-for"]
        if not settings["ozgate.metadata"].startswith(f"{SQLite.scheme}:"):
            from ozgate.blobs.files.sharedstore import SharedFileBlobStore

            deadline = settings["ozgate.blobs.deadline"]
            return SharedFileBlobStore(
                folder, name, reactor, inline_below, relaxed, verified_for, deadline
            )
        from ozgate.blobs.files.store import FileBlobStore

        return FileBlobStore(
            folder, name, reactor, run_in_thread, inline_below, relaxed, verified_for
        )


@implementer(IPlugin, IProviderMaker)
class HDFS:
    """Blobs in files of HDFS: ``hdfs://NAMESERVICE/FOLDER`` or ``hdfs://HOST:PORT/FOLDER``."""

    scheme = "hdfs"
    provides = IBlobStore

    def make(
        self,
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make the store. It has threads of its own, and asks nobody until it is prepared."""
        from ozgate.blobs.hdfs.store import make_store

        return make_store(reactor, f"hdfs:{location}", settings, name)


@implementer(IPlugin, IProviderMaker)
class S3:
    """Blobs in a bucket of an S3 engine: ``s3+https://HOST[:PORT]/BUCKET[/PREFIX]``, or ``s3+http:`` where nobody else is on the way."""

    provides = IBlobStore

    def __init__(self, over: str) -> None:
        self.scheme = f"s3+{over}"
        self._over = over

    def make(
        self,
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make the store. It is asked with the key pair of ``ozgate.blobs.s3.access-key``."""
        from ozgate.auth.sigv4 import sign
        from ozgate.blobs.s3.making import make_store
        from ozgate.config.secretfile import secret_in

        secret = settings["ozgate.blobs.s3.secret-key"]
        key = "ozgate.blobs.s3.secret-key-file"
        if settings[key]:
            secret = secret_in(key, settings[key], settings["ozgate.data"])
        made_of = reactor, self._over, location, settings, run_in_thread, name
        return make_store(*made_of, sign, secret)


@implementer(IPlugin, IProviderMaker)
class Ozone:
    """Volumes and buckets of a cluster of Apache Ozone: ``ozone:``."""

    scheme = "ozone"
    provides = IForeignSystem

    def make(
        self,
        reactor: Any,
        location: str,
        settings: Mapping[str, Any],
        run_in_thread: Callable[..., Any],
        name: str,
    ) -> Any:
        """Make what asks the cluster. It has threads of its own, and starts a JVM when it is first asked."""
        from ozgate.foreign.ozone.system import make_system

        return make_system(reactor, settings)


sqlite_metadata = SQLite()
postgresql_metadata = PostgreSQL()
file_blobs = Files()
hdfs_blobs = HDFS()
s3_blobs = S3("https")
plain_s3_blobs = S3("http")
ozone_cluster = Ozone()
