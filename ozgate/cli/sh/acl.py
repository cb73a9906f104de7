"""The four commands that show and change access control lists, for volumes, buckets and an Ozone cluster's keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from .. import client
from ..shell import Place, show

_acls = click.option(
    "-a",
    "--acl",
    "--acls",
    "acls",
    required=True,
    metavar="ACL[,ACL]",
    callback=lambda _, __, value: [each.strip() for each in value.split(",")],
    help="Entries such as user:alice:rw or group:staff:a[DEFAULT]. Rights: r, w, c(reate), d(elete), l(ist), x (read the list), y (change it), a(ll), n(one).",
)


def add_acl_commands(
    group: click.Group, place_argument: Callable[[Any], Any], *, has_links: bool
) -> None:
    """Add ``addacl``, ``removeacl``, ``setacl`` and ``getacl`` to a group.

    :param place_argument: the argument that says of what.
    :param has_links: whether that may be a link.
    """

    def told(what: str, through_links: str) -> str:
        return f"{what}. Through a link, {through_links}." if has_links else f"{what}."

    @group.command("addacl", help=told("Add entries", "to the bucket it leads to"))
    @client.reaches_service
    @place_argument
    @_acls
    def add(place: Place, acls: list[str]) -> None:
        for done in client.call("add_acl", acls=acls, **_names(place)):
            text = "added successfully" if done["changed"] else "already exists"
            click.echo(f"ACL {done['acl']} {text}.")

    @group.command(
        "removeacl", help=told("Take rights away", "from the bucket it leads to")
    )
    @client.reaches_service
    @place_argument
    @_acls
    def remove(place: Place, acls: list[str]) -> None:
        for done in client.call("remove_acl", acls=acls, **_names(place)):
            text = "removed successfully" if done["changed"] else "doesn't exist"
            click.echo(f"ACL {done['acl']} {text}.")

    @group.command(
        "setacl", help=told("Replace all entries", "those of the bucket it leads to")
    )
    @client.reaches_service
    @place_argument
    @_acls
    def replace(place: Place, acls: list[str]) -> None:
        client.call("set_acl", acls=acls, **_names(place))
        click.echo("ACLs set successfully.")

    _add_getacl(group, place_argument, has_links)


def _add_getacl(
    group: click.Group, place_argument: Callable[[Any], Any], has_links: bool
) -> None:
    def get(place: Place, source: bool = False) -> None:
        """Show all entries."""
        show(client.call("get_acl", source=source, **_names(place)))

    command = client.reaches_service(place_argument(get))
    if has_links:
        of_source = click.option(
            "--source", is_flag=True, help="Of the bucket that a link leads to."
        )
        command = of_source(command)
    group.command("getacl")(command)


def _names(place: Place) -> dict[str, str | None]:
    names = {"volume": place.volume, "bucket": place.bucket or None}
    return {**names, "key": place.key} if place.key else names
