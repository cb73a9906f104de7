"""The bytes of keys over the admin listener: ``put_key`` takes them as its body, ``get_key`` gives them as its answer.

``POST /ozgate/v1/put_key?volume=…&bucket=…&key=…`` with the bytes as ``application/octet-stream``, which a page in
somebody's browser cannot send to another origin unasked, no more than JSON; ``POST /ozgate/v1/get_key`` with arguments in JSON. Errors are those of
:mod:`ozgate.admin.commands.table`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from time import monotonic

from klein import Klein
from twisted.internet.defer import CancelledError

from ...errors import ClientGone, S3Error, StoreError
from ...s3.reply import Reply
from ...wire.request import GatewayRequest
from ...wire.send import send
from ...wire.target import parse_query
from ..answers import answer
from ..caller import Caller, caller_of
from ..commands.keys import get_key, put_key
from ..commands.table import check_arguments, content_type, place_of, read_arguments
from ..context import AdminContext
from ..errors import AdminError, as_admin_error

BYTES = "application/octet-stream"

_Serve = Callable[
    [GatewayRequest, AdminContext, Caller, dict[str, str]], Awaitable[bytes | None]
]


def routes(app: Klein, context: AdminContext) -> None:
    """Add the two paths, which come before that of all commands."""

    @app.route("/ozgate/v1/put_key", methods=["POST"])
    async def put(request: GatewayRequest) -> bytes | None:
        return await _serve(request, context, "PUT_KEY", _put)

    @app.route("/ozgate/v1/get_key", methods=["POST"])
    async def get(request: GatewayRequest) -> bytes | None:
        return await _serve(request, context, "GET_KEY", _get)


async def _serve(
    request: GatewayRequest, context: AdminContext, action: str, perform: _Serve
) -> bytes | None:
    """Answer a request, and add it to the audit log.

    :param perform: does it, and fills in the names that the log should have.
    """
    failed: Exception | None = None
    caller, named, reply = Caller(""), dict[str, str](), None
    try:
        caller = await caller_of(request, context)
        reply = await perform(request, context, caller, named)
    except (ClientGone, CancelledError) as error:
        failed = error
    except (AdminError, S3Error, StoreError) as error:
        failed = error
        if request.startedWriting:
            request.abort()
        else:
            reply = _refuse(request, error)
    if context.audit_log is not None:
        context.audit_log.note(
            request,
            action,
            caller.user,
            *place_of(named),
            monotonic() - request.started,
            failed,
        )
    return reply


async def _put(
    request: GatewayRequest,
    context: AdminContext,
    caller: Caller,
    named: dict[str, str],
) -> bytes:
    if content_type(request) != BYTES:
        raise AdminError("INVALID_REQUEST", f"the bytes of a key are {BYTES}", 415)
    # The audit log has what is in a query anyway: nothing is added to ``named``.
    query = parse_query(request.raw_target.partition(b"?")[2])
    place = dict(query.items())
    check_arguments(put_key, {**place, "body": request.body})
    await put_key(context, caller, **place, body=request.body)
    return answer(request, 200, b"null", "application/json")


async def _get(
    request: GatewayRequest,
    context: AdminContext,
    caller: Caller,
    named: dict[str, str],
) -> bytes | None:
    arguments = await read_arguments(request)
    check_arguments(get_key, arguments)
    named.update({name: str(value) for name, value in arguments.items()})
    reply: Reply = await get_key(context, caller, **named)
    if reply.sources is None:
        return answer(request, 200, reply.body, BYTES)
    headers = [(b"Content-Type", BYTES.encode()), (b"Cache-Control", b"no-store")]
    await send(request, 200, headers, reply.length or 0, reply.sources)
    return None


def _refuse(
    request: GatewayRequest, failed: AdminError | S3Error | StoreError
) -> bytes:
    error = failed if isinstance(failed, AdminError) else as_admin_error(failed)
    body = json.dumps(error.to_json()).encode()
    return answer(
        request, error.status, body, "application/json", headers=error.headers
    )
