"""Documents of policies on the command line: read from files, and printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TextIO, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def _read(_: click.Context, __: click.Parameter, file: TextIO | None) -> str | None:
    """The text of a file."""
    if file is None:
        return None
    try:
        return file.read()
    except UnicodeDecodeError:
        raise click.BadParameter("it is not in UTF-8") from None


def document_argument(command: _F) -> _F:
    """A file with a policy in JSON."""
    file = click.File(encoding="utf-8")
    return click.argument("document", metavar="FILE", type=file, callback=_read)(
        command
    )


def document_option(command: _F) -> _F:
    """``--document``: a file with a policy in JSON, which is nobody else's."""
    return click.option(
        "--document",
        metavar="FILE",
        type=click.File(encoding="utf-8"),
        callback=_read,
        help="A file with a policy in JSON, - for standard input: it is kept under that name for this one alone.",
    )(command)


def policy_option(command: _F) -> _F:
    """``--policy``: a file with a policy in JSON, which narrows a key."""
    return click.option(
        "--policy",
        "document",
        metavar="FILE",
        type=click.File(encoding="utf-8"),
        callback=_read,
        help="A file with a policy in JSON, - for standard input, which has to allow what the key does.",
    )(command)


def documents(found: Mapping[str, str]) -> dict[str, str]:
    """Policies that are somebody's alone, for people."""
    return {f"inline {name}": pretty(text) for name, text in found.items()}


def pretty(text: str) -> str:
    """A document for people."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
