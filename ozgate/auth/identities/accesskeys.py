"""Interactions that look at keys and change them, likewise as :mod:`.users`. They are made where secrets are sealed (:mod:`ozgate.auth.secretstore`)."""

from __future__ import annotations

from contextlib import suppress

from attrs import evolve

from ...errors import Damaged
from ...errors.iam import NoSuchEntity
from ...interfaces import IMetadataTransaction
from ...values import Claim, Secret


def find_key(tx: IMetadataTransaction, access_id: str, user: str = "") -> Secret:
    """A key.

    :param user: whose it has to be, where that matters.
    :raises NoSuchEntity: there is none, or it is another's.
    """
    row = tx.secret_row(access_id)
    if row is None or (user and row.user != user):
        raise _absent(access_id)
    return row


def disable_key(
    tx: IMetadataTransaction, access_id: str, is_disabled: bool, user: str = ""
) -> Secret:
    """Have a key open nothing, or what it did before.

    :raises NoSuchEntity: as :func:`find_key`.
    """
    tx.claim(Claim.secret(access_id))
    row = evolve(find_key(tx, access_id, user), is_disabled=is_disabled)
    tx.put_secret(row)
    return row


def expire_key(
    tx: IMetadataTransaction, access_id: str, seconds: float, user: str = ""
) -> Secret:
    """Have a key end in a while, if it does not before that.

    :raises NoSuchEntity: as :func:`find_key`.
    """
    tx.claim(Claim.secret(access_id))
    row = find_key(tx, access_id, user)
    expires = tx.now() + int(seconds * 1000)
    if row.expires is not None:
        expires = min(expires, row.expires)
    row = evolve(row, expires=expires)
    tx.put_secret(row)
    return row


def delete_key(tx: IMetadataTransaction, access_id: str, user: str = "") -> None:
    """Remove a key: it opens nothing from the next request on. One that is damaged goes, too, unless it has to be somebody's.

    :raises NoSuchEntity: as :func:`find_key`.
    """
    tx.claim(Claim.secret(access_id))
    if user:
        find_key(tx, access_id, user)
    else:
        with suppress(Damaged):
            find_key(tx, access_id)
    tx.remove_secret(access_id)


def _absent(access_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Access Key with id {access_id} cannot be found.")
