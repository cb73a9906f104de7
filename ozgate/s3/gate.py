"""The gate: who asks, found out in the way that the operation's row names, before anything else is done.

Admitted is not authorized: what somebody may do is asked where the bucket is entered (:mod:`ozgate.s3.entering`).
Whoever did not sign is :data:`~ozgate.values.ANONYMOUS`, to whom nothing is granted but what policies and S3's lists grant to everybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from ..auth.canonical import UNSIGNED_PAYLOAD
from ..auth.claims import is_claimed, read_payload
from ..auth.forms import presented_by
from ..auth.hoisted import breaks_in, hoisted_headers
from ..auth.sigv4 import Verified, authenticate, authenticate_presented, confirm
from ..errors import InvalidRequest
from ..values import ANONYMOUS, NO_GRANTS, Principal
from ..wire.headers import Headers
from .row import Gate

if TYPE_CHECKING:
    from ..gateway.gateway import Gateway
    from ..interfaces import IVerifier
    from ..wire.target import Address, Query

_FOR_THE_GATE = frozenset(
    """
    x-amz-algorithm x-amz-content-sha256 x-amz-credential x-amz-date x-amz-decoded-content-length x-amz-expires
    x-amz-security-token x-amz-signature x-amz-signedheaders x-amz-trailer
    """.split()
)
"""Query names of a presigned URL that are no headers of the operation."""

_GATE_ALONE = frozenset(
    """
    X-Amz-Algorithm X-Amz-Content-Sha256 X-Amz-Credential X-Amz-Date X-Amz-Expires X-Amz-Security-Token X-Amz-Signature
    X-Amz-SignedHeaders x-id
    """.split()
)
"""Names as SDKs write them of a query that carries no header of the operation."""

_CHECKSUM_TRAITS = frozenset(
    ("x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type")
)


async def admit(
    gateway: Gateway,
    verifier: IVerifier | None,
    gate: Gate,
    method: str,
    address: Address,
    headers: Headers,
) -> tuple[Verified, Principal, Headers]:
    """Find out who asks.

    :param verifier: ``None`` when security is off; see :func:`~ozgate.auth.sigv4.authenticate`.
    :return: what the signature says, who that is, and the headers of the operation.
    :raises S3Error: whoever it is did not sign, or not well, and the gate wants that.
    """
    if gate is Gate.ANYBODY and "authorization" in headers:
        # The common case, which needs no look at the query.
        gate = Gate.SIGNED
    if gate is not Gate.SIGNED and not _must_sign(gate, address, headers):
        return _unsigned(gate, headers), ANONYMOUS, headers
    now = gateway.clock.seconds()
    sigv2 = gateway.settings.sigv2_presigned
    verified = await authenticate(method, address, headers, verifier, now, sigv2)
    if verified.presigned:
        headers = with_presigned(headers, address.query)
    return verified, await principal_of(gateway, verifier, verified), headers


async def admit_form(
    gateway: Gateway, verifier: IVerifier | None, fields: Mapping[str, str]
) -> tuple[Verified, Principal, Callable[[], Awaitable[Principal]]]:
    """Find out who signed a browser's form, once its fields are here; whoever did not is :data:`~ozgate.values.ANONYMOUS`.

    :param fields: those before the file, by their names in lower case.
    :return: what the signature says, who that is, and what finds out once more who it is.
    :raises S3Error: it says that somebody signed, and nobody did so well.
    """
    now, sigv2 = gateway.clock.seconds(), gateway.settings.sigv2_presigned
    presented = presented_by(fields, now, sigv2)
    if presented is None:
        verified, principal = _unsigned(Gate.FORM, Headers({})), ANONYMOUS
    else:
        verified = await authenticate_presented(presented, verifier)
        principal = await principal_of(gateway, verifier, verified)
    return verified, principal, partial(admit_again, gateway, verifier, verified)


async def admit_again(
    gateway: Gateway, verifier: IVerifier | None, verified: Verified
) -> Principal:
    """Find out once more who asks, when that was found out a while ago: a body may have taken hours.

    :param verified: what :func:`admit` found.
    :raises InvalidAccessKeyId: what the request was signed with is no secret any more.
    :raises ExpiredToken: the session that signed is over.
    """
    if not verified.access_id:
        return ANONYMOUS
    verified = await confirm(verified, verifier)
    return await principal_of(gateway, verifier, verified)


async def principal_of(
    gateway: Gateway, verifier: IVerifier | None, verified: Verified
) -> Principal:
    """Who signed, with all that is known of him: the groups come along, so that from here on nothing asks the operating system."""
    if verified.session is not None or verified.grants is not NO_GRANTS:
        return await _granted(gateway, verifier, verified)
    user, access_id = verified.user, verified.access_id
    administrators = gateway.administrators
    if verifier is None or access_id == gateway.settings.access_key != "":
        # Everybody passes every check while security is off; so does the static pair, by its access id.
        return _principal(access_id, user, True, administrators.known_as(user))
    found = await administrators.identify(user)
    return _principal(access_id, user, found.is_admin, found.short_name, found.groups)


@lru_cache(maxsize=1024)
def _principal(
    access_id: str,
    user: str,
    is_admin: bool,
    short_name: str,
    groups: frozenset[str] = frozenset(),
) -> Principal:
    """The value, which is the same in each request of somebody: it is only made once."""
    return Principal(access_id, user, is_admin, short_name, groups)


async def _granted(
    gateway: Gateway, verifier: IVerifier | None, verified: Verified
) -> Principal:
    """The same of whom rows grant something, or limit, and of sessions.

    Whoever came by a web identity has a name that its issuer gives: it is none of the operating system, and nobody's who is an administrator.
    """
    user, access_id, session = verified.user, verified.access_id, verified.session
    administrators, grants = gateway.administrators, verified.grants
    made_with = access_id if session is None else session.parent
    since = (0, "") if session is None else (session.issued, session.name)
    if verifier is None or made_with == gateway.settings.access_key != "":
        name, limits = administrators.known_as(user), grants.limits
        return Principal(access_id, user, True, name, frozenset(), (), limits, *since)
    granted = grants.policies, grants.limits
    if not made_with:
        return Principal(access_id, user, False, user, grants.groups, *granted, *since)
    found = await administrators.identify(user)
    # Who is an administrator by a group is one by the operating system's: those of ozgate have policies.
    names = found.is_admin, found.short_name, found.groups | grants.groups
    return Principal(access_id, user, *names, *granted, *since)


def _must_sign(gate: Gate, address: Address, headers: Headers) -> bool:
    """Whether a gate that lets some in without a signature wants one of this request."""
    if gate is Gate.PREFLIGHT:
        return False
    if gate is Gate.FORM:
        return not is_form(address, headers)
    return is_claimed(address.query.names(), headers)


def is_form(address: Address, headers: Headers) -> bool:
    """Whether it is a browser's form upload, which is signed in a field of the form and nowhere else.

    So the gate, which does not read bodies, has nothing to say of it. Source: Amazon S3 API Reference, "POST Object".
    """
    if address.query or "authorization" in headers:
        return False
    kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    return kind == "multipart/form-data"


def _unsigned(gate: Gate, headers: Headers) -> Verified:
    """What is known of a request that nobody signed.

    :raises InvalidArgument: it says of its body what nobody can.
    :raises InvalidRequest: it says that its chunks are signed, and nobody is there who could have done that.
    """
    payload = UNSIGNED_PAYLOAD
    if gate is Gate.ANYBODY:
        payload = read_payload(headers.get("x-amz-content-sha256") or payload)
        if "HMAC" in payload:
            raise InvalidRequest(
                "A body signed in chunks needs a request signed by AWS4-HMAC-SHA256."
            )
    return Verified("", payload, None, "", "", "", False)


def with_presigned(headers: Headers, query: Query) -> Headers:
    """The headers of a presigned request, with those that its URL carries as query parameters.

    SDKs move ``x-amz-*`` headers into the URLs they presign, and S3 takes them from there: metadata, tags,
    storage class, checksum mode. A header that was sent comes before its namesake. S3 leaves checksum values
    alone, since SDKs compute those of the empty body that they presign with.

    :raises InvalidArgument: what a parameter carries is no header.
    """
    items = query.items()
    if _GATE_ALONE.issuperset(query.names()) and not breaks_in(items):
        # As most presigned URLs, that carry none.
        return headers
    values = {
        name: value
        for name, value in hoisted_headers(items).items()
        if name not in _FOR_THE_GATE
        and (
            not name.startswith(("x-amz-checksum-", "x-amz-sdk-"))
            or name in _CHECKSUM_TRAITS
        )
    }
    return Headers({**values, **dict(headers.items())}) if values else headers
