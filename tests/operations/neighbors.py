"""IAM and STS beside the S3 of a gateway in memory."""

from __future__ import annotations

from ozgate.auth.oidc import Issuers
from ozgate.auth.sessions import Sessions
from ozgate.gateway.gateway import Gateway
from ozgate.iam.serving import QueryServices


class Documents(dict[str, bytes]):
    """The documents of issuers of web identities, by URL."""

    async def fetch(self, url: str) -> bytes:
        """One of them."""
        if url not in self:
            raise ValueError("nobody answers")
        return self[url]


def make_neighbor(
    gateway: Gateway, sessions: Sessions, documents: Documents
) -> QueryServices:
    """IAM and STS, as the service puts them together."""
    issuers = Issuers(gateway.settings, documents.fetch, gateway.clock)
    return QueryServices(sessions, issuers)
