"""What a provider of secrets promises."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from zope.interface import Interface

from ..values import Credential, Secret

__all__ = ["ISecretStore"]


class ISecretStore(Interface):
    """Secrets of access ids, sealed at rest."""

    def secret(access_id: str) -> Deferred[Credential | None]:
        """The secret of an access id and whose it is; ``None`` when there is none or it has expired.

        Cached only as long as revocation allows: not at all.
        """

    def issue(
        user: str, key: str = "", ttl: float | None = None
    ) -> Deferred[tuple[str, str]]:
        """Make and keep a new secret, 64 hex digits.

        :param key: names a further key of the user; the first one has none.
        :param ttl: seconds after which the secret is refused; ``None``: never.
        :return: fires with the access id (``user``, or ``user~key``) and the secret; fails with
            ``Conflict`` when that access id has one.
        """

    def set(access_id: str, secret: str) -> Deferred[None]:
        """Keep a given secret instead of the one there is. Fails with ``Absent`` when there is none."""

    def revoke(access_id: str) -> Deferred[None]:
        """Remove a secret. Fails with ``Absent`` when there is none."""

    def listed(after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """Rows by access id, those after ``after``, expired ones included; ``sealed`` is empty."""
