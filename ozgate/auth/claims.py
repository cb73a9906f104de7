"""What a request says about its signature: read from the ``Authorization`` header or a presigned URL's query.

Everything that can be refused without a secret is refused here: form, dates, algorithms, what is missing or doubled.
The dates themselves are read in :mod:`ozgate.auth.signedtimes`.

Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; messages are AWS's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    InvalidArgument,
    InvalidRequest,
    NotImplemented,
    RequestTimeTooSkewed,
    S3Error,
)
from ..immutable import frozen
from .canonical import ALGORITHM, TERMINATOR, UNSIGNED_PAYLOAD
from .signedtimes import (
    MAX_SKEW,
    check_expiry,
    expires,
    iso,
    parse_timestamp,
    request_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from ..wire.headers import Headers

_STREAMING = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
_QUERY_FILLED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-Expires",
)
"""Parameters that a presigned URL must have, with values."""
_SIGNED_HEADERS = "X-Amz-SignedHeaders"
"""Must be there as well; S3 takes an empty one for a list, which is refused for the lack of ``host``."""
_QUERY_NAMES = frozenset({*_QUERY_FILLED, _SIGNED_HEADERS, "X-Amz-Content-Sha256"})
_SIGV2_NAMES = frozenset({"AWSAccessKeyId", "Signature"})
_CLAIMING = _QUERY_NAMES | _SIGV2_NAMES
S3 = frozenset(("s3",))
"""The service that requests of S3 are signed for."""
_SERVED = frozenset(("s3", "iam", "sts"))
"""The services that anything here is signed for; each kind of request takes its own alone."""
_OTHER_SERVICES = frozenset({"s3express", "s3-object-lambda"})
"""What SDKs sign some operations of S3's model for: those on directory buckets, and WriteGetObjectResponse."""
_MAX_KEPT = 1024
"""Characters of an Authorization header, or of what a query has of it, that is worth keeping."""
_THREE_COMPONENTS = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
_EXPECTED_CREDENTIAL = 'expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'

_sha256_hex = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_header_names = re.compile(
    r"(?:[!#$%&'*+.^_`|~0-9a-z-]+(?:;[!#$%&'*+.^_`|~0-9a-z-]+)*)?"
).fullmatch


@frozen
class Signer:
    """What a client repeats in each request of a day: worth keeping, since it costs the most to read.

    :ivar service: such as ``s3``: one of those that are served here.
    :ivar scope: ``date/region/service/aws4_request``.
    :ivar names: the signed headers in the order signed.
    :ivar signed_headers: the same, as sent.
    """

    access_id: str
    date: str
    region: str
    service: str
    scope: str
    signed_headers: str
    names: tuple[str, ...]
    covered: frozenset[str]


@define
class Claim:
    """What a request says about its signature, in good form but not yet believed."""

    signer: Signer
    timestamp: str
    signature: str = field(repr=False)
    payload: str
    presigned: bool


def is_claimed(names: Set[str], headers: Headers) -> bool:
    """Whether a request says that somebody signed it, well or not.

    :param names: those in its query.
    """
    return "authorization" in headers or not names.isdisjoint(_CLAIMING)


def read_claim(
    items: list[tuple[str, str]],
    headers: Headers,
    now: float,
    sigv2: bool = False,
    services: Set[str] = S3,
) -> Claim | None:
    """Read a request's claim.

    :param items: the decoded query.
    :param now: seconds since the epoch.
    :param sigv2: whether a query of version 2 is accepted.
    :param services: what it may be signed for. Where that is not S3, nothing is said of the body in a header, and its payload is ``""``.
    :return: ``None`` where it is such a query, which is for :mod:`ozgate.auth.sigv2` to read.
    :raises S3Error: there is none, or one that AWS refuses by its looks.
    """
    authorization = headers.get("authorization")
    if authorization and not items:
        return _header_claim(authorization, headers, now, services)
    parameters: dict[str, str] = {}
    version_2 = False
    for name, value in items:
        if name in _QUERY_NAMES:
            if name in parameters:
                raise AuthorizationQueryParametersError(
                    f"The query parameter {name} must not be given more than once."
                )
            parameters[name] = value
        elif name in _SIGV2_NAMES:
            version_2 = True
    if (authorization is not None) + bool(parameters) + version_2 > 1:
        # The value is not echoed: it would carry the signature into logs.
        raise InvalidArgument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
            ArgumentName="Authorization",
            ArgumentValue=(authorization or "").partition(" ")[0],
        )
    # An empty header says nothing of who asks.
    if authorization:
        return _header_claim(authorization, headers, now, services)
    if parameters:
        return _query_claim(parameters, headers, now, services)
    if version_2 and sigv2:
        return None
    if version_2:
        raise _unsupported_mechanism()
    raise AccessDenied()


