"""IAM and STS at the place where S3's pipeline asks for them: the steps of every request of theirs.

A request of theirs is a form that is posted to ``/``. It is looked at (:mod:`.gate`), its body is taken, for that is what is signed, the row of its
action is found, whoever asks is admitted and authorized (:mod:`.authorizing`), and the coroutine of the row does it. Nothing is
performed before that: no action can forget it. Source: IAM User Guide, "Making HTTP query requests".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..errors.iam import (
    InvalidAction,
    MissingAction,
    MissingAuthenticationToken,
    NotImplemented,
    RequestEntityTooLarge,
)
from ..immutable import frozen
from ..s3.reply import Reply
from ..s3.row import Gate
from ..values import ANONYMOUS
from ..wire.streams import Collect
from ..wire.target import Scope
from .actions import ACTIONS
from .answers import answer_document, fault_document
from .asked import QueryCall
from .authorizing import authorize
from .form import MOST, Form
from .gate import admit, check_claim
from .row import Row, Service

if TYPE_CHECKING:
    from ..auth.oidc import Issuers
    from ..auth.sessions import Sessions
    from ..auth.sigv4 import Verified
    from ..errors import S3Error
    from ..gateway.gateway import Gateway
    from ..interfaces import IVerifier
    from ..values import Principal
    from ..wire.headers import Headers
    from ..wire.request import GatewayRequest
    from ..wire.target import Address

_FORM = "application/x-www-form-urlencoded"
_COMMON = frozenset(("Action", "Version"))
_NAMES = (
    "UserName",
    "GroupName",
    "PolicyName",
    "PolicyArn",
    "AccessKeyId",
    "Status",
    "RoleArn",
    "RoleSessionName",
)
"""Parameters that the audit log says: none of them is secret."""


@frozen
class QueryServices:
    """See :class:`~ozgate.s3.neighbor.Neighbor`.

    :ivar sessions: verify what is signed, and make sessions.
    :ivar issuers: whose web identities are believed.
    """

    sessions: Sessions
    issuers: Issuers

    def takes(self, address: Address, headers: Headers) -> bool:
        """Whether it is a form that is posted to ``/``, and nothing besides: no action of S3 is one."""
        if address.scope is not Scope.SERVICE:
            return False
        if address.query or address.raw_path != b"/":
            return False
        kind = (headers.get("content-type") or "").partition(";")[0]
        return kind.strip().lower() == _FORM

    async def perform(
        self,
        gateway: Gateway,
        verifier: IVerifier | None,
        request: GatewayRequest,
        address: Address,
        headers: Headers,
    ) -> Reply:
        """Admit, authorize and perform a request."""
        if verifier is None:
            # Who asks is nobody whom anything could be known of.
            raise NotImplemented("Signatures are not verified here.")
        is_signed = check_claim(headers, gateway.clock.seconds())
        body = await _body(gateway, request)
        digest = hashlib.sha256(body).hexdigest()
        notes = request.notes
        verified: Verified | None = None
        principal: Principal = ANONYMOUS
        if is_signed:
            verified, service, principal = await admit(
                gateway, verifier, address, headers, digest
            )
            notes["service"], notes["principal"] = service, principal
            form = Form.read(body)
        else:
            form, service = Form.read(body), Service.STS
            notes["service"] = service
        row = _row(form, service, is_signed)
        notes["operation"] = row
        notes["parameters"] = [
            (name, form.get(name))
            for name in _NAMES
            if name in row.takes & form.names()
        ]
        call = QueryCall(
            gateway,
            self.sessions,
            self.issuers,
            row,
            form,
            headers,
            principal,
            verified,
            request.over_tls,
            request.client_ip,
        )
        return await _answer(call, request)

    def refusal(
        self, error: S3Error, request: GatewayRequest
    ) -> tuple[list[tuple[str, str]], bytes]:
        """The headers and the document of an error, in the namespace of the service, where it is known."""
        service = request.notes.get("service", Service.STS)
        document = fault_document(error, service, request.request_id)
        return _headers(request), document


async def _body(gateway: Gateway, request: GatewayRequest) -> bytes:
    """The body, within bounds: whoever sends it need not have a key."""
    body = request.body
    if (body.length or 0) > MOST:
        raise RequestEntityTooLarge()
    if body.length == 0:
        return b""
    body.charge(gateway.memory.account(body.length, MOST, body.received))
    collect = Collect(MOST, RequestEntityTooLarge)
    await body.deliver_to(collect)
    return collect.value()


def _row(form: Form, service: Service, is_signed: bool) -> Row:
    """The row of what is asked, where its parameters are those that it takes.

    :raises MissingAuthenticationToken: nobody signed, and it wants that: so strangers learn nothing of what there is.
    """
    name, version = form.get("Action"), form.get("Version")
    row = ACTIONS.get((service, name)) if version == service.version else None
    if not is_signed and (row is None or row.gate is not Gate.TOKEN):
        raise MissingAuthenticationToken()
    if not name:
        raise MissingAction()
    if row is None:
        raise InvalidAction(f"Could not find operation {name} for version {version}")
    for each in sorted(form.names() - _COMMON - row.takes):
        raise NotImplemented(f"The parameter {each} of {name} is not implemented.")
    return row


async def _answer(call: QueryCall, request: GatewayRequest) -> Reply:
    row = call.row
    authorize(call)
    if row.changes:
        call.gateway.check_room(in_rows=True)
    members = await row.perform(call)
    # Whom a token speaks for is known by now.
    request.notes["principal"] = call.principal
    document = answer_document(row, members, request.request_id)
    return Reply(200, _headers(request), document)


def _headers(request: GatewayRequest) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "text/xml"),
        ("x-amzn-RequestId", request.request_id),
        # There are secrets in it.
        ("Cache-Control", "no-store"),
    ]
