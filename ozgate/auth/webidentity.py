"""Web identities: tokens of OpenID Connect, verified.

Whatever a token says of how it is signed is believed only within what is allowed here: signatures with a public key, of a kind that fits the key. There is no ``none``, and no HMAC, which
would take a public key for a secret. The signature is verified by PyJWT, which is kept well and stands on ``cryptography``; what a token claims is compared here, by the clock of the service.

Sources: OpenID Connect Core 1.0, 3.1.3.7 "ID Token Validation"; RFC 8725, "JSON Web Token Best Current Practices"; RFC 7517, "JSON Web Key".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ..errors.iam import ExpiredTokenException, InvalidIdentityToken
from ..immutable import frozen

LEEWAY: Final = 60
"""Seconds that an issuer's clock may differ from ours."""

SMALLEST: Final = 2048
"""Bits of an RSA key, at least."""


def _is_rsa(key: object) -> bool:
    return isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST


def _is_on(curve: str) -> Callable[[object], bool]:
    return lambda key: (
        isinstance(key, EllipticCurvePublicKey) and key.curve.name == curve
    )


ALGORITHMS: Final[Mapping[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), _is_rsa),
    "ES256": _is_on("secp256r1"),
    "ES384": _is_on("secp384r1"),
    "ES512": _is_on("secp521r1"),
    "EdDSA": lambda key: isinstance(key, Ed25519PublicKey),
}
"""The algorithms that are allowed → whether a key is one for it."""


@frozen
class VerifyingKey:
    """A key of an issuer's.

    :ivar kid: what tokens call it; ``""`` where it has no name.
    :ivar algorithm: the only one that it is for; ``""`` where that is not said.
    """

    kid: str
    algorithm: str
    key: Any


@frozen
class Heading:
    """What a token says of itself, not yet believed."""

    algorithm: str
    kid: str
    issuer: str


def read_heading(token: str) -> Heading:
    """What a token says of itself, so that its key can be found.

    :raises InvalidIdentityToken: it is none, or signed in a way that is not allowed.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise InvalidIdentityToken() from None
    algorithm, kid, issuer = header.get("alg"), header.get("kid", ""), claims.get("iss")
    if not all(isinstance(each, str) for each in (algorithm, kid, issuer)):
        raise InvalidIdentityToken()
    if algorithm not in ALGORITHMS or "crit" in header:
        raise InvalidIdentityToken("The token is signed in a way that is not allowed.")
    return Heading(str(algorithm), str(kid), str(issuer))


def read_keys(document: object) -> Sequence[VerifyingKey]:
    """The keys in an issuer's key set, those that are for something else left out.

    :raises ValueError: it is none.
    """
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("it is no set of keys")
    found = []
    for each in document["keys"]:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        if each.get("kty") not in ("RSA", "EC", "OKP") or "d" in each:
            continue
        try:
            # Without its algorithm, which need not be one that PyJWT would choose.
            bare = {name: value for name, value in each.items() if name != "alg"}
            key = jwt.PyJWK(bare).key
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            continue
        kid, algorithm = each.get("kid", ""), each.get("alg", "")
        if isinstance(kid, str) and isinstance(algorithm, str):
            found.append(VerifyingKey(kid, algorithm, key))
    return found


def find_key(keys: Sequence[VerifyingKey], heading: Heading) -> VerifyingKey | None:
    """The key that a token is signed with, by its name; where it names none, the only one that fits."""
    fits = ALGORITHMS[heading.algorithm]
    found = [
        each
        for each in keys
        if fits(each.key) and each.algorithm in ("", heading.algorithm)
    ]
    if heading.kid:
        found = [each for each in found if each.kid == heading.kid]
    return found[0] if len(found) == 1 else None


def verify(
    token: str,
    heading: Heading,
    key: VerifyingKey,
    audiences: Collection[str],
    now: float,
) -> Mapping[str, Any]:
    """What a token claims, which is true.

    :param heading: what it says of itself; its issuer is the key's.
    :param now: seconds since the epoch.
    :raises InvalidIdentityToken: it is not signed with the key, for somebody else, or not valid yet.
    :raises ExpiredTokenException: it is valid no more.
    """
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[heading.algorithm],
            audience=list(audiences),
            issuer=heading.issuer,
            options={
                "require": ["exp", "iss", "aud"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidAudienceError:
        raise InvalidIdentityToken("Incorrect token audience") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise InvalidIdentityToken() from None
    if _time(claims, "exp") <= now - LEEWAY:
        raise ExpiredTokenException("Token expired: current date/time is past exp")
    for name in ("nbf", "iat"):
        if name in claims and _time(claims, name) > now + LEEWAY:
            raise InvalidIdentityToken("The token is not valid yet.")
    return claims


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    # Infinity and NaN are numbers to Python's JSON.
    if type(value) not in (int, float) or not 0 <= value < 1 << 53:
        raise InvalidIdentityToken(f"The token's {name} is no time.")
    return float(value)
