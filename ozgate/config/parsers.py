"""How the configuration writes its values: a parser for each kind, from text to the value.

Each raises ``ValueError`` with a message for people. Imports nothing of ozgate.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from urllib.parse import urlsplit

_STORE = re.compile("[a-z0-9][a-z0-9+.-]{0,31}")

_USERINFO = re.compile(
    r"(//[^/@:]{0,200}:)(?:[^/]*|(?!\d{1,5}[/,\s]).*)@"
    r"|(postgres(?:ql)?://[^/@:]{0,200}:)[^?]*@",
    re.DOTALL,
)
"""A user with a password before the hosts of a URL, also one whose slash should have been ``%2F``: what follows the colon is no port then, or
PostgreSQL's, in whose paths there is no ``@``. Source: RFC 3986, section 3.2.1, which deprecates passwords for this reason.
"""

_SECRET_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&]*")
"""A parameter of a URL that is a password, as libpq takes one. Source: PostgreSQL's manual, section 34.1.2."""

_REGION = re.compile("[A-Za-z0-9._-]+")

SOCKETS = "unix"
"""Among networks: whoever comes over a UNIX socket."""


def boolean(text: str) -> bool:
    """``true`` or ``false``, as Hadoop reads them."""
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return lowered == "true"


_SIZES = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50}


def size(text: str) -> int:
    """Bytes: ``65536``, ``64K``, ``64KB``, ``5GB``; units are binary, as Ozone's."""
    folded = text.strip().upper().removesuffix("B")
    unit = folded[-1:] if folded[-1:].isalpha() else ""
    number = folded.removesuffix(unit) if unit else folded
    if unit not in _SIZES or not number.isascii() or not number.isdigit():
        raise ValueError(f"{text!r} is no size such as 65536, 64KB or 5GB")
    return int(number) << _SIZES[unit]


_CENTURY = 100 * 365 * 86400
"""Seconds: the longest duration, for clocks and timers do not take any number."""

_DURATIONS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Seconds: ``7d``, ``24h``, ``30m``, ``5s``, ``500ms``; a bare number is seconds."""
    folded = text.strip().lower()
    unit = folded.lstrip("0123456789.") or "s"
    number = folded.removesuffix(unit) if folded.endswith(unit) else folded
    try:
        seconds = float(number) * _DURATIONS[unit]
    except (KeyError, ValueError):
        raise ValueError(
            f"{text!r} is no duration such as 7d, 24h, 30m or 5s"
        ) from None
    if seconds > _CENTURY:
        raise ValueError(f"{text!r} is longer than a hundred years")
    return seconds


def interval(text: str) -> float:
    """A duration above zero."""
    seconds = duration(text)
    if not seconds > 0:
        raise ValueError(f"{text!r} is not above zero")
    return seconds


def half_a_minute(text: str) -> float:
    """A duration above zero, of half a minute at most."""
    seconds = interval(text)
    if seconds > 30:
        raise ValueError(f"{text!r} is longer than 30s")
    return seconds


def milliseconds(text: str) -> float:
    """A duration above zero whose bare number is milliseconds, as Hadoop's ``….ms`` keys have it."""
    return interval(text.strip() + "ms" if text.strip().isdigit() else text)


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def region_name(text: str) -> str:
    """The name of a region, which signatures have between two slashes."""
    name = text.strip()
    if not _REGION.fullmatch(name):
        raise ValueError(f"{text!r} is no region such as us-east-1")
    return name


def networks(text: str) -> tuple[str, ...]:
    """A comma-separated list of networks and addresses, such as ``10.0.0.0/8``; ``unix`` is whoever comes over a UNIX socket."""
    found = []
    for name in names(text):
        try:
            found.append(name if name == SOCKETS else str(ip_network(name)))
        except ValueError:
            raise ValueError(
                f"{name!r} is no network such as 10.0.0.0/8, no address, and not {SOCKETS}"
            ) from None
    return tuple(found)


def whole(text: str) -> int:
    """A whole number, zero or more."""
    if not text.strip().isascii() or not text.strip().isdigit():
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def positive(text: str) -> int:
    """A whole number, one or more."""
    number = whole(text)
    if not number:
        raise ValueError(f"{text!r} is not above zero")
    return number


def address(text: str) -> str:
    """``host:port``, an IPv6 host in brackets; see :func:`host_and_port`."""
    host_and_port(text)
    return text.strip()


