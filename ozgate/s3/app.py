"""The Klein resource tree of the S3 endpoint.

Klein's part is small on purpose: it is the map of routes, one for each scope. The bucket, the key and the query
come from the raw request target (:mod:`ozgate.wire.target`), since werkzeug merges slashes, redirects and
decodes before it splits. The address tells the scope, so that the route is called by its name: matching a path again
would cost ten times as much, and Klein's way of doing it leaves each request in a circle of references.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from klein import Klein
from twisted.internet.interfaces import IReactorTime
from twisted.web.server import NOT_DONE_YET

from ..errors import AccessDenied, S3Error, SlowDown
from ..wire.gatewaysite import GatewaySite
from ..wire.hosts import GUARDS, may_be_called, named_origins, of_another_site
from ..wire.limits import REQUESTS, ConnectionLimits
from ..wire.request import Answering
from ..wire.target import Scope, parse_address
from .documents import error_document
from .openpages import OpenPages, open_page
from .pipeline import Pipeline

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..gateway.gateway import Gateway
    from ..interfaces import IVerifier
    from ..wire.accesslog import AccessLog, AuditLog
    from ..wire.request import GatewayRequest
    from ..wire.target import Address
    from .neighbor import Neighbor

ROUTES = {
    Scope.SERVICE: "/",
    Scope.BUCKET: "/<bucket>",
    Scope.OBJECT: "/<bucket>/<path:key>",
}


def make_app(pipeline: Pipeline) -> Klein:
    """The three routes; the name of each is its scope's."""
    app = Klein()

    def serve(request: GatewayRequest, address: Address) -> None:
        # Not given to Klein as a coroutine, which would make a Deferred of it: few requests have to wait.
        request.answered_by(pipeline.serve(request, address))

    for scope, path in ROUTES.items():
        app.route(path, endpoint=scope.value)(serve)
    return app


def check_caller(request: GatewayRequest, settings: Settings) -> None:
    """Keep the pages of other sites out while signatures are not verified: nothing else would.

    :raises AccessDenied: such a page may have sent it.
    """
    if not may_be_called(request, settings):
        raise AccessDenied(
            "Signatures are not verified here, so the Host must be a name of this machine or in ozone.s3g.domain.name."
        )
    names = named_origins(settings)
    if of_another_site(request, names):
        raise AccessDenied(
            "Signatures are not verified here, so pages of other sites may not ask: verify them (ozone.security.enabled), or name the site in ozone.s3g.domain.name."
        )


class Addressed(Answering):
    """Parses the address of each request, then calls Klein's route of its scope."""

    def __init__(self, pipeline: Pipeline, pages: OpenPages) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._pipeline = pipeline
        self._pages = pages
        self._routes = make_app(pipeline).endpoints

    def render(self, request: Any) -> Any:
        """Answer a request that has no valid address, or is one too many, here; the route answers the others."""
        settings = self._pipeline.gateway.settings
        tally = self._pipeline.gateway.tally
        try:
            if not settings.security_enabled:
                check_caller(request, settings)
            page = None
            if request.raw_target in self._pages:
                page = open_page(request, settings, self._pages)
            if page is not None:
                # Before the limit: a service that has much to do is well.
                request.answered_by(self._pipeline.show(request, page))
                return NOT_DONE_YET
            if settings.limit_requests and tally.is_full(settings.limit_requests):
                tally.refuse(REQUESTS)
                raise SlowDown()
            request.count()
            address = parse_address(
                request.raw_target, request.raw_host, settings.domain_names
            )
        except S3Error as error:
            request.answered_by(self._pipeline.refuse(request, error))
            return NOT_DONE_YET
        # As Klein's `execute_endpoint` does, without taking the arguments apart; not by `value`, which calls two functions.
        self._routes[address.scope._value_](None, request, address)
        return NOT_DONE_YET


def make_site(
    reactor: IReactorTime,
    gateway: Gateway,
    verifier: IVerifier | None,
    access_log: AccessLog,
    audit_log: AuditLog,
    pages: OpenPages = MappingProxyType({}),
    neighbor: Neighbor | None = None,
    limits: ConnectionLimits | None = None,
) -> GatewaySite:
    """The site that serves S3 from a gateway.

    :param verifier: ``None`` when signatures are not verified.
    :param pages: what everybody may see.
    :param neighbor: what else is served on the same port.
    :param limits: of connections; this process' own by default.
    """
    settings = gateway.settings
    pipeline = Pipeline(gateway, verifier, access_log, audit_log, neighbor)
    site = GatewaySite(
        Addressed(pipeline, pages),
        error_body=error_document,
        reactor=reactor,
        log_refused=pipeline.note_refused,
        limits=limits or ConnectionLimits(refused=gateway.tally.refuse),
        # S3 sends neither, and with CORP no page could show what a presigned URL of another site leads to.
        guards=b"" if settings.security_enabled else GUARDS,
    )
    site.take_up(settings)
    return site
