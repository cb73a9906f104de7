"""Which Java, which client, and which cluster answers."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from ...foreign.ozone.client import Client
from ...immutable import frozen

_PATIENCE = 5.0
_ABOUT = (
    "jmx?qry=Hadoop:service=OzoneManager,name=OzoneManagerInfo,component=ServerRuntime"
)
"""What each OM's web server tells of itself, ``SoftwareVersion`` in it. As seen of 2.2.0."""


@frozen
class Versions:
    """What runs.

    :ivar java: of this process' JVM.
    :ivar client: of the jars.
    :ivar cluster: of the first OM whose web server tells; ``""`` where none does: they need not be reached from here.
    :ivar managers: host and port of each OM, as the configuration names them.
    """

    java: str
    client: str
    cluster: str
    managers: tuple[str, ...]


def versions(client: Client) -> Versions:
    """Look. It waits for a web server that does not answer, a few seconds for each OM."""
    java = client.java("java.lang.System")
    ozone = client.java("org.apache.hadoop.ozone.util.OzoneVersionInfo")
    found = list(_managers(client.configuration))
    told = (_told(web) for _, web in found)
    return Versions(
        f"{java.getProperty('java.version')}",
        f"{ozone.OZONE_VERSION_INFO.getVersion()}",
        next(filter(None, told), ""),
        tuple(address for address, _ in found),
    )


def _managers(configuration: Any) -> Iterator[tuple[str, str]]:
    """Address and web address of each OM."""
    endings = [
        f".{service}.{node}"
        for service in configuration.getTrimmedStringCollection("ozone.om.service.ids")
        for node in configuration.getTrimmedStringCollection(
            f"ozone.om.nodes.{service}"
        )
    ]
    for ending in endings or [""]:
        address = configuration.getTrimmed(f"ozone.om.address{ending}", "")
        web = configuration.getTrimmed(f"ozone.om.http-address{ending}", "")
        host, _, port = web.rpartition(":")
        if host in ("", "0.0.0.0"):
            # Where it listens, not where it is.
            web = f"{address.partition(':')[0]}:{port or 9874}"
        yield address, web


def _told(web: str) -> str:
    try:
        with urllib.request.urlopen(
            f"http://{web}/{_ABOUT}", None, _PATIENCE
        ) as answer:
            beans = json.load(answer)["beans"]
    except (OSError, ValueError, KeyError):
        return ""
    return str(beans[0].get("SoftwareVersion", "")) if beans else ""
