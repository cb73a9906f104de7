"""``ozgate admin doctor``: whether what an installation stands on is as it should be."""

from __future__ import annotations

import json
import sys

import click

from ...values import Verdict
from .. import client
from ..progress import Progress

_BAD = frozenset((Verdict.RISK, Verdict.WRONG))

_WAIT = 10.0
"""Seconds between two lines that tell that it goes on."""


@click.command()
@client.reaches_service
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print each finding as a line of JSON, and a last line with what was counted.",
)
def doctor(as_json: bool) -> None:
    """Look at what an installation stands on.

    At the service, the database, each store of bytes: whether what is answered is durable there, how much room there is, what is about to fail, and what to do. What is stored is not looked at: that is what 'ozgate admin fsck' and 'ozgate admin scrub' are for. Exit status 1 says that something is wrong, or a risk.
    """
    progress = Progress()
    progress.show("looking")
    try:
        while (found := client.call("diagnose", wait=_WAIT)) is None:
            progress.show("looking: something takes long to answer")
    except KeyboardInterrupt:
        progress.clear()
        click.echo("stopped before everything was looked at", err=True)
        sys.exit(client.INTERRUPTED)
    progress.clear()
    of = ""
    for finding in found["findings"]:
        if as_json:
            click.echo(json.dumps(finding, ensure_ascii=False))
            continue
        if finding["of"] != of:
            of = finding["of"]
            click.echo(of)
        click.echo(_line(finding))
    counts = found["counts"]
    if as_json:
        click.echo(json.dumps({"summary": counts}))
    else:
        click.echo(", ".join(f"{count} {what}" for what, count in counts.items()))
    if any(counts[each] for each in _BAD):
        sys.exit(1)


def _line(finding: dict[str, str]) -> str:
    """A finding as people read it: its verdict, what was found, and below it what to do."""
    verdict = finding["verdict"]
    marked = verdict.upper() if verdict in _BAD else verdict
    remedy = finding["remedy"] and f"\n        → {finding['remedy']}"
    return f"  {marked:<6}{finding['what']}{remedy}"
