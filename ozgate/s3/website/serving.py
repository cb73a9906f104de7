"""The site that serves buckets as websites: a listener of its own, where S3 is not, nor its XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReactorTime
from twisted.web.server import NOT_DONE_YET

from ...errors import S3Error, SlowDown
from ...immutable import frozen
from ...wire.gatewaysite import GatewaySite
from ...wire.hosts import GUARDS
from ...wire.limits import REQUESTS, ConnectionLimits
from ...wire.request import Answering
from ...wire.target import parse_page
from ..pipeline import Pipeline
from .pages import TYPE, error_headers, error_page
from .visiting import visit

if TYPE_CHECKING:
    from ...gateway.gateway import Gateway
    from ...wire.accesslog import AccessLog, AuditLog
    from ...wire.headers import Headers
    from ...wire.request import GatewayRequest
    from ...wire.target import Address
    from ..reply import Reply


@frozen
class Visits(Pipeline):
    """The pipeline of websites: what is performed is a visit, and errors are pages."""

    async def _perform(
        self, request: GatewayRequest, address: Address, headers: Headers
    ) -> Reply:
        request.body.discard()
        return await visit(self.gateway, request, address)

    def _shown(
        self, request: GatewayRequest, address: Address | None, error: S3Error
    ) -> tuple[list[tuple[str, str]], bytes]:
        besides = request.notes.get("besides")
        headers = [*error_headers(error), ("Content-Type", TYPE)]
        return headers, error_page(error, request.request_id, besides)


class Pages(Answering):
    """Parses the address of each request, and has it visited."""

    def __init__(self, visits: Visits) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._visits = visits

    def render(self, request: Any) -> Any:
        """Answer a request that has no valid address, or is one too many, here."""
        gateway = self._visits.gateway
        settings, tally = gateway.settings, gateway.tally
        try:
            if settings.limit_requests and tally.is_full(settings.limit_requests):
                tally.refuse(REQUESTS)
                raise SlowDown()
            request.count()
            address = parse_page(
                request.raw_target, request.raw_host, settings.website_domains
            )
        except S3Error as error:
            answered = self._visits.refuse(request, error)
        else:
            answered = self._visits.serve(request, address)
        request.answered_by(answered)
        return NOT_DONE_YET


def _page(error: S3Error, resource: str, request_id: str) -> bytes:
    return error_page(error, request_id)


def make_website_site(
    reactor: IReactorTime,
    gateway: Gateway,
    access_log: AccessLog,
    audit_log: AuditLog,
    s3: GatewaySite | None = None,
) -> GatewaySite:
    """The site that serves the buckets of a gateway that are websites.

    :param s3: the one that serves S3, whose connections are limited together with those of this one.
    """
    visits = Visits(gateway, None, access_log, audit_log)
    site = GatewaySite(
        Pages(visits),
        error_body=_page,
        reactor=reactor,
        log_refused=visits.note_refused,
        limits=ConnectionLimits(refused=gateway.tally.refuse),
        guards=b"" if gateway.settings.security_enabled else GUARDS,
    )
    site.error_type = TYPE.encode("ascii")
    if s3 is not None:
        site.stand_beside(s3)
    site.take_up(gateway.settings)
    return site
