"""Buckets and links: what ``ozgate sh bucket`` does. Codes, messages and JSON are those of ``ozone sh bucket``.

Making either needs ``CREATE`` on the volume. A link is a row of its own, with its own owner and access control list, and
takes one name of its volume's quota; nothing is asked of what it points at until it is followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attrs import evolve

from ...auth.administrators import ShortNames
from ...errors import BucketAlreadyExists, BucketAlreadyOwnedByYou
from ...interfaces import IMetadataTransaction
from ...s3.changing import Bypass, remove_version
from ...s3.changing.locks import has_object_lock
from ...s3.links import listed_for
from ...s3.newbuckets import Beginning, usual
from ...s3.perform.buckets import add_bucket
from ...s3.policy.evaluator import new_acls, shown_to
from ...s3.quotas import check_bucket_quota
from ...secondlook import claimed
from ...values import Acl, Bucket, Cause, Claim, Principal, Volume
from ..answers import Json, iso_time
from ..caller import Caller
from ..context import AdminContext
from ..errors import AdminError, access_denied
from .lookup import check_name, find_bucket, find_volume, page_size
from .quotas import check_quotas, check_space
from .rights import authorize_caller, authorize_caller_to_remove, principal_of

LAYOUT = "OBJECT_STORE"
"""The one layout there is: keys are kept as they are."""

THROUGH_LINKS = frozenset(("READ", "WRITE"))
"""What everyone may do to a new link itself, in the manner of symbolic links; what it points at is asked as well. Ozone's."""

EMPTIED_AT_ONCE = 1000
"""Versions that one transaction removes of a bucket that goes with all that is in it."""


def bucket_json(bucket: Bucket) -> Json:
    """A bucket as Ozone shows it; of a link, only what it is and points at."""
    times = {
        "creationTime": iso_time(bucket.created),
        "modificationTime": iso_time(bucket.modified),
    }
    if bucket.source is not None:
        volume, source = bucket.source
        return {
            "volumeName": bucket.volume,
            "name": bucket.name,
            "sourceVolume": volume,
            "sourceBucket": source,
            **times,
            "owner": bucket.owner,
            "link": True,
        }
    return {
        "metadata": {},
        "volumeName": bucket.volume,
        "name": bucket.name,
        "storageType": "DISK",
        "versioning": bucket.versioning == "Enabled",
        "usedBytes": bucket.used_bytes,
        "usedNamespace": bucket.used_names,
        **times,
        "quotaInBytes": bucket.quota_bytes,
        "quotaInNamespace": bucket.quota_names,
        "bucketLayout": bucket.layout,
        "owner": bucket.owner,
        "link": False,
    }


async def create_bucket(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str,
    user: str | None = None,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
    layout: str | None = None,
    replication_type: str | None = None,
    replication: str | None = None,
    bucketkey: str | None = None,
    enforcegdpr: bool = False,
) -> Json:
    """Make a bucket.

    :param user: its owner; the caller when ``None``.
    :param space_quota: bytes; ``None`` or -1 for no quota.
    :param namespace_quota: keys; likewise.
    :param layout: Ozone's name of how keys are kept; ``None``: as they are.
    :param replication_type: Ozone's; without effect here, as ``replication``.
    :raises AdminError: ``BUCKET_ALREADY_EXISTS``; ``QUOTA_ERROR``: the volume has a space quota, so the bucket needs one;
        ``QUOTA_EXCEEDED``.
    """
    principal, owner = _making(context, caller, bucket, user)
    check_quotas(space_quota, namespace_quota)
    if layout not in (None, LAYOUT):
        raise AdminError(
            "NOT_SUPPORTED_OPERATION", f"the one layout is {LAYOUT}, not {layout}"
        )
    if bucketkey or enforcegdpr:
        raise AdminError("NOT_SUPPORTED_OPERATION", "Encrypted buckets are not built")
    made = await context.gateway.metadata.write(
        _create,
        principal,
        volume,
        bucket,
        owner,
        context.settings.region,
        -1 if space_quota is None else space_quota,
        -1 if namespace_quota is None else namespace_quota,
        usual(context.settings),
    )
    return bucket_json(made)