def _header_claim(
    authorization: str, headers: Headers, now: float, services: Set[str]
) -> Claim:
    # Whatever the order of its components, all but the signature is the same in each request.
    signature = authorization[-64:]
    if signature.isalnum() and authorization[-74:-64] == "Signature=":
        repeated = authorization[:-64]
    else:
        before, mark, after = authorization.rpartition("Signature=")
        signature, comma, rest = after.partition(",")
        repeated = f"{before}{mark}{comma}{rest}" if mark else authorization
    is_kept = len(repeated) <= _MAX_KEPT
    signer = (_header_signer if is_kept else _header_signer.__wrapped__)(repeated)
    signature = signature.strip()
    if not signature:
        raise _malformed(_THREE_COMPONENTS)
    if signer.service not in services:
        raise _malformed(_other_service(signer.service, services))
    payload = headers.get("x-amz-content-sha256")
    if payload is None and services is S3:
        raise InvalidRequest(
            "Missing required header for this request: x-amz-content-sha256"
        )
    timestamp, seconds = request_time(headers)
    if abs(now - seconds) > MAX_SKEW:
        raise RequestTimeTooSkewed(
            RequestTime=timestamp,
            ServerTime=iso(now),
            MaxAllowedSkewMilliseconds=MAX_SKEW * 1000,
        )
    if signer.date != timestamp[:8]:
        raise _malformed("Invalid credential date. Date is not the same as X-Amz-Date.")
    stated = read_payload(payload or "") if services is S3 else ""
    return Claim(signer, timestamp, signature, stated, False)


@lru_cache(maxsize=1024)
def _header_signer(authorization: str) -> Signer:
    """Read an Authorization header without its signature's value."""
    scheme, space, rest = authorization.partition(" ")
    if not space:
        raise InvalidArgument(
            "Authorization header is invalid -- one and only one ' ' (space) required",
            ArgumentName="Authorization",
            ArgumentValue=scheme,
        )
    if scheme == "AWS":
        raise _unsupported_mechanism()
    if scheme.startswith("AWS4-ECDSA"):
        raise NotImplemented()
    if scheme != ALGORITHM:
        raise InvalidArgument(
            "Unsupported Authorization Type",
            ArgumentName="Authorization",
            ArgumentValue=scheme,
        )
    fields: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        # A doubled Authorization header arrives joined by a comma, and ends here too.
        if name in fields:
            raise _malformed("the components must not be given more than once.")
        fields[name] = value
    if (
        fields.keys() != {"Credential", "SignedHeaders", "Signature"}
        or not fields["Credential"]
        or fields["Signature"]
    ):
        raise _malformed(_THREE_COMPONENTS)
    return _signer(fields["Credential"], fields["SignedHeaders"], _malformed)


