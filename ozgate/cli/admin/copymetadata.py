"""``ozgate admin copy-metadata``: from SQLite to a database that several gateways share, while no service runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import click
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from ...admin.errors import AdminError, as_admin_error
from ...admin.upkeep.datafolder import DataFolder
from ...config.loading import load
from ...config.parsers import url
from ...config.secretfile import secret_in
from ...config.settings import Settings
from ...config.sitefile import ConfigurationError, Setting
from ...errors import StoreError
from ...interfaces import IMetadataStore
from .. import client
from ..progress import Progress, share

_SOURCE, _TARGET = "sqlite:", "postgresql:"
_PASSWORD = "ozgate.postgresql.password-file"


@click.command("copy-metadata")
@click.argument("source", metavar="SOURCE_URL")
@click.argument("target", metavar="TARGET_URL")
@click.option(
    "--data",
    envvar="OZGATE_DATA",
    default=client.DATA,
    show_default=True,
    help="Folder of the service, which is down.",
)
@click.option(
    "--config",
    envvar="OZGATE_CONFIG",
    help="The service's ozone-site.xml, which says where the password of the target is.",
)
def copy_metadata(source: str, target: str, data: str, config: str | None) -> None:
    """Copy metadata from SQLite into PostgreSQL.

    The service is down, and the target an empty database. Blobs stay where they are. All rows are copied in one transaction, and each is read again and held against its check before it is committed: stopped or failed, it leaves nothing, and
    is begun anew. The source stays as it is. Run it as the user that the service runs as.
    """
    progress = Progress()

    def tell(what: str, done: int, total: int) -> None:
        progress.show(f"{what}: {share(done, total)}" if total else what)

    try:
        counts = _copy(source, target, os.path.abspath(data), config, tell)
    except ConfigurationError as error:
        progress.clear()
        client.fail(AdminError("INVALID_REQUEST", str(error)))
    except StoreError as error:
        progress.clear()
        client.fail(as_admin_error(error))
    except AdminError as error:
        client.fail(error)
    except KeyboardInterrupt:
        progress.clear()
        click.echo("stopped: nothing was copied", err=True)
        sys.exit(client.INTERRUPTED)
    progress.clear()
    for name, count in counts.items():
        if count:
            click.echo(f"{name}: {count}")
    click.echo(
        f"copied and checked: set ozgate.metadata to {target}, then start the service; {source} is as it was, and knows nothing of what comes"
    )


def _copy(
    source: str,
    target: str,
    data: str,
    config: str | None,
    tell: Callable[[str, int, int], None],
) -> dict[str, int]:
    """Copy.

    :raises ConfigurationError: what was given does not fit, or the service runs.
    :raises StoreError: it cannot be done.
    """
    from ..offline import become_owner, environment

    for text, scheme in ((source, _SOURCE), (target, _TARGET)):
        if not _is_url(text).startswith(scheme):
            raise ConfigurationError(
                f"{text} does not begin with {scheme}: say copy-metadata {_SOURCE}metadata.db {_TARGET}//USER@HOST/DATABASE"
            )
    place = Setting("ozgate.data", data, "--data", direct=True)
    settings = load(config, environment(), [place]).settings
    path = os.path.join(data, source.removeprefix(_SOURCE))
    if not os.path.isfile(path):
        raise ConfigurationError(
            f"there is no database {path}: give --data the folder of the service"
        )
    become_owner(data)
    with ExitStack() as opened:
        opened.callback(DataFolder(data).release)
        tell("schema", 0, 0)
        for each in source, target:
            _prepare(evolve(settings, metadata_provider=each))
        # Not before: without the extra the line above has said what to install.
        from ...metadata.postgresql.connections import Address
        from ...metadata.postgresql.filling import fill

        file = settings.postgresql_password_file
        password = secret_in(_PASSWORD, file, data) if file else ""
        return fill(Address(target, password), path, tell)


def _is_url(text: str) -> str:
    try:
        return url(text)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _prepare(settings: Settings) -> None:
    """Bring a database up to date, as a start of the service does.

    :raises ConfigurationError: nothing makes such a store.
    :raises StoreError: it cannot be used.
    """
    from ...gateway.providers import make_provider
    from ...service.threads import Threads
    from ..offline import running_reactor

    reactor = running_reactor()

    async def prepare() -> None:
        threads = Threads(reactor, 1)
        try:
            made: Any = make_provider(
                IMetadataStore, "ozgate.metadata", reactor, settings, threads.run
            )
            await made.prepare()
            # The log of SQLite is emptied into the database as it is closed.
            await made.open()
            await made.close()
        finally:
            threads.stop()

    wait: Any = blockingCallFromThread
    wait(reactor, lambda: Deferred.fromCoroutine(prepare()))
