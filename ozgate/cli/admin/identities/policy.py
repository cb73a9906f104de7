"""``ozgate admin policy``."""

from __future__ import annotations

import click

from ... import client
from ...shell import show
from ...tables import as_json, names, print_members, print_rows, time
from .documents import document_argument, pretty


@click.group()
def policy() -> None:
    """Make policies, to be attached to users and groups."""


@policy.command()
@client.reaches_service
@click.argument("name", metavar="POLICY")
@document_argument
@click.option("--description", default="", help="What it is for.")
@as_json
def create(name: str, document: str, description: str, as_json: bool) -> None:
    """Make a policy of a file in JSON; - is standard input."""
    made = client.call(
        "create_policy", policy=name, document=document, description=description
    )
    if as_json:
        show(made)
    else:
        click.echo(f"policy {name} is made")


@policy.command()
@client.reaches_service
@click.argument("name", metavar="POLICY")
@document_argument
def update(name: str, document: str) -> None:
    """Write a policy anew: it counts wherever it is attached."""
    client.call("update_policy", policy=name, document=document)


@policy.command("list")
@client.reaches_service
@as_json
def list_(as_json: bool) -> None:
    """Print all policies, those too that are always there."""
    columns = {
        "POLICY": lambda row: row["name"],
        "VERSION": lambda row: "canned" if row["canned"] else str(row["version"]),
        "UPDATED": lambda row: time(row["updated"]),
        "DESCRIPTION": lambda row: row["description"],
    }
    print_rows(client.call("list_policies"), columns, as_json)


@policy.command()
@client.reaches_service
@click.argument("name", metavar="POLICY")
@as_json
def info(name: str, as_json: bool) -> None:
    """Print a policy, and whom it is attached to."""
    found = client.call("info_policy", policy=name)
    if as_json:
        show(found)
        return
    print_members(
        {
            "policy": found["name"],
            "id": found["id"],
            "description": found["description"],
            "version": "canned" if found["canned"] else str(found["version"]),
            "created": time(found["created"]),
            "updated": time(found["updated"]),
            "users": names(found["users"]),
            "groups": names(found["groups"]),
            "document": pretty(found["document"]),
        }
    )


@policy.command()
@client.reaches_service
@click.argument("name", metavar="POLICY")
def remove(name: str) -> None:
    """Remove a policy that is attached to nobody."""
    client.call("remove_policy", policy=name)
    click.echo(f"policy {name} is removed")