def _create(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    bucket: str,
    owner: str,
    region: str,
    space_quota: int,
    namespace_quota: int,
    beginning: Beginning,
) -> Bucket:
    found = _room_in(tx, principal, volume, bucket)
    check_space(tx, found, bucket, space_quota)
    try:
        made = add_bucket(tx, volume, bucket, owner, region, beginning)
    except (BucketAlreadyExists, BucketAlreadyOwnedByYou):
        raise _already_there() from None
    made = evolve(made, quota_bytes=space_quota, quota_names=namespace_quota)
    tx.replace_bucket(made)
    return made


async def link_bucket(
    context: AdminContext,
    caller: Caller,
    source_volume: str,
    source_bucket: str,
    volume: str,
    bucket: str,
) -> Json:
    """Make a link. What it points at need not exist.

    :raises AdminError: ``BUCKET_ALREADY_EXISTS``; ``VOLUME_NOT_FOUND``, of the link's own volume only.
    """
    principal, owner = _making(context, caller, bucket, None)
    check_name("volume", source_volume)
    check_name("bucket", source_bucket)
    source = (source_volume, source_bucket)
    made = await context.gateway.metadata.write(
        _link,
        principal,
        volume,
        bucket,
        owner,
        source,
    )
    return bucket_json(made)


def _link(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    bucket: str,
    owner: str,
    source: tuple[str, str],
) -> Bucket:
    found = _room_in(tx, principal, volume, bucket)
    through = Acl("world", "WORLD", THROUGH_LINKS)
    acls = (*new_acls(owner, found.acls), through)
    made = Bucket(volume, bucket, owner, tx.now(), source=source, acls=acls)
    return tx.add_bucket(made)


def _making(
    context: AdminContext, caller: Caller, bucket: str, user: str | None
) -> tuple[Principal, str]:
    """What making a bucket or link begins with: who makes it, and the owner to be."""
    principal = principal_of(caller)
    check_name("bucket", bucket)
    if user is None or principal.is_called(user):
        owner = caller.owner_name
    elif caller.is_admin:
        owner = user
    else:
        raise access_denied(f"User {caller.user} may not make buckets for {user}")
    context.gateway.check_room(in_rows=True)
    return principal, owner


def _room_in(
    tx: IMetadataTransaction, principal: Principal, volume: str, bucket: str
) -> Volume:
    """The volume of a new bucket or link, which the caller may make there, and for which there is a name left.

    It is claimed, not shared: its quotas are compared with what all of its buckets have.
    """
    tx.claim(Claim.volume(volume), Claim.name(volume, bucket))
    found = find_volume(tx, volume)
    authorize_caller(principal, "CREATE", found)
    if tx.bucket(volume, bucket) is not None:
        raise _already_there()
    check_bucket_quota(tx, found)
    return found


async def info_bucket(
    context: AdminContext, caller: Caller, volume: str, bucket: str
) -> Json:
    """Show a bucket or a link."""
    principal = principal_of(caller)
    return bucket_json(
        await context.gateway.metadata.read(_info, principal, volume, bucket)
    )


def _info(
    tx: IMetadataTransaction, principal: Principal, volume: str, bucket: str
) -> Bucket:
    found = find_bucket(tx, volume, bucket)
    authorize_caller(principal, "READ", found)
    return found


async def list_buckets(
    context: AdminContext,
    caller: Caller,
    volume: str,
    prefix: str = "",
    start: str = "",
    limit: int = 100,
    user: str | None = None,
    has_snapshot: bool = False,
) -> list[Json]:
    """Buckets and links of a volume by name: a page of those that the caller may see.

    :param start: only those after this name.
    :param user: only those of this owner.
    :param has_snapshot: only those with snapshots: there are none.
    """
    page = await context.gateway.metadata.read(
        _listed,
        principal_of(caller),
        volume,
        prefix,
        start,
        page_size(limit),
        user,
        context.administrators.names,
    )
    return [bucket_json(each) for each in page if not has_snapshot]


