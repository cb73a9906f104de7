"""``ozgate sh``: volumes, buckets, links and keys, by Ozone's commands."""

from __future__ import annotations

import shlex
import sys

import click

from .. import client
from ..shell import be_verbose
from .bucket import bucket
from .key import key
from .volume import volume


@click.group(invoke_without_command=True)
@client.reaches_service
@click.option(
    "--execute",
    multiple=True,
    metavar="COMMAND",
    help="Run a command, such as 'volume info /vol1'. Repeatable; the first that fails ends it.",
)
@click.option("--interactive", is_flag=True, help="Read commands, a line each.")
@click.option("--verbose", is_flag=True, help="Show what was made.")
@click.pass_context
def sh(
    context: click.Context, execute: tuple[str, ...], interactive: bool, verbose: bool
) -> None:
    """Work with volumes, buckets, links and keys. Addresses are /volume/bucket/key, o3://host/volume/bucket/key too."""
    if verbose:
        be_verbose()
    if context.invoked_subcommand is not None:
        return
    for line in execute:
        _run(context, line)
    if interactive:
        _converse(context)
    elif not execute:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def _run(context: click.Context, line: str) -> None:
    """Run one command as if it stood behind ``ozgate sh``."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise click.UsageError(f"{line.strip()!r}: {error}") from None
    with sh.make_context("sh", words, parent=context.parent) as nested:
        sh.invoke(nested)


def _converse(context: click.Context) -> None:
    """Run lines until there are no more, or ``exit``."""
    shown = "ozgate sh> " if sys.stdin.isatty() else ""
    while True:
        click.echo(shown, nl=False)
        line = sys.stdin.readline()
        if not line or line.strip() in ("exit", "quit"):
            return
        if not line.strip():
            continue
        try:
            _run(context, line)
        except click.ClickException as error:
            error.show()
        except (SystemExit, click.exceptions.Exit):
            # It has said why.
            continue


for group in (volume, bucket, key):
    sh.add_command(group)
