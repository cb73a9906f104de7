"""What people write to say where to listen, and whether it can be had: found out before the reactor runs.

``PORT`` and ``HOST:PORT``, which other servers take, become Twisted's endpoint descriptions; those stay what they are.
"""

from __future__ import annotations

import contextlib
import errno
import re
import socket
from collections.abc import Iterable

from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.interfaces import IReactorTime

from ..config.sitefile import ConfigurationError

TLS = "ssl"
"""The endpoints of :mod:`ozgate.service.tlsendpoints`, which has a parser of its own."""

_OPTIONS = {
    "tcp": ("port", "interface", "backlog"),
    "tcp6": ("port", "interface", "backlog"),
    TLS: (
        *("port", "privateKey", "certKey", "sslmethod"),
        *("interface", "backlog", "extraCertChain", "dhParameters"),
    ),
}
"""In the order in which Twisted takes them without their names."""

_SHORT = re.compile(
    r"(?:(?P<host>|\*|localhost|\[[^\[\]]*\]|[^:=/\[\]]*\.[^:=/\[\]]*):)?(?P<port>[0-9]+)"
)
"""A host is told from a kind of endpoint by a dot in it, brackets, or its name."""

SETTABLE = "--listen, ozone.s3g.http-address or ozone.s3g.https-address"
"""By what people choose where S3 is served."""

_HINTS = {
    errno.EACCES: "ports below 1024 are for root: choose another, or see docs/installing.md",
    errno.EADDRNOTAVAIL: "name an address of this machine, or 0.0.0.0 for all",
}
"""What to do about errors of the operating system."""


class AddressTaken(ConfigurationError):
    """Another program listens there."""


def refusal(
    description: str, error: OSError, settable: str = SETTABLE
) -> ConfigurationError:
    """What is said where the operating system lets nobody listen."""
    if error.errno == errno.EADDRINUSE:
        return AddressTaken(
            f"cannot listen on {description}: another program does already; stop it, or choose another port with {settable}"
        )
    hint = _HINTS.get(error.errno or 0, "")
    return ConfigurationError(
        f"cannot listen on {description}: {error.strerror or error}{hint and '; '}{hint}"
    )


def description_of(text: str) -> str:
    """The endpoint description for what was written; a port alone is on all interfaces.

    :raises ConfigurationError: the host has no address.
    """
    short = _SHORT.fullmatch(text)
    if short is None:
        return text
    port = _checked_port(text, short["port"])
    if short["host"] in (None, "", "*"):
        return f"tcp:{port}"
    return on_host("tcp", text, short["host"], port)


def on_host(kind: str, written: str, host: str, port: int) -> str:
    """An endpoint description for a host and a port.

    :param kind: ``tcp`` or ``ssl``.
    :param written: where the host is from, for messages.
    :raises ConfigurationError: the host has no address.
    """
    host = host.strip("[]")
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise ConfigurationError(
            f"{written}: {host} has no address ({error.strerror}): name an interface of this machine, or 0.0.0.0"
        ) from None
    family, *_, where = found[0]
    if kind == "tcp" and family == socket.AF_INET6:
        kind = "tcp6"
    interface = quoteStringArgument(str(where[0]))
    return f"{kind}:{port}:interface={interface}"


def options_of(description: str) -> dict[str, str]:
    """Name → value of a description of a kind known here, as Twisted's ``serverFromString`` reads it.

    :raises ValueError: an option is unknown or there twice.
    """
    kind, _, rest = description.partition(":")
    words: list[list[str]] = [[""]]
    characters = iter(rest)
    for character in characters:
        if character == "\\":
            words[-1][-1] += next(characters, "")
        elif character == ":":
            words.append([""])
        elif character == "=" and len(words[-1]) == 1:
            words[-1].append("")
        else:
            words[-1][-1] += character
    named = [(name, value) for name, *rest in words for value in rest]
    placed = [word[0] for word in words if len(word) == 1]
    options = list(zip(_OPTIONS[kind], placed, strict=False)) + named
    for name, _ in options:
        if name not in _OPTIONS[kind] or sum(name == one for one, _ in options) > 1:
            raise ValueError(f"{name} is there twice or is no option of {kind}:")
    return dict(options)


def check_endpoints(reactor: IReactorTime, described: Iterable[str]) -> None:
    """See that each description can be read.

    :raises ConfigurationError: one cannot.
    """
    for each in described:
        kind = each.partition(":")[0]
        if kind in _OPTIONS:
            try:
                options = options_of(each)
            except ValueError as error:
                raise ConfigurationError(f"cannot listen on {each}: {error}") from None
            _checked_port(each, options.get("port", ""))
        if kind == TLS:
            continue
        try:
            serverFromString(reactor, each)
        except Exception:
            # Parsers of descriptions raise what they like: ValueError, TypeError, KeyError.
            raise ConfigurationError(
                f"cannot listen on {each}: give PORT, HOST:PORT ([HOST]:PORT where the name has no dot), or one of Twisted's endpoint descriptions, such as tcp:9878:interface=127.0.0.1"
            ) from None


def try_port(description: str, settable: str = SETTABLE) -> tuple[str, int] | None:
    """The host and port that a checked description could have now; ``None`` where only listening would tell.

    :raises ConfigurationError: it could not have them.
    """
    kind = description.partition(":")[0]
    if kind not in _OPTIONS:
        return None
    options = options_of(description)
    interface = options.get("interface", "::" if kind == "tcp6" else "")
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    with contextlib.closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((interface, int(options["port"])))
        except OSError as error:
            raise refusal(description, error, settable) from None
        host, port, *_ = probe.getsockname()
        return host, port


def _checked_port(written: str, port: str) -> int:
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError(
            f"cannot listen on {written}: {port!r} is no port from 0 to 65535"
        )
    return int(port)
