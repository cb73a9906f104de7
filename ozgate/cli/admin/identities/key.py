"""``ozgate admin key``."""

from __future__ import annotations

from typing import Any

import click

from ... import client
from ...s3secrets import Duration, print_pair
from ...shell import show
from ...tables import all_pages, as_json, print_members, print_rows, time
from .documents import policy_option, pretty
from .user import cancel_unless_confirmed, state

_export = click.option(
    "-e",
    "--export",
    is_flag=True,
    help="Print lines that set the variables of AWS's tools.",
)


@click.group()
def key() -> None:
    """Make keys of users, which may do less than they may."""


@key.command()
@client.reaches_service
@click.argument("user")
@click.option(
    "--name",
    "key",
    help="The access key is USER~NAME then, else 20 letters and digits.",
)
@click.option("--bucket", default="", help="It opens this bucket and no other.")
@click.option("--prefix", default="", help="And in it only what begins so.")
@click.option("--read", is_flag=True, help="It reads.")
@click.option("--write", is_flag=True, help="It writes and deletes objects.")
@policy_option
@click.option(
    "--ttl",
    type=Duration(),
    metavar="TIME",
    help="How long it is good for, such as 30d; by default until it is removed.",
)
@click.option("--description", default="", help="What it is for.")
@_export
@as_json
def create(user: str, export: bool, as_json: bool, **arguments: Any) -> None:
    """Make a key of a user, and print it with its secret, this once.

    Without options it opens all that the user may do; a key never opens more. Of --read and --write both may be given; without either all is
    meant that the user may do there.
    """
    made = client.call("create_access_key", user=user, **arguments)
    _print(made, export, as_json)


@key.command("list")
@client.reaches_service
@click.argument("user", required=False)
@as_json
def list_(user: str | None, as_json: bool) -> None:
    """Print all keys, or those of a user. Secrets are not shown."""
    columns = {
        "ACCESS KEY": lambda row: row["accessKeyId"],
        "USER": lambda row: row["user"],
        "STATE": state,
        "NARROWED": lambda row: "yes" if row["narrowed"] else "no",
        "CREATED": lambda row: time(row["created"]),
        "EXPIRES": lambda row: time(row["expires"]),
        "DESCRIPTION": lambda row: row["description"],
    }
    found = all_pages("list_access_keys", "accessKeyId", user=user)
    print_rows(found, columns, as_json)


@key.command()
@client.reaches_service
@click.argument("access_id", metavar="ACCESS-KEY")
@as_json
def info(access_id: str, as_json: bool) -> None:
    """Print what is known of a key, and what narrows it."""
    found = client.call("info_access_key", access_id=access_id)
    if as_json:
        show(found)
        return
    print_members(
        {
            "access key": found["accessKeyId"],
            "user": found["user"],
            "state": state(found),
            "created": time(found["created"]),
            "created by": found["createdBy"],
            "expires": time(found["expires"]),
            "description": found["description"],
            "narrowed to": "\n".join(map(pretty, found["documents"])),
        }
    )


@key.command()
@client.reaches_service
@click.argument("access_id", metavar="ACCESS-KEY")
@click.option(
    "--expire-old",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Refuse the old one after that; by default it stays as it is.",
)
@_export
@as_json
def rotate(
    access_id: str, expire_old: float | None, export: bool, as_json: bool
) -> None:
    """Make a key beside an old one, and print it, this once.

    It is of the same user, and as narrow.
    """
    made = client.call("rotate_access_key", access_id=access_id, expire_old=expire_old)
    _print(made, export, as_json)


@key.command()
@client.reaches_service
@click.argument("access_id", metavar="ACCESS-KEY")
def disable(access_id: str) -> None:
    """Refuse a key, from the next request on."""
    client.call("disable_access_key", access_id=access_id)


@key.command()
@client.reaches_service
@click.argument("access_id", metavar="ACCESS-KEY")
def enable(access_id: str) -> None:
    """Take a key again."""
    client.call("enable_access_key", access_id=access_id)


@key.command()
@client.reaches_service
@click.argument("access_id", metavar="ACCESS-KEY")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove(access_id: str, yes: bool) -> None:
    """Remove a key: it is refused from the next request on."""
    if not yes:
        cancel_unless_confirmed(f"Enter 'y' to remove the key '{access_id}': ")
    client.call("remove_access_key", access_id=access_id)
    click.echo(f"key {access_id} is removed")


def _print(made: dict[str, Any], export: bool, as_json: bool) -> None:
    """Print a key that was just made."""
    if as_json:
        show(made)
    else:
        print_pair(made["accessKeyId"], made["secretAccessKey"], export)
