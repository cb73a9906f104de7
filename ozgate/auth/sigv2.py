"""Signature Version 2 in the query of a URL: what boto3, version 1 of the AWS CLI and s3cmd presign with by default.

Only that form. The ``Authorization`` header of version 2 stays refused, for nothing makes it unasked any more. Source of the rules:
Amazon S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)", and there "Query string
request authentication alternative"; messages are AWS's.

What this version signs is less than what version 4 signs: not the host, not the body, and of the query only sub-resources, ``response-*`` and
``x-amz-*``. Every ``x-amz-*`` header that counts is part of what is computed here, so one that was added or changed on the
way does not match.

Imports errors and its neighbors only; address and headers come as arguments.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from attrs import field

from ..errors import (
    AccessDenied,
    AuthorizationQueryParametersError,
    InvalidArgument,
    InvalidRequest,
    SignatureDoesNotMatch,
)
from ..immutable import frozen
from .canonical import UNSIGNED_PAYLOAD
from .claims import read_payload
from .hoisted import hoisted_headers
from .signedtimes import MAX_EXPIRES, MAX_SKEW, iso

if TYPE_CHECKING:
    from ..wire.headers import Headers
    from ..wire.target import Address

NAMES = ("AWSAccessKeyId", "Expires", "Signature")
"""The parameters that authenticate."""

SUB_RESOURCES = frozenset(
    """
    acl lifecycle location logging notification partNumber policy requestPayment torrent uploadId uploads versionId
    versioning versions website

    response-cache-control response-content-disposition response-content-encoding response-content-language
    response-content-type response-expires

    cors delete restore tagging

    accelerate analytics defaultObjectAcl inventory metrics object-lock replication select select-type storageClass

    abac annotation attributes encryption intelligent-tiering legal-hold metadataAnnotationTable metadataConfiguration
    metadataInventoryTable metadataJournalTable metadataTable ownershipControls policyStatus publicAccessBlock renameObject
    retention session
    """.split()
)
"""Query parameters that are signed: those that AWS documents, those that every client signs besides, those of botocore, and
all others of S3's model that choose an operation. Clients do not sign the last: so they cannot presign those operations, and nobody
can make one of them out of a URL that was presigned for something else.
"""


@frozen
class Claim:
    """What a presigned URL says about its signature, in good form but not yet believed.

    :ivar expires: seconds since the epoch, as sent.
    """

    access_id: str
    expires: str
    signature: str = field(repr=False)
    payload: str


def read_claim(items: list[tuple[str, str]], headers: Headers, now: float) -> Claim:
    """Read the claim of a request whose query has one of :data:`NAMES`.

    :param items: the decoded query.
    :param now: seconds since the epoch.
    :raises InvalidArgument: a parameter is doubled.
    :raises AccessDenied: one is missing, or the URL has expired.
    :raises AuthorizationQueryParametersError: it lives for more than a week.
    :raises InvalidRequest: the body is said to be signed in chunks, which takes version 4.
    """
    found: dict[str, str] = {}
    for name, value in items:
        if name in NAMES:
            if name in found:
                # The value is not echoed: it would carry the signature into logs.
                raise InvalidArgument(
                    f"The query parameter {name} must not be given more than once.",
                    ArgumentName=name,
                )
            found[name] = value
    if not all(found.get(name) for name in NAMES):
        raise AccessDenied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        )
    _check_expiry(found["Expires"], now)
    payload = read_payload(headers.get("x-amz-content-sha256") or UNSIGNED_PAYLOAD)
    if "HMAC" in payload:
        raise InvalidRequest(
            "A body signed in chunks needs a request signed by AWS4-HMAC-SHA256."
        )
    return Claim(found["AWSAccessKeyId"], found["Expires"], found["Signature"], payload)


def _check_expiry(text: str, now: float) -> None:
    if not text.isascii() or not text.isdigit():
        raise AccessDenied(f"Invalid date (should be seconds since epoch): {text}")
    # 12 digits hold the next 30,000 years; what has more is no date.
    expires = int(text) if len(text) <= 12 else 10**12
    if now > expires:
        members: dict[str, str | int] = {
            "Expires": iso(expires),
            "ServerTime": iso(now),
        }
        raise AccessDenied("Request has expired", **members)
    # AWS has no limit here. A week is that of version 4; a client's clock may go ahead.
    if expires > now + MAX_EXPIRES + MAX_SKEW:
        raise AuthorizationQueryParametersError(
            f"Expires must be less than a week (in seconds) ahead; that is, less than {MAX_EXPIRES} seconds from now"
        )


def mismatch(claim: Claim, text: str) -> SignatureDoesNotMatch:
    """The error of a signature that is another's.

    :param text: what is signed.
    """
    return SignatureDoesNotMatch(
        AWSAccessKeyId=claim.access_id,
        StringToSign=text,
        SignatureProvided=claim.signature,
        StringToSignBytes=text.encode().hex(" "),
    )


def string_to_sign(
    method: str, address: Address, headers: Headers, expires: str
) -> str:
    """What is signed: ``Expires`` stands where the header form has the date.

    :raises InvalidArgument: a parameter's value would read as something else beside it.
    """
    return "\n".join(
        (
            method,
            headers.get("content-md5") or "",
            headers.get("content-type") or "",
            expires,
            *_amz_headers(address, headers),
            _resource(address),
        )
    )


def _amz_headers(address: Address, headers: Headers) -> list[str]:
    """The lines of all ``x-amz-*`` headers, also of those that the URL carries as query parameters.

    As for the operation, a header that was sent comes before its namesake in the query.

    :raises InvalidArgument: a parameter could not be sent as one header.
    """
    found = hoisted_headers(address.query.items())
    found.update(pair for pair in headers.items() if pair[0].startswith("x-amz-"))
    return [f"{name}:{found[name]}" for name in sorted(found)]


def _resource(address: Address) -> str:
    """The canonicalized resource: bucket of the host, path as sent, signed parameters decoded and in order.

    :raises InvalidArgument: once decoded, a value reads as further parameters, which may be what was signed.
    """
    path = address.raw_path.decode()
    if address.virtual_host:
        path = f"/{address.bucket}{path}"
    if not address.key and path[-1] != "/":
        # "/bucket" is signed as "/bucket/", as it is for a virtual host.
        path += "/"
    if address.query.names().isdisjoint(SUB_RESOURCES):
        return path
    signed = []
    for pair in address.raw_query.decode().split("&"):
        # Clients sign "acl" without and "acl=" with its mark; the decoded query has them alike.
        raw_name, mark, raw_value = pair.partition("=")
        name = unquote_plus(raw_name)
        if name in SUB_RESOURCES:
            signed.append((name, f"{name}{mark}{unquote_plus(raw_value)}"))
    signed.sort(key=itemgetter(0))
    joined = "&".join([text for _, text in signed])
    names = [part.partition("=")[0] for part in joined.split("&")]
    if sum(name in SUB_RESOURCES for name in names) != len(signed):
        raise InvalidArgument(
            "A query parameter's value reads as another query parameter."
        )
    return f"{path}?{joined}"
