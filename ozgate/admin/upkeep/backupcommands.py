"""What ``ozgate admin backup`` calls: beginning a backup, stopping it, asking how far it is."""

from __future__ import annotations

import os

from ...interfaces import IFiles, IInspected
from ..answers import Json, iso_time
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError, access_denied
from .backup import Backup
from .tasks import wait_for


async def start_backup(
    context: AdminContext,
    caller: Caller,
    target: str,
    link: bool = True,
    with_master_key: bool = False,
) -> Json:
    """Begin a backup.

    :param target: a folder on the service's machine: a new one, an empty one, or one with an earlier backup.
    :param link: whether blobs may be hard links instead of copies, where the target is on their file system.
    :raises AdminError: the caller is no administrator, or did not come over the socket; another one is under way;
        the providers cannot be copied.
    """
    require_admin(caller)
    if not caller.is_local:
        raise access_denied(
            "a backup writes to folders of the service's machine: ask there, over admin.sock in the data folder"
        )
    upkeep, gateway = context.upkeep, context.gateway
    if upkeep.backup is not None and not upkeep.backup.running.is_over:
        raise AdminError(
            "INVALID_REQUEST",
            f"a backup in {upkeep.backup.target} is under way: wait until the log says that it is done, or stop it by Ctrl-C where it was begun",
            409,
        )
    if not os.path.isabs(target):
        raise AdminError("INVALID_REQUEST", "a target is an absolute path")
    if not IInspected.providedBy(gateway.metadata) or not all(
        map(IFiles.providedBy, gateway.blobs)
    ):
        raise AdminError(
            "NOT_SUPPORTED_OPERATION",
            "these providers cannot be copied while they are used: see their own tools",
        )
    upkeep.backup = Backup(context, target, link, with_master_key)
    return _json(upkeep.backup)


async def stop_backup(context: AdminContext, caller: Caller) -> Json | None:
    """Stop the one under way; what is there of it is no backup.

    :raises AdminError: the caller is no administrator.
    """
    require_admin(caller)
    if context.upkeep.backup is None:
        return None
    await context.upkeep.backup.stop()
    return await backup_status(context, caller)


async def backup_status(
    context: AdminContext, caller: Caller, wait: float = 0.0
) -> Json | None:
    """How far it is, or what came of the last one; ``None`` when this process made none.

    :param wait: seconds to wait for its end first.
    :raises AdminError: the caller is no administrator, or the backup failed.
    """
    require_admin(caller)
    backup = context.upkeep.backup
    if backup is None:
        return None
    await wait_for(backup.running, "backup", wait)
    return _json(backup)


def _json(backup: Backup) -> Json:
    manifest = backup.manifest
    found: Json = {
        "target": backup.target,
        "running": not backup.running.is_over,
        "stage": backup.stage,
        "done": backup.done,
        "total": backup.total,
        **backup.counts,
        "complete": manifest is not None,
    }
    if manifest is not None:
        found.update(
            made=iso_time(manifest.made),
            metadataBytes=manifest.metadata.bytes,
            blobs=manifest.blobs.count,
            blobBytes=manifest.blob_bytes,
            damaged=list(manifest.damaged),
            structure=list(manifest.structure),
            masterKey=manifest.has_key,
        )
    return found
