"""CORS preflights: what a browser asks before it sends a request that a script of another origin makes.

A browser cannot sign them, so S3 asks nobody who they are. No bucket has a CORS configuration here, so each is refused,
without a look at the bucket: strangers are not told which there are. Source of statuses and messages: Amazon S3 User Guide,
"Troubleshooting CORS", and S3's own answers.

Imports errors and the table only; headers come as arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import AccessForbidden, BadRequest, S3Error
from ..wire.target import Scope
from .operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..wire.headers import Headers

PREFLIGHTS: Final[Mapping[Scope, Operation]] = {
    row.scope: row for row in OPERATIONS if row.method == "OPTIONS"
}
"""The rows of preflights, for the logs; the service has none."""

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


def preflight_refused(scope: Scope, headers: Headers) -> S3Error:
    """The answer to a preflight.

    :param scope: what it is addressed to.
    """
    if headers.get("origin") is None:
        return BadRequest("Insufficient information. Origin request header needed.")
    method = headers.get("access-control-request-method") or "OPTIONS"
    if method not in _METHODS:
        return BadRequest(f"Invalid Access-Control-Request-Method: {method}")
    message = "CORSResponse: Bucket not found" if scope is Scope.SERVICE else None
    return AccessForbidden(message, Method=method, ResourceType="BUCKET")
