"""The Klein app of the admin listener, served on the Unix socket ``admin.sock`` and on a TCP port.

Each module adds its own paths: ``routes(app, context)``. Whoever may do what is asked by each path for itself, with
:func:`~ozgate.admin.caller.caller_of`.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource

from ..s3.documents import error_document
from ..wire.gatewaysite import GatewaySite
from ..wire.hosts import GUARDS, may_be_called, of_another_site
from ..wire.limits import ConnectionLimits
from ..wire.peers import Peers
from ..wire.request import GatewayRequest
from .answers import answer
from .caller import peer_uid
from .commands import table
from .context import AdminContext
from .pages import keyroutes, secretroutes

Routes = Callable[[Klein, AdminContext], None]

CONNECTIONS = 256
"""Open connections of who administers; part of :data:`~ozgate.wire.limits.OTHERS`."""

ROUTES: tuple[Routes, ...] = (
    table.routes,
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


class FromHere(Resource):
    """Keeps out the pages of other sites in a browser of somebody whom the listener trusts."""

    isLeaf = True

    def __init__(self, inner: Resource, context: AdminContext) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inner = inner
        self._context = context

    def render(self, request: GatewayRequest) -> bytes | int:
        """Refuse a request that such a page sent, or by a name that may be such a site's."""
        refused = ""
        if not may_be_called(request, self._context.settings):
            refused = "while ozone.security.enabled is false, the URL must have an address or a name of this machine"
        elif of_another_site(request) and peer_uid(request) is None:
            refused = "pages of other sites may not ask"
        if refused:
            result = {"code": "PERMISSION_DENIED", "message": refused}
            return answer(request, 403, json.dumps(result).encode(), "application/json")
        if not request.method.isupper():
            # werkzeug takes ``put`` for ``PUT``; methods are case-sensitive (RFC 9110, 9.1).
            return answer(request, 501)
        try:
            b"/".join(request.postpath or ()).decode("utf-8")
        except UnicodeDecodeError:
            # Klein answers so too, but logs a traceback for each.
            return answer(request, 400, b"the path is no UTF-8")
        answered: bytes | int = self._inner.render(request)
        return answered


def make_admin_site(
    reactor: IReactorTime, context: AdminContext, *further: Routes
) -> GatewaySite:
    """The site that serves them, with the same strictness about HTTP as that of S3."""
    settings = context.settings
    return GatewaySite(
        FromHere(make_admin_app(context, *further).resource(), context),
        error_body=error_document,
        reactor=reactor,
        header_timeout=settings.header_timeout,
        idle_timeout=settings.idle_timeout,
        minimum_rate=settings.minimum_rate,
        progress_window=settings.progress_window,
        limits=ConnectionLimits(CONNECTIONS),
        guards=GUARDS,
        peers=Peers.trusting(settings.trusted_proxies),
    )
