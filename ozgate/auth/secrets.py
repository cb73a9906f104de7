"""Where secrets of access ids come from.

Imports interfaces and errors only; the metadata store is whatever provides the interface.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex

from attrs import evolve
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from ..errors import Absent, Conflict
from ..interfaces import IMetadataStore, IMetadataTransaction, ISecretStore
from ..values import Credential, Secret


def _secret(tx: IMetadataTransaction, access_id: str) -> Credential | None:
    row = tx.secret_row(access_id)
    if row is None or (row.expires is not None and row.expires <= tx.now()):
        return None
    return Credential(row.sealed.decode(), row.user)


def _issue(
    tx: IMetadataTransaction,
    access_id: str,
    user: str,
    secret: str,
    ttl: float | None,
) -> tuple[str, str]:
    if tx.secret_row(access_id) is not None:
        raise Conflict(f"{access_id} has a secret already")
    now = tx.now()
    expires = None if ttl is None else now + int(ttl * 1000)
    tx.put_secret(Secret(access_id, user, secret.encode(), now, expires))
    return access_id, secret


def _set(tx: IMetadataTransaction, access_id: str, secret: str) -> None:
    row = tx.secret_row(access_id)
    if row is None:
        raise Absent(f"{access_id} has no secret")
    tx.put_secret(evolve(row, sealed=secret.encode()))


def _revoke(tx: IMetadataTransaction, access_id: str) -> None:
    if tx.secret_row(access_id) is None:
        raise Absent(f"{access_id} has no secret")
    tx.remove_secret(access_id)


def _listed(tx: IMetadataTransaction, after: str, limit: int) -> Sequence[Secret]:
    return [evolve(row, sealed=b"") for row in tx.secrets(after, limit)]


def access_id_of(user: str, key: str) -> str:
    """The access id of a user's key; the first key has no name."""
    return f"{user}~{key}" if key else user


@implementer(ISecretStore)
class MetadataSecretStore:
    """Secrets in rows of the metadata store, never cached: a revoked one is refused at once."""

    def __init__(self, metadata: IMetadataStore) -> None:
        self._metadata = metadata

    def secret(self, access_id: str) -> Deferred[Credential | None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.read(_secret, access_id)

    def issue(
        self, user: str, key: str = "", ttl: float | None = None
    ) -> Deferred[tuple[str, str]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        access_id = access_id_of(user, key)
        return self._metadata.write(
            _issue,
            access_id,
            user,
            token_hex(32),
            ttl,
            claims=(("secret", access_id),),
        )

    def set(self, access_id: str, secret: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.write(
            _set, access_id, secret, claims=(("secret", access_id),)
        )

    def revoke(self, access_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.write(_revoke, access_id, claims=(("secret", access_id),))

    def listed(self, after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.read(_listed, after, limit)


@implementer(ISecretStore)
class StaticSecrets:
    """Pairs from the configuration, in front of another store.

    The configuration decides about its access ids: changing one here fails with ``Conflict``.

    :param pairs: access id → secret.
    """

    def __init__(self, pairs: Mapping[str, str], inner: ISecretStore) -> None:
        self._pairs = dict(pairs)
        self._inner = inner

    def secret(self, access_id: str) -> Deferred[Credential | None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        found = self._pairs.get(access_id)
        if found is None:
            return self._inner.secret(access_id)
        return succeed(Credential(found, access_id))

    def issue(
        self, user: str, key: str = "", ttl: float | None = None
    ) -> Deferred[tuple[str, str]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        access_id = access_id_of(user, key)
        if access_id in self._pairs:
            return fail(_configured(access_id))
        return self._inner.issue(user, key, ttl)

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

    def listed(self, after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """See :class:`~ozgate.interfaces.ISecretStore`: without those of the configuration."""
        return self._inner.listed(after, limit)


def _configured(access_id: str) -> Conflict:
    return Conflict(f"the secret of {access_id} is set in the configuration")
