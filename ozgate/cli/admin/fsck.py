"""``ozgate admin fsck``: everything stored is held against everything else."""

from __future__ import annotations

import json
import sys

import click

from .. import client
from ..progress import Progress


@click.command()
@client.reaches_service
@click.option("--repair", is_flag=True, help="Put right what can be without loss.")
@click.option(
    "--remove-damaged",
    is_flag=True,
    help="Also remove what is damaged for good: versions whose bytes are gone, rows that are not what was written.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print each finding as a line of JSON, and a last line with what was counted.",
)
def fsck(repair: bool, remove_damaged: bool, as_json: bool) -> None:
    """Hold rows, blobs and counters against each other.

    It says what is wrong, and what --repair would do. Blobs are not read but for their ends: that is what 'ozgate admin scrub' is for. Exit status 1 says that something was found.
    """
    progress = Progress()
    progress.show("structure")
    place: str | None = ""
    found = repaired = 0
    counts: dict[str, int] = {}
    try:
        while place is not None:
            page = client.call(
                "check_store", place=place, repair=repair, remove_damaged=remove_damaged
            )
            place, counts = page["place"], page["counts"]
            progress.clear()
            for finding in page["findings"]:
                found += 1
                repaired += bool(finding["done"])
                click.echo(_line(finding, as_json))
            progress.show(f"{page['step']}: {_counted(counts)}")
    except KeyboardInterrupt:
        progress.clear()
        if place:
            client.call("end_check", place=place)
        click.echo("stopped before everything was looked at", err=True)
        sys.exit(client.INTERRUPTED)
    progress.clear()
    if as_json:
        click.echo(
            json.dumps({"summary": counts, "findings": found, "repaired": repaired})
        )
    else:
        findings = "1 finding" if found == 1 else f"{found} findings"
        outcome = f"{findings}, {repaired} repaired" if found else "all is well"
        click.echo(f"{_counted(counts)}: {outcome}")
    if found:
        sys.exit(1)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _line(finding: dict[str, str], as_json: bool) -> str:
    if as_json:
        return json.dumps(finding, ensure_ascii=False)
    what = finding["done"] and f"done: {finding['done']}"
    what = what or (finding["repair"] and f"repair: {finding['repair']}")
    line = f"{finding['kind']} {finding['where']}: {finding['what']}"
    return f"{line} [{what or 'no repair: restore a backup'}]"
