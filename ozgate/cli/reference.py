"""``ozgate config …``: the reference of all keys, made from their declarations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import click

from .. import configvalues
from ..config import knobs

TYPES: dict[Callable[[str], Any], str] = {
    str: "text",
    configvalues.address: "host:port",
    configvalues.authentication: "simple or kerberos",
    configvalues.boolean: "true or false",
    configvalues.durability: "strict or relaxed",
    configvalues.duration: "duration",
    configvalues.interval: "duration",
    configvalues.milliseconds: "duration",
    configvalues.mode: "mode",
    configvalues.names: "comma-separated list",
    configvalues.networks: "comma-separated list",
    configvalues.policy: "HTTP_ONLY, HTTPS_ONLY or HTTP_AND_HTTPS",
    configvalues.positive: "number above 0",
    configvalues.size: "size",
    configvalues.url: "URL",
    configvalues.whole: "number",
}
"""What people are told of each parser."""

_SIZES = ((40, "TB"), (30, "GB"), (20, "MB"), (10, "KB"))
_DURATIONS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def written(value: Any, parse: Callable[[str], Any]) -> str:
    """A value in the form that ``parse`` reads, as people write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    if parse is configvalues.mode:
        return f"{value:o}"
    if parse is configvalues.size and value:
        for bits, unit in _SIZES:
            if value % (1 << bits) == 0:
                return f"{value >> bits}{unit}"
    if isinstance(value, float):
        for seconds, unit in _DURATIONS:
            if value and value % seconds == 0:
                return f"{int(value // seconds)}{unit}"
        return f"{value * 1000:g}ms"
    return str(value)


def markdown() -> str:
    """All keys as a table."""
    rows = ["| key | type | default | what it does |", "| --- | --- | --- | --- |"]
    for each in knobs():
        parse = each.metadata["parse"]
        default = written(each.default, parse)
        rows.append(
            f"| `{each.metadata['key']}` | {TYPES[parse]} | {f'`{default}`' if default else ''} | {each.metadata['doc']} |"
        )
    return "\n".join(rows) + "\n"


def site_file() -> str:
    """A commented ``ozone-site.xml`` with every key at its default."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<!--",
        "  Every key of ozgate with its default: keep those that you change, drop the rest.",
        "  Name the file to ozgate by its option 'config'. Sizes: 65536, 64KB, 5GB (binary units).",
        "  Durations: 500ms, 30s, 5m, 24h, 7d. 'ozgate config reference' makes this file anew.",
        "-->",
        "<configuration>",
    ]
    for each in knobs():
        parse = each.metadata["parse"]
        value = escape(written(each.default, parse))
        lines += [
            "  <property>",
            f"    <name>{each.metadata['key']}</name>",
            f"    <value>{value}</value>",
            f"    <description>{escape(each.metadata['doc'])} ({TYPES[parse]})</description>",
            "  </property>",
        ]
    return "\n".join([*lines, "</configuration>"]) + "\n"


@click.group()
def config() -> None:
    """Configuration keys."""


@config.command("reference")
@click.option("--xml", is_flag=True, help="As an ozone-site.xml instead of a table.")
def reference(xml: bool) -> None:
    """Print every key with its default and what it does."""
    click.echo(site_file() if xml else markdown(), nl=False)
