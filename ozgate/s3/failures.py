"""What went wrong in a request: what its client is told, what it is counted as, and what the log says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from ..errors import (
    ClientGone,
    Damaged,
    InsufficientStorage,
    InternalError,
    NoSpace,
    S3Error,
    ServiceUnavailable,
    Unavailable,
    Uncertain,
)

if TYPE_CHECKING:
    from ..gateway.gateway import Gateway
    from ..wire.request import GatewayRequest
    from ..wire.target import Address

_log = Logger()


def as_s3_error(error: Exception) -> S3Error:
    """What a client is told about an exception: stores' errors have their own answers."""
    if isinstance(error, S3Error):
        return error
    if isinstance(error, NoSpace):
        return InsufficientStorage()
    if isinstance(error, Unavailable):
        return ServiceUnavailable()
    return InternalError()


def code_of(error: Exception) -> str:
    """What an exception is counted as: S3's code of the answer, or ``ClientGone``."""
    if isinstance(error, ClientGone | CancelledError):
        return "ClientGone"
    return type(as_s3_error(error)).__name__


def log_failure(
    gateway: Gateway, request: GatewayRequest, address: Address, failed: Exception
) -> None:
    """Say what no client is to blame for; how the program came there, only of what nobody expected."""
    if isinstance(failed, Damaged):
        _log.error(
            "damaged ({kind}): {method!r} {resource!r}: {error} ({request_id})",
            kind=failed.kind,
            method=request.method,
            resource=address.resource,
            error=failed,
            request_id=request.request_id,
        )
    elif not isinstance(failed, S3Error) and not gateway.troubles.tell(failed):
        _log.failure(
            "{method!r} {resource!r} failed ({request_id})",
            method=request.method,
            resource=address.resource,
            request_id=request.request_id,
        )


def log_success(gateway: Gateway, request: GatewayRequest) -> None:
    """Say that a trouble is over, where a request that went well shows it."""
    troubles = gateway.troubles
    if not troubles:
        return
    for kind in (Unavailable, Uncertain):
        troubles.over(kind)
    operation = request.notes.get("operation")
    if not troubles.lasts(NoSpace) or operation is None or not operation.stores:
        return
    # A row may find room where there is none for bytes.
    if request.body.received > gateway.settings.inline_below or _has_room(gateway):
        troubles.over(NoSpace)


def _has_room(gateway: Gateway) -> bool:
    try:
        return gateway.room.is_there()
    except OSError:
        return False
