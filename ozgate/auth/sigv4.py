"""Signature Version 4, the server's side: one gate in front of every operation.

:func:`authenticate` takes what a request says about who signed it, from the ``Authorization`` header or from the
query of a presigned URL, and answers a :class:`Verified` or raises what AWS answers; whose signature it is, an :class:`~ozgate.interfaces.IVerifier` tells. Source of the rules: Amazon S3 API
Reference, "Authenticating Requests (AWS Signature Version 4)"; messages are AWS's. What a signature was made for, such as ``s3`` or ``iam``, is part of the key
it is made with: it is good for requests of that service alone.

One decision is ours: **any region is accepted**. A gateway is one endpoint, and clients come with whatever
region they were configured with; the region they name is part of what they sign all the same.

Imports errors only; addresses and headers come as arguments.
"""

from __future__ import annotations

import time
from hmac import compare_digest
from itertools import repeat
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from attrs import evolve, field

from ..errors import (
    Absent,
    AccessDenied,
    InvalidAccessKeyId,
    InvalidToken,
    SignatureDoesNotMatch,
)
from ..immutable import frozen
from ..values import NO_GRANTS, Grants, Presented, Session, Signatory
from . import sigv2 as version_2
from .canonical import (
    ALGORITHM,
    TERMINATOR,
    UNSIGNED_PAYLOAD,
    canonical_request,
    query_items,
    signature,
    signing_key,
    string_to_sign,
)
from .claims import S3, Claim, read_claim

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from ..interfaces import IVerifier
    from ..wire.headers import Headers
    from ..wire.target import Address

_TOKEN = "x-amz-security-token"
_NEVER_SIGNED = frozenset(
    """
    accept accept-encoding amz-sdk-invocation-id amz-sdk-request authorization connection content-length expect user-agent
    x-amz-content-sha256
    """.split()
)
"""Headers that clients do not sign, and that need not be: most requests have no others that they did not sign."""


@frozen
class Verified:
    """What the gate found.

    :ivar payload: the value of ``x-amz-content-sha256``: ``UNSIGNED-PAYLOAD``, 64 hex digits or ``STREAMING-…``.
    :ivar signing_key: for chunk signatures; ``None`` when security is off, or there can be none.
    :ivar scope: ``date/region/service/aws4_request``.
    :ivar timestamp: the request's time, ``yyyyMMddTHHmmssZ``.
    :ivar signature: the request's signature, which chunk signatures go on from.
    :ivar presented: what was verified; ``None`` where nothing was.
    :ivar grants: what whoever signed is granted by rows.
    :ivar session: what the session is that signed; ``None`` where a key of its own did.
    :ivar verifier: who is asked for the signatures of chunks, where the key for them is not given away; ``None`` elsewhere.
    """

    access_id: str
    payload: str
    signing_key: bytes | None = field(repr=False)
    scope: str
    timestamp: str
    signature: str = field(repr=False)
    presigned: bool
    user: str = ""
    presented: Presented | None = None
    grants: Grants = NO_GRANTS
    session: Session | None = None
    verifier: IVerifier | None = field(default=None, repr=False)


async def authenticate(
    method: str,
    address: Address,
    headers: Headers,
    verifier: IVerifier | None,
    now: float,
    sigv2: bool = False,
    services: Set[str] = S3,
    digest: str = "",
) -> Verified:
    """Find out who signed a request, and whether they did.

    :param verifier: ``None`` when security is off: the presence of a signature, its form and its date are verified, and no more.
    :param now: seconds since the epoch.
    :param sigv2: whether presigned URLs of version 2 are accepted (:mod:`ozgate.auth.sigv2`).
    :param services: what it may be signed for.
    :param digest: the SHA-256 of the body in hex, where no header says it: of what is not S3's.
    :raises S3Error: as AWS: AccessDenied, AuthorizationHeaderMalformed, AuthorizationQueryParametersError, ExpiredToken,
        InvalidAccessKeyId, InvalidArgument, InvalidRequest, InvalidToken, NotImplemented, RequestTimeTooSkewed,
        SignatureDoesNotMatch.
    """
    items = address.query.items()
    claim = read_claim(items, headers, now, sigv2, services)
    if claim is None:
        return await _authenticate_version_2(method, address, headers, verifier, now)
    signer = claim.signer
    _check_all_signed(signer.covered, headers)
    payload, presented, asked = claim.payload or digest, None, None
    if verifier is None:
        signatory = Signatory(signer.access_id)
    else:
        request, presented = _present(claim, method, address, headers, items, payload)
        try:
            # Not by _signatory: this is on the way of every request.
            found = await verifier.verify(presented)
        except Absent:
            raise InvalidAccessKeyId(AWSAccessKeyId=signer.access_id) from None
        if found is None:
            raise _mismatch(presented, request)
        signatory = found
        if signatory.signing_key is None and "HMAC" in claim.payload:
            # Its chunks are signed with what is not given away.
            asked = verifier
    return _verified(claim, payload, signatory, presented, asked)


