"""What a request says about its signature: read from the ``Authorization`` header or a presigned URL's query.

Everything that can be refused without a secret is refused here: form, dates, algorithms, what is missing or doubled.
Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; messages are AWS's.

Imports errors only; headers come as arguments.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import define, frozen

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
from .canonical import ALGORITHM, TERMINATOR, UNSIGNED_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire.headers import Headers

MAX_SKEW = 900
"""Seconds a request's time may differ from ours."""
MAX_EXPIRES = 604800
"""Seconds a presigned URL lives at most: a week."""

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
_OTHER_SERVICES = frozenset({"s3express", "s3-object-lambda"})
"""What SDKs sign some operations of S3's model for: those on directory buckets, and WriteGetObjectResponse."""
_MAX_KEPT = 1024
"""Characters of an Authorization header that is worth keeping."""
_THREE_COMPONENTS = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
_EXPECTED_CREDENTIAL = 'expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'

_sha256_hex = re.compile(r"[0-9A-Fa-f]{64}").fullmatch
_header_names = re.compile(
    r"(?:[!#$%&'*+.^_`|~0-9a-z-]+(?:;[!#$%&'*+.^_`|~0-9a-z-]+)*)?"
).fullmatch


@frozen
class Signer:
    """What a client repeats in each request of a day: worth keeping, since it costs the most to read.

    :ivar scope: ``date/region/s3/aws4_request``.
    :ivar names: the signed headers in the order signed.
    :ivar signed_headers: the same, as sent.
    """

    access_id: str
    date: str
    region: str
    scope: str
    signed_headers: str
    names: tuple[str, ...]
    covered: frozenset[str]


@define
class Claim:
    """What a request says about its signature, in good form but not yet believed."""

    signer: Signer
    timestamp: str
    signature: str
    payload: str
    presigned: bool


def read_claim(
    items: list[tuple[str, str]], headers: Headers, now: float, sigv2: bool = False
) -> Claim | None:
    """Read a request's claim.

    :param items: the decoded query.
    :param now: seconds since the epoch.
    :param sigv2: whether a query of version 2 is accepted.
    :return: ``None`` where it is such a query, which is for :mod:`ozgate.auth.sigv2` to read.
    :raises S3Error: there is none, or one that AWS refuses by its looks.
    """
    authorization = headers.get("authorization")
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
        return _header_claim(authorization, headers, now)
    if parameters:
        return _query_claim(parameters, headers, now)
    if version_2 and sigv2:
        return None
    if version_2:
        raise _unsupported_mechanism()
    raise AccessDenied()


def _header_claim(authorization: str, headers: Headers, now: float) -> Claim:
    # Whatever the order of its components, all but the signature is the same in each request.
    before, mark, after = authorization.rpartition("Signature=")
    signature, comma, rest = after.partition(",")
    repeated = f"{before}{mark}{comma}{rest}" if mark else authorization
    read = _header_signer if len(repeated) <= _MAX_KEPT else _header_signer.__wrapped__
    signer = read(repeated)
    signature = signature.strip()
    if not signature:
        raise _malformed(_THREE_COMPONENTS)
    payload = headers.get("x-amz-content-sha256")
    if payload is None:
        raise InvalidRequest(
            "Missing required header for this request: x-amz-content-sha256"
        )
    timestamp, seconds = _request_time(headers)
    if abs(now - seconds) > MAX_SKEW:
        raise RequestTimeTooSkewed(
            RequestTime=timestamp,
            ServerTime=iso(now),
            MaxAllowedSkewMilliseconds=MAX_SKEW * 1000,
        )
    if signer.date != timestamp[:8]:
        raise _malformed("Invalid credential date. Date is not the same as X-Amz-Date.")
    return Claim(signer, timestamp, signature, read_payload(payload), False)


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


