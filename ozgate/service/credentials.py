"""What proves who asks, put together: secrets, sessions, and IAM and STS, which give them."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.interfaces import IReactorTime

from ..auth.fetching import make_fetch
from ..auth.oidc import Issuers
from ..auth.secretstore import MetadataSecretStore, StaticSecrets, open_master_key
from ..auth.sessions import Sessions
from ..config.settings import Settings
from ..gateway.foreign import Foreign
from ..iam.serving import QueryServices
from ..interfaces import IMetadataStore, IVerifier


async def open_secrets(
    settings: Settings, metadata: IMetadataStore, foreign: Foreign | None = None
) -> Sessions | None:
    """Where secrets are looked up, and what is signed is verified; ``None`` when signatures are not, or another system has the secrets.

    :raises Unavailable: the master key is missing or wrong.
    """
    if not settings.security_enabled or verifier_of(foreign) is not None:
        return None
    path = os.path.join(settings.data, settings.master_key)
    key = await open_master_key(metadata, path)
    stored = MetadataSecretStore(metadata, key)
    if not settings.access_key:
        return Sessions(key, stored)
    pairs = {settings.access_key: settings.secret_key}
    return Sessions(key, StaticSecrets(pairs, stored))


def verifier_of(foreign: Foreign | None) -> IVerifier | None:
    """The other system, where it verifies what is signed: also for what is kept here, and nobody besides does."""
    if foreign is None or not foreign.system.verifies:
        return None
    return IVerifier(foreign.system)


def make_neighbor(
    reactor: Any, clock: IReactorTime, settings: Settings, sessions: Sessions | None
) -> QueryServices | None:
    """IAM and STS; ``None`` when signatures are not verified: who asks is nobody in particular then. Nor where another system does it, whose users they do not know.

    :param clock: tells the date.
    :raises ConfigurationError: what is said of issuers of web identities cannot be.
    """
    if sessions is None:
        return None
    path = settings.oidc_ca and os.path.join(settings.data, settings.oidc_ca)
    return QueryServices(sessions, Issuers(settings, make_fetch(reactor, path), clock))
