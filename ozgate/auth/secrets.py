"""Where secrets of access ids come from.

Imports interfaces and errors only; the metadata store is whatever provides the interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex

from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..errors import Absent, Conflict
from ..interfaces import IMetadataStore, IMetadataTransaction, ISecretStore


def _secret(tx: IMetadataTransaction, access_id: str) -> str | None:
    return tx.secret(access_id)


def _issue(tx: IMetadataTransaction, access_id: str, secret: str) -> str:
    if tx.secret(access_id) is not None:
        raise Conflict(f"{access_id} has a secret already")
    tx.set_secret(access_id, secret)
    return secret


def _set(tx: IMetadataTransaction, access_id: str, secret: str) -> None:
    tx.set_secret(access_id, secret)


def _revoke(tx: IMetadataTransaction, access_id: str) -> None:
    if tx.secret(access_id) is None:
        raise Absent(f"{access_id} has no secret")
    tx.set_secret(access_id, None)


@implementer(ISecretStore)
class MetadataSecretStore:
    """Secrets in rows of the metadata store, never cached: a revoked one is refused at once."""

    def __init__(self, metadata: IMetadataStore) -> None:
        self._metadata = metadata

    def secret(self, access_id: str) -> Deferred[str | None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.read(_secret, access_id)

    def issue(self, access_id: str) -> Deferred[str]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.write(
            _issue, access_id, token_hex(32), claims=(("secret", access_id),)
        )

    def set(self, access_id: str, secret: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.write(
            _set, access_id, secret, claims=(("secret", access_id),)
        )

    def revoke(self, access_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.write(_revoke, access_id, claims=(("secret", access_id),))


@implementer(ISecretStore)
class StaticSecrets:
    """Pairs from the configuration, in front of another store.

    The configuration decides about its access ids: changing one here fails with ``Conflict``.

    :param pairs: access id → secret.
    """

    def __init__(self, pairs: Mapping[str, str], inner: ISecretStore) -> None:
        self._pairs = dict(pairs)
        self._inner = inner

    def secret(self, access_id: str) -> Deferred[str | None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        found = self._pairs.get(access_id)
        return self._inner.secret(access_id) if found is None else succeed(found)

    def issue(self, access_id: str) -> Deferred[str]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        if access_id in self._pairs:
            return fail(_configured(access_id))
        return self._inner.issue(access_id)

    def set(self, access_id: str, secret: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        if access_id in self._pairs:
            return fail(_configured(access_id))
        return self._inner.set(access_id, secret)

    def revoke(self, access_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        if access_id in self._pairs:
            return fail(_configured(access_id))
        return self._inner.revoke(access_id)


def _configured(access_id: str) -> Conflict:
    return Conflict(f"the secret of {access_id} is set in the configuration")
