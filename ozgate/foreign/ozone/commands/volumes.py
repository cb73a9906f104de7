"""Volumes of a cluster, as ``ozone sh volume`` has them."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

from .session import Session

_CLIENT = "org.apache.hadoop.ozone.client"


def create_volume(
    session: Session,
    volume: str,
    user: str | None = None,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
) -> Any:
    """Make a volume, owned by whoever asks or by ``user``."""
    made = session.java(f"{_CLIENT}.VolumeArgs").newBuilder()
    made.setAdmin(session.user).setOwner(user or session.user)
    if space_quota is not None:
        made.setQuotaInBytes(space_quota)
    if namespace_quota is not None:
        made.setQuotaInNamespace(namespace_quota)
    session.store.createVolume(volume, made.build())
    return session.shown_made(partial(session.volume, volume))


def info_volume(session: Session, volume: str) -> Any:
    """Show a volume."""
    return session.shown(session.volume(volume))


def list_volumes(
    session: Session,
    prefix: str = "",
    start: str = "",
    limit: int = 100,
    user: str | None = None,
    everyone: bool = False,
) -> list[Any]:
    """A page of the volumes of a user, of whoever asks by default, in the cluster's own order.

    :param everyone: of all users, by name.
    """
    if everyone:
        found = session.store.listVolumes(prefix, start)
    else:
        found = session.store.listVolumesByUser(user or session.user, prefix, start)
    return [session.shown(each) for each in islice(found, limit)]


def update_volume(session: Session, volume: str, user: str) -> Any:
    """Give a volume another owner."""
    session.volume(volume).setOwner(user)
    return info_volume(session, volume)


def delete_volume(session: Session, volume: str) -> None:
    """Remove an empty volume."""
    session.store.deleteVolume(volume)


def set_volume_quota(
    session: Session,
    volume: str,
    space_quota: int | None = None,
    namespace_quota: int | None = None,
) -> None:
    """Set a volume's quotas; ``None`` leaves one as it is, -1 removes it."""
    set_quotas(session, session.volume(volume), space_quota, namespace_quota)


def set_quotas(
    session: Session, owner: Any, space_quota: int | None, namespace_quota: int | None
) -> None:
    """Set the quotas of what has some: one that is removed is so by a call of its own, as Ozone wants it."""
    if space_quota == -1:
        owner.clearSpaceQuota()
    if namespace_quota == -1:
        owner.clearNamespaceQuota()
    wanted = [
        quota is not None and quota != -1 for quota in (space_quota, namespace_quota)
    ]
    if any(wanted):
        quotas = session.java("org.apache.hadoop.hdds.client.OzoneQuota")
        space = space_quota if wanted[0] else owner.getQuotaInBytes()
        names = namespace_quota if wanted[1] else owner.getQuotaInNamespace()
        owner.setQuota(quotas.getOzoneQuota(space, names))
