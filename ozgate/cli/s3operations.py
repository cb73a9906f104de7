"""``ozgate s3 operations``: which operations of S3 there are."""

from __future__ import annotations

import json

import click
from attrs import asdict


@click.command("operations")
@click.option("--built", is_flag=True, help="Only those that are built.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option(
    "--markdown", "as_markdown", is_flag=True, help="As docs/compatibility.md."
)
def operations(built: bool, as_json: bool, as_markdown: bool) -> None:
    """Print which of S3's operations are built."""
    # The whole of S3 is loaded only for who asks.
    from ..s3 import compatibility

    if as_markdown:
        click.echo(compatibility.markdown(), nl=False)
        return
    found = compatibility.lines()
    if built:
        found = [line for line in found if line.state == compatibility.BUILT]
    if as_json:
        click.echo(json.dumps([asdict(line) for line in found], indent=2))
        return
    rows = [("OPERATION", "REQUEST", "STATE", "ACTION")]
    rows += [(line.name, line.request, line.state, line.action) for line in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row[:3], widths, strict=True)]
        click.echo("  ".join([*cells, row[3]]).rstrip())
