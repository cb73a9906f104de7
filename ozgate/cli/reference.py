"""``ozgate config …``: the reference of all keys, made from their declarations."""

from __future__ import annotations

import click

from ..config.reference import markdown, site_file


@click.group()
def config() -> None:
    """Configuration keys."""


@config.command("reference")
@click.option("--xml", is_flag=True, help="As an ozone-site.xml instead of a table.")
def reference(xml: bool) -> None:
    """Print every key with its default and what it does."""
    click.echo(site_file() if xml else markdown(), nl=False)
