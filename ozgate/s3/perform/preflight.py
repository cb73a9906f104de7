"""CORS preflights: what a browser asks before it sends a request that a script of another origin makes.

A browser cannot sign them, so S3 asks nobody who they are. No bucket has a CORS configuration here, so each is refused,
without a look at the bucket: strangers are not told which there are. Source of statuses and messages: Amazon S3 User Guide,
"Troubleshooting CORS", and S3's own answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import AccessForbidden, BadRequest
from ...wire.target import Scope

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


async def options_bucket(call: Call) -> Reply:
    """Refuse a preflight, of a bucket or of whatever else.

    :raises BadRequest: it is none, or for a method that S3 does not have.
    :raises AccessForbidden: no page of another origin may ask.
    """
    headers = call.headers
    if headers.get("origin") is None:
        raise BadRequest("Insufficient information. Origin request header needed.")
    method = headers.get("access-control-request-method") or "OPTIONS"
    if method not in _METHODS:
        raise BadRequest(f"Invalid Access-Control-Request-Method: {method}")
    message = None
    if call.address.scope is Scope.SERVICE:
        message = "CORSResponse: Bucket not found"
    raise AccessForbidden(message, Method=method, ResourceType="BUCKET")


options_object = options_service = options_bucket
