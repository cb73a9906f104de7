"""``ozgate admin group``."""

from __future__ import annotations

import click

from ... import client
from ...shell import show
from ...tables import all_pages, as_json, names, print_members, print_rows, time
from .documents import document_option, documents


@click.group()
def group() -> None:
    """Make groups of users, and say what they may do. They are ozgate's, not those of the operating system."""


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
@as_json
def create(name: str, as_json: bool) -> None:
    """Make a group, in which nobody is yet."""
    made = client.call("create_group", group=name)
    if as_json:
        show(made)
    else:
        click.echo(f"group {name} is made")


@group.command("list")
@client.reaches_service
@as_json
def list_(as_json: bool) -> None:
    """Print all groups."""
    columns = {
        "GROUP": lambda row: row["name"],
        "POLICIES": lambda row: names([*row["policies"], *row["inline"]]),
        "CREATED": lambda row: time(row["created"]),
    }
    print_rows(all_pages("list_groups", "name"), columns, as_json)


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
@as_json
def info(name: str, as_json: bool) -> None:
    """Print what is known of a group, and who is in it."""
    found = client.call("info_group", group=name)
    if as_json:
        show(found)
        return
    members = {
        "group": found["name"],
        "id": found["id"],
        "created": time(found["created"]),
        "users": names(found["users"]),
        "policies": names(found["policies"]),
    }
    print_members({**members, **documents(found["documents"])})


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
@click.argument("users", metavar="USER...", nargs=-1, required=True)
def adduser(name: str, users: tuple[str, ...]) -> None:
    """Put users into a group."""
    for user in users:
        client.call("add_user_to_group", group=name, user=user)


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
@click.argument("users", metavar="USER...", nargs=-1, required=True)
def removeuser(name: str, users: tuple[str, ...]) -> None:
    """Take users out of a group."""
    for user in users:
        client.call("remove_user_from_group", group=name, user=user)


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
@click.argument("policy")
@document_option
def attach(name: str, policy: str, document: str | None) -> None:
    """Attach a policy to a group."""
    client.call("attach_group_policy", group=name, policy=policy, document=document)


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
@click.argument("policy")
@click.option("--inline", is_flag=True, help="One that is this group's alone: it goes.")
def detach(name: str, policy: str, inline: bool) -> None:
    """Detach a policy from a group."""
    client.call("detach_group_policy", group=name, policy=policy, inline=inline)


@group.command()
@client.reaches_service
@click.argument("name", metavar="GROUP")
def remove(name: str) -> None:
    """Remove a group that nobody is in, and that has no policies."""
    client.call("remove_group", group=name)
    click.echo(f"group {name} is removed")