def _query_claim(
    parameters: dict[str, str], headers: Headers, now: float, services: Set[str]
) -> Claim:
    algorithm = parameters.get("X-Amz-Algorithm", ALGORITHM)
    if algorithm.startswith("AWS4-ECDSA"):
        raise NotImplemented()
    if algorithm != ALGORITHM:
        raise AuthorizationQueryParametersError(
            'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'
        )
    if _SIGNED_HEADERS not in parameters or not all(map(parameters.get, _QUERY_FILLED)):
        raise AuthorizationQueryParametersError()
    credential, names = parameters["X-Amz-Credential"], parameters[_SIGNED_HEADERS]
    is_kept = len(credential) + len(names) <= _MAX_KEPT
    read = _query_signer if is_kept else _query_signer.__wrapped__
    signer = read(credential, names)
    if signer.service not in services:
        raise _malformed_query(_other_service(signer.service, services))
    timestamp = parameters["X-Amz-Date"]
    seconds = parse_timestamp(timestamp)
    if seconds is None:
        raise AuthorizationQueryParametersError(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    if signer.date != timestamp[:8]:
        raise AuthorizationQueryParametersError(_date_mismatch(signer.date, timestamp))
    check_expiry(seconds, expires(parameters["X-Amz-Expires"]), now)
    stated = parameters.get("X-Amz-Content-Sha256")
    sent = headers.get("x-amz-content-sha256")
    if stated is not None and sent is not None and stated != sent:
        raise _bad_payload(sent)
    payload = stated or sent or UNSIGNED_PAYLOAD
    return Claim(
        signer, timestamp, parameters["X-Amz-Signature"], read_payload(payload), True
    )


@lru_cache(maxsize=1024)
def _query_signer(credential: str, signed_headers: str) -> Signer:
    return _signer(credential, signed_headers, _malformed_query)


def _signer(
    credential: str, signed_headers: str, malformed: Callable[[str], S3Error]
) -> Signer:
    """Read a credential and the list of signed headers."""
    # Split from the right: Kerberos principals have slashes.
    fields = credential.rsplit("/", 4)
    if len(fields) != 5:
        raise malformed(f"the Credential is mal-formed; {_EXPECTED_CREDENTIAL}")
    access_id, date, region, service, terminal = fields
    if not access_id:
        raise malformed(
            "a non-empty Access Key (AKID) must be provided in the credential."
        )
    if len(date) != 8 or not date.isascii() or not date.isdigit():
        raise malformed(
            f'incorrect date format "{date}". This date in the credential must be in the format "yyyyMMdd".'
        )
    if not region:
        raise malformed("a non-empty region must be provided in the credential.")
    if service in _OTHER_SERVICES:
        raise NotImplemented()
    if service not in _SERVED:
        raise malformed(_other_service(service, S3))
    if terminal != TERMINATOR:
        raise malformed(
            f'incorrect terminal "{terminal}". This endpoint uses "aws4_request".'
        )
    if not _header_names(signed_headers):
        raise malformed("SignedHeaders must be lower-case names separated by ';'.")
    names = tuple(signed_headers.split(";")) if signed_headers else ()
    covered = frozenset(names)
    if len(covered) < len(names):
        # A value is signed, and shown where the signature is wrong, as often as it is named: thousands of times, if let.
        raise malformed("SignedHeaders must not name a header more than once.")
    return Signer(
        access_id,
        date,
        region,
        service,
        f"{date}/{region}/{service}/{TERMINATOR}",
        signed_headers,
        names,
        covered,
    )


def signer_of_form(credential: str) -> Signer:
    """Read the credential of a form upload, which signs no headers.

    :raises AuthorizationQueryParametersError: it is none, or for another service than S3.
    """
    signer = _signer(credential, "", _malformed_query)
    if signer.service not in S3:
        raise _malformed_query(_other_service(signer.service, S3))
    return signer


def read_payload(value: str) -> str:
    """Check a value of ``x-amz-content-sha256``.

    :return: the value.
    :raises NotImplemented: it is of signature version 4A.
    :raises S3Error: it is none.
    """
    if value == UNSIGNED_PAYLOAD or value in _STREAMING or _sha256_hex(value):
        return value
    if value.startswith("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"):
        raise NotImplemented()
    raise _bad_payload(value)


def _other_service(service: str, services: Set[str]) -> str:
    named = " or ".join(f'"{each}"' for each in sorted(services))
    return f'incorrect service "{service}". This endpoint belongs to {named}.'


def _date_mismatch(date: str, timestamp: str) -> str:
    return f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: "{timestamp[:8]}".'


def _malformed(detail: str) -> S3Error:
    return AuthorizationHeaderMalformed(
        f"The authorization header is malformed; {detail}"
    )


def _malformed_query(detail: str) -> S3Error:
    return AuthorizationQueryParametersError(
        f"Error parsing the X-Amz-Credential parameter; {detail}"
    )


def _unsupported_mechanism() -> S3Error:
    return InvalidRequest(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    )


def _bad_payload(value: str) -> S3Error:
    return InvalidArgument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        ArgumentName="x-amz-content-sha256",
        ArgumentValue=value,
    )
