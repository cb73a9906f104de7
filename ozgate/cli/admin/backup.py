"""``ozgate admin backup`` and ``ozgate admin restore``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread

from ...admin.errors import AdminError, as_admin_error
from ...admin.upkeep.backupfolder import remove_log
from ...admin.upkeep.restore import Restored, folder_of, restore
from ...auth.secretstore import check_value
from ...background.longreads import forget_all
from ...config.settings import Settings
from ...content.storenames import note_restored
from ...errors import StoreError
from ...interfaces import IMetadataStore
from .. import client
from ..progress import Progress, size, stage
from ..shell import show

WAIT = 1.0
"""Seconds between two looks at how far it is."""


@click.command("backup")
@client.reaches_service
@click.argument("target", metavar="TARGET_FOLDER")
@click.option(
    "--copy",
    is_flag=True,
    help="Copy blobs also where hard links would do: a link shares the disk's blocks, and their fate, with the original.",
)
@click.option(
    "--with-master-key",
    is_flag=True,
    help="Copy the master key, too: who has the backup then has every secret in it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def make_backup(target: str, copy: bool, with_master_key: bool, as_json: bool) -> None:
    """Copy everything as of one moment, while the service runs.

    The folder is new, empty, or has an earlier backup, which is brought up to date: what it has is not copied again. The service
    writes it, on its machine. Exit status 1 says that something stored is missing or damaged, and so is its copy.
    """
    status = client.call(
        "start_backup",
        target=os.path.abspath(target),
        link=not copy,
        with_master_key=with_master_key,
    )
    status = _follow(status)
    if as_json:
        show(status)
    else:
        _tell(status)
    if not status["complete"]:
        sys.exit(client.FAILED)
    if status["damaged"] or status["structure"]:
        sys.exit(1)


def _follow(status: dict[str, Any]) -> dict[str, Any]:
    """Show how far it is until it is over."""
    progress = Progress()
    try:
        while status["running"]:
            progress.show(stage(status["stage"], status["done"], status["total"]))
            status = client.call("backup_status", wait=WAIT)
    except KeyboardInterrupt:
        client.call("stop_backup")
        progress.clear()
        click.echo("stopped: what is there of it is no backup", err=True)
        sys.exit(client.INTERRUPTED)
    finally:
        progress.clear()
    return status


def _tell(status: dict[str, Any]) -> None:
    if not status["complete"]:
        click.echo("the backup was stopped: what is there of it is no backup", err=True)
        return
    click.echo(
        f"backup of {status['made']} in {status['target']}: metadata {size(status['metadataBytes'])}, "
        f"{status['blobs']} blobs, {size(status['blobBytes'])} "
        f"({status['linked']} linked, {status['copied']} copied, {status['kept']} there already)"
    )
    if not status["masterKey"]:
        click.echo(
            "the master key is not in it: keep a copy of it elsewhere, for without it no secret of the backup can be used (--with-master-key copies it)"
        )
    for blob in status["damaged"]:
        click.echo(f"missing or damaged, here as there: blob {blob}")
    for line in status["structure"]:
        click.echo(f"damaged, here as there: metadata: {line}")


@click.command("restore")
@click.argument("backup", metavar="BACKUP_FOLDER")
@click.option(
    "--data",
    envvar="OZGATE_DATA",
    default=client.DATA,
    show_default=True,
    help="Folder to restore into: a new one, or an empty one.",
)
@click.option(
    "--accept-damage",
    is_flag=True,
    help="Restore what is well, although blobs of the backup are missing or damaged.",
)
def restore_backup(backup: str, data: str, accept_damage: bool) -> None:
    """Bring a backup back into a folder that no service uses yet. Every byte is checked on the way.

    Run it as the user that the service runs as. Exit status 1 says that blobs were missing or damaged, and accepted.
    """
    progress = Progress()
    backup, data = os.path.abspath(backup), os.path.abspath(data)

    def tell(name: str, done: int, total: int) -> None:
        progress.show(stage(name, done, total))

    # As a service would: what is restored is the owner's only.
    os.umask(0o077)
    try:
        restored = restore(backup, data, _open_metadata, tell, accept_damage)
    except StoreError as error:
        progress.clear()
        client.fail(as_admin_error(error))
    except OSError as error:
        progress.clear()
        client.fail(AdminError("IO_ERROR", str(error)))
    except AdminError as error:
        client.fail(error)
    except KeyboardInterrupt:
        progress.clear()
        click.echo("stopped: nothing was restored", err=True)
        sys.exit(client.INTERRUPTED)
    progress.clear()
    _tell_restored(restored, data)
    if restored.damaged:
        sys.exit(1)


def _tell_restored(restored: Restored, data: str) -> None:
    manifest = restored.manifest
    click.echo(
        f"restored into {data}: metadata {size(manifest.metadata.bytes)}, {manifest.blobs.count} blobs, {size(manifest.blob_bytes)}"
    )
    for blob in restored.damaged:
        click.echo(f"missing or damaged: blob {blob}")
    if restored.damaged:
        click.echo("'ozgate admin fsck' says which keys need them")
    if restored.stores:
        said = ",".join(f"{each}=files:{folder_of(each)}" for each in restored.stores)
        click.echo(
            f"the backup has blobs of several stores: the service starts with ozgate.blobs.more={said}, and 'ozgate admin move-blobs' brings them together"
        )
    if not manifest.has_key:
        click.echo(
            f"the master key was not in the backup: put it into {data}/master.key before the service starts, if secrets were stored"
        )


def _open_metadata(path: str, stores: Mapping[str, str]) -> bytes | None:
    """Open metadata as a service would, which brings them up to date, and close them again.

    :param stores: the identities of all blob stores, which they are to know; none while there are none.
    :return: the check value of their master key, if they have one.
    """
    from ...gateway.providers import make_provider
    from ..offline import running_reactor

    reactor = running_reactor()
    settings = Settings(metadata_provider=f"sqlite:{path}")

    def unused(*_: object) -> None:
        raise RuntimeError("metadata have a thread of their own")

    async def look() -> Any:
        store: IMetadataStore = make_provider(
            IMetadataStore, "ozgate.metadata", reactor, settings, unused
        )
        await store.prepare()
        await store.open()
        try:
            with suppress(StoreError):
                await store.write(forget_all)
                if stores:
                    await store.write(note_restored, stores)
            return await store.read(check_value)
        finally:
            await store.close()

    check: Any = blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(look()))
    remove_log(path)
    return None if check is None else bytes(check)
