"""``ozgate admin …``: looking after what is stored."""

from __future__ import annotations

import click

from .. import client
from .backup import make_backup, restore_backup
from .drain import drain_store
from .fsck import fsck
from .scrub import scrub


@click.group()
@client.reaches_service
def admin() -> None:
    """Look after what is stored: check, mend, copy and move it."""


for command in (scrub, fsck, make_backup, restore_backup, drain_store):
    admin.add_command(command)
