"""How a command reaches the service: by the Unix socket in its data folder, by its admin port, or without it.

With ``--data`` (or ``OZGATE_DATA``, or ``./ozgate-data``) the service is asked over ``admin.sock``; while it is down, the
command opens the stores itself. With ``--admin-url`` (or ``OZGATE_ADMIN_URL``) it is asked over TCP, with a Kerberos
ticket where it wants one. What goes wrong is one line on standard error: ``CODE message``, and exit code 255, as in Ozone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from ..admin.errors import AdminError
from ..admin.localsocket import connect_local
from .asking import Command, Request, exchange

if TYPE_CHECKING:
    from .offline import Stores

FAILED = 255
"""The exit code of a command that was refused."""

CANCELLED = 1
"""The exit code of a command whose question was not answered with yes; Ozone's is 0, which scripts take for done."""

INTERRUPTED = 130
"""The exit code of a long command that Ctrl-C ended, as shells have it."""

DATA = "./ozgate-data"
URL = "http://127.0.0.1:19878"
PATIENCE = 60.0
"""Seconds that the service may be silent."""

_META = "ozgate.cli.client"
_STORES = "ozgate.cli.client.stores"
_F = TypeVar("_F", bound=Callable[..., Any])


def reaches_service(command: _F) -> _F:
    """Give a click command the options that say where the service is; :func:`call` goes by them."""
    for name, variable, text in (
        (
            "--config",
            "OZGATE_CONFIG",
            "The service's ozone-site.xml, for when it is down.",
        ),
        (
            "--admin-url",
            "OZGATE_ADMIN_URL",
            f"URL of a service's admin listener, such as {URL}.",
        ),
        ("--data", "OZGATE_DATA", f"Folder of the service; by default {DATA}."),
    ):
        add = click.option(
            name, envvar=variable, help=text, expose_value=False, callback=_remember
        )
        command = add(command)
    return command


def call(name: str, **arguments: object) -> Any:
    """Run a command of :data:`ozgate.admin.commands.table.COMMANDS`; returns its result, or ends the process.

    :raises SystemExit: it was refused; standard error says why.
    """
    try:
        return ask(name, **arguments)
    except AdminError as error:
        fail(error)


def fail(error: AdminError) -> NoReturn:
    """End the process as Ozone's commands do."""
    click.echo(str(error), err=True)
    sys.exit(FAILED)


def ask(name: str, **arguments: object) -> Any:
    """Run a command; see :func:`call`.

    :raises AdminError: it was refused, or the service is not found.
    """
    return ask_for(Command(name, arguments))


def ask_for(request: Request) -> Any:
    """What a request comes to, whichever way the service is reached.

    :raises AdminError: it was refused, or the service is not found.
    """
    given, url = _places()
    if url is not None:
        return _ask_url(url, request)
    data = os.path.abspath(given or DATA)
    try:
        connection = connect_local(data)
    except PermissionError:
        raise _not_found(
            f"this user may not use {data}/admin.sock: have the service let others in with ozgate.admin.socket.mode=666, or give --admin-url"
        ) from None
    except OSError:
        if given is None and not os.path.isdir(data):
            raise _not_found(
                f"there is no {DATA} here: give --data the folder of the service, or --admin-url the URL of its admin listener"
            ) from None
        return request.run(_stores(data))
    local = HTTPConnection("localhost", timeout=PATIENCE)
    connection.settimeout(PATIENCE)
    local.sock = connection
    return exchange(local, f"{data}/admin.sock", None, request)


def worked_alone() -> bool:
    """Whether the service was down, so that its stores were asked instead."""
    return _STORES in click.get_current_context().find_root().meta


def _stores(data: str) -> Stores:
    """The stores of a data folder, opened when first asked for and closed when the command ends.

    :raises AdminError: it is no data folder, in use, or not this user's.
    """
    from .offline import Stores

    root = click.get_current_context().find_root()
    opened = root.meta.setdefault(_STORES, {})
    if data not in opened:
        config = root.meta.get(_META, {}).get("config")
        opened[data] = root.with_resource(Stores(data, config and config[0]))
    return opened[data]  # type: ignore[no-any-return]


def _remember(
    context: click.Context, option: click.Parameter, value: str | None
) -> None:
    """Keep what was said, and whether it was said on the command line."""
    if value is not None and option.name is not None:
        source = context.get_parameter_source(option.name)
        kept = context.meta.setdefault(_META, {})
        typed = source is ParameterSource.COMMANDLINE
        # What a group was told counts for its commands, too, unless they are told something else.
        if typed or not kept.get(option.name, (None, False))[1]:
            kept[option.name] = (value, typed)


def _places() -> tuple[str | None, str | None]:
    """The data folder or the URL that was said; the command line comes before the environment, the folder before the URL.

    :raises click.UsageError: both were said on the command line.
    """
    kept = click.get_current_context().meta.get(_META, {})
    data, data_typed = kept.get("data", (None, False))
    url, url_typed = kept.get("admin_url", (None, False))
    if data_typed and url_typed:
        raise click.UsageError("--data and --admin-url exclude each other")
    if data is not None and not url_typed:
        url = None
    return (data, None) if url is None else (None, url)


def _ask_url(url: str, request: Request) -> Any:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if parts.scheme not in ("http", "https") or not host or parts.path.strip("/"):
            raise ValueError
    except ValueError:
        raise _not_found(f"{url!r} is no URL such as {URL}") from None
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return exchange(kind(host, port, timeout=PATIENCE), url, host, request)


def _not_found(message: str) -> AdminError:
    return AdminError("SERVICE_NOT_FOUND", message)
