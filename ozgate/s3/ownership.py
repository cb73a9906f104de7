"""Who owns an object that comes, and which list it gets; which lists are taken, and shown. For use inside interactions.

Where a bucket's owner owns all that is in it, which is so until somebody says otherwise, nothing is kept of any of that.

Source: Amazon S3 User Guide, "Controlling ownership of objects" and "Blocking public access to your Amazon S3 storage". What nobody
signed is the bucket's owner's here; on AWS it is owned by everybody who does not sign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import evolve

from ..errors import AccessControlListNotSupported, AccessDenied
from .configuration.accesslist import ACCESS_LIST, OWNER, with_list
from .configuration.ownership import PREFERRED, lists_count, ownership_of
from .configuration.publicaccess import blocks_of
from .grantees import Wanted
from .policy.grants import Grants, is_public, owners

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket, Upload
    from .asked import Asked
    from .changing import Draft

_FULL_CONTROL: Final = "bucket-owner-full-control"
_HARMLESS: Final = ("private", _FULL_CONTROL)
"""Canned lists that say nothing but what is so where lists do not count."""


def check_list(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, wanted: Wanted | None
) -> None:
    """Make sure that an object may come with a list; ``None`` where none is asked for. That the caller may say so was asked at the bucket's door.

    :raises AccessControlListNotSupported: lists do not count in the bucket.
    :raises AccessDenied: the list is public, and those are blocked.
    """
    if wanted is None:
        return
    if not lists_count(bucket):
        if wanted.canned not in _HARMLESS and wanted.grants != owners(bucket.owner):
            raise AccessControlListNotSupported()
        return
    refuse_public(tx, asked, bucket, wanted.of(bucket.owner, bucket.owner))


def refuse_public(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, grants: Grants
) -> None:
    """Refuse a list that gives the public anything, where those are blocked.

    :raises AccessDenied: it does.
    """
    if is_public(grants) and blocks_of(tx, bucket, asked.is_closed).block_public_acls:
        raise AccessDenied()


def owned(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    draft: Draft,
    wanted: Wanted | None,
) -> Draft:
    """What is to become a version, with its owner and its list.

    :param wanted: the list that is asked for, if one is.
    :raises S3Error: what :func:`check_list` raises.
    """
    if wanted is None and not lists_count(bucket):
        return draft
    check_list(tx, asked, bucket, wanted)
    return _owned(tx, asked, bucket, draft, asked.principal.short_name, wanted)


def owned_upload(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    draft: Draft,
    upload: Upload,
) -> Draft:
    """What an upload is to become, with its owner, who began it, and the list that he asked for: that he may was made sure of then.

    :raises AccessDenied: the list is public, and those are blocked by now.
    """
    kept = upload.more.get(ACCESS_LIST)
    if kept is None and not lists_count(bucket):
        return draft
    wanted = None if kept is None else Wanted.unpack(kept)
    if wanted is not None and lists_count(bucket):
        refuse_public(tx, asked, bucket, wanted.of(bucket.owner, bucket.owner))
    return _owned(tx, asked, bucket, draft, upload.owner, wanted)


def _owned(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    draft: Draft,
    writer: str,
    wanted: Wanted | None,
) -> Draft:
    """As :func:`owned`, where that was made sure of.

    :param writer: the name of who writes it; ``""`` where nobody signed.
    """
    if not lists_count(bucket):
        return draft
    owner, more = _owner(tx, asked, bucket, writer, wanted), draft.more
    if wanted is not None:
        more = with_list(more, owner, wanted.of(owner, bucket.owner))
    if owner == bucket.owner:
        return evolve(draft, more=more)
    return evolve(draft, owner=owner, more={**more, OWNER: owner})


def _owner(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    writer: str,
    wanted: Wanted | None,
) -> str:
    """Who owns an object that somebody writes."""
    owner = bucket.owner
    if writer in ("", owner, asked.names.known_as(owner)):
        return owner
    gives_all = wanted is not None and wanted.canned == _FULL_CONTROL
    if gives_all and ownership_of(tx, bucket) == PREFERRED:
        return owner
    return writer
