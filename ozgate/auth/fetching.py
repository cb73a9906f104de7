"""Documents of issuers, over HTTPS: by treq, within bounds of time and size, and without following where they point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import treq
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.ssl import Certificate, trustRootFromCertificates
from twisted.web.client import Agent, BrowserLikePolicyForHTTPS

from ..config.sitefile import ConfigurationError

if TYPE_CHECKING:
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


async def _get(client: HTTPClient, url: str) -> bytes:
    response = await client.get(url, allow_redirects=False)
    pieces: list[bytes] = []

    def take(data: bytes) -> None:
        pieces.append(data)
        if sum(map(len, pieces)) > MOST:
            raise ValueError(f"it is larger than {MOST} bytes")

    if response.code != 200:
        raise ValueError(f"it is answered {response.code}")
    await treq.collect(response, take)
    return b"".join(pieces)


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
