"""``ozgate admin fsck``: everything stored is held against everything else."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from . import client
from .progress import Progress


@click.command()
@client.reaches_service
@click.option("--repair", is_flag=True, help="Put right what can be without loss.")
@click.option(
    "--remove-damaged",
    is_flag=True,
    help="Also remove what is damaged for good: versions whose bytes are gone, rows that are not what was written.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print each finding as a line of JSON."
)
def fsck(repair: bool, remove_damaged: bool, as_json: bool) -> None:
    """Hold rows, blobs and counters against each other; say what is wrong, and what --repair would do.

    Blobs are not read but for their ends: that is what 'ozgate admin scrub' is for. Exit status 1 says that something was found.
    """
    progress, found, repaired = Progress(), 0, 0
    place: str | None = ""
    page: dict[str, Any] = {}
    while place is not None:
        page = client.call(
            "check_store", place=place, repair=repair, remove_damaged=remove_damaged
        )
        progress.clear()
        for finding in page["findings"]:
            found += 1
            repaired += bool(finding["done"])
            click.echo(
                json.dumps(finding, ensure_ascii=False) if as_json else _line(finding)
            )
        progress.show(f"{page['step']}: {_counted(page['counts'])}")
        place = page["place"]
    progress.clear()
    if not as_json:
        outcome = (
            "all is well" if not found else f"{found} findings, {repaired} repaired"
        )
        click.echo(f"{_counted(page['counts'])}: {outcome}")
    if found:
        sys.exit(1)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _line(finding: dict[str, str]) -> str:
    what = finding["done"] and f"done: {finding['done']}"
    what = what or (finding["repair"] and f"repair: {finding['repair']}")
    line = f"{finding['kind']} {finding['where']}: {finding['what']}"
    return f"{line} [{what or 'no repair: restore a backup'}]"
