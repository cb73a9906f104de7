"""The admin listener of the service, put together."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack

from attrs import evolve
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from ..admin.app import Routes, make_admin_site
from ..admin.context import AdminContext
from ..admin.localsocket import LocalPort
from ..auth.kerberos import KerberosError, make_spnego
from ..auth.secretstore import has_secret
from ..config.sitefile import ConfigurationError
from ..errors import Unavailable
from .endpoints import AddressTaken
from .listening import admin_description, listen, url_of

_log = Logger()

ADDRESS = "ozone.s3g.webadmin.http-address"


async def user_with_key(context: AdminContext) -> str:
    """The user that the service runs as, if that one has a key already; else, or where it cannot be told, ``""``."""
    if context.secrets is None:
        return ""
    try:
        user = await context.administrators.local_name(os.geteuid())
    except Unavailable:
        return ""
    return user if await context.gateway.metadata.read(has_secret, user) else ""


async def serve_admin(
    reactor: IReactorTime,
    context: AdminContext,
    opened: AsyncExitStack,
    *further: Routes,
) -> list[str]:
    """Listen for administrators; what is opened is pushed to ``opened``.

    :param further: see :func:`~ozgate.admin.app.make_admin_app`.
    :return: URLs, for people.
    :raises ConfigurationError: the port cannot be had, or would be open to others while security is off;
        Kerberos is asked for and cannot be used.
    :raises OSError: the socket in the data folder cannot be made.
    """
    settings = context.settings
    try:
        spnego = make_spnego(settings, context.gateway.run_in_thread)
    except KerberosError as error:
        raise ConfigurationError(str(error)) from None
    if spnego is not None:
        context = evolve(context, negotiate=spnego.authenticate)
    site = make_admin_site(reactor, context, *further)
    opened.callback(site.abort_connections)
    local = LocalPort(reactor, settings.data, settings.admin_socket_mode, site)
    opened.push_async_callback(local.close)
    if not settings.admin_enabled:
        return []
    description = admin_description(settings)
    try:
        [port] = await listen(reactor, [description], site, settings, {}, ADDRESS)
    except AddressTaken:
        # Another gateway on this machine has the default port: no reason not to start.
        if ADDRESS in settings.origins:
            raise
        _log.warn("{where}: taken; administrators use the socket", where=description)
        return []
    opened.push_async_callback(maybeDeferred, port.stopListening)
    return [url_of(port.getHost(), description)]
