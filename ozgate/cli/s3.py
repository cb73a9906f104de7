"""``ozgate s3 …``: what a user of the S3 endpoint needs beside a client."""

from __future__ import annotations

import os
import time
from copy import copy
from urllib.parse import quote, urlsplit

import click

from ..auth.presign import presign
from . import s3secrets
from .s3operations import operations

LONGEST = 7 * 86400
"""Seconds a presigned URL may live. Source: Amazon S3, "Authenticating requests: query parameters"."""


@click.group()
def s3() -> None:
    """Work with the S3 endpoint."""


for command in (s3secrets.getsecret, s3secrets.setsecret, s3secrets.revokesecret):
    s3.add_command(command)
    # Ozone's other spelling: get-secret for getsecret.
    alias = copy(command)
    alias.hidden = True
    s3.add_command(alias, str(command.name).replace("secret", "-secret"))
s3.add_command(s3secrets.listsecrets)
s3.add_command(operations)


@s3.command("presign")
@click.argument("target", metavar="s3://BUCKET/KEY")
@click.option(
    "--expires",
    default=3600,
    show_default=True,
    type=click.IntRange(1, LONGEST),
    help="Seconds until the URL stops working.",
)
@click.option("--method", default="GET", show_default=True, help="HTTP method.")
@click.option(
    "--query",
    "query",
    multiple=True,
    metavar="NAME=VALUE",
    help="A query parameter to sign with, such as versionId=null. Repeatable.",
)
@click.option(
    "--header",
    "header",
    multiple=True,
    metavar="NAME:VALUE",
    help="A header to sign, such as Content-MD5; who uses the URL must send it. Repeatable.",
)
@click.option(
    "--endpoint",
    envvar=["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
    default="http://127.0.0.1:9878",
    show_default=True,
    help="URL of the S3 endpoint.",
)
@click.option(
    "--region",
    envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
    default="us-east-1",
    show_default=True,
    help="Region to sign for.",
)
@click.option(
    "--access-key",
    envvar="AWS_ACCESS_KEY_ID",
    help="Access key; by default AWS_ACCESS_KEY_ID. The secret key comes from AWS_SECRET_ACCESS_KEY.",
)
def presign_command(
    target: str,
    expires: int,
    method: str,
    query: tuple[str, ...],
    header: tuple[str, ...],
    endpoint: str,
    region: str,
    access_key: str | None,
) -> None:
    """Print a URL for one request, of whoever has it. They need no credentials of their own."""
    secret = os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret:
        raise click.ClickException(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the pair that signs the URL"
        )
    url = endpoint_url(endpoint) + object_path(target)
    click.echo(
        presign(
            method.upper(),
            url,
            access_key,
            secret,
            region,
            expires,
            time.time(),
            dict(_pair(text, "=") for text in query),
            dict(_pair(text, ":") for text in header),
        )
    )


def endpoint_url(text: str) -> str:
    """An endpoint's URL without a path.

    :raises click.ClickException: it is no such URL.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query:
        raise click.ClickException(
            f"{text!r} is no endpoint: give --endpoint a URL such as http://127.0.0.1:9878"
        )
    return f"{parts.scheme}://{parts.netloc}"


def object_path(target: str) -> str:
    """The path of ``s3://bucket/key``, ``s3://bucket`` or ``s3://``, percent-encoded as SigV4 wants it.

    :raises click.ClickException: it is no such address.
    """
    if not target.startswith("s3://"):
        raise click.ClickException(
            f"{target!r} is no address: give one such as s3://bucket/key"
        )
    bucket, slash, key = target.removeprefix("s3://").partition("/")
    if key and not bucket:
        raise click.ClickException(
            f"{target!r} names no bucket: give an address such as s3://bucket/key"
        )
    # The bytes of the command line, whatever they are: keys need not be text of this locale.
    path = quote(os.fsencode(bucket + (slash if key else "") + key), safe="/~")
    return f"/{path}"


def _pair(text: str, separator: str) -> tuple[str, str]:
    name, _, value = text.partition(separator)
    return name, value
