"""Access control lists of volumes and buckets: shown, and changed entry by entry, as Ozone does.

The list of a link itself is shown, but what is changed through a link is that of the bucket it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from attrs import evolve

from ...interfaces import IMetadataTransaction
from ...secondlook import claimed
from ...values import Acl, Bucket, Claim, Principal, Volume
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from ..errors import AdminError
from .lookup import find_bucket, find_real, find_volume
from .rights import authorize_caller, principal_of

Acls = tuple[Acl, ...]


def parse_acls(texts: Iterable[object]) -> Acls:
    """Entries in the form of Ozone's commands, such as ``user:alice:rw[ACCESS]``.

    :raises AdminError: one has another form.
    """
    try:
        return tuple(Acl.parse(str(text)) for text in texts)
    except ValueError as error:
        raise AdminError("INVALID_REQUEST", str(error)) from None


def changed_acls(before: Acls, action: str, acls: Acls) -> tuple[Acls, list[bool]]:
    """What ``add``, ``remove`` or ``set`` makes of a list with some entries.

    :return: the list afterwards, and of each entry given whether it made a difference.
    """
    if action == "set":
        return _merged(acls), [True] * len(acls)
    one = _add if action == "add" else _remove
    changed = []
    for acl in acls:
        after = one(before, acl)
        changed.append(after != before)
        before = after
    return before, changed


def _is_same(one: Acl, other: Acl) -> bool:
    return (one.kind, one.name, one.scope) == (other.kind, other.name, other.scope)


def _merged(acls: Acls) -> Acls:
    """With the rights of entries for the same one together."""
    merged: Acls = ()
    for acl in acls:
        merged = _add(merged, acl)
    return merged


def _add(before: Acls, acl: Acl) -> Acls:
    if not any(_is_same(acl, each) for each in before):
        return (*before, acl)
    return tuple(
        evolve(each, rights=each.rights | acl.rights) if _is_same(acl, each) else each
        for each in before
    )


def _remove(before: Acls, acl: Acl) -> Acls:
    """Rights leave their entry; an entry without any leaves the list."""
    after = (
        evolve(each, rights=each.rights - acl.rights) if _is_same(acl, each) else each
        for each in before
    )
    return tuple(each for each in after if each.rights)


async def get_acl(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str | None = None,
    source: bool = False,
    key: str | None = None,
) -> list[Json]:
    """The list of a volume, or of a bucket or link in it.

    :param source: of what a link leads to.
    :param key: refused: keys have lists of Ozone's in a cluster alone.
    """
    found = await context.gateway.metadata.read(
        _acls, principal_of(caller), volume, bucket, source
    )
    _refuse_key(key)
    return [acl.to_json() for acl in found]


def _acls(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    bucket: str | None,
    source: bool,
) -> Acls:
    found: Volume | Bucket
    if bucket is None:
        found = find_volume(tx, volume)
    elif source:
        return find_real(tx, volume, bucket, principal, "READ_ACL").acls
    else:
        found = find_bucket(tx, volume, bucket)
    authorize_caller(principal, "READ_ACL", found)
    return found.acls


async def add_acl(
    context: AdminContext,
    caller: Caller,
    volume: str,
    acls: list[str],
    bucket: str | None = None,
    key: str | None = None,
) -> list[Json]:
    """Add entries, or rights to entries that are there; through a link, to what it leads to."""
    change = key, "add", parse_acls(acls)
    return await _change(context, caller, volume, bucket, *change)


async def remove_acl(
    context: AdminContext,
    caller: Caller,
    volume: str,
    acls: list[str],
    bucket: str | None = None,
    key: str | None = None,
) -> list[Json]:
    """Remove rights, and entries that have none left; through a link, from what it leads to."""
    change = key, "remove", parse_acls(acls)
    return await _change(context, caller, volume, bucket, *change)


async def set_acl(
    context: AdminContext,
    caller: Caller,
    volume: str,
    acls: list[str],
    bucket: str | None = None,
    key: str | None = None,
) -> list[Json]:
    """Replace the whole list; through a link, that of what it leads to."""
    change = key, "set", parse_acls(acls)
    return await _change(context, caller, volume, bucket, *change)


def _refuse_key(key: str | None) -> None:
    """Refuse to speak of a key's list, once it is known that whoever asks may speak of lists there.

    :raises AdminError: there is a key.
    """
    if key is not None:
        raise AdminError(
            "NOT_SUPPORTED_OPERATION",
            "Keys have lists of Ozone's in an Ozone cluster alone; S3's are PutObjectAcl's",
        )


async def _change(
    context: AdminContext,
    caller: Caller,
    volume: str,
    bucket: str | None,
    key: str | None,
    action: str,
    acls: Acls,
) -> list[Json]:
    """Change a list.

    :return: of each entry, whether it made a difference.
    :raises AdminError: there are no entries.
    """
    if not acls:
        raise AdminError("INVALID_REQUEST", "an entry such as user:alice:rw is needed")
    changed = await context.gateway.metadata.write(
        _replace,
        principal_of(caller),
        volume,
        bucket,
        key,
        action,
        acls,
    )
    return [
        {"acl": str(acl), "changed": each}
        for acl, each in zip(acls, changed, strict=True)
    ]


def _replace(
    tx: IMetadataTransaction,
    principal: Principal,
    volume: str,
    bucket: str | None,
    key: str | None,
    action: str,
    acls: Acls,
) -> list[bool]:
    if bucket is None:
        tx.claim(Claim.volume(volume))
        found = find_volume(tx, volume)
        authorize_caller(principal, "WRITE_ACL", found)
        _refuse_key(key)
        after, changed = changed_acls(found.acls, action, acls)
        tx.replace_volume(evolve(found, acls=after))
    else:
        look = partial(find_real, tx, volume, bucket, principal, "WRITE_ACL")
        real = claimed(tx, look, Claim.whole)
        _refuse_key(key)
        after, changed = changed_acls(real.acls, action, acls)
        tx.replace_bucket(evolve(real, acls=after))
    return changed
