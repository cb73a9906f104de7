"""Tables for people, and JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from . import client
from .shell import PAGE, show

_F = TypeVar("_F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""For commands that print something for people otherwise."""


def all_pages(name: str, key: str, **arguments: object) -> list[dict[str, Any]]:
    """Everything that a listing command gives, page after page.

    :param key: the member that the next page begins after.
    """
    found: list[dict[str, Any]] = []
    while True:
        start = found[-1][key] if found else ""
        page = client.call(name, start=start, limit=PAGE, **arguments)
        found += page
        if len(page) < PAGE:
            return found


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Callable[[Any], str]],
    json: bool,
) -> None:
    """Print rows.

    :param columns: what is printed, by heading: how it is made of a row.
    :param json: print them as they are, instead.
    """
    if json:
        show(list(rows))
        return
    lines = [list(columns), *([make(row) for make in columns.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def print_members(members: Mapping[str, str]) -> None:
    """Print what is known of one thing, a line each; not what is empty."""
    shown = {name: value for name, value in members.items() if value}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        first, *more = value.splitlines()
        click.echo(f"{name.ljust(width)}  {first}")
        for line in more:
            click.echo(f"{' ' * width}  {line}")


def time(milliseconds: int | None) -> str:
    """A time, to the second; ``-`` for none."""
    if milliseconds is None:
        return "-"
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def names(values: Iterable[str]) -> str:
    """Names, with commas between; ``-`` for none."""
    return ", ".join(values) or "-"