def _verified(
    claim: Claim,
    payload: str,
    signatory: Signatory,
    presented: Presented | None,
    asked: IVerifier | None,
) -> Verified:
    signer = claim.signer
    return Verified(
        signer.access_id,
        payload,
        signatory.signing_key,
        signer.scope,
        claim.timestamp,
        claim.signature,
        claim.presigned,
        signatory.user,
        presented,
        signatory.grants,
        signatory.session,
        asked,
    )


async def _signatory(verifier: IVerifier, presented: Presented) -> Signatory | None:
    """Who signed.

    :raises InvalidAccessKeyId: nobody has the access id.
    """
    try:
        return await verifier.verify(presented)
    except Absent:
        raise InvalidAccessKeyId(AWSAccessKeyId=presented.access_id) from None


def _present(
    claim: Claim,
    method: str,
    address: Address,
    headers: Headers,
    items: list[tuple[str, str]],
    payload: str,
) -> tuple[str, Presented]:
    """The canonical request, and what is presented to whoever verifies the signature."""
    signer = claim.signer
    request = canonical_request(
        method,
        address.raw_path,
        items,
        zip(signer.names, map(headers.get, signer.names, repeat("")), strict=True),
        signer.signed_headers,
        payload,
    )
    text = string_to_sign(claim.timestamp, signer.scope, request)
    return request, Presented(
        signer.access_id,
        text,
        claim.signature,
        signer.date,
        signer.region,
        signer.service,
        read_token(headers, items),
    )


async def authenticate_presented(
    presented: Presented, verifier: IVerifier | None
) -> Verified:
    """Find out who signed what was no request: the policy of a form.

    :param verifier: as for :func:`authenticate`.
    :raises InvalidAccessKeyId: nobody has the access id.
    :raises SignatureDoesNotMatch: it is another's signature.
    """
    signatory: Signatory | None = Signatory(presented.access_id)
    if verifier is not None:
        signatory = await _signatory(verifier, presented)
    if signatory is None:
        raise SignatureDoesNotMatch(
            AWSAccessKeyId=presented.access_id,
            StringToSign=presented.string_to_sign,
            SignatureProvided=presented.signature,
        )
    return Verified(
        presented.access_id,
        UNSIGNED_PAYLOAD,
        None,
        "",
        "",
        presented.signature,
        False,
        signatory.user,
        None if verifier is None else presented,
        signatory.grants,
        signatory.session,
    )


async def confirm(verified: Verified, verifier: IVerifier | None) -> Verified:
    """Make sure that what a request was signed with, if it was, is still a secret: its body may have taken hours.

    :return: the same, with what whoever signed is granted by now.

    :raises InvalidAccessKeyId: it was revoked or replaced, or has expired.
    :raises ExpiredToken: it was a session's, which is over.
    """
    presented = verified.presented
    if verifier is None or presented is None:
        return verified
    signatory = await _signatory(verifier, presented)
    if signatory is None:
        raise InvalidAccessKeyId(AWSAccessKeyId=verified.access_id)
    return evolve(verified, grants=signatory.grants)


