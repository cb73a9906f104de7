"""Whose web identities are believed: issuers of OpenID Connect, and whom their tokens speak for.

An issuer's keys are found by its discovery document and kept for an hour; where a token names one that is not among them, they are asked for anew, though not more often than strangers could make
that expensive. An issuer that does not answer lets nobody in.

Sources: OpenID Connect Discovery 1.0, 4 "Obtaining OpenID Provider Configuration Information"; AWS Security Token Service API Reference, "AssumeRoleWithWebIdentity".
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from ..config.parsers import is_trusted_url
from ..config.sitefile import ConfigurationError
from ..errors.iam import (
    IDPCommunicationError,
    IDPRejectedClaim,
    InvalidIdentityToken,
)
from ..immutable import frozen
from .identities.naming import is_user_name
from .webidentity import (
    Heading,
    VerifyingKey,
    find_key,
    read_heading,
    read_keys,
    verify,
)

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from ..config.settings import Settings

KEPT: Final = 3600.0
"""Seconds that keys are used after they were asked for."""

PAUSE: Final = 30.0
"""Seconds between two times that an issuer is asked, at least, whether it answers or not."""

MOST_POLICIES: Final = 20
"""Policies that a token names, at most."""

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets a document by its URL; raises whatever when it cannot be had."""

_log = Logger()


@frozen
class WebIdentity:
    """Whom a token speaks for.

    :ivar issuer: what the issuer is called here: the user's name begins with it.
    :ivar user: nobody else is called so, but whom the same issuer calls so.
    :ivar policies: names of policies.
    """

    issuer: str
    user: str
    subject: str
    provider: str
    audience: str
    policies: tuple[str, ...]


class Issuer:
    """One issuer, with its keys as they were when they were asked for last.

    :param name: what it is called here.
    """

    def __init__(self, name: str, url: str, fetch: Fetch, clock: IReactorTime) -> None:
        self.name, self.url = name, url
        self._fetch, self._clock = fetch, clock
        self._waiters: list[Deferred[None]] = []
        self._keys: Sequence[VerifyingKey] = ()
        self._had = self._asked = float("-inf")

    async def key_of(self, heading: Heading) -> VerifyingKey:
        """The key that a token is signed with.

        :raises IDPCommunicationError: the issuer does not say which keys it has.
        :raises InvalidIdentityToken: it has no such key.
        """
        key = self._kept(heading)
        if key is None:
            if self._waiters or self._clock.seconds() - self._asked >= PAUSE:
                await self._ask_once()
            key = self._kept(heading)
        if key is None and self._is_stale():
            raise IDPCommunicationError()
        if key is None:
            raise InvalidIdentityToken(
                "Couldn't retrieve verification key from your identity provider"
            )
        return key

    def _is_stale(self) -> bool:
        return self._clock.seconds() - self._had >= KEPT

    def _kept(self, heading: Heading) -> VerifyingKey | None:
        return None if self._is_stale() else find_key(self._keys, heading)

    async def _ask_once(self) -> None:
        """Ask for the keys, once for all who want them: a client that goes away does not end it for the others."""
        waiter: Deferred[None] = Deferred()
        self._waiters.append(waiter)
        if len(self._waiters) == 1:
            Deferred.fromCoroutine(self._ask()).addBoth(self._answered)
        await waiter

    def _answered(self, ignored: object) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    async def _ask(self) -> None:
        """Ask for the keys. One that does not answer has those that it had, as long as they are kept."""
        now = self._asked = self._clock.seconds()
        try:
            place = f"{self.url.rstrip('/')}/.well-known/openid-configuration"
            found = json.loads(await self._fetch(place))
            if not isinstance(found, dict) or found.get("issuer") != self.url:
                raise ValueError("its configuration is another's")
            where = found.get("jwks_uri")
            if not isinstance(where, str) or not self._is_trusted(where):
                raise ValueError("its keys are at no place that can be trusted")
            keys = read_keys(json.loads(await self._fetch(where)))
        except Exception as error:
            reason = str(error) or type(error).__name__
            _log.error(
                "the issuer {url} does not say which keys it has: {reason}",
                url=self.url,
                reason=" ".join(reason.split())[:200],
            )
            return
        self._keys, self._had = keys, now

    def _is_trusted(self, where: str) -> bool:
        """Whether its keys may be there: one that is elsewhere sends nobody to what listens on this machine without TLS."""
        scheme = self.url.partition(":")[0]
        return is_trusted_url(where) and where.startswith(("https:", f"{scheme}:"))


class Issuers:
    """The issuers that a configuration names.

    :param fetch: gets their documents.
    :param clock: tells the date.
    :raises ConfigurationError: it does not say whom their tokens have to be for.
    """

    def __init__(self, settings: Settings, fetch: Fetch, clock: IReactorTime) -> None:
        if settings.oidc_issuers and not settings.oidc_audiences:
            raise ConfigurationError(
                "ozgate.oidc.audiences is empty, so that no token of ozgate.oidc.issuers is meant for this service: name the client ids that they are for"
            )
        self._settings, self._clock = settings, clock
        self._issuers = {
            url: Issuer(name, url, fetch, clock) for name, url in settings.oidc_issuers
        }

    async def identify(self, token: str) -> WebIdentity:
        """Whom a token speaks for.

        :raises InvalidIdentityToken: it is none, or not one for this service.
        :raises ExpiredTokenException: it is valid no more.
        :raises IDPRejectedClaim: it does not say whom it speaks for.
        :raises IDPCommunicationError: its issuer does not answer.
        """
        heading = read_heading(token)
        issuer = self._issuers.get(heading.issuer)
        if issuer is None:
            # Not echoed: it is whatever a stranger says.
            raise InvalidIdentityToken(
                "No OpenIDConnect provider found in your account for the token's issuer"
            )
        key = await issuer.key_of(heading)
        audiences, now = self._settings.oidc_audiences, self._clock.seconds()
        claims = verify(token, heading, key, audiences, now)
        user = _claim(claims, self._settings.oidc_user_claim)
        name = f"{issuer.name}:{user}"
        if not isinstance(user, str) or not user or not is_user_name(name):
            raise IDPRejectedClaim("The token names nobody whom a user can be called.")
        policies = _names(_claim(claims, self._settings.oidc_policy_claim))
        subject = claims.get("sub")
        stated = claims["aud"]
        audience = next(
            each
            for each in audiences
            if each in ([stated] if isinstance(stated, str) else stated)
        )
        return WebIdentity(
            issuer.name,
            name,
            subject if isinstance(subject, str) else user,
            heading.issuer,
            audience,
            policies,
        )


def _claim(claims: Mapping[str, Any], name: str) -> object:
    """A claim by its name; where there is none of that name, by the way to it: ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    found: object = claims
    for each in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(each)
    return found


def _names(claim: object) -> tuple[str, ...]:
    """Names in a claim: a list, or a text with commas between."""
    listed = claim.split(",") if isinstance(claim, str) else claim
    if listed is None:
        return ()
    if not isinstance(listed, list) or len(listed) > MOST_POLICIES:
        raise IDPRejectedClaim("The token names its policies in no form that is known.")
    names = [each.strip() for each in listed if isinstance(each, str)]
    return tuple(dict.fromkeys(filter(None, names)))
