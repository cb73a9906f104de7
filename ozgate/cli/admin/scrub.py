"""``ozgate admin scrub``: everything stored is read and checked."""

from __future__ import annotations

import sys
from typing import Any

import click

from ...config.parsers import size as parse_size
from .. import client
from ..progress import Progress, seconds, share, size
from ..shell import show

WAIT = 1.0
"""Seconds between two looks at how far it is."""

_NEXT_STEP = (
    "what to do: store these keys again, or delete them; "
    "where it is metadata, run 'ozgate admin fsck --remove-damaged' first"
)


def size_option(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """A size such as ``100MB``."""
    try:
        return None if value is None else parse_size(value.removesuffix("/s"))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@client.reaches_service
@click.option(
    "--rate",
    metavar="SIZE",
    callback=size_option,
    help="Read so many bytes a second at most, such as 100MB; 0 for as many as it can. By default ozgate.scrub.rate.",
)
@click.option(
    "--follow", "how", flag_value="follow", help="Look on at the one that runs."
)
@click.option(
    "--status",
    "how",
    flag_value="status",
    help="Say how far it is and what is damaged.",
)
@click.option("--stop", "how", flag_value="stop", help="Stop the one that runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def scrub(rate: int | None, how: str | None, as_json: bool) -> None:
    """Read everything stored, and check it against its checksums.

    Goes on where the last one was, if that did not come to its end. The service does the work: it goes on when this command is
    interrupted. Exit status 1 says that something is damaged.
    """
    if how in ("status", "stop"):
        if rate is not None:
            raise click.UsageError("--rate is for a scrub that begins")
        status = client.call("scrub_status" if how == "status" else "stop_scrub")
    else:
        status = _follow(client.call("start_scrub", rate=rate) if how is None else None)
    if as_json:
        show(status)
    else:
        _tell(status)
    if status["damaged"]:
        sys.exit(1)


def _follow(status: dict[str, Any] | None) -> dict[str, Any]:
    """Show how far it is until it does not run any more."""
    progress = Progress()
    try:
        status = status or client.call("scrub_status")
        while status["running"]:
            progress.show(_line(status))
            status = client.call("scrub_status", wait=WAIT)
    except KeyboardInterrupt:
        progress.clear()
        if client.worked_alone():
            click.echo("stopped; the next scrub goes on here", err=True)
        else:
            click.echo(
                "the scrub goes on: see ozgate admin scrub --status, --stop", err=True
            )
        sys.exit(client.INTERRUPTED)
    progress.clear()
    return status


def _line(status: dict[str, Any]) -> str:
    if not status["began"]:
        return "looking how much there is to read"
    done, total = status["done"], status["total"]
    parts = [f"{size(done)} of {size(total)} ({share(done, total)})"]
    if done >= total:
        parts.append(f"{status['rows']} rows")
    if status["running"]:
        parts.append(f"{size(status['rate'])}/s")
    parts.append(f"{status['found']} damaged")
    if status["left"] is not None:
        parts.append(f"{seconds(status['left'])} left")
    return ", ".join(parts)


def _tell(status: dict[str, Any]) -> None:
    """Print the outcome."""
    if not status["began"]:
        click.echo(_line(status) if status["running"] else "nothing was scrubbed yet")
    elif status["ended"]:
        click.echo(
            f"scrubbed {size(status['done'])} and {status['rows']} rows, from {status['began']} to {status['ended']}"
        )
    else:
        state = "runs" if status["running"] else "does not run"
        if status["stopped"]:
            state = "was stopped"
        click.echo(f"the scrub of {status['began']} {state}: {_line(status)}")
    damaged = status["damaged"]
    click.echo(f"damaged: {len(damaged)}" if damaged else "nothing is damaged")
    for each in damaged:
        click.echo(
            f"{each['kind']} {each['name']}: {each['what']} (found {each['found']})"
        )
        for user in each["users"]:
            click.echo(f"    {user}")
    if damaged:
        click.echo(_NEXT_STEP)
