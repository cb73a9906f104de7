"""Who calls the admin listener: the operating system's user over the Unix socket, a Kerberos principal over TCP.

Over the Unix socket the kernel says who connected (``SO_PEERCRED``, unix(7)); nothing that was sent is believed. Over TCP
a ticket does (SPNEGO, RFC 4559); without one the caller is nobody. While security is off, everybody is an administrator,
as everybody is on the S3 endpoint.
"""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

from attrs import evolve

from ..errors import Unavailable
from ..immutable import frozen
from ..wire.request import GatewayRequest
from .context import AdminContext
from .errors import AdminError, access_denied, as_admin_error

_CREDENTIALS = struct.Struct("iII")
"""``struct ucred``: pid, uid, gid."""

ANONYMOUS = "anonymous"
"""What nobody in particular is called while security is off."""


@frozen
class Caller:
    """Who asks.

    :ivar user: ``""`` when that is not known.
    :ivar is_admin: may do everything.
    :ivar is_s3_admin: may manage the secrets of others.
    :ivar is_local: came over the Unix socket, or has opened the stores itself.
    :ivar short_name: by which owners and access control lists may mean the user besides.
    :ivar groups: of the operating system.
    :ivar is_powerful: root, or the user that the service runs as, by the number.
    :ivar is_namesake: only bears the name of the configured access key, so that the name says nothing of what is owned.
    """

    user: str
    is_admin: bool = False
    is_s3_admin: bool = False
    is_local: bool = False
    short_name: str = ""
    is_namesake: bool = False
    groups: frozenset[str] = frozenset()
    is_powerful: bool = False

    @property
    def owner_name(self) -> str:
        """The name under which what the caller makes is owned."""
        return self.short_name or self.user


async def caller_of(request: GatewayRequest, context: AdminContext) -> Caller:
    """Find out who sent a request.

    :raises AdminError: no ticket came with it, and one is asked for (401); or the operating system does not say whose
        socket it is (503).
    """
    uid = peer_uid(request)
    if uid is not None:
        return await local_caller(uid, context)
    if context.negotiate is None:
        free = not context.is_secure
        return Caller(ANONYMOUS if free else "", free, free)
    user = await context.negotiate(request)
    if not user:
        error = AdminError("UNAUTHENTICATED", "a Kerberos ticket is needed", 401)
        if not request.responseHeaders.hasHeader("www-authenticate"):
            error.headers.append(("WWW-Authenticate", "Negotiate"))
        raise error
    return await known_caller(user, context)


async def known_caller(user: str, context: AdminContext) -> Caller:
    """A caller who has proved to be a user."""
    is_namesake = user == context.settings.access_key
    if not context.is_secure:
        short_name = context.administrators.known_as(user)
        return Caller(user, True, True, short_name=short_name, is_namesake=is_namesake)
    found = await context.administrators.identify(user)
    return Caller(
        user,
        found.is_admin,
        found.is_s3_admin,
        short_name=found.short_name,
        is_namesake=is_namesake,
        groups=found.groups,
    )


async def local_caller(uid: int, context: AdminContext) -> Caller:
    """A user of this machine; root and the service's own user could read everything anyway.

    :raises AdminError: the operating system does not say who that is (503).
    """
    try:
        name = await context.administrators.local_name(uid)
    except Unavailable as error:
        raise as_admin_error(error) from error
    powerful = uid in (0, os.geteuid())
    return await known_again(Caller(name, is_local=True, is_powerful=powerful), context)


async def known_again(caller: Caller, context: AdminContext) -> Caller:
    """A caller as he is known by now, when that was found out a while ago: a body may have taken hours."""
    found = await known_caller(caller.user, context)
    powerful = caller.is_powerful
    return evolve(
        found,
        is_admin=powerful or found.is_admin,
        is_s3_admin=powerful or found.is_s3_admin,
        is_local=caller.is_local,
        is_powerful=powerful,
    )


def require_admin(caller: Caller) -> None:
    """Let only administrators pass.

    :raises AdminError: the caller is none (403).
    """
    if not caller.is_admin:
        if not caller.user:
            raise access_denied(
                "who asks is not known: ask over admin.sock in the data folder, or set ozone.s3g.http.auth.type to kerberos"
            )
        raise access_denied(f"{caller.user} is no administrator")


def peer_uid(request: GatewayRequest) -> int | None:
    """The user at the other end of a Unix socket; ``None`` where the request came another way."""
    sock: Any = getattr(getattr(request.channel, "transport", None), "socket", None)
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(data)
    return int(uid)