def _query_claim(parameters: dict[str, str], headers: Headers, now: float) -> Claim:
    algorithm = parameters.get("X-Amz-Algorithm", ALGORITHM)
    if algorithm.startswith("AWS4-ECDSA"):
        raise NotImplemented()
    if algorithm != ALGORITHM:
        raise AuthorizationQueryParametersError(
            'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'
        )
    if _SIGNED_HEADERS not in parameters or not all(map(parameters.get, _QUERY_FILLED)):
        raise AuthorizationQueryParametersError()
    signer = _signer(
        parameters["X-Amz-Credential"],
        parameters[_SIGNED_HEADERS],
        _malformed_query,
    )
    timestamp = parameters["X-Amz-Date"]
    seconds = parse_timestamp(timestamp)
    if seconds is None:
        raise AuthorizationQueryParametersError(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    if signer.date != timestamp[:8]:
        raise AuthorizationQueryParametersError(_date_mismatch(signer.date, timestamp))
    _check_expiry(seconds, _expires(parameters["X-Amz-Expires"]), now)
    stated = parameters.get("X-Amz-Content-Sha256")
    sent = headers.get("x-amz-content-sha256")
    if stated is not None and sent is not None and stated != sent:
        raise _bad_payload(sent)
    payload = stated or sent or UNSIGNED_PAYLOAD
    return Claim(
        signer, timestamp, parameters["X-Amz-Signature"], read_payload(payload), True
    )


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
    if service != "s3":
        raise malformed(
            f'incorrect service "{service}". This endpoint belongs to "s3".'
        )
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
        f"{date}/{region}/s3/{TERMINATOR}",
        signed_headers,
        names,
        covered,
    )


def _expires(text: str) -> int:
    if text.startswith("-"):
        raise AuthorizationQueryParametersError("X-Amz-Expires must be non-negative")
    if not text.isascii() or not text.isdigit():
        raise AuthorizationQueryParametersError("X-Amz-Expires should be a number")
    if len(text) > 10 or int(text) > MAX_EXPIRES:
        raise AuthorizationQueryParametersError(
            f"X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than {MAX_EXPIRES} seconds"
        )
    return int(text)


def _check_expiry(signed_at: int, lifetime: int, now: float) -> None:
    times = {"Expires": iso(signed_at + lifetime), "ServerTime": iso(now)}
    members: dict[str, str | int]
    if signed_at - now > MAX_SKEW:
        # S3 says this date in milliseconds since the epoch.
        members = {"X-Amz-Date": signed_at * 1000, **times}
        raise AccessDenied("Request is not yet valid", **members)
    if now > signed_at + lifetime:
        members = {"X-Amz-Expires": lifetime, **times}
        raise AccessDenied("Request has expired", **members)


def _request_time(headers: Headers) -> tuple[str, int]:
    """The request's time as signed, and in seconds: ``x-amz-date``, else ``Date``."""
    text = headers.get("x-amz-date")
    if text is None:
        text = headers.get("date") or ""
        seconds = parse_timestamp(text)
        if seconds is None:
            seconds = _http_date(text)
            if seconds is not None:
                text = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    else:
        seconds = parse_timestamp(text)
    if seconds is None:
        raise AccessDenied(
            "AWS authentication requires a valid Date or x-amz-date header"
        )
    return text, seconds


def parse_timestamp(text: str) -> int | None:
    """Seconds since the epoch of ``yyyyMMddTHHmmssZ``, or ``None`` when it is not one."""
    return _timestamp(text) if len(text) == 16 else None


@lru_cache(maxsize=256)
def _timestamp(text: str) -> int | None:
    digits = text[:8] + text[9:15]
    if text[8] != "T" or text[15] != "Z" or not (digits.isascii() and digits.isdigit()):
        return None
    month, day, hour, minute, second = (
        int(digits[place : place + 2]) for place in range(4, 14, 2)
    )
    try:
        moment = datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp())


def _http_date(text: str) -> int | None:
    try:
        parsed = parsedate_to_datetime(text)
        return int(parsed.replace(tzinfo=parsed.tzinfo or UTC).timestamp())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def read_payload(value: str) -> str:
    """Check a value of ``x-amz-content-sha256``."""
    if value == UNSIGNED_PAYLOAD or value in _STREAMING or _sha256_hex(value):
        return value
    if value.startswith("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"):
        raise NotImplemented()
    raise _bad_payload(value)


def iso(seconds: float) -> str:
    """A time as error documents have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


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
