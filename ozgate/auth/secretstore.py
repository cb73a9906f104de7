"""Where secrets of access ids are kept, and what is signed with them is verified.

A secret is a row of the metadata store, sealed (:mod:`ozgate.auth.sealing`), never cached: one that was revoked or has
expired is refused on the next request. Imports interfaces and errors only; the metadata store is whatever provides
the interface.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from secrets import token_hex

from attrs import evolve
from twisted.internet.defer import Deferred, execute, fail
from zope.interface import implementer

from ..errors import Absent, Conflict, Damaged
from ..interfaces import IMetadataStore, IMetadataTransaction, ISecretStore, IVerifier
from ..secondlook import claimed
from ..values import Claim, Credential, Grants, Presented, Secret, Signatory, Standing
from .identities.accesskeys import expire_key
from .identities.grants import document_of, grants_of, policies_of
from .identities.naming import new_access_id
from .identities.users import find_user, has_row
from .sealing import MasterKey
from .signatory import signatory_of

CHECK = "master-key-check"
"""The store's value by which the master key is known again."""


def access_id_of(user: str, key: str) -> str:
    """The access id of a user's key; the first key has no name."""
    return f"{user}~{key}" if key else user


def is_expired(row: Secret, now: int) -> bool:
    """Whether a secret is refused by now."""
    return row.expires is not None and row.expires <= now


def check_value(tx: IMetadataTransaction) -> bytes | None:
    """The check value of the master key; ``None`` before anything was sealed. An interaction."""
    return tx.setting(CHECK)


def keep_check_value(tx: IMetadataTransaction, check: bytes) -> bytes:
    """Keep the check value of the master key; an interaction.

    :return: the one that is kept: another's, where a gateway that started at the same time was first.
    """
    tx.claim(Claim.setting(CHECK))
    kept = tx.setting(CHECK)
    if kept is None:
        tx.set_setting(CHECK, check)
    return check if kept is None else kept


async def open_master_key(metadata: IMetadataStore, path: str) -> MasterKey:
    """The master key of a metadata store, made where nothing was sealed yet.

    :raises Unavailable: it is missing or wrong; one line says so.
    """
    check = await metadata.read(check_value)
    key = MasterKey.load_or_make(path, check)
    if check is None:
        key.require(await metadata.write(keep_check_value, key.check()))
    return key


def _valid(tx: IMetadataTransaction, access_id: str) -> Secret | None:
    row = tx.secret_row(access_id)
    if row is None or (row.expires is not None and is_expired(row, tx.now())):
        return None
    return row


def _opening(tx: IMetadataTransaction, access_id: str) -> tuple[Secret, Grants] | None:
    """The row of an access id that opens something by now, and what that is besides what is its user's."""
    row = _valid(tx, access_id)
    if row is None:
        return None
    grants = grants_of(tx, row)
    return None if grants is None else (row, grants)


def has_secret(tx: IMetadataTransaction, access_id: str) -> bool:
    """Whether an access id has a secret that is good by now, or one that cannot be read; an interaction."""
    try:
        return _valid(tx, access_id) is not None
    except Damaged:
        return True


def _issue(
    tx: IMetadataTransaction, secret: Secret, ttl: float | None, is_known: bool
) -> None:
    """Keep a new secret.

    :param secret: its times, and whether its user has a row, are found out here.
    :param is_known: whether the user has to be there: whoever removes him meanwhile leaves no key.
    """
    access_id, user = secret.access_id, secret.user
    tx.claim(Claim.user(user, shared=True), Claim.secret(access_id))
    if is_known:
        find_user(tx, user)
    if _valid(tx, access_id) is not None:
        raise Conflict(f"{access_id} has a secret already")
    now = tx.now()
    expires = None if ttl is None else now + int(ttl * 1000)
    is_managed = has_row(tx, user)
    made = evolve(secret, created=now, expires=expires, is_managed=is_managed)
    tx.put_secret(made)


