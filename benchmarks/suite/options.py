"""What the command line asks for."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatch
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve, frozen

from benchmarks.measure import GIB
from benchmarks.suite.beside import STRICT
from benchmarks.suite.scale import FULL, MINUTES, QUICK, Scale
from benchmarks.suite.server import Server

_EPILOG = """
Options in the second group speak of the server that was named last: the endpoint, or one to compare it to. For example

  python -m benchmarks.suite --quick
  python -m benchmarks.suite --rows lists 'GET 4 KiB*' --against http://127.0.0.1:9000 --access-key KEY --secret-key SECRET \\
      --name other --pid 4711 --durability 'data is synced, names are not'

Without keys those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are taken. On each server a bucket is made, and removed in the end.
Without an endpoint an ozgate is started, and others for what is asked of starts, workers and depth; all are on loopback.
"""


@frozen
class Wanted:
    """What is to be done.

    :ivar endpoint: the server in the place of an ozgate that is started here.
    :ivar peers: those it is compared to.
    :ivar workers: of the ozgate that is started here; ``None`` for one.
    :ivar patterns: of groups' and rows' names; all where there are none.
    :ivar beside: whether it is held against Klein, nginx and a bare loop.
    :ivar markdown: a file that the report is written to.
    """

    endpoint: Server | None
    peers: list[Server]
    workers: int | None
    scale: Scale
    patterns: list[str]
    beside: bool
    markdown: str | None
    listing: bool

    def chosen(self, group: str, row: str) -> bool:
        """Whether a row is to be measured."""
        return not self.patterns or any(
            fnmatch(group, pattern) or fnmatch(row, pattern)
            for pattern in self.patterns
        )


class _Named(argparse.Action):
    """A server; what follows speaks of it."""

    def __call__(
        self, parser: Any, namespace: Any, values: Any, option_string: Any = None
    ) -> None:
        is_first = self.dest == "endpoint"
        if is_first and any(each["is_first"] for each in namespace.servers):
            parser.error("there is one --endpoint; the others are --against")
        found = {"url": values.rstrip("/"), "is_first": is_first, "pids": ()}
        namespace.servers = [*namespace.servers, found]


class _Of(argparse.Action):
    """Something about the server that was named last."""

    def __call__(
        self, parser: Any, namespace: Any, values: Any, option_string: Any = None
    ) -> None:
        if not namespace.servers:
            parser.error(f"{option_string} comes after the server it speaks of")
        server = namespace.servers[-1]
        if self.dest == "pids":
            server["pids"] = (*server["pids"], values)
        else:
            server[self.dest] = True if self.nargs == 0 else values


def _parser(doc: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.suite",
        description=doc,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(servers=[])
    named = parser.add_argument_group("servers")
    named.add_argument("--endpoint", action=_Named, metavar="URL", help="ozgate's")
    named.add_argument(
        "--against", action=_Named, metavar="URL", help="a peer's; repeatable"
    )
    _of_server(parser.add_argument_group("of the server that was named last"))
    much = parser.add_argument_group("how much")
    much.add_argument("--quick", action="store_true", help="a look: one round, small")
    much.add_argument(
        "--full", action="store_true", help="all that was promised: an hour or two"
    )
    much.add_argument("--rounds", type=_positive, help="whose medians count")
    much.add_argument("--seconds", type=_positive, help="of each figure")
    much.add_argument("--space", type=float, metavar="GIB", help="of disk for a row")
    much.add_argument(
        "--rows", nargs="+", default=[], metavar="PATTERN", help="groups, or rows"
    )
    much.add_argument("--list", action="store_true", help="print the rows, and end")
    parser.add_argument(
        "--workers", type=int, help="of the ozgate that is started here; by default 1"
    )
    parser.add_argument(
        "--no-limits",
        action="store_true",
        help="start neither a bare Klein nor nginx nor a bare loop",
    )
    parser.add_argument(
        "--remote", action="store_true", help="permit endpoints beyond this machine"
    )
    parser.add_argument("--markdown", metavar="FILE", help="write the report to it")
    return parser


def _of_server(group: Any) -> None:
    for option, destination, text in (
        ("--access-key", "access_key", "by default that of the environment"),
        ("--secret-key", "secret_key", "likewise"),
        ("--region", "region", "us-east-1 if left out"),
        ("--name", "name", "what it is called in the tables"),
        ("--tls", "tls", "URL of an endpoint of it that has TLS"),
        ("--durability", "durability", "what a 200 of it to a write means"),
    ):
        group.add_argument(option, action=_Of, dest=destination, help=text)
    group.add_argument(
        *("--pid",),
        **{"action": _Of, "dest": "pids", "type": int, "metavar": "PID"},
        help="its process, with all that it started; repeatable",
    )
    group.add_argument(
        "--durable",
        action=_Of,
        nargs=0,
        dest="durable",
        help="a 200 of it means that data and their name outlive a power cut",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def is_loopback(url: str) -> bool:
    """Whether an endpoint is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server(given: dict[str, Any]) -> Server:
    found = dict(given)
    is_first = found.pop("is_first")
    parts = urlsplit(found["url"])
    found.setdefault("name", "ozgate" if is_first else parts.netloc)
    found.setdefault("access_key", os.environ.get("AWS_ACCESS_KEY_ID", ""))
    found.setdefault("secret_key", os.environ.get("AWS_SECRET_ACCESS_KEY", ""))
    if is_first:
        found.setdefault("durability", STRICT)
    if parts.scheme == "https":
        found.setdefault("tls", found["url"])
    return Server(**found)


def _scale(given: argparse.Namespace) -> Scale:
    scale = QUICK if given.quick else FULL if given.full else MINUTES
    for name in ("rounds", "seconds"):
        if (value := getattr(given, name)) is not None:
            scale = evolve(scale, **{name: value})
    if given.space is not None:
        scale = evolve(scale, space=int(given.space * GIB))
    # Most servers are on this machine, and none is to fill its disk.
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return evolve(scale, space=min(scale.space, free * 3 // 4))


def read(arguments: Sequence[str], doc: str | None) -> Wanted:
    """Read a command line; what is wrong with it ends the process."""
    parser = _parser(doc)
    given = parser.parse_args(arguments)
    servers = [_server(each) for each in given.servers]
    for server in servers:
        if not urlsplit(server.url).hostname:
            parser.error(f"{server.url} is no URL of an endpoint")
        if not given.remote and not all(
            map(is_loopback, filter(None, (server.url, server.tls)))
        ):
            parser.error(f"{server.url} is not on this machine: --remote permits it")
        if not server.access_key or not server.secret_key:
            parser.error(f"{server.url}: --access-key and --secret-key are missing")
    names = [server.name for server in servers]
    if len(set(names)) < len(names):
        parser.error("each server has a --name of its own")
    firsts = [each["is_first"] for each in given.servers]
    endpoint = servers[firsts.index(True)] if True in firsts else None
    return Wanted(
        endpoint,
        [server for server in servers if server is not endpoint],
        given.workers,
        _scale(given),
        given.rows,
        not given.no_limits,
        given.markdown,
        given.list,
    )
