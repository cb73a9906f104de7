"""``ozgate ozone fetch-client VERSION``: the jars of Ozone's Java client, in a folder of their own."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from ...errors.stores import Unavailable
from ...foreign.ozone.jars import find_jars, read_list
from ..progress import Progress, size
from .maven import MavenError, class_paths

ARTIFACT = "ozone-s3gateway"
"""Whose class path has all that a client needs: that of Ozone's shell has not."""
LIST = "classpath"

_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)+(?:-[0-9A-Za-z]+)*")


@click.command("fetch-client")
@click.argument("version", metavar="VERSION")
@click.option(
    "--to",
    type=click.Path(file_okay=False),
    help="Folder to make; by default ozone-client-VERSION here.",
)
def fetch_client(version: str, to: str | None) -> None:
    """Get the jars of Ozone's Java client by Maven. VERSION is the cluster's, such as 2.2.0: 'ozone version' there prints it."""
    if not _VERSION.fullmatch(version):
        raise click.UsageError(
            f"{version!r} is no version of Apache Ozone: give one such as 2.2.0"
        )
    folder = Path(to or f"ozone-client-{version}").absolute()
    if is_whole(folder):
        click.echo(f"{folder}: it is there already, and whole")
    else:
        click.echo(_fetched(version, folder))
    click.echo(_what_to_set(folder))


def is_whole(folder: Path) -> bool:
    """Whether a folder is one of ours, with every jar."""
    if not Path(folder, LIST).exists():
        return False
    try:
        find_jars(
            {"ozgate.ozone.classpath": f"@{folder / LIST}", "ozgate.ozone.home": ""}
        )
    except Unavailable:
        return False
    return True


def _fetched(version: str, folder: Path) -> str:
    """Fetch, and say what there is then.

    :raises click.ClickException: that cannot be.
    """
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(
            f"{folder} is there, and is no whole client: choose another folder with --to, or remove it"
        )
    progress = Progress()
    try:
        jars = class_paths(version, {"client": ARTIFACT}, progress.show)["client"]
        count = copy_jars(jars, folder, progress)
    except MavenError as error:
        progress.clear()
        raise click.ClickException(str(error)) from None
    except OSError as error:
        progress.clear()
        raise click.ClickException(
            f"cannot make {folder}: {error.strerror}; choose another folder with --to"
        ) from None
    progress.clear()
    return f"{folder}: {len(jars)} jars of Ozone {version}, {size(count)}"


def copy_jars(jars: Sequence[str], folder: Path, progress: Progress) -> int:
    """Make a folder of jars and their list, which is there whole or not at all.

    :return: bytes.
    :raises OSError: it cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        names: list[str] = []
        count = 0
        for number, jar in enumerate(jars, 1):
            name = os.path.basename(jar)
            # Two groups may have artifacts of one name.
            name = f"{number}-{name}" if name in names else name
            shutil.copyfile(jar, made / name)
            names.append(name)
            count += os.stat(made / name).st_size
            progress.show(f"copying {number} of {len(jars)}: {name}")
        Path(made, LIST).write_text(":".join(names) + "\n", "utf-8")
        assert len(read_list(made / LIST)) == len(jars)
        made.chmod(0o755)
        made.rename(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return count


def _what_to_set(folder: Path) -> str:
    return "\n".join(
        (
            "",
            "Name it in the ozone-site.xml of ozgate, or with -D:",
            "",
            "  ozgate.foreign=ozone:",
            f"  ozgate.ozone.classpath=@{folder / LIST}",
            "  ozgate.ozone.conf=FOLDER",
            "",
            "FOLDER has the cluster's ozone-site.xml and core-site.xml. 'ozgate ozone check' tries it with the same settings.",
        )
    )
