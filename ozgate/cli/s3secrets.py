"""``ozgate s3 getsecret|setsecret|revokesecret|listsecrets``: Ozone's commands, with keys by name and times to live.

Options, output and errors are those of ``ozone s3``; ``--key``, ``--ttl`` and ``listsecrets`` are ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeVar

import click

from ..admin.errors import AdminError
from ..config.parsers import interval
from . import client

_F = TypeVar("_F", bound=Callable[..., Any])

PAGE = 1000
"""Access ids that are asked for at a time."""


class Duration(click.ParamType[float]):
    """A duration above zero, such as ``30d``."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds."""
        try:
            return interval(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _whose(command: _F) -> _F:
    """The options that all have: whose key, which one, and Ozone's that have no effect here."""
    for option in (
        click.option(
            "--om-service-id",
            metavar="ID",
            expose_value=False,
            help="Taken as Ozone's commands do; without effect.",
        ),
        click.option(
            "--key",
            default="",
            metavar="NAME",
            help="A further key of the user, by a name of your choice.",
        ),
        click.option(
            "-u",
            "--user",
            metavar="USER",
            help="The user it is about, for administrators; by default yourself.",
        ),
    ):
        command = option(command)
    return client.reaches_service(command)


_export = click.option(
    "-e",
    "--export",
    is_flag=True,
    help="Print lines that set the variables of AWS's tools.",
)


@click.command()
@_whose
@_export
@click.option(
    "--ttl",
    type=Duration(),
    metavar="TIME",
    help="How long the secret is good for, such as 30d; by default until it is revoked.",
)
@click.option(
    "-y", "--yes", is_flag=True, help="Do not ask before a user is made by that."
)
def getsecret(
    user: str | None, key: str, export: bool, ttl: float | None, yes: bool
) -> None:
    """Make a secret and print it, this once."""
    arguments = {"user": user, "key": key, "ttl": ttl}
    # A slip of the pen would make a key of nobody. Only people are asked: scripts go on as with Ozone, which asks nobody.
    asks = user is not None and not yes and sys.stdin.isatty() and sys.stderr.isatty()
    try:
        made = client.ask("get_secret", **arguments, only_known=asks)
    except AdminError as error:
        if error.code != "USER_NOT_FOUND":
            _refuse("getsecret", error)
        click.echo(
            f"There is no user '{user}' yet. Enter 'y' to make one: ",
            nl=False,
            err=True,
        )
        if sys.stdin.readline().strip().lower() != "y":
            click.echo("Operation cancelled.", err=True)
            sys.exit(client.CANCELLED)
        made = _ask("getsecret", "get_secret", **arguments)
    print_pair(made["awsAccessKey"], made["awsSecret"], export)


@click.command()
@_whose
@_export
@click.option(
    "-s",
    "--secret",
    required=True,
    help="The secret, 8 characters or more, better 16; - reads a line of standard input, for other users see command lines.",
)
def setsecret(user: str | None, key: str, export: bool, secret: str) -> None:
    """Replace a secret by one of your choice."""
    if secret == "-":
        secret = _typed()
    made = _ask("setsecret", "set_secret", user=user, key=key, secret=secret)
    print_pair(made["awsAccessKey"], made["awsSecret"], export)
    if said := made.get("warning"):
        click.echo(f"warning: {said}", err=True)


@click.command()
@_whose
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def revokesecret(user: str | None, key: str, yes: bool) -> None:
    """Revoke a secret: the next request with it is refused."""
    if not yes and not _confirmed(user, key):
        click.echo("Operation cancelled.")
        sys.exit(client.CANCELLED)
    _ask("revokesecret", "revoke_secret", user=user, key=key)
    click.echo("S3 secret revoked.")


@click.command()
@client.reaches_service
def listsecrets() -> None:
    """Print who has secrets, and how old they are. For administrators; secrets are not shown."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["accessId"] if found else ""
        page = _ask("listsecrets", "list_secrets", after=after, limit=PAGE)
        found += page
        if len(page) < PAGE:
            break
    click.echo(json.dumps([_listed(row) for row in found], indent=2))


def _typed() -> str:
    """A line of standard input, which a terminal does not show."""
    if sys.stdin.isatty():
        return str(click.prompt("Secret", hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _ask(command: str, name: str, **arguments: Any) -> Any:
    """The service's answer; what it refuses ends the process."""
    try:
        return client.ask(name, **arguments)
    except AdminError as error:
        _refuse(command, error)


def _refuse(command: str, error: AdminError) -> NoReturn:
    """Say what was refused, and end the process."""
    if error.code == "SECURITY_DISABLED":
        _security_is_off(command)
    click.echo(str(error), err=True)
    if error.remedy:
        # After Ozone's line, which scripts look for.
        click.echo(error.remedy, err=True)
    sys.exit(client.FAILED)


def _security_is_off(command: str) -> NoReturn:
    """Say so in Ozone's words. Ozone ends with 0 then; here nothing was done, and scripts are to know it."""
    click.echo(
        f"Error: 'ozgate s3 {command}' operation works only when security is enabled. "
        "To enable security set ozone.security.enabled to true.",
        err=True,
    )
    if client.worked_alone():
        click.echo(
            "The service does not run, or keeps its data elsewhere: start it, or give --config the file that enables security.",
            err=True,
        )
    sys.exit(client.FAILED)


def _confirmed(user: str | None, key: str) -> bool:
    whose = _ask("revokesecret", "whoami")["user"] if user is None else user
    shown = f"{whose}~{key}" if key else whose
    click.echo(f"Enter 'y' to confirm S3 secret revocation for '{shown}': ", nl=False)
    return sys.stdin.readline().strip().lower() == "y"


def print_pair(access_id: str, secret: str, export: bool) -> None:
    """Print a key and its secret, as Ozone does, or as a shell takes them."""
    if export:
        click.echo(f"export AWS_ACCESS_KEY_ID={_quoted(access_id)}")
        click.echo(f"export AWS_SECRET_ACCESS_KEY={_quoted(secret)}")
    else:
        click.echo(f"awsAccessKey={access_id}")
        click.echo(f"awsSecret={secret}")


def _quoted(text: str) -> str:
    """For a shell, always in quotes, as Ozone prints it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    shown = {
        "accessId": row["accessId"],
        "owner": row["owner"],
        "creationTime": _time(row["created"]),
        "age": _age(row["age"]),
    }
    if row["expires"] is not None:
        shown["expirationTime"] = _time(row["expires"])
        shown["expired"] = row["expired"]
    return shown


def _time(milliseconds: int) -> str:
    """As Ozone's commands show times."""
    found = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{found:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def _age(milliseconds: int) -> str:
    """The two largest units, such as ``3d 4h``."""
    seconds = milliseconds // 1000
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
