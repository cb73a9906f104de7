"""``/secret`` as Ozone has it: ``PUT`` makes a secret, ``DELETE`` revokes it, with and without ``/{username}``.

That a secret exists, or does not, is in the reason phrase; whatever else is refused has the usual phrase, and says more in
its body. A user name may have slashes, plain or encoded, as Kerberos principals do. Ours: the query parameters ``key`` and
``ttl``. Other parameters are refused, for ``DELETE /secret?username=x`` must not revoke the caller's own, as it does in Ozone.
"""

from __future__ import annotations

from time import monotonic

from klein import Klein

from ...config.parsers import interval
from ...errors import S3Error, StoreError
from ...s3.documents import element
from ...wire.loglines import query_parameters
from ...wire.request import GatewayRequest
from ..answers import answer
from ..caller import Caller, caller_of, peer_uid
from ..commands.elsewhere import perform
from ..commands.s3secrets import get_secret, revoke_secret
from ..context import AdminContext
from ..errors import AdminError, as_admin_error

_ACTIONS = {b"PUT": "GENERATE_SECRET", b"DELETE": "REVOKE_SECRET"}
_IN_REASON = frozenset(("S3_SECRET_ALREADY_EXISTS", "S3_SECRET_NOT_FOUND"))
"""Codes that are Ozone's reason phrases."""

_DISABLED = "SECRET_ENDPOINT_DISABLED"
"""Has Ozone's text alone in its body."""

_PROLOG = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def routes(app: Klein, context: AdminContext) -> None:
    """Add the two paths."""

    @app.route("/secret", methods=["PUT", "DELETE"])
    async def own(request: GatewayRequest) -> bytes:
        return await _serve(request, context, None)

    @app.route("/secret/<path:username>", methods=["PUT", "DELETE"])
    async def of_another(request: GatewayRequest, username: str) -> bytes:
        return await _serve(request, context, username)


async def _serve(
    request: GatewayRequest, context: AdminContext, user: str | None
) -> bytes:
    failed: AdminError | None = None
    caller = Caller("")
    try:
        caller = await _caller(request, context)
        reply = await _perform(request, context, caller, user)
    except (S3Error, StoreError) as error:
        failed = as_admin_error(error)
    except AdminError as error:
        failed = error
    if failed is not None:
        reply = _refuse(request, failed)
    if context.audit_log is not None:
        seconds = monotonic() - request.started
        action, log = _ACTIONS[request.method], context.audit_log
        log.note(request, action, caller.user, "", user or "", seconds, failed)
    return reply


async def _caller(request: GatewayRequest, context: AdminContext) -> Caller:
    """Who asks; whoever comes over TCP while the endpoint is off is told that before he is asked for a ticket."""
    if peer_uid(request) is None and not context.settings.secret_http_enabled:
        raise AdminError(_DISABLED, "S3 Secret endpoint is disabled.")
    return await caller_of(request, context)


async def _perform(
    request: GatewayRequest, context: AdminContext, caller: Caller, user: str | None
) -> bytes:
    key, ttl = _parameters(request)
    if request.method == b"DELETE":
        if ttl is not None:
            raise AdminError("INVALID_REQUEST", "a secret to revoke has no ttl")
        await perform(context, caller, revoke_secret, {"user": user, "key": key})
        return answer(request, 200)
    wanted = {"user": user, "key": key, "ttl": ttl}
    made = await perform(context, caller, get_secret, wanted)
    members = "".join(
        element(name, str(made[name])) for name in ("awsAccessKey", "awsSecret")
    )
    document = f"{_PROLOG}<S3Secret>{members}</S3Secret>"
    return answer(request, 200, document.encode(), "application/xml")


def _parameters(request: GatewayRequest) -> tuple[str, float | None]:
    """The name of the key and the time to live, as the query has them."""
    given = query_parameters(request.raw_target)
    found = dict(given)
    if len(found) < len(given) or found.keys() - {"key", "ttl"}:
        raise AdminError(
            "INVALID_REQUEST",
            "the parameters are key and ttl; a user's name goes into the path: /secret/NAME",
        )
    try:
        ttl = interval(found["ttl"]) if "ttl" in found else None
    except ValueError as error:
        raise AdminError("INVALID_REQUEST", str(error)) from None
    return found.get("key", ""), ttl


def _refuse(request: GatewayRequest, error: AdminError) -> bytes:
    """Ozone's form: two codes in the reason phrase without a body, the rest as text, code and message."""
    if error.code in _IN_REASON:
        return answer(request, error.status, reason=error.code)
    text = error.message if error.code == _DISABLED else str(error)
    return answer(request, error.status, text.encode(), headers=error.headers)