def _rotate(
    tx: IMetadataTransaction,
    access_id: str,
    new_id: str,
    sealed: bytes,
    expire_old: float | None,
    created_by: str,
) -> None:
    def look() -> Secret:
        found = _valid(tx, access_id)
        if found is None or found.is_disabled:
            raise Absent(f"{access_id} has no secret")
        return found

    def claims(found: Secret) -> tuple[Claim, ...]:
        user = Claim.user(found.user, shared=True)
        return user, Claim.secret(access_id), Claim.secret(new_id)

    row, now = claimed(tx, look, claims), tx.now()
    new = evolve(row, access_id=new_id, sealed=sealed, created=now, expires=None)
    tx.put_secret(evolve(new, created_by=created_by))
    if expire_old is not None:
        expire_key(tx, access_id, expire_old)


def _set(tx: IMetadataTransaction, access_id: str, sealed: bytes) -> None:
    tx.claim(Claim.secret(access_id))
    row = _valid(tx, access_id)
    if row is None:
        raise Absent(f"{access_id} has no secret")
    tx.put_secret(evolve(row, sealed=sealed, created=tx.now()))


def _revoke(tx: IMetadataTransaction, access_id: str) -> None:
    tx.claim(Claim.secret(access_id))
    with suppress(Damaged):  # there is one, and it goes
        if tx.secret_row(access_id) is None:
            raise Absent(f"{access_id} has no secret")
    tx.remove_secret(access_id)


def _standing(
    tx: IMetadataTransaction, access_id: str
) -> tuple[tuple[Secret, Grants] | None, int]:
    return _opening(tx, access_id), tx.now()


def _standing_by(
    tx: IMetadataTransaction, user: str, policies: Sequence[str]
) -> Standing | None:
    documents: tuple[bytes, ...] = ()
    for name in policies:
        document = document_of(tx, name)
        if document is None:
            # Nobody knows any more what it denied.
            return None
        documents += (document.encode(),)
    row = tx.user(user)
    groups: frozenset[str] = frozenset()
    if row is not None:
        if row.is_disabled:
            return None
        # Such as what denies.
        groups, documents = row.groups, documents + policies_of(tx, row)
    return Standing(user, b"", tx.now(), Grants(groups, documents))


def _time(tx: IMetadataTransaction) -> int:
    return tx.now()


def _bond(secret: bytes) -> bytes:
    """Stands for a secret, or a sealed one, in the tokens of its sessions."""
    return hashlib.sha256(b"session of " + secret).digest()[:16]


def _stands(
    found: tuple[tuple[Secret, Grants] | None, int], access_id: str
) -> Standing:
    opening, now = found
    if opening is None:
        raise Absent(f"{access_id} has no secret")
    row, grants = opening
    return Standing(row.user, _bond(row.sealed), now, grants)


def _stands_by(found: Standing | None, user: str) -> Standing:
    if found is None:
        raise Absent(f"{user} is disabled, or a policy of the session is gone")
    return found


def _listed(tx: IMetadataTransaction, after: str, limit: int) -> Sequence[Secret]:
    return [evolve(row, sealed=b"") for row in tx.secrets(after, limit)]


