"""``ozgate admin move-blobs``: a blob store is emptied into the one that new bytes go to."""

from __future__ import annotations

import sys
from typing import Any

import click

from .. import client
from ..progress import Progress, stage
from ..shell import show

WAIT = 1.0
"""Seconds between two looks at how far it is."""


@click.command("move-blobs")
@client.reaches_service
@click.argument("store", metavar="[NAME]", required=False)
@click.option(
    "--status", "how", flag_value="drain_status", help="Say how far the last one is."
)
@click.option("--stop", "how", flag_value="stop_drain", help="Stop the one that runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def move_blobs(store: str | None, how: str | None, as_json: bool) -> None:
    """Move all bytes of a blob store to another.

    The store is the one called NAME in ozgate.blobs.more; the other is that of ozgate.blobs. Clients notice nothing.
    The service does the work: it goes on when this command is interrupted, and where it was when the service starts anew, or when
    this command is given again. Exit status 1 says that something had to stay.
    """
    if (store is None) == (how is None):
        raise click.UsageError("say the NAME of a store, or --status or --stop")
    if how is not None:
        status = client.call(how)
    else:
        status = _follow(client.call("start_drain", store=store))
    if as_json:
        show(status)
    else:
        _tell(status)
    if status is not None and status["left"]:
        sys.exit(1)


def _follow(status: dict[str, Any]) -> dict[str, Any]:
    """Show how far it is until it is over."""
    progress = Progress()
    if status["goesOn"]:
        click.echo("going on with what a drain before has left", err=True)
    try:
        while status["running"]:
            progress.show(stage("moved", status["done"], status["total"]))
            status = client.call("drain_status", wait=WAIT)
    except KeyboardInterrupt:
        progress.clear()
        if client.worked_alone():
            click.echo(
                "interrupted: it goes on when the service starts, or with the next drain",
                err=True,
            )
        else:
            click.echo(
                "the drain goes on: see ozgate admin move-blobs --status, --stop",
                err=True,
            )
        sys.exit(client.INTERRUPTED)
    finally:
        progress.clear()
    return status


def _tell(status: dict[str, Any] | None) -> None:
    if status is None:
        click.echo("no drain is under way, and none was since the service started")
        return
    name, far = status["store"], stage("moved", status["done"], status["total"])
    if status["running"]:
        click.echo(f"the drain of {name} runs: {far}")
        return
    click.echo(f"{name}: {status['moved']} blobs moved, {status['left']} had to stay")
    for blob, reason in status["reasons"].items():
        click.echo(f"    {blob}: {reason}")
    if status["left"]:
        click.echo("'ozgate admin fsck' says which keys need them")
    elif not status["empty"]:
        click.echo(f"the drain of {name} was stopped: {far}")
    elif status["waiting"]:
        click.echo(
            f"nothing in {name} is needed any more; its last {status['waiting']} blobs are removed after ozgate.sweep.delay,"
            f" and then {name} can be taken out of ozgate.blobs.more"
        )
    else:
        click.echo(f"{name} is empty: take it out of ozgate.blobs.more")
