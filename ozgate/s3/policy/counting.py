"""The lists that count for a question, looked up where a bucket's documents say that lists count, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..configuration.accesslist import list_of, list_of_object, owner_of
from ..configuration.ownership import lists_count
from ..configuration.publicaccess import blocks_of
from .grants import Grants, is_public
from .lists import OF_BUCKET, OF_OBJECT, OF_OWN_OBJECT, OF_OWN_UPLOAD, Lists

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked

_OF_ANY_OBJECT: Final = OF_OBJECT.keys() | OF_OWN_OBJECT
_OF_ANY: Final = _OF_ANY_OBJECT | OF_BUCKET.keys() | OF_OWN_UPLOAD


def lists_of(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    action: str,
    key: str,
    version: str,
) -> Lists | None:
    """The lists that count for what is asked; ``None`` where none does. For use inside an interaction.

    :param bucket: the real one, as read in this interaction.
    :param key: ``""`` where it is about the bucket.
    :param version: the version that is named, ``""`` where none is.
    """
    if not lists_count(bucket) or action not in _OF_ANY:
        return None
    # What these may do no list gives: only whether an object is another's matters to the bucket's owner.
    is_owner = asked.principal.is_called(bucket.owner)
    if asked.principal.is_admin or (is_owner and action not in OF_OBJECT):
        return None
    grants: Grants = () if is_owner else list_of(tx, bucket)
    owner, listed = _of_thing(tx, asked, bucket, action, key, version)
    without_public = (is_public(grants) or is_public(listed)) and (
        blocks_of(tx, bucket, asked.is_closed).ignore_public_acls is True
    )
    return Lists(grants, without_public, owner, listed)


def _of_thing(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    action: str,
    key: str,
    version: str,
) -> tuple[str, Grants]:
    """Who owns the object that is asked about, or began the upload, and the object's list; ``""`` and none where there is none."""
    if key and action in _OF_ANY_OBJECT:
        found = tx.version(bucket, key, version) if version else tx.latest(bucket, key)
        if found is not None and not found.is_delete_marker:
            return owner_of(bucket, found), list_of_object(bucket, found)
    elif key and action in OF_OWN_UPLOAD:
        upload = tx.upload(bucket, key, asked.query("uploadId") or "")
        if upload is not None:
            return upload.owner, ()
    return "", ()
