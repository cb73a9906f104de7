"""What the commands of ``ozgate sh`` have in common: addresses, quotas, lists, and output as Ozone's commands print it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import click

from ..immutable import frozen
from . import client

_F = TypeVar("_F", bound=Callable[..., Any])

PAGE = 1000
"""Entries that are asked for at a time."""

_VERBOSE = "ozgate.cli.shell.verbose"
_SCHEME = re.compile(r"o3://[^/]*/?")
_QUOTA = re.compile(r"(-?[0-9]+) *(|[KMGTPE])B?", re.IGNORECASE)
_COUNT = re.compile(r"-?[0-9]+")
_LARGEST = (1 << 63) - 1


@frozen
class Place:
    """What an address names: ``/volume``, ``/volume/bucket`` or ``/volume/bucket/key``, each part ``""`` where it ends before."""

    volume: str = ""
    bucket: str = ""
    key: str = ""


def parse_place(text: str) -> Place:
    """Read ``/vol/bucket/key``, ``vol/bucket/key`` or ``o3://host:port/vol/bucket/key``.

    The host is passed over: options and environment say where the service is. A key is taken as it is, slashes included.
    """
    try:
        text = os.fsencode(text).decode("utf-8")
    except UnicodeDecodeError:
        refuse(f"{os.fsencode(text)!r} is not in UTF-8")
    prefix = _SCHEME.match(text)
    path = text[prefix.end() :] if prefix else text.removeprefix("/")
    volume, _, rest = path.partition("/")
    bucket, _, key = rest.partition("/")
    return Place(volume, bucket, key)


def volume_argument(command: _F) -> _F:
    """The address of a volume."""
    return _place_argument("/VOLUME", 1)(command)


def bucket_argument(command: _F) -> _F:
    """The address of a bucket."""
    return _place_argument("/VOLUME/BUCKET", 2)(command)


def key_argument(command: _F) -> _F:
    """The address of a key."""
    return _place_argument("/VOLUME/BUCKET/KEY", 3)(command)


def checked_place(text: str, depth: int) -> Place:
    """An address of a volume, bucket or key, by its depth.

    :raises click.UsageError: it has another depth; the process ends with 2 then, as with Ozone.
    """
    place = parse_place(text)
    for level, name in enumerate(("volume", "bucket", "key"), 1):
        part = getattr(place, name)
        if level <= depth and not part:
            raise click.UsageError(f"{name.capitalize()} name is missing")
        if level > depth and part:
            above = ("root", "volume", "bucket")[depth]
            raise click.UsageError(
                f"Invalid {above} name. Delimiters (/) not allowed in {above} name"
            )
    return place


def _place_argument(metavar: str, depth: int) -> Callable[[_F], _F]:
    def callback(_: click.Context, __: click.Parameter, value: str) -> Place:
        return checked_place(value, depth)

    return click.argument("place", metavar=metavar, callback=callback)


def parse_quota(text: str) -> int:
    """Bytes, as in ``10GB``: binary multiples, letters of either case.

    :raises SystemExit: it is no such text.
    """
    match = _QUOTA.fullmatch(text.strip())
    number, unit = match.groups() if match else ("0", "")
    value = int(number) << 10 * " KMGTPE".index(unit.upper() or " ")
    if match is None or value > _LARGEST:
        refuse(
            f"{text} is invalid. The quota value should be a positive integer with byte numeration(B, KB, MB, GB and TB)"
        )
    return _above_zero(value, f"Invalid value for space quota: {number}")


def parse_count(text: str) -> int:
    """A number of buckets or keys.

    :raises SystemExit: it is none.
    """
    match = _COUNT.fullmatch(text)
    value = int(text) if match else 0
    if match is None or value > _LARGEST:
        refuse(f"{text} is invalid. The quota value should be a positive integer")
    return _above_zero(value, f"Invalid value for namespace quota: {text}")


def _above_zero(value: int, refusal: str) -> int:
    if value <= 0:
        refuse(refusal)
    return value


def quota_options(command: _F) -> _F:
    """``--space-quota`` and ``--namespace-quota``, as numbers or ``None``."""

    def space(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
        return None if value is None else parse_quota(value)

    def names(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
        return None if value is None else parse_count(value)

    command = click.option(
        "--namespace-quota",
        metavar="COUNT",
        callback=names,
        help="How many buckets a volume, or keys a bucket, may hold.",
    )(command)
    return click.option(
        "--space-quota",
        "--quota",
        metavar="SIZE",
        callback=space,
        help="How many bytes it may hold, such as 10GB.",
    )(command)


def replication_options(command: _F) -> _F:
    """``-t`` and ``-r``, for volumes of an Ozone cluster."""
    command = click.option(
        "-r",
        "--replication",
        help="How many times an Ozone cluster keeps it, such as THREE; without effect elsewhere.",
    )(command)
    return click.option(
        "-t",
        "--type",
        "--replication-type",
        "replication_type",
        help="How an Ozone cluster keeps it, RATIS or EC; without effect elsewhere.",
    )(command)


def clear_options(command: _F) -> _F:
    """The two quotas as flags."""
    command = click.option(
        "--namespace-quota", is_flag=True, help="Remove the quota of names."
    )(command)
    return click.option(
        "--space-quota", is_flag=True, help="Remove the quota of bytes."
    )(command)


def cleared(space_quota: bool, namespace_quota: bool) -> dict[str, int]:
    """The arguments that remove quotas."""
    if not space_quota and not namespace_quota:
        refuse("At least one of the quota clear flag is required.")
    named = {"space_quota": space_quota, "namespace_quota": namespace_quota}
    return {name: -1 for name, clear in named.items() if clear}


def require_a_quota(space_quota: int | None, namespace_quota: int | None) -> None:
    """Refuse to set nothing."""
    if space_quota is None and namespace_quota is None:
        refuse("At least one of the quota set flag is required.")


def list_options(command: _F) -> _F:
    """``-p``, ``-s``, ``-l`` and ``-a``."""
    for option in (
        click.option("-a", "--all", "every", is_flag=True, help="All of them."),
        click.option(
            "-l",
            "--length",
            type=int,
            default=100,
            show_default=True,
            help="How many at most.",
        ),
        click.option(
            "-s",
            "--start",
            default="",
            help="Begin after this name, which is left out.",
        ),
        click.option("-p", "--prefix", default="", help="Those that begin so."),
    ):
        command = option(command)
    return command


def show_list(
    name: str, length: int, every: bool, start: str, **arguments: object
) -> str | None:
    """Print what a listing command gives, page after page, as one array.

    :param length: how many at most, unless ``every``.
    :return: the name of the last one, where no more were asked for.
    """
    if length < 1 and not every:
        refuse("List length should be a positive number")
    shown = _paged(name, None if every else length, start, arguments)
    first = next(shown, None)
    if first is None:
        click.echo("[ ]")
        return None
    click.echo("[ " + pretty(first), nl=False)
    count, last = 1, first
    for each in shown:
        click.echo(", " + pretty(each), nl=False)
        count, last = count + 1, each
    click.echo(" ]")
    return str(last["name"]) if count == length and not every else None


def _paged(
    name: str, left: int | None, start: str, arguments: dict[str, object]
) -> Iterator[dict[str, object]]:
    while left is None or left > 0:
        limit = PAGE if left is None else min(left, PAGE)
        page = client.call(name, start=start, limit=limit, **arguments)
        yield from page
        if len(page) < limit:
            return
        start = page[-1]["name"]
        if left is not None:
            left -= len(page)


def show(value: object) -> None:
    """Print JSON."""
    click.echo(pretty(value))


def pretty(value: object, indent: str = "") -> str:
    """JSON as Jackson lays it out for Ozone: arrays in line, members without a value left out."""
    if isinstance(value, dict):
        deeper = indent + "  "
        members = [
            f"{deeper}{json.dumps(name, ensure_ascii=False)} : {pretty(member, deeper)}"
            for name, member in value.items()
            if member is not None
        ]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}" if members else "{ }"
    if isinstance(value, list):
        items = ", ".join(pretty(item, indent) for item in value)
        return f"[ {items} ]" if items else "[ ]"
    return json.dumps(value, ensure_ascii=False)


def show_made(made: object) -> None:
    """Print what was made, if that was asked for with ``--verbose``; else nothing, as Ozone does."""
    if click.get_current_context().meta.get(_VERBOSE):
        show(made)


def be_verbose() -> None:
    """Have :func:`show_made` print."""
    click.get_current_context().meta[_VERBOSE] = True


def refuse(message: str) -> NoReturn:
    """End the process with one line, as Ozone's commands do where there is no code."""
    click.echo(message, err=True)
    sys.exit(client.FAILED)


def confirmed(what: str) -> bool:
    """Whether the person at the terminal types ``yes``."""
    click.echo(
        f"This command will delete the {what} and everything in it."
        "\nThere is no recovery option after using this command."
        "\nEnter 'yes' to proceed: ",
        nl=False,
    )
    return sys.stdin.readline().strip().lower() == "yes"
