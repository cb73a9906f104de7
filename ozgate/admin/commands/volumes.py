"""Volumes: what ``ozgate sh volume`` does. Codes, messages and JSON are those of ``ozone sh volume``.

Making and removing volumes is for administrators; the rest is asked of the volume's owner and access control list.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from ...interfaces import IMetadataTransaction
from ...s3.policy.evaluator import shown_to
from ...values import Acl, Claim, Principal, Volume
from ..answers import Json, iso_time
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError, access_denied
from .lookup import check_name, find_volume, page_size
from .quotas import check_quotas
from .rights import authorize_caller, principal_of


def volume_json(volume: Volume) -> Json:
    """A volume as Ozone shows it."""
    return {
        "metadata": {},
        "name": volume.name,
        "admin": volume.admin or volume.owner,
        "owner": volume.owner,
        "quotaInBytes": volume.quota_bytes,
        "quotaInNamespace": volume.quota_names,
        "usedNamespace": volume.used_names,
        "creationTime": iso_time(volume.created),
        "modificationTime": iso_time(volume.modified),
        "acls": [acl.to_json() for acl in volume.acls],
        "refCount": 0,
    }


async def create_volume(
    context: AdminContext,
    caller: Caller,
    volume: str,
    user: str | None = None,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
) -> Json:
    """Make a volume.

    :param user: its owner; the caller when ``None``.
    :param space_quota: bytes; ``None`` or -1 for no quota.
    :param namespace_quota: buckets and links; likewise.
    :raises AdminError: the caller is no administrator; the name is no name of a volume, or taken; a quota is wrong.
    """
    require_admin(caller)
    check_name("volume", volume)
    check_quotas(space_quota, namespace_quota)
    context.gateway.check_room(in_rows=True)
    owner = user or caller.owner_name
    made = Volume(
        volume,
        owner,
        0,
        admin=caller.owner_name,
        quota_bytes=-1 if space_quota is None else space_quota,
        quota_names=-1 if namespace_quota is None else namespace_quota,
        acls=(Acl("user", owner, frozenset(("ALL",))),),
    )
    return volume_json(await context.gateway.metadata.write(_create, made))


def _create(tx: IMetadataTransaction, made: Volume) -> Volume:
    tx.claim(Claim.volume(made.name))
    if tx.volume(made.name) is not None:
        raise AdminError("VOLUME_ALREADY_EXISTS", "Volume already exists", 409)
    return tx.add_volume(evolve(made, created=tx.now(), modified=tx.now()))


async def info_volume(context: AdminContext, caller: Caller, volume: str) -> Json:
    """Show a volume."""
    principal = principal_of(caller)
    return volume_json(await context.gateway.metadata.read(_info, principal, volume))


def _info(tx: IMetadataTransaction, principal: Principal, volume: str) -> Volume:
    found = find_volume(tx, volume)
    authorize_caller(principal, "READ", found)
    return found


async def list_volumes(
    context: AdminContext,
    caller: Caller,
    prefix: str = "",
    start: str = "",
    limit: int = 100,
    user: str | None = None,
    everyone: bool = False,
) -> list[Json]:
    """Volumes by name: a page of those that a user may see.

    :param start: only those after this name.
    :param user: the user; the caller when ``None``.
    :param everyone: without effect: what the caller may see are all. Of an Ozone cluster, those of all users.
    """
    principal = principal_of(caller)
    if user is not None and not principal.is_called(user):
        if not caller.is_admin:
            raise access_denied(f"User {caller.user} may not list volumes of {user}")
        found = await context.administrators.identify(user)
        principal = Principal(user, short_name=found.short_name, groups=found.groups)
    page = await context.gateway.metadata.read(
        _listed, principal, prefix, start, page_size(limit)
    )
    return [volume_json(each) for each in page]


def _listed(
    tx: IMetadataTransaction, principal: Principal, prefix: str, start: str, limit: int
) -> Sequence[Volume]:
    found: list[Volume] = []
    after = start
    while page := tx.volumes(prefix, after, limit):
        found += (each for each in page if shown_to(principal, each))
        after = page[-1].name
        if len(found) >= limit or len(page) < limit:
            break
    return found[:limit]


async def update_volume(
    context: AdminContext, caller: Caller, volume: str, user: str
) -> Json:
    """Give a volume another owner.

    :raises AdminError: the caller is no administrator; there is no such volume; the owner has no name.
    """
    require_admin(caller)
    if not user:
        raise AdminError("INVALID_REQUEST", "an owner has a name")
    return volume_json(await context.gateway.metadata.write(_give, volume, user))


def _give(tx: IMetadataTransaction, volume: str, user: str) -> Volume:
    tx.claim(Claim.volume(volume))
    tx.replace_volume(evolve(find_volume(tx, volume), owner=user))
    return find_volume(tx, volume)


async def delete_volume(context: AdminContext, caller: Caller, volume: str) -> None:
    """Remove an empty volume.

    :raises AdminError: ``VOLUME_NOT_EMPTY``, or it is the one that S3 shows.
    """
    require_admin(caller)
    if volume == context.settings.volume_name:
        raise AdminError(
            "NOT_SUPPORTED_OPERATION",
            f"Volume {volume} is the one that S3 shows: it stays",
        )
    await context.gateway.metadata.write(_remove, volume)


def _remove(tx: IMetadataTransaction, volume: str) -> None:
    tx.claim(Claim.volume(volume))
    found = find_volume(tx, volume)
    if found.used_names:
        raise AdminError("VOLUME_NOT_EMPTY", "Volume is not empty.", 409)
    tx.remove_volume(found)
