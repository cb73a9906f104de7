"""``ozgate sh bucket``: options, output and errors are those of ``ozone sh bucket``."""

from __future__ import annotations

import sys

import click

from .. import client
from ..shell import (
    Place,
    bucket_argument,
    checked_place,
    clear_options,
    cleared,
    confirmed,
    list_options,
    quota_options,
    replication_options,
    require_a_quota,
    show,
    show_list,
    show_made,
    volume_argument,
)
from .acl import add_acl_commands

_LAYOUTS = {
    "obs": "OBJECT_STORE",
    "object_store": "OBJECT_STORE",
    "fso": "FILE_SYSTEM_OPTIMIZED",
    "file_system_optimized": "FILE_SYSTEM_OPTIMIZED",
    "legacy": "LEGACY",
}


@click.group()
def bucket() -> None:
    """Buckets, and links that show them elsewhere."""


@bucket.command("create")
@client.reaches_service
@bucket_argument
@click.option("-u", "--user", help="Its owner; by default yourself.")
@click.option(
    "-l",
    "--layout",
    type=click.Choice(list(_LAYOUTS), case_sensitive=False),
    help="How keys are kept; there is obs only, but in volumes of an Ozone cluster.",
)
@click.option(
    "-k", "--bucketkey", help="The key that encrypts it, in an Ozone cluster alone."
)
@click.option(
    "-g", "--enforcegdpr", is_flag=True, help="In an Ozone cluster alone, as it has it."
)
@replication_options
@quota_options
def create(place: Place, layout: str | None, **arguments: object) -> None:
    """Make a bucket."""
    arguments["layout"] = layout and _LAYOUTS[layout.lower()]
    show_made(client.call("create_bucket", **_names(place), **arguments))


@bucket.command("link")
@client.reaches_service
@click.argument("source", metavar="/VOLUME/BUCKET")
@click.argument("target", metavar="/VOLUME/LINK")
def link(source: str, target: str) -> None:
    """Make a link, by which a bucket has a second name. S3 shows it in the volume s3v."""
    real, made = checked_place(source, 2), checked_place(target, 2)
    names = {"source_volume": real.volume, "source_bucket": real.bucket}
    show_made(client.call("link_bucket", **names, **_names(made)))


@bucket.command("info")
@client.reaches_service
@bucket_argument
def info(place: Place) -> None:
    """Show a bucket or link."""
    show(client.call("info_bucket", **_names(place)))


@click.command("list")
@client.reaches_service
@volume_argument
@click.option("-u", "--user", help="Those of this owner.")
@click.option(
    "--has-snapshot",
    is_flag=True,
    help="Those with snapshots: there are none, but in an Ozone cluster.",
)
@list_options
def list_buckets(
    place: Place,
    user: str | None,
    every: bool,
    length: int,
    start: str,
    **arguments: object,
) -> None:
    """List the buckets and links of a volume."""
    arguments |= {"volume": place.volume, "user": None if every else user}
    show_list("list_buckets", length, every, start, **arguments)


bucket.add_command(list_buckets)
bucket.add_command(list_buckets, "ls")


@bucket.command("update")
@client.reaches_service
@bucket_argument
@click.option("-u", "--user", required=True, help="Its new owner.")
def update(place: Place, user: str) -> None:
    """Give a bucket or link another owner."""
    show(client.call("update_bucket", **_names(place), user=user))


@bucket.command("delete")
@client.reaches_service
@bucket_argument
@click.option("-r", "recursive", is_flag=True, help="With everything in it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def delete(place: Place, recursive: bool, yes: bool) -> None:
    """Remove a bucket, or a link without what it leads to."""
    if recursive:
        client.call("info_bucket", **_names(place))
        if not yes and not confirmed(f"bucket {place.bucket}"):
            sys.exit(client.CANCELLED)
    remove_bucket(place.volume, place.bucket, recursive)
    click.echo(f"Bucket {place.bucket} is deleted")


def remove_bucket(volume: str, bucket: str, recursive: bool) -> None:
    """Remove a bucket; each question to the service removes only so much of what is in it."""
    names = {"volume": volume, "bucket": bucket}
    while not client.call("delete_bucket", **names, recursive=recursive)["deleted"]:
        pass


@bucket.command("setquota")
@client.reaches_service
@bucket_argument
@quota_options
def setquota(place: Place, **quotas: int | None) -> None:
    """Set how much a bucket may hold."""
    require_a_quota(**quotas)
    client.call("set_bucket_quota", **_names(place), **quotas)


@bucket.command("clrquota")
@client.reaches_service
@bucket_argument
@clear_options
def clrquota(place: Place, **flags: bool) -> None:
    """Let a bucket hold any number."""
    client.call("set_bucket_quota", **_names(place), **cleared(**flags))


add_acl_commands(bucket, bucket_argument, has_links=True)


def _names(place: Place) -> dict[str, str]:
    return {"volume": place.volume, "bucket": place.bucket}