async def _authenticate_version_2(
    method: str,
    address: Address,
    headers: Headers,
    verifier: IVerifier | None,
    now: float,
) -> Verified:
    """The same for a presigned URL of version 2, whose signature no chunk can go on from."""
    items = address.query.items()
    claim = version_2.read_claim(items, headers, now)
    user, presented, grants, session = claim.access_id, None, NO_GRANTS, None
    if verifier is not None:
        text = version_2.string_to_sign(method, address, headers, claim.expires)
        presented = Presented(
            claim.access_id,
            text,
            claim.signature,
            token=read_token(headers, items),
        )
        signatory = await _signatory(verifier, presented)
        if signatory is None:
            raise version_2.mismatch(claim, text)
        user, grants = signatory.user, signatory.grants
        session = signatory.session
    return Verified(
        claim.access_id,
        claim.payload,
        None,
        "",
        "",
        claim.signature,
        True,
        user,
        presented,
        grants,
        session,
    )


def read_token(headers: Headers, items: list[tuple[str, str]]) -> str:
    """The session's token that a request brings; ``""`` where it brings none.

    :param items: the decoded query.
    :raises InvalidToken: it brings two that differ, in headers or in the query: whoever believes one of them ignores another.
    """
    token = headers.get(_TOKEN) or ""
    if not items:
        return token
    if _TOKEN not in "&".join([name for name, _ in items]).lower():
        return token
    for name, value in items:
        if value and name.lower() == _TOKEN:
            if token and not compare_digest(token.encode(), value.encode()):
                raise InvalidToken()
            token = value
    return token


def _mismatch(presented: Presented, request: str) -> SignatureDoesNotMatch:
    text = presented.string_to_sign
    return SignatureDoesNotMatch(
        AWSAccessKeyId=presented.access_id,
        StringToSign=text,
        SignatureProvided=presented.signature,
        StringToSignBytes=text.encode().hex(" "),
        CanonicalRequest=request,
        CanonicalRequestBytes=request.encode().hex(" "),
    )


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    access_id: str,
    secret: str,
    region: str,
    now: float,
    payload: str = UNSIGNED_PAYLOAD,
    token: str = "",
) -> dict[str, str]:
    """Sign a request with headers, as a client.

    :param url: absolute, its path and query percent-encoded.
    :param now: seconds since the epoch.
    :param payload: the value for ``x-amz-content-sha256``.
    :param token: of a session; ``""`` for none.
    :return: the headers to send, lower-case names: those given, ``host`` and those of the signature.
    """
    parts = urlsplit(url)
    timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    signed = {name.lower(): value.strip() for name, value in headers.items()}
    signed.setdefault("host", parts.netloc)
    signed["x-amz-date"] = timestamp
    signed["x-amz-content-sha256"] = payload
    if token:
        signed[_TOKEN] = token
    names = sorted(signed)
    request = canonical_request(
        method,
        parts.path.encode(),
        query_items(parts.query),
        [(name, signed[name]) for name in names],
        ";".join(names),
        payload,
    )
    scope = f"{timestamp[:8]}/{region}/s3/{TERMINATOR}"
    key = signing_key(secret, timestamp[:8], region)
    signed["authorization"] = (
        f"{ALGORITHM} Credential={access_id}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature(key, string_to_sign(timestamp, scope, request))}"
    )
    return signed


def _check_all_signed(signed: frozenset[str], headers: Headers) -> None:
    """Refuse what the signature does not cover: a header added on the way would be believed.

    The payload's hash is a line of its own in what is signed.
    """
    for name in headers.keys() - signed - _NEVER_SIGNED:
        if _must_be_signed(name):
            break
    else:
        if "host" in signed:
            return
    every = [name for name in headers if name not in signed and _must_be_signed(name)]
    missing = every if "host" in signed else ["host", *every]
    raise AccessDenied(
        "There were headers present in the request which were not signed",
        HeadersNotSigned=", ".join(missing),
    )


def _must_be_signed(name: str) -> bool:
    return name == "content-md5" or (
        name[:6] == "x-amz-" and name != "x-amz-content-sha256"
    )
