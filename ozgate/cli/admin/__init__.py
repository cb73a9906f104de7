"""``ozgate admin …``: looking after what is stored, and after who may do what."""

from __future__ import annotations

import click

from .. import client
from .backup import make_backup, restore_backup
from .copymetadata import copy_metadata
from .doctor import doctor
from .fsck import fsck
from .identities.group import group
from .identities.key import key
from .identities.policy import policy
from .identities.user import user
from .moveblobs import move_blobs
from .scrub import scrub


@click.group()
@client.reaches_service
def admin() -> None:
    """Look after what is stored, and after who may do what."""


for command in (
    doctor,
    scrub,
    fsck,
    make_backup,
    restore_backup,
    copy_metadata,
    move_blobs,
    user,
    group,
    policy,
    key,
):
    admin.add_command(command)
