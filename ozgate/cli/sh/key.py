"""``ozgate sh key``: options, output and errors are those of ``ozone sh key``."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

import click

from ...admin.errors import AdminError
from .. import client
from ..shell import (
    Place,
    bucket_argument,
    key_argument,
    list_options,
    refuse,
    replication_options,
    show,
    show_list,
)
from .acl import add_acl_commands
from .keybytes import Get, Put, Tell

LONG = 32 << 20
"""Bytes from which on a transfer shows how far it is."""


@click.group()
def key() -> None:
    """Keys: the objects in buckets, of any volume."""


@click.command("list")
@client.reaches_service
@bucket_argument
@list_options
def list_keys(place: Place, every: bool, length: int, **arguments: str) -> None:
    """List the keys of a bucket."""
    arguments |= {"volume": place.volume, "bucket": place.bucket}
    last = show_list("list_keys", length, every, **arguments)
    arguments["start"] = last or ""
    if last and client.call("list_keys", limit=1, **arguments):
        click.echo(
            f"Listing first {length} entries of the result. Use --length (-l) to override max returned keys.",
            err=True,
        )


key.add_command(list_keys)
key.add_command(list_keys, "ls")


@key.command("info")
@client.reaches_service
@key_argument
def info(place: Place) -> None:
    """Show a key."""
    show(client.call("info_key", **_names(place)))


@key.command("put")
@client.reaches_service
@key_argument
@click.argument("file", metavar="FILE")
@replication_options
def put(
    place: Place, file: str, replication_type: str | None, replication: str | None
) -> None:
    """Store a file as a key."""
    with _opened(lambda: open(file, "rb")) as source:
        found = os.fstat(source.fileno())
        if not stat.S_ISREG(found.st_mode):
            refuse(f"{file} is no regular file")
        with _progress(found.st_size, f"Storing {place.key}") as tell:
            said = {"replication_type": replication_type, "replication": replication}
            names = _names(place) | {name: text for name, text in said.items() if text}
            _ask_for(Put(names, source, found.st_size, tell))


@key.command("get")
@client.reaches_service
@key_argument
@click.argument("file", metavar="FILE")
@click.option("-f", "--force", is_flag=True, help="Overwrite a file that is there.")
def get(place: Place, file: str, force: bool) -> None:
    """Fetch a key into a file. Into a folder, it is under the last part of its name."""
    if os.path.isdir(file):
        name = place.key.rstrip("/").rpartition("/")[2]
        if name in ("", ".", ".."):
            refuse(f"{place.key} is no name for a file: give one")
        file = os.path.join(file, name)
    if os.path.exists(file) and not force:
        refuse(f"{file} exists. Download would overwrite an existing file. Aborting.")
    size = client.call("info_key", **_names(place))["dataSize"]
    is_new = not os.path.exists(file)
    with _opened(lambda: open(file, "wb" if force else "xb")) as target:
        try:
            with _progress(size, f"Fetching {place.key}") as tell:
                _ask_for(Get(_names(place), target, tell))
            target.flush()
        except BaseException:
            # What is not whole must not look like it.
            if is_new:
                with contextlib.suppress(OSError):
                    os.unlink(file)
            raise


@key.command("cat")
@client.reaches_service
@key_argument
def cat(place: Place) -> None:
    """Write the bytes of a key to standard output."""
    _ask_for(Get(_names(place), sys.stdout.buffer, lambda count: None))


@key.command("rename")
@client.reaches_service
@bucket_argument
@click.argument("from_key", metavar="FROM")
@click.argument("to_key", metavar="TO")
def rename(place: Place, from_key: str, to_key: str) -> None:
    """Give a key another name, in an Ozone cluster alone."""
    names = {"volume": place.volume, "bucket": place.bucket}
    client.call("rename_key", **names, key=from_key, to=to_key)


@click.command("delete")
@client.reaches_service
@key_argument
def delete(place: Place) -> None:
    """Remove a key."""
    client.call("delete_key", **_names(place))


add_acl_commands(key, key_argument, has_links=False)
key.add_command(delete)
key.add_command(delete, "rm")


@contextlib.contextmanager
def _opened(opening: Callable[[], BinaryIO]) -> Iterator[BinaryIO]:
    """A local file; what is wrong with it ends the process with one line."""
    try:
        with opening() as file:
            yield file
    except FileNotFoundError as error:
        refuse(f"Error: File not found: {error.filename}")
    except OSError as error:
        refuse(f"{error.filename or 'the file'}: {error.strerror or error}")


@contextlib.contextmanager
def _progress(size: int, label: str) -> Iterator[Tell]:
    """What is told how many bytes have passed: of a long transfer, the terminal shows it."""
    if size < LONG or not sys.stderr.isatty():
        yield lambda count: None
        return
    with click.progressbar(length=size, label=label, file=sys.stderr) as bar:
        yield bar.update


def _ask_for(request: Get | Put) -> None:
    try:
        client.ask_for(request)
    except AdminError as error:
        client.fail(error)


def _names(place: Place) -> dict[str, str]:
    return {"volume": place.volume, "bucket": place.bucket, "key": place.key}
