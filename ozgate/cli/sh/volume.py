"""``ozgate sh volume``: options, output and errors are those of ``ozone sh volume``."""

from __future__ import annotations

import sys

import click

from .. import client
from ..shell import (
    Place,
    checked_place,
    clear_options,
    cleared,
    confirmed,
    list_options,
    quota_options,
    require_a_quota,
    show,
    show_list,
    show_made,
    volume_argument,
)
from .acl import add_acl_commands
from .bucket import remove_bucket


@click.group()
def volume() -> None:
    """Volumes: what holds buckets. S3 shows the buckets of one of them, s3v."""


@volume.command("create")
@client.reaches_service
@volume_argument
@click.option("-u", "--user", help="Its owner; by default yourself.")
@quota_options
def create(place: Place, **arguments: object) -> None:
    """Make a volume; for administrators."""
    show_made(client.call("create_volume", volume=place.volume, **arguments))


@volume.command("info")
@client.reaches_service
@volume_argument
def info(place: Place) -> None:
    """Show a volume."""
    show(client.call("info_volume", volume=place.volume))


@click.command("list")
@client.reaches_service
@click.argument("address", metavar="[/]", default="/")
@click.option("-u", "--user", help="Those that this user may see.")
@list_options
def list_volumes(
    address: str,
    user: str | None,
    every: bool,
    length: int,
    start: str,
    **arguments: object,
) -> None:
    """List volumes."""
    checked_place(address, 0)
    arguments["everyone"] = every
    arguments["user"] = None if every else user
    show_list("list_volumes", length, every, start, **arguments)


volume.add_command(list_volumes)
volume.add_command(list_volumes, "ls")


@volume.command("update")
@client.reaches_service
@volume_argument
@click.option("-u", "--user", required=True, help="Its new owner.")
def update(place: Place, user: str) -> None:
    """Give a volume another owner; for administrators."""
    show(client.call("update_volume", volume=place.volume, user=user))


@volume.command("delete")
@client.reaches_service
@volume_argument
@click.option("-r", "recursive", is_flag=True, help="With everything in it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "-t", "--threads", type=int, expose_value=False, help="Taken as Ozone does."
)
def delete(place: Place, recursive: bool, yes: bool) -> None:
    """Remove a volume; for administrators."""
    if recursive:
        client.call("info_volume", volume=place.volume)
        if not yes and not confirmed(f"volume {place.volume}"):
            sys.exit(client.CANCELLED)
        while found := client.call("list_buckets", volume=place.volume):
            for each in found:
                remove_bucket(place.volume, each["name"], recursive=True)
    client.call("delete_volume", volume=place.volume)
    click.echo(f"Volume {place.volume} is deleted")


@volume.command("setquota")
@client.reaches_service
@volume_argument
@quota_options
def setquota(place: Place, **quotas: int | None) -> None:
    """Set how much a volume may hold."""
    require_a_quota(**quotas)
    client.call("set_volume_quota", volume=place.volume, **quotas)


@volume.command("clrquota")
@client.reaches_service
@volume_argument
@clear_options
def clrquota(place: Place, **flags: bool) -> None:
    """Let a volume hold any number."""
    client.call("set_volume_quota", volume=place.volume, **cleared(**flags))


add_acl_commands(volume, volume_argument, has_links=False)
