"""The reference of all keys, made from their declarations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from . import parsers
from .settings import knobs

TYPES: dict[Callable[[str], Any], str] = {
    str: "text",
    parsers.address: "host:port",
    parsers.authentication: "simple or kerberos",
    parsers.boolean: "true or false",
    parsers.durability: "strict or relaxed",
    parsers.duration: "duration",
    parsers.half_a_minute: "duration, 30s at most",
    parsers.interval: "duration",
    parsers.issuers: "comma-separated list of URL, or NAME=URL",
    parsers.milliseconds: "duration",
    parsers.mode: "mode",
    parsers.names: "comma-separated list",
    parsers.networks: "comma-separated list",
    parsers.ownership: "BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter",
    parsers.policy: "HTTP_ONLY, HTTPS_ONLY or HTTP_AND_HTTPS",
    parsers.positive: "number above 0",
    parsers.region_name: "text",
    parsers.size: "size",
    parsers.store: "URL, or NAME=URL",
    parsers.stores: "comma-separated list of URL, or NAME=URL",
    parsers.url: "URL",
    parsers.whole: "number",
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
    if parse is parsers.mode:
        return f"{value:o}"
    if parse is parsers.size and value:
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
