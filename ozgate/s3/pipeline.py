"""The pipeline, written once: resolve, admit, perform, finish, render. Authorization is in :mod:`ozgate.s3.entering`.

What comes in is a request whose address was parsed; what goes out is an answer on the
wire and a line in each log. Every operation passes through here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError

from ..errors import (
    ClientGone,
    Damaged,
    NotImplemented,
    NotModified,
    S3Error,
    StoreError,
    forget_frames,
)
from ..gateway.gateway import Gateway
from ..immutable import frozen
from ..values import ANONYMOUS
from ..wire.accesslog import GONE
from ..wire.lines import text_lines
from ..wire.send import send
from ..wire.tls import spoken_version
from .bodymemory import account_for
from .call import Call, asked_of, no_form
from .documents import error_document
from .failures import as_s3_error, code_of, log_failure, log_success
from .finish import finish
from .foreign.dispatch import goes_abroad, perform_abroad
from .gate import admit, admit_again, admit_form
from .openpages import HEADERS
from .origins import headers_for_page
from .payer import HEADER as PAYER
from .receive import authorize_entry
from .reply import Reply
from .resolve import resolve_request
from .row import Body, Gate
from .terms import check_payload, check_unread

if TYPE_CHECKING:
    from ..auth.sigv4 import Verified
    from ..interfaces import IVerifier
    from ..wire.accesslog import AccessLog, AuditLog
    from ..wire.headers import Headers
    from ..wire.request import GatewayRequest
    from ..wire.target import Address
    from .asked import Asked
    from .neighbor import Neighbor
    from .openpages import OpenPage
    from .row import Operation

UNCOUNTED = 64 << 10
"""Bytes of a document that may wait for its reader unaccounted for: more or less what is written before anybody asks."""


@frozen
class Pipeline:
    """Turns requests into answers.

    :ivar verifier: tells who signed; ``None`` when ``ozone.security.enabled`` is false.
    :ivar neighbor: what else is served on the same port.
    """

    gateway: Gateway
    verifier: IVerifier | None
    access_log: AccessLog
    audit_log: AuditLog
    neighbor: Neighbor | None = None

    async def serve(self, request: GatewayRequest, address: Address) -> None:
        """Answer a request. What goes wrong is an answer too, or a cut connection."""
        failed: Exception | None = None
        tally = self.gateway.tally
        tally.in_flight += 1
        try:
            headers = request.headers
            if "origin" in headers:
                await self._look_at_origin(request, address)
            reply = await self._perform(request, address, headers)
            pending = finish(self.gateway, request.notes, address, reply)
            if pending is not None:
                await pending
            pending = self._answer(request, reply)
            if pending is not None:
                await pending
        except (ClientGone, CancelledError) as error:
            # Nobody is left to be told.
            failed = error
        except Exception as error:
            failed = error
            log_failure(self.gateway, request, address, error)
            await self._answer_error(request, address, as_s3_error(error))
        else:
            log_success(self.gateway, request)
        finally:
            tally.in_flight -= 1
            request.body.settle()
        self.note(request, address, failed)
        if failed is not None:
            forget_frames(failed)

    async def _look_at_origin(self, request: GatewayRequest, address: Address) -> None:
        """Note what lets the page that sent a request read its answer. Without it the answer is still one, which no page reads."""
        with suppress(StoreError):
            pairs = await headers_for_page(self.gateway, request, address)
            request.notes["origin"] = pairs

    async def refuse(self, request: GatewayRequest, error: S3Error) -> None:
        """Answer a request that has no valid address, or is one too many."""
        await self._answer_error(request, None, error)
        self.note(request, None, error)

    def note(
        self, request: GatewayRequest, address: Address | None, failed: Exception | None
    ) -> None:
        """Add a request that is over to both logs, and count it.

        :param address: ``None`` where it has no valid one.
        """
        seconds, notes = monotonic() - request.started, request.notes
        operation, principal = notes.get("operation"), notes.get("principal")
        access_id, name, audit = "", "-", "UNKNOWN"
        if principal is not None:
            access_id = principal.access_id
            if access_id != principal.user:
                access_id = principal.signed_as
        if operation is not None:
            name, audit = operation.name, operation.audit
        status = request.code if request.startedWriting else GONE
        received, sent = request.body.received, request.sentLength
        tally = self.gateway.tally
        tally.note(name, status, seconds, received, sent)
        if failed is not None:
            tally.failed(code_of(failed))
            if isinstance(failed, Damaged):
                tally.damage(failed.kind)
        self.access_log.note(request, name, access_id, seconds)
        bucket, key, query = "", "", None
        if address is not None:
            bucket, key, query = address.bucket, address.key, address.query.items()
        if "key" in notes or "parameters" in notes:
            key = notes.get("key") or key
            query = notes.get("parameters") or query
        source = notes.get("source")
        self.audit_log.note(
            request, audit, access_id, bucket, key, seconds, failed, source, query
        )

    async def show(self, request: GatewayRequest, page: OpenPage) -> None:
        """Answer with a page that is for everybody; see :mod:`ozgate.s3.openpages`."""
        gone: CancelledError | None = None
        try:
            status, said = await page()
            request_id = request.request_id.encode("ascii")
            standing = (
                (b"x-amz-id-2", request_id),
                (b"x-amz-request-id", request_id),
            )
            request.answer_document(status, (*standing, *HEADERS), said)
        except CancelledError as error:
            gone = error
        finally:
            request.body.settle()
        seconds = monotonic() - request.started
        status = request.code if request.startedWriting else GONE
        self.gateway.tally.note("Health", status, seconds, 0, request.sentLength)
        self.access_log.note(request, "Health", seconds=seconds)
        if gone is not None:
            forget_frames(gone)

    def note_refused(self, request: GatewayRequest) -> None:
        """Add what was no request, and was answered as such, to the access log, and count it."""
        seconds = monotonic() - request.started
        self.gateway.tally.note("-", request.code, seconds, 0, request.sentLength)
        self.access_log.note(request, seconds=seconds)

    async def _perform(
        self, request: GatewayRequest, address: Address, headers: Headers
    ) -> Reply:
        """Resolve, admit, perform; the logs are told who and what on the way."""
        method = request.method.decode("ascii")
        notes, neighbor = request.notes, self.neighbor
        gateway, verifier = self.gateway, self.verifier
        if (
            method == "POST"
            and neighbor is not None
            and neighbor.takes(address, headers)
        ):
            notes["neighbor"] = neighbor
            return await neighbor.perform(gateway, verifier, request, address, headers)
        try:
            operation = notes["meant"] = resolve_request(method, address, headers)
        except S3Error:
            # Whoever signed is told why; all others are told to sign, as for what is there.
            must = Gate.SIGNED
            _, who, _ = await admit(gateway, verifier, must, method, address, headers)
            notes["principal"] = who
            raise
        verified, principal, headers = await admit(
            gateway, verifier, operation.gate, method, address, headers
        )
        notes["principal"], notes["operation"] = principal, operation
        if PAYER in headers:
            notes["payer"] = headers[PAYER]
        if operation.perform is None:
            raise NotImplemented()
        is_secure = request.over_tls
        asked = asked_of(
            gateway,
            operation,
            address,
            headers,
            principal,
            "",
            is_secure,
            request.client_ip,
            request.request_id,
            tls_version_of(request) if is_secure else "",
        )
        call = self._call(request, operation, asked, verified)
        is_abroad = gateway.foreign is not None and await goes_abroad(call)
        if principal is ANONYMOUS and not is_abroad:
            await _refuse_early(call)
        self._admit_body(call, not is_abroad)
        return await (perform_abroad if is_abroad else operation.perform)(call)

    def _call(
        self,
        request: GatewayRequest,
        operation: Operation,
        asked: Asked,
        verified: Verified,
    ) -> Call:
        gateway, verifier = self.gateway, self.verifier
        is_form = operation.gate is Gate.FORM
        return Call(
            gateway,
            operation,
            asked,
            verified,
            request.body,
            request.request_id,
            request.notes,
            partial(admit_again, gateway, verifier, verified),
            request.computing,
            partial(admit_form, gateway, verifier) if is_form else no_form,
        )

    def _admit_body(self, call: Call, is_kept_here: bool) -> None:
        """Make sure that the body is of a form that the operation takes, and that there is room for it; drop what nobody reads.

        :param is_kept_here: whether what is asked for needs room in the stores.
        :raises S3Error: it is not, or there is none.
        """
        operation, body = call.operation, call.body
        check_payload(operation, call.verified)
        if is_kept_here and operation.stores and operation.body is not Body.STREAM:
            self.gateway.check_room(in_rows=True)
        if operation.body is Body.NONE:
            check_unread(call.verified, body)
            if body.length != 0:
                body.discard()
        else:
            account_for(self.gateway, body, operation.body, is_kept_here)

    def _answer(self, request: GatewayRequest, reply: Reply) -> Awaitable[None] | None:
        """Put a reply on the wire.

        :return: to be awaited where its bytes are yet to be read; ``None`` where it is written.
        :raises SlowDown: it is a large document, and there is no room for it to wait for its reader.
        """
        headers = _rendered(request, reply.headers)
        if reply.sources is not None:
            length, threads = reply.length or 0, self.gateway.run_in_thread
            return send(request, reply.status, headers, length, reply.sources, threads)
        if len(reply.body) <= UNCOUNTED or request.method == b"HEAD":
            request.answer_document(reply.status, headers, reply.body, reply.length)
            return None
        account = self.gateway.memory.answer(
            len(reply.body), refusable=request.method == b"GET"
        )
        channel, taken = request.channel, None
        try:
            request.answer_document(reply.status, headers, reply.body, reply.length)
            taken = channel.writable() if channel is not None else None
        finally:
            if taken is None:
                account.close()
            else:
                taken.addBoth(lambda _: account.close())
        return None

    async def _answer_error(
        self, request: GatewayRequest, address: Address | None, error: S3Error
    ) -> None:
        """Answer with an error document; HEAD and 304 get the status alone.

        Where an answer has begun, the connection is cut, since a short body must not look whole.

        :param address: ``None`` where there is no valid one.
        """
        if request.startedWriting:
            request.abort()
            return
        try:
            # It is an answer without what cannot be read as well.
            with suppress(StoreError):
                pending = finish(self.gateway, request.notes, address, error)
                if pending is not None:
                    await pending
        except CancelledError:
            # Nobody is left to be told.
            return
        headers = list(error.headers)
        if error.retry_after is not None:
            headers.append(("Retry-After", str(error.retry_after)))
        body = b""
        if not isinstance(error, NotModified):
            more, body = self._shown(request, address, error)
            headers += more
        request.answer_document(error.status, _rendered(request, headers), body)

    def _shown(
        self, request: GatewayRequest, address: Address | None, error: S3Error
    ) -> tuple[list[tuple[str, str]], bytes]:
        """How an error looks: headers of it, and its document, as S3 has them or whoever else serves the request."""
        neighbor: Neighbor | None = request.notes.get("neighbor")
        if neighbor is not None:
            return neighbor.refusal(error, request)
        resource = address.resource if address else ""
        body = error_document(error, resource, request.request_id)
        return [("Content-Type", "application/xml")], body


async def _refuse_early(call: Call) -> None:
    """Tell whoever did not sign, and may not change what is asked, before anything of the body is looked at.

    :raises S3Error: no.
    """
    operation = call.operation
    if operation.gate is Gate.ANYBODY and operation.method not in ("GET", "HEAD"):
        await call.read(authorize_entry)


def tls_version_of(request: GatewayRequest) -> str:
    """By which TLS a request came; ``""``: by none."""
    channel = request.channel
    if channel is None or not request.over_tls:
        return ""
    return spoken_version(channel.transport)


def _rendered(request: GatewayRequest, headers: list[tuple[str, str]]) -> bytes:
    """Headers as lines, with those that every answer has; the wire refuses what would split them.

    ISO 8859-1, as ``response-content-disposition`` and its like come out of S3; all else is ASCII.
    """
    each = request.request_id
    before = f"x-amz-id-2: {each}\r\nx-amz-request-id: {each}\r\n"
    return text_lines(headers, before, 2)