def host_and_port(text: str) -> tuple[str, int]:
    """``127.0.0.1:9878`` or ``[::1]:9878`` in two; raises ``ValueError``."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed):
        raise ValueError(f"{text!r} is no address such as 127.0.0.1:9878 or [::1]:9878")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{port!r} in {text!r} is no port from 0 to 65535")
    return host.strip("[]"), int(port)


def mode(text: str) -> int:
    """The mode of a file that its owner may read and write: ``600``, ``660``, ``666``."""
    if text.strip() not in ("600", "660", "666", "0600", "0660", "0666"):
        raise ValueError(f"{text!r} is none of 600, 660 and 666")
    return int(text, 8)


def authentication(text: str) -> str:
    """How HTTP clients prove who they are, as Hadoop calls it: ``simple`` (not at all) or ``kerberos``."""
    folded = text.strip().lower()
    if folded not in ("simple", "kerberos"):
        raise ValueError(f"{text!r} is neither simple nor kerberos")
    return folded


def policy(text: str) -> str:
    """One of Ozone's policies, which are Hadoop's: ``HTTP_ONLY``, ``HTTPS_ONLY``, ``HTTP_AND_HTTPS``."""
    folded = text.strip().upper()
    if folded not in ("HTTP_ONLY", "HTTPS_ONLY", "HTTP_AND_HTTPS"):
        raise ValueError(f"{text!r} is not HTTP_ONLY, HTTPS_ONLY or HTTP_AND_HTTPS")
    return folded


def ownership(text: str) -> str:
    """Who owns the objects of a bucket, as S3 calls it."""
    found = text.strip()
    if found not in ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"):
        raise ValueError(
            f"{text!r} is not BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter"
        )
    return found


def masked(text: str) -> str:
    """A URL, or what was meant as one, with no password to be seen in it."""
    hidden = _USERINFO.sub(r"\1\2********@", text)
    return _SECRET_PARAMETER.sub(r"\1********", hidden)


def check_no_secret(text: str) -> None:
    """Nothing in a URL is a password: logs, lists of processes and ``/conf`` show URLs.

    :raises ValueError: something is.
    """
    if masked(text) != text:
        raise ValueError(
            f"{masked(text)!r} has a password in it, which logs and lists of processes show: take it out; "
            "of PostgreSQL it goes into the file that ozgate.postgresql.password-file names, or PGPASSFILE; of s3+https: into ozgate.blobs.s3.secret-key-file"
        )


def url(text: str) -> str:
    """``scheme:location``, which names a provider."""
    check_no_secret(text)
    scheme, colon, location = text.strip().partition(":")
    if not colon or not scheme or not location:
        raise ValueError(f"{text!r} is no URL such as sqlite:metadata.db")
    return text.strip()


def store(text: str) -> str:
    """A URL that names a store, with or without ``NAME=`` before it; see :func:`store_and_url`."""
    store_and_url(text)
    return text.strip()


def stores(text: str) -> tuple[str, ...]:
    """A comma-separated list of them, each with a name of its own."""
    check_no_secret(text)
    found = names(text)
    called = [store_and_url(each)[0] for each in found]
    for name in called:
        if called.count(name) > 1:
            raise ValueError(
                f"{text!r} has two stores called {name!r}: each has a name of its own, such as disk2=files:/mnt/disk2/blobs"
            )
    return found


def store_and_url(text: str) -> tuple[str, str]:
    """``disk2=files:/mnt/disk2/blobs`` in two; a store that is given no name is called by its scheme. Raises ``ValueError``."""
    check_no_secret(text)
    name, equals, location = text.strip().partition("=")
    if not equals or ":" in name:
        location = text.strip()
        name = location.partition(":")[0]
    scheme, _, rest = location.partition(":")
    if not scheme or not rest or not _STORE.fullmatch(name):
        raise ValueError(
            f"{text!r} is no URL such as files:blobs, nor NAME=URL with a name of up to 32 of a-z, 0-9, +, . and -"
        )
    return name, location


def durability(text: str) -> str:
    """When a write is answered: ``strict`` (once it survives a power cut) or ``relaxed``."""
    folded = text.strip().lower()
    if folded not in ("strict", "relaxed"):
        raise ValueError(f"{text!r} is neither strict nor relaxed")
    return folded


def issuers(text: str) -> tuple[tuple[str, str], ...]:
    """A comma-separated list of issuers of OpenID Connect, each a name and a URL: ``corp=https://login.example``; one without a name is called ``oidc``."""
    found = []
    for each in names(text):
        name, equals, location = each.partition("=")
        if not equals or ":" in name:
            name, location = "oidc", each
        if not _STORE.fullmatch(name) or not is_trusted_url(location):
            raise ValueError(
                f"{each!r} is no issuer such as https://login.example or corp=https://login.example: HTTPS, or HTTP on this machine"
            )
        found.append((name, location))
    if len({name for name, _ in found}) < len(found):
        raise ValueError(
            f"{text!r} has two issuers of one name, whose users would be the same: name each, such as corp=https://login.example"
        )
    if len({location for _, location in found}) < len(found):
        raise ValueError(f"{text!r} has an issuer twice")
    return tuple(found)


def is_trusted_url(text: str) -> bool:
    """Whether nobody on the way can change what is at a URL: HTTPS, or HTTP on this machine."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    if not host or parts.username is not None or parts.query or parts.fragment:
        return False
    if not text.isascii() or any(each.isspace() for each in text):
        return False
    local = host in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (parts.scheme == "http" and local)