@implementer(ISecretStore, IVerifier)
class MetadataSecretStore:
    """Secrets in rows of the metadata store.

    :param key: what they are sealed under.
    """

    def __init__(self, metadata: IMetadataStore, key: MasterKey) -> None:
        self._metadata = metadata
        self._key = key

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`~ozgate.interfaces.IVerifier`. Fails with ``Damaged`` when the row does not open."""
        found = self._metadata.read(_opening, presented.access_id)
        return found.addCallback(self._verified, presented)

    def issue(
        self,
        user: str,
        key: str | None = "",
        ttl: float | None = None,
        limits: tuple[str, ...] = (),
        description: str = "",
        created_by: str = "",
        is_known: bool = False,
    ) -> Deferred[tuple[str, str]]:
        """See :class:`~ozgate.interfaces.ISecretStore`. One that has expired makes room."""
        access_id = new_access_id() if key is None else access_id_of(user, key)
        secret = token_hex(32)
        row = Secret(
            access_id,
            user,
            self._key.seal(access_id, secret),
            0,
            limits=limits,
            description=description,
            created_by=created_by,
        )
        done = self._metadata.write(_issue, row, ttl, is_known)
        return done.addCallback(lambda _: (access_id, secret))

    def rotate(
        self, access_id: str, expire_old: float | None, created_by: str = ""
    ) -> Deferred[tuple[str, str]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        new_id, secret = new_access_id(), token_hex(32)
        sealed = self._key.seal(new_id, secret)
        done = self._metadata.write(
            _rotate, access_id, new_id, sealed, expire_old, created_by
        )
        return done.addCallback(lambda _: (new_id, secret))

    def set(self, access_id: str, secret: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`. When it expires does not change."""
        sealed = self._key.seal(access_id, secret)
        return self._metadata.write(_set, access_id, sealed)

    def revoke(self, access_id: str) -> Deferred[None]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.write(_revoke, access_id)

    def listed(self, after: str, limit: int) -> Deferred[Sequence[Secret]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._metadata.read(_listed, after, limit)

    def standing(self, access_id: str) -> Deferred[Standing]:
        """See :class:`~ozgate.interfaces.ISecretStore`. Sealed anew, it is another secret."""
        found = self._metadata.read(_standing, access_id)
        return found.addCallback(_stands, access_id)

    def standing_by(self, user: str, policies: Sequence[str]) -> Deferred[Standing]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        found = self._metadata.read(_standing_by, user, tuple(policies))
        return found.addCallback(_stands_by, user)

    def now(self) -> Deferred[int]:
        """The time of the store, in milliseconds since the epoch."""
        return self._metadata.read(_time)

    def _verified(
        self, found: tuple[Secret, Grants] | None, presented: Presented
    ) -> Signatory | None:
        if found is None:
            return signatory_of(presented, None)
        row, grants = found
        secret = self._key.open(row.access_id, row.sealed)
        return signatory_of(presented, Credential(secret, row.user), grants)


@implementer(ISecretStore, IVerifier)
class StaticSecrets:
    """Pairs from the configuration, in front of another store.

    The configuration decides about its access ids: changing one here fails with ``Conflict``.

    :param pairs: access id → secret.
    """

    def __init__(self, pairs: Mapping[str, str], inner: MetadataSecretStore) -> None:
        self._pairs = {
            access_id: Credential(secret, access_id)
            for access_id, secret in pairs.items()
        }
        self._inner = inner

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`~ozgate.interfaces.IVerifier`."""
        found = self._pairs.get(presented.access_id)
        if found is None:
            return self._inner.verify(presented)
        return execute(signatory_of, presented, found)

    def standing(self, access_id: str) -> Deferred[Standing]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        found = self._pairs.get(access_id)
        if found is None:
            return self._inner.standing(access_id)
        bond = _bond(found.secret.encode())
        return self._inner.now().addCallback(
            lambda now: Standing(found.user, bond, now)
        )

    def standing_by(self, user: str, policies: Sequence[str]) -> Deferred[Standing]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        return self._inner.standing_by(user, policies)

    def issue(
        self,
        user: str,
        key: str | None = "",
        ttl: float | None = None,
        limits: tuple[str, ...] = (),
        description: str = "",
        created_by: str = "",
        is_known: bool = False,
    ) -> Deferred[tuple[str, str]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        if key is not None and access_id_of(user, key) in self._pairs:
            return fail(_configured(access_id_of(user, key)))
        return self._inner.issue(
            user, key, ttl, limits, description, created_by, is_known
        )

    def rotate(
        self, access_id: str, expire_old: float | None, created_by: str = ""
    ) -> Deferred[tuple[str, str]]:
        """See :class:`~ozgate.interfaces.ISecretStore`."""
        if access_id in self._pairs:
            return fail(_configured(access_id))
        return self._inner.rotate(access_id, expire_old, created_by)

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
