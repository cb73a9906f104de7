"""An issuer of OpenID Connect, and who believes it: shared by the tests of web identities."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.oidc import Issuers, WebIdentity
from ozgate.config.settings import Settings
from ozgate.errors.iam import (
    InvalidIdentityToken,
)
from tests.issuer import AUDIENCE, Issuer

NOW = 1_800_000_000.0


class IssuerTestCase(SynchronousTestCase):
    """An issuer, and who believes it."""

    def setUp(self) -> None:
        """Both."""
        self.clock = Clock()
        self.clock.advance(NOW)
        self.issuer = Issuer()
        self.fetched: list[str] = []
        self.pending: list[Deferred[bytes]] | None = None
        self.answers = self.issuer.documents()
        self.configure()

    def configure(self, **changes: Any) -> None:
        """Believe it by other settings."""
        settings = {
            "oidc_issuers": (("corp", self.issuer.url),),
            "oidc_audiences": ("other", AUDIENCE),
        }
        made = Settings(**{**settings, **changes})
        self.issuers = Issuers(made, self.fetch, self.clock)

    async def fetch(self, url: str) -> bytes:
        """Get a document."""
        self.fetched.append(url)
        if self.pending is not None:
            waiting: Deferred[bytes] = Deferred()
            self.pending.append(waiting)
            return await waiting
        return self.answers[url]

    def ask(self, token: str) -> Deferred[WebIdentity]:
        """Whom a token speaks for."""
        return Deferred.fromCoroutine(self.issuers.identify(token))

    def accepted(self, token: str) -> WebIdentity:
        """The same, now."""
        return self.successResultOf(self.ask(token))

    def refused(self, token: str, kind: type[Exception] = InvalidIdentityToken) -> None:
        """Assert that it speaks for nobody."""
        self.failureResultOf(self.ask(token), kind)

    def token(self, **claims: Any) -> str:
        """A token, good but for what is said."""
        return self.issuer.token(self.clock.seconds(), **claims)
