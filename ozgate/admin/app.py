"""The Klein app of the admin listener, served on the Unix socket ``admin.sock`` and on a TCP port.

Each module adds its own paths: ``routes(app, context)``. Whoever may do what is asked by each path for itself, with
:func:`~ozgate.admin.caller.caller_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from klein import Klein

from ..s3.xml import error_document
from ..wire.site import GatewaySite
from . import commands, keyroutes, secretroutes
from .context import AdminContext

Routes = Callable[[Klein, AdminContext], None]

ROUTES: tuple[Routes, ...] = (
    commands.routes,
    keyroutes.routes,
    secretroutes.routes,
)


def make_admin_app(context: AdminContext, *further: Routes) -> Klein:
    """All paths.

    :param further: add those that only a running service has.
    """
    app = Klein()
    app.url_map.merge_slashes = False
    for add in (*ROUTES, *further):
        add(app, context)
    return app


def make_admin_site(
    reactor: Any, context: AdminContext, *further: Routes
) -> GatewaySite:
    """The site that serves them, with the same strictness about HTTP as that of S3."""
    settings = context.settings
    return GatewaySite(
        make_admin_app(context, *further).resource(),
        error_body=error_document,
        reactor=reactor,
        header_timeout=settings.header_timeout,
        idle_timeout=settings.idle_timeout,
        minimum_rate=settings.minimum_rate,
        progress_window=settings.progress_window,
    )
