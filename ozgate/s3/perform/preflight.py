"""CORS preflights: what a browser asks before it sends a request that a script of another origin makes.

A browser cannot sign them, so S3 asks nobody who they are. A bucket without rules is answered as one that is not there, so that strangers
are not told which there are. Source of statuses and messages: Amazon S3 API Reference, "OPTIONS object"; Amazon S3 User Guide,
"Troubleshooting CORS", and S3's own answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import AccessForbidden, BadRequest
from ...wire.target import Scope
from ..origins import asking_of, rules_for
from ..reply import Reply

if TYPE_CHECKING:
    from ..call import Call
    from ..configuration.cors import Cors

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_NOT_ALLOWED = "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
"""S3's words, its spelling too."""


async def options_bucket(call: Call) -> Reply:
    """Tell whether a page may send the request that it is about to.

    :raises BadRequest: it is no preflight, or one for a method that S3 does not have.
    :raises AccessForbidden: it may not.
    """
    headers = call.headers
    origin, method = headers.get("origin"), headers.get("access-control-request-method")
    if origin is None:
        raise BadRequest("Insufficient information. Origin request header needed.")
    if (method or "OPTIONS") not in _METHODS:
        raise BadRequest(f"Invalid Access-Control-Request-Method: {method}")
    names = headers.get("access-control-request-headers") or ""
    rules = await _rules(call, method or "OPTIONS")
    if not method:
        raise BadRequest("Invalid Access-Control-Request-Method: null")
    asking = asking_of(origin, method, names)
    allowed = None if asking is None else rules.headers_for(asking)
    if allowed is None:
        kind = call.address.scope.name
        raise AccessForbidden(_NOT_ALLOWED, Method=method, ResourceType=kind)
    return Reply(200, allowed)


async def _rules(call: Call, method: str) -> Cors:
    """The rules that decide.

    :raises AccessForbidden: there are none.
    """
    if call.address.scope is Scope.SERVICE:
        raise AccessForbidden(
            "CORSResponse: Bucket not found", Method=method, ResourceType="BUCKET"
        )
    found = await rules_for(call.gateway, call.bucket_name)
    if found is None:
        raise AccessForbidden(Method=method, ResourceType="BUCKET")
    return found


options_object = options_service = options_bucket
