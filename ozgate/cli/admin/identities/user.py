"""``ozgate admin user``."""

from __future__ import annotations

import sys
from typing import Any

import click

from ... import client
from ...shell import show
from ...tables import all_pages, as_json, names, print_members, print_rows, time
from .documents import document_option, documents


@click.group()
def user() -> None:
    """Make users, and say what they may do."""


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
@click.option(
    "--policy", "policies", multiple=True, help="Attach this policy. Repeatable."
)
@click.option("--group", "groups", multiple=True, help="Into this group. Repeatable.")
@as_json
def create(
    name: str, policies: tuple[str, ...], groups: tuple[str, ...], as_json: bool
) -> None:
    """Make a user. Whoever has a secret already is one."""
    made = client.call(
        "create_user", user=name, policies=list(policies), groups=list(groups)
    )
    if as_json:
        show(made)
    else:
        click.echo(f"user {name} is made; a key: ozgate admin key create {name}")


@user.command("list")
@client.reaches_service
@as_json
def list_(as_json: bool) -> None:
    """Print all users."""
    columns = {
        "USER": lambda row: row["name"],
        "STATE": state,
        "KEYS": lambda row: str(row["keys"]),
        "GROUPS": lambda row: names(row["groups"]),
        "POLICIES": lambda row: names([*row["policies"], *row["inline"]]),
        "CREATED": lambda row: time(row["created"]),
    }
    print_rows(all_pages("list_users", "name"), columns, as_json)


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
@as_json
def info(name: str, as_json: bool) -> None:
    """Print what is known of a user."""
    found = client.call("info_user", user=name)
    if as_json:
        show(found)
        return
    members = {
        "user": found["name"],
        "id": found["id"],
        "state": state(found),
        "created": time(found["created"]),
        "keys": str(found["keys"]),
        "groups": names(found["groups"]),
        "policies": names(found["policies"]),
    }
    print_members({**members, **documents(found["documents"])})


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
@click.argument("policy")
@document_option
def attach(name: str, policy: str, document: str | None) -> None:
    """Attach a policy to a user."""
    client.call("attach_user_policy", user=name, policy=policy, document=document)


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
@click.argument("policy")
@click.option("--inline", is_flag=True, help="One that is this user's alone: it goes.")
def detach(name: str, policy: str, inline: bool) -> None:
    """Detach a policy from a user."""
    client.call("detach_user_policy", user=name, policy=policy, inline=inline)


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
def disable(name: str) -> None:
    """Refuse all keys of a user, from the next request on."""
    client.call("disable_user", user=name)


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
def enable(name: str) -> None:
    """Take a user's keys again, but those that are disabled themselves."""
    client.call("enable_user", user=name)


@user.command()
@client.reaches_service
@click.argument("name", metavar="USER")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Remove a user with all keys. What the user owns stays, and is the next one's of that name."""
    if not yes:
        keys = client.call("info_user", user=name)["keys"]
        said = f"Enter 'y' to remove the user '{name}' and {keys} keys: "
        cancel_unless_confirmed(said)
    done = client.call("remove_user", user=name)
    click.echo(f"user {name} is removed, and {done['keys']} keys")


def cancel_unless_confirmed(question: str) -> None:
    """End the process, unless the person at the terminal types ``y``."""
    click.echo(question, nl=False, err=True)
    if sys.stdin.readline().strip().lower() != "y":
        click.echo("Operation cancelled.", err=True)
        sys.exit(client.CANCELLED)


def state(row: dict[str, Any]) -> str:
    """Whether a user or key is taken."""
    if row["disabled"]:
        return "disabled"
    return "expired" if row.get("expired") else "enabled"
