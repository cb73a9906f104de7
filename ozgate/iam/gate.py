"""Who asks IAM or STS: by a signature that was made for one of them, over the body's SHA-256.

One that was made for S3 is none here, nor the other way round. What S3 says of a signature that is wrong, IAM and STS say in words of their own.
Source: IAM User Guide, "Troubleshooting AWS signature version 4"; IAM API Reference, "Common errors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..auth.claims import is_claimed, read_claim
from ..auth.sigv4 import Verified, authenticate
from ..errors import (
    AccessDenied,
    ExpiredToken,
    InvalidAccessKeyId,
    InvalidToken,
    RequestTimeTooSkewed,
    S3Error,
    SignatureDoesNotMatch,
)
from ..errors import iam as faults
from ..s3.gate import principal_of
from .row import Service

if TYPE_CHECKING:
    from ..gateway.gateway import Gateway
    from ..interfaces import IVerifier
    from ..values import Principal
    from ..wire.headers import Headers
    from ..wire.target import Address

SERVICES: Final = frozenset(service.value for service in Service)


def check_claim(headers: Headers, now: float) -> bool:
    """Look at what a request says of its signature, before its body is taken.

    :return: whether it says that somebody signed.
    :raises QueryError: what it says is refused by its looks.
    """
    if not is_claimed(frozenset(), headers):
        return False
    try:
        read_claim([], headers, now, services=SERVICES)
    except S3Error as error:
        raise as_fault(error) from None
    return True


async def admit(
    gateway: Gateway,
    verifier: IVerifier,
    address: Address,
    headers: Headers,
    digest: str,
) -> tuple[Verified, Service, Principal]:
    """Find out who asks, and which service.

    :param digest: the SHA-256 of the body, in hex.
    :raises QueryError: whoever it is did not sign, or not well.
    """
    now = gateway.clock.seconds()
    try:
        verified = await authenticate(
            "POST", address, headers, verifier, now, services=SERVICES, digest=digest
        )
    except S3Error as error:
        raise as_fault(error) from None
    service = Service(verified.scope.split("/")[2])
    return verified, service, await principal_of(gateway, verifier, verified)


def as_fault(error: S3Error) -> faults.QueryError:
    """What IAM and STS say where S3 refuses a signature."""
    kind = type(error)
    if kind is AccessDenied and error.message == AccessDenied.default_message():
        return faults.MissingAuthenticationToken()
    if kind in (InvalidAccessKeyId, InvalidToken):
        return faults.InvalidClientTokenId()
    if kind is ExpiredToken:
        return faults.ExpiredToken()
    if kind is SignatureDoesNotMatch:
        return faults.SignatureDoesNotMatch()
    if kind is RequestTimeTooSkewed:
        times = error.members["RequestTime"], error.members["ServerTime"]
        return faults.SignatureDoesNotMatch(
            f"Signature expired: {times[0]} is more than 15 minutes away from {times[1]}"
        )
    if "incorrect service" in error.message:
        return faults.SignatureDoesNotMatch(
            "Credential should be scoped to correct service: 'iam' or 'sts'."
        )
    return faults.IncompleteSignature(error.message)
