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

from attrs import frozen

from ..auth.administrators import local_user
from .context import AdminContext
from .errors import AdminError, access_denied

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
    :ivar is_namesake: only bears the name of the configured access key, so that the name says nothing of what is owned.
    """

    user: str
    is_admin: bool = False
    is_s3_admin: bool = False
    is_local: bool = False
    short_name: str = ""
    is_namesake: bool = False


async def caller_of(request: Any, context: AdminContext) -> Caller:
    """Find out who sent a request.

    :raises AdminError: no ticket came with it, and one is asked for (401).
    """
    uid = peer_uid(request)
    if uid is not None:
        return local_caller(uid, context)
    if context.negotiate is None:
        free = not context.is_secure
        return Caller(ANONYMOUS if free else "", free, free)
    user = await context.negotiate(request)
    if not user:
        error = AdminError("UNAUTHENTICATED", "a Kerberos ticket is needed", 401)
        if not request.responseHeaders.hasHeader("www-authenticate"):
            error.headers.append(("WWW-Authenticate", "Negotiate"))
        raise error
    return known_caller(user, context)


def known_caller(user: str, context: AdminContext) -> Caller:
    """A caller who has proved to be a user."""
    found, free = context.administrators, not context.is_secure
    return Caller(
        user,
        free or found.is_admin(user),
        free or found.is_s3_admin(user),
        short_name=found.known_as(user),
        is_namesake=user == context.settings.access_key,
    )


def local_caller(uid: int, context: AdminContext) -> Caller:
    """A user of this machine; root and the service's own user could read everything anyway."""
    caller = known_caller(local_user(uid), context)
    powerful = uid in (0, os.geteuid())
    return Caller(
        caller.user,
        powerful or caller.is_admin,
        powerful or caller.is_s3_admin,
        is_local=True,
        short_name=caller.short_name,
        is_namesake=caller.is_namesake,
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


def peer_uid(request: Any) -> int | None:
    """The user at the other end of a Unix socket; ``None`` where the request came another way."""
    sock: Any = getattr(getattr(request.channel, "transport", None), "socket", None)
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(data)
    return int(uid)
