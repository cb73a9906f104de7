"""Documents of issuers, over HTTPS: by treq, within bounds of time and size, and without following where they point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS, ResponseDone
from twisted.web.http import PotentialDataLoss

from ..config.sitefile import ConfigurationError

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from .oidc import Fetch

SECONDS: Final = 10.0
"""Within which a document has to be here."""

MOST: Final = 256 << 10
"""Bytes of a document."""

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


def make_fetch(reactor: Any, authorities: str = "") -> Fetch:
    """What gets documents.

    :param authorities: PEM file of the certificates that issue those of the servers; ``""``: those that the system trusts.
    :raises ConfigurationError: it cannot be read, or has none in it.
    """
    trust = (
        trustRootFromCertificates(_certificates(authorities)) if authorities else None
    )
    policy = BrowserLikePolicyForHTTPS(trustRoot=trust)
    client = HTTPClient(Agent(reactor, policy, connectTimeout=SECONDS))

    async def fetch(url: str) -> bytes:
        whole = Deferred.fromCoroutine(_get(client, url))
        return await whole.addTimeout(SECONDS, reactor)

    return fetch


class _Taking(Protocol):
    """A document as it comes. Whose is too large, or wanted no more, is hung up on, so that no connection stays.

    :ivar taken: fires with all of it; cancelling hangs up.
    """

    def __init__(self) -> None:
        self.taken: Deferred[bytes] = Deferred(lambda _: self._hang_up())
        self._pieces: list[bytes] = []
        self._count = 0

    def dataReceived(self, data: bytes) -> None:
        """Take some."""
        self._count += len(data)
        if self._count <= MOST:
            self._pieces.append(data)
        elif not self.taken.called:
            self.taken.errback(ValueError(f"it is larger than {MOST} bytes"))
            self._hang_up()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        if self.taken.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.taken.callback(b"".join(self._pieces))
        else:
            self.taken.errback(reason)

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


async def _get(client: HTTPClient, url: str) -> bytes:
    response = await client.get(url, allow_redirects=False)
    taking = _Taking()
    response.deliverBody(taking)
    if response.code != 200:
        taking.taken.addErrback(lambda _: b"").cancel()
        raise ValueError(f"it is answered {response.code}")
    return await taking.taken


def _certificates(path: str) -> list[Certificate]:
    try:
        text = Path(path).read_text("ascii")
        found = [
            Certificate.loadPEM((_BEGIN + each).encode())
            for each in text.split(_BEGIN)[1:]
        ]
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"ozgate.oidc.ca: {path}: {error}") from None
    except Exception:
        # OpenSSL's own.
        found = []
    if not found:
        raise ConfigurationError(f"ozgate.oidc.ca: {path} has no certificate in it")
    return found
