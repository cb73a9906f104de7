"""The tables, in Markdown, which is read as it is, too."""

from __future__ import annotations

import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.suite.limits import Limit, behind, limits
from benchmarks.suite.sample import Found, Row, Sample, median, ratios
from benchmarks.suite.scale import Scale, size_name
from benchmarks.suite.server import Server
from ozgate import __version__

BUSY = 0.9
"""Of a core: from there on the generator is taken to be what is measured."""

_FIGURES: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
    ("Reached", "result", lambda row: row.unit.result),
    ("Server CPU", "cost", lambda row: row.unit.cost),
    ("p50", "p50", lambda row: "ms"),
    ("p99", "p99", lambda row: "ms"),
    ("Peak memory", "memory", lambda row: "MiB"),
)


def number(value: float) -> str:
    """A figure with three digits that mean something; nothing where there is none."""
    if math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table whose columns are as wide as what is in them."""
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    return "\n".join(
        [line(head), line(["-" * width for width in widths]), *map(line, lines)]
    )


def machine(load: float) -> str:
    """Where this was measured.

    :param load: the load average before it began.
    """
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(": ")[2] for line in cpus if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    found = (
        f"{time.strftime('%Y-%m-%d %H:%M')}, {cores} cores ({models[0] if models else platform.machine()}), "
        f"Linux {platform.release()}, Python {platform.python_version()}, ozgate {__version__} of this checkout."
    )
    if load > cores / 10:
        found += f"\n\n**The machine was busy when this began** (load average {load:.2f}): the figures are noise, the ratios little better."
    return found


def _cell(
    row: Row, figure: str, samples: Sequence[Sample], first: Sequence[Sample]
) -> str:
    """A figure, its ratio to the first server's (above 1 is better), and marks."""
    text = number(median(samples, figure))
    if not text:
        return ""
    if figure == "result":
        text += "!" if any(each.failed for each in samples) else ""
        text += "~" if median(samples, "client") >= BUSY else ""
    if samples is not first and (found := ratios(samples, first, figure)):
        value = statistics.median(found)
        if value > 0 and (figure != "result" or row.unit.lower):
            value = 1 / value
        text += f" ({number(value)})"
    return text


def _share(several: Sequence[Sequence[Sample]]) -> str:
    """The most that a row's generator took."""
    shares = [median(samples, "client") for samples in several]
    known = [share for share in shares if not math.isnan(share)]
    return f"{max(known):.0%}" if known else ""


def _tables(found: Found, rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """A table for each figure, of the servers that have any.

    :param names: the servers', the one that the others are compared to first.
    """
    rows = [row for row in rows if _measured(found, row, names)]
    for title, figure, unit in _FIGURES:
        lines = []
        for row in rows:
            samples = [found.table.get((row.name, name), []) for name in names]
            cells = [_cell(row, figure, each, samples[0]) for each in samples]
            if not any(cells):
                continue
            if figure == "result":
                cells.append(_share(samples))
            lines.append([row.name, unit(row), *cells])
        if lines:
            more = ["generator"] if figure == "result" else []
            yield f"### {title}\n\n{table(['work', 'unit', *names, *more], lines)}\n"


def _sections(found: Found, servers: Sequence[Server]) -> Iterator[str]:
    """The tables: of the servers that were asked for, of what they are held against, of each group that has servers of its own."""
    names = [server.name for server in servers]
    shared = [
        row
        for group, rows in found.rows.items()
        for row in rows
        if row.on == "s3" and _measured(found, row, names)
    ]
    if shared:
        yield "## Side by side\n"
        yield from _tables(found, shared, names)
    for group, others in found.started.items():
        rows = found.own.get(group) or found.rows[group]
        rows = [row for row in rows if _measured(found, row, others)]
        if len(others) > 1 and group in found.own:
            yield f"## `{group}`, on servers of its own\n"
            yield from _tables(found, rows, others)
        elif rows:
            yield f"## `{group}`: what was started for it\n"
            yield _together(found, rows, others)


def _measured(found: Found, row: Row, names: Sequence[str]) -> bool:
    return any((row.name, name) in found.table for name in names)


def _together(found: Found, rows: Sequence[Row], names: Sequence[str]) -> str:
    """All figures of rows that are one server's each."""
    lines = []
    for row in rows:
        for name in names:
            if samples := found.table.get((row.name, name)):
                cells = [
                    f"{shown} {unit(row)}".strip()
                    if (shown := number(median(samples, figure)))
                    else ""
                    for _, figure, unit in _FIGURES
                ]
                lines.append([row.name, *cells])
    return table(["work", *(title for title, _, _ in _FIGURES)], lines) + "\n"


def limit_lines(
    found: Found, servers: Sequence[Server], scale: Scale
) -> list[list[str]]:
    """What is to be reached: what, how much, the limit, and whether it is."""
    lines = []
    for limit in limits(scale, servers[0].name):
        value = limit.value(found.table)
        shown = f"{number(value)}{limit.unit}" if not math.isnan(value) else ""
        lines.append([limit.name, shown, _bound(limit), limit.verdict(found.table)])
    for peer in servers[1:]:
        rows = behind(found, servers[0], peer)
        what = "ahead of" if peer.durable else "at least level with"
        shown = f"behind in {len(rows)}" if rows else "in all"
        verdict = "missed" if rows else "ok"
        lines.append([f"{what} {peer.name}", shown, "in every row", verdict])
    return lines


def _behind(found: Found, servers: Sequence[Server]) -> Iterator[str]:
    """The rows in which peers are ahead."""
    for peer in servers[1:]:
        if rows := behind(found, servers[0], peer):
            yield f"Ahead of {servers[0].name}, so many times: {peer.name} in {'; '.join(rows)}."


def _bound(limit: Limit) -> str:
    return (
        f"at {'most' if limit.at_most else 'least'} {number(limit.bound)}{limit.unit}"
    )


def report(
    found: Found,
    servers: Sequence[Server],
    scale: Scale,
    load: float,
    *,
    whole: bool = True,
) -> str:
    """All of it.

    :param load: the load average before it began.
    :param whole: whether limits are named whose rows were not run.
    """
    said = [
        f"- **{server.name}**: {server.durability or 'its durability was not said'}"
        for server in servers
    ]
    method = (
        f"Medians of {scale.rounds} interleaved rounds; {scale.seconds} s for each figure that has no end of its own; "
        f"the largest object has {size_name(scale.large)}. In brackets the ratio to {servers[0].name}, above 1 is better than it. "
        "Server CPU and memory are those of all its processes, each page counted for each. "
        "`generator` is the CPU that the load took, of one core; `~`: it may be what was measured; `!`: some requests failed."
    )
    lines = limit_lines(found, servers, scale)
    if not whole:
        lines = [line for line in lines if line[3] != "not run"]
    parts = [machine(load), "\n".join(said), method, *_sections(found, servers)]
    if lines:
        parts.append("## Limits\n")
        parts.append(table(["what", "found", "limit", "verdict"], lines))
        parts += _behind(found, servers)
    if found.notes:
        noted = "\n".join(
            f"- {why}: {'; '.join(what)}" for why, what in found.notes.items()
        )
        parts.append(f"## Not measured\n\n{noted}\n")
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
