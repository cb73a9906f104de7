"""Where the jars of Ozone's Java client and the cluster's configuration are.

A distribution has all jars in ``share/ozone/lib``, and for each of its programs a file of those that it needs: that of its S3 gateway has what a client needs.
Source: Ozone's ``ozone-functions.sh``, which reads ``classpath=$HDDS_LIB_JARS_DIR/a.jar:…`` from ``share/ozone/classpath/ozone-s3gateway.classpath``; as seen of
2.2.0. The class path of ``ozone-cli-shell`` is not enough: lists work, the first write does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors.stores import Unavailable

LIST = "share/ozone/classpath/ozone-s3gateway.classpath"
LIBRARY = "share/ozone/lib"
SITE = "ozone-site.xml"

_VARIABLE = "$HDDS_LIB_JARS_DIR"
_FETCH = "'ozgate ozone fetch-client VERSION' gets the jars of the cluster's version"


def find_jars(settings: Mapping[str, Any]) -> list[str]:
    """The class path of the client: files, in order, without the configuration.

    :param settings: by key: ``ozgate.ozone.classpath``, else ``ozgate.ozone.home``.
    :raises Unavailable: neither is set, or a jar is missing; it says what to do.
    """
    given = settings["ozgate.ozone.classpath"]
    home = settings["ozgate.ozone.home"]
    if given.startswith("@"):
        jars = read_list(Path(given[1:]))
    elif given:
        jars = given.split(":")
    elif home:
        jars = read_list(Path(home, LIST), Path(home, LIBRARY))
    else:
        raise Unavailable(
            f"no Java client of Ozone: set ozgate.ozone.home (OZONE_HOME) to the folder of a distribution, or ozgate.ozone.classpath; {_FETCH}"
        )
    missing = [each for each in jars if not _is_there(each)]
    if missing:
        raise Unavailable(
            f"the Java client of Ozone is incomplete: {len(missing)} of {len(jars)} files are not there, such as {missing[0]}; {_FETCH}"
        )
    return jars


def read_list(path: Path, library: Path | None = None) -> list[str]:
    """The jars of a file of a class path, of a distribution's or of Maven's form; relative ones are beside the file.

    :param library: the folder that a distribution's file means by ``$HDDS_LIB_JARS_DIR``; by default that beside the file's.
    :raises Unavailable: the file cannot be read, or holds none.
    """
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Unavailable(
            f"the class path of Ozone's client cannot be read: {path}: {why}; {_FETCH}"
        ) from None
    folder = library or path.parent.parent / "lib"
    names = text.removeprefix("classpath=").strip().strip(":").split(":")
    found = [
        os.path.join(path.parent, each.strip().replace(_VARIABLE, str(folder)))
        for each in names
        if each.strip()
    ]
    if not found:
        raise Unavailable(f"{path} names no jar; {_FETCH}")
    return found


def find_conf(settings: Mapping[str, Any]) -> str:
    """The folder with the cluster's ``ozone-site.xml``.

    :param settings: by key: ``ozgate.ozone.conf``, else ``etc/hadoop`` of ``ozgate.ozone.home``, as Ozone has it.
    :raises Unavailable: there is none; it says what to do.
    """
    home = settings["ozgate.ozone.home"]
    folder = settings["ozgate.ozone.conf"] or (home and f"{home}/etc/hadoop")
    if not folder:
        raise Unavailable(
            f"no configuration of the cluster: set ozgate.ozone.conf (OZONE_CONF_DIR) to the folder of its {SITE}"
        )
    if not Path(folder, SITE).is_file():
        raise Unavailable(
            f"{folder} has no {SITE}: set ozgate.ozone.conf (OZONE_CONF_DIR) to the folder that has the cluster's"
        )
    return str(folder)


def _is_there(entry: str) -> bool:
    """Whether something of a class path exists: a file, a folder, or a folder whose jars are all meant (``…/*``)."""
    return os.path.exists(entry.removesuffix("*"))