def _listed(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    prefix: str,
    start: str,
    limit: int,
    user: str | None,
    names: ShortNames,
) -> Sequence[Bucket]:
    """A page of buckets and links.

    :param names: by which owners are compared with ``user``.
    """
    authorize_caller(principal, "LIST", find_volume(tx, volume))
    listed = listed_for(tx, principal, partial(shown_to, principal))
    owner = None if user is None else names.known_as(user)
    found: list[Bucket] = []
    after = start
    while page := tx.buckets(volume, prefix, after, limit):
        found += (
            each
            for each in page
            if (owner is None or names.known_as(each.owner) == owner) and listed(each)
        )
        after = page[-1].name
        if len(found) >= limit or len(page) < limit:
            break
    return found[:limit]


async def update_bucket(
    context: AdminContext, caller: Caller, volume: str, bucket: str, user: str
) -> Json:
    """Give a bucket or link another owner; ``ALL`` is needed on it.

    :raises AdminError: the caller may not; there is no such bucket or link; the owner has no name.
    """
    principal = principal_of(caller)
    if not user:
        raise AdminError("INVALID_REQUEST", "an owner has a name")
    given = await context.gateway.metadata.write(_give, principal, volume, bucket, user)
    return bucket_json(given)


def _give(
    tx: IMetadataTransaction, principal: Principal, volume: str, bucket: str, user: str
) -> Bucket:
    found = claimed(tx, partial(find_bucket, tx, volume, bucket), Claim.whole)
    authorize_caller(principal, "ALL", found)
    tx.replace_bucket(evolve(found, owner=user))
    return find_bucket(tx, volume, bucket)


async def delete_bucket(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str,
    recursive: bool = False,
) -> Json:
    """Remove a link, or an empty bucket with its unfinished uploads.

    :param recursive: remove what is in it first. One call removes only so much: whoever asks goes on asking until
        ``deleted`` is true.
    :raises AdminError: ``BUCKET_NOT_EMPTY``; recursively, too, where the bucket has object lock.
    """
    deleted = await context.gateway.metadata.write(
        _remove,
        principal_of(caller),
        volume,
        bucket,
        recursive,
    )
    return {"deleted": deleted}


def _remove(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    bucket: str,
    recursive: bool,
) -> bool:
    """Remove a bucket or link; returns whether it has gone."""
    found = claimed(tx, partial(find_bucket, tx, volume, bucket), Claim.whole)
    authorize_caller_to_remove(principal, found, find_volume(tx, volume))
    if found.source is None and not tx.is_empty(found):
        if not recursive:
            raise AdminError("BUCKET_NOT_EMPTY", "Bucket is not empty", 409)
        if has_object_lock(found):
            # What is not locked must not go before what is locked is met.
            raise AdminError(
                "BUCKET_NOT_EMPTY",
                "Bucket is not empty, and has object lock: delete its versions one by one, as far as their locks allow",
                409,
            )
        _remove_some(tx, Cause(principal.user), found)
        if not tx.is_empty(found):
            return False
    tx.remove_bucket(found)
    return True


def _remove_some(tx: IMetadataTransaction, cause: Cause, bucket: Bucket) -> None:
    """Remove the first versions of a bucket."""
    page = tx.version_page(bucket, "", "", "", "", EMPTIED_AT_ONCE)
    for each in page.items:
        version = tx.version(bucket, each.key, each.version_id)
        if version is not None:
            remove_version(tx, cause, bucket, version, Bypass.NOTHING)


def _already_there() -> AdminError:
    return AdminError("BUCKET_ALREADY_EXISTS", "Bucket already exist", 409)
