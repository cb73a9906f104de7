"""The jars of Ozone's programs, fetched once by Maven and named in a folder that lasts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SkipTest

from ozgate.cli.ozone.maven import class_paths
from tests.engines.given import engines

VERSION = "2.2.0"
"""The release that everything is tested with."""
PROGRAMS = {
    "scm": "hdds-server-scm",
    "om": "ozone-manager",
    "dn": "ozone-datanode",
    "s3g": "ozone-s3gateway",
    "httpfs": "ozone-httpfsgateway",
    "sh": "ozone-cli-shell",
    "admin": "ozone-cli-admin",
}
"""Folders → artifacts."""


def require_java() -> None:
    """Skip the test where there is no Java, or no Maven although jars have to be fetched."""
    if shutil.which("java") is None:
        raise SkipTest("there is no java on the PATH")
    if _missing() and shutil.which("mvn") is None:
        raise SkipTest("the jars of Ozone were not fetched, and there is no mvn")


def fetch_programs(tell: Callable[[str], None]) -> None:
    """Have all class paths, from Maven where they are not there yet: some 400 MB, a minute or two.

    :param tell: called with how far it is.
    :raises MavenError: they cannot be had.
    """
    if not _missing():
        return
    tell("Maven: looking for Ozone")
    for name, jars in class_paths(VERSION, PROGRAMS, tell).items():
        path = _list(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(":".join(jars))
        part.rename(path)


def _missing() -> list[str]:
    """Programs whose class path is not there, or names what is gone."""
    return [name for name in PROGRAMS if not _is_whole(_list(name))]


def _is_whole(path: Path) -> bool:
    try:
        return all(map(os.path.exists, path.read_text().strip().split(":")))
    except FileNotFoundError:
        return False


def _list(name: str) -> Path:
    return Path(engines(), "ozone", name, "cp.txt")
