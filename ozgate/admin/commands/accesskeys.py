"""Keys of users behind ``ozgate admin key``. Their secrets are shown once, when they are made."""

from __future__ import annotations

from ...auth.identities import accesskeys, users
from ...auth.identities.narrow import narrowed
from ...auth.secretstore import is_expired
from ...errors import Absent, Conflict
from ...interfaces import IMetadataTransaction, ISecretStore
from ...values import Secret
from ...wire.target import valid_bucket_name
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from ..errors import AdminError
from .identities import change, check_document, look, require_secrets, tell
from .lookup import page_size
from .s3secrets import check_key_name, check_ttl, open_store

MOST_SAID = 1024
"""Characters of a description."""


async def create_access_key(
    context: AdminContext,
    caller: Caller,
    user: str,
    key: str | None = None,
    bucket: str = "",
    prefix: str = "",
    read: bool = False,
    write: bool = False,
    document: str | None = None,
    ttl: float | None = None,
    description: str = "",
) -> Json:
    """Make a key of a user who is there, for as much as the user may do, or less.

    :param key: a name: the access id is ``user~key`` then; else it says nothing of the user.
    :param bucket: the only one that the key opens; with ``prefix``, what begins so in it; see :func:`.narrow.narrowed` for ``read`` and ``write``.
    :param document: a policy that narrows it, instead of those.
    :param ttl: seconds after which it is refused.
    :return: ``accessKeyId`` and ``secretAccessKey``, which is shown this once, and what :func:`info_access_key` tells.
    """
    store = _secrets(context, caller)
    check_ttl(ttl)
    if key is not None:
        check_key_name(key)
    if len(description) > MOST_SAID:
        raise _invalid(f"a description has at most {MOST_SAID} characters")
    if document is not None:
        check_document(context, caller, document)
    limits = _limits(bucket, prefix, read, write, document)
    try:
        made = await store.issue(
            user, key, ttl, limits, description, caller.user, is_known=True
        )
    except Conflict as error:
        raise AdminError("S3_SECRET_ALREADY_EXISTS", str(error)) from None
    return await _made(context, caller, "create_access_key", made)


async def rotate_access_key(
    context: AdminContext,
    caller: Caller,
    access_id: str,
    expire_old: float | None = None,
) -> Json:
    """Make a key beside one that is there, of the same user and as narrow.

    :param expire_old: seconds after which the old one is refused; ``None``: it stays as it is.
    :return: as :func:`create_access_key`.
    """
    store = _secrets(context, caller)
    if expire_old is not None and expire_old < 0:
        raise _invalid("the old key ends in 0 seconds or later")
    try:
        made = await store.rotate(access_id, expire_old, caller.user)
    except Absent:
        raise AdminError(
            "NO_SUCH_ENTITY", f"{access_id} is no key that opens anything", 404
        ) from None
    except Conflict as error:
        raise _invalid(str(error)) from None
    return await _made(context, caller, "rotate_access_key", made)


async def list_access_keys(
    context: AdminContext,
    caller: Caller,
    user: str | None = None,
    start: str = "",
    limit: int = users.PAGE,
) -> list[Json]:
    """Keys by access id, those after ``start``: of a user, or of all."""
    return await look(context, caller, _list, user, start, page_size(limit))


def _list(
    tx: IMetadataTransaction, user: str | None, start: str, limit: int
) -> list[Json]:
    if user is None:
        rows = tx.secrets(start, limit)
    else:
        users.find_user(tx, user)
        rows = tx.secrets_of(user, start, limit)
    return [shown(tx, row) for row in rows]


async def info_access_key(
    context: AdminContext, caller: Caller, access_id: str
) -> Json:
    """A key, with the documents that narrow it."""
    return await look(context, caller, _info, access_id)


def _info(tx: IMetadataTransaction, access_id: str) -> Json:
    row = accesskeys.find_key(tx, access_id)
    return {**shown(tx, row), "documents": list(row.limits)}


async def disable_access_key(
    context: AdminContext, caller: Caller, access_id: str
) -> Json:
    """Have a key open nothing, from the next request on."""
    return await change(context, caller, _disable_access_key, access_id, True)


async def enable_access_key(
    context: AdminContext, caller: Caller, access_id: str
) -> Json:
    """Have a key open what it did before."""
    return await change(context, caller, _disable_access_key, access_id, False)


def _disable_access_key(
    tx: IMetadataTransaction, access_id: str, is_disabled: bool
) -> Json:
    return shown(tx, accesskeys.disable_key(tx, access_id, is_disabled))


async def remove_access_key(
    context: AdminContext, caller: Caller, access_id: str
) -> None:
    """Remove a key: it is refused from the next request on."""
    await change(context, caller, accesskeys.delete_key, access_id)


def shown(tx: IMetadataTransaction, row: Secret) -> Json:
    """What is told of a key: never its secret."""
    return {
        "accessKeyId": row.access_id,
        "user": row.user,
        "created": row.created,
        "createdBy": row.created_by,
        "expires": row.expires,
        "expired": is_expired(row, tx.now()),
        "disabled": row.is_disabled,
        "narrowed": bool(row.limits),
        "description": row.description,
    }


def _secrets(context: AdminContext, caller: Caller) -> ISecretStore:
    """Where keys are made, for administrators who may be shown a secret the way they came.

    :raises AdminError: not so.
    """
    require_secrets(context, caller)
    return open_store(context, caller)


def _limits(
    bucket: str, prefix: str, read: bool, write: bool, document: str | None
) -> tuple[str, ...]:
    """The documents that narrow a key.

    :raises AdminError: they cannot be made of what was said.
    """
    said = bool(bucket or prefix or read or write)
    if document is not None:
        if said:
            raise _invalid("a policy says all of how a key is narrowed")
        return (document,)
    if prefix and not bucket:
        raise _invalid("a prefix is one in a bucket")
    if bucket and not valid_bucket_name(bucket):
        raise _invalid(f"{bucket!r} is no name of a bucket")
    return (narrowed(bucket, prefix, read, write),) if said else ()


async def _made(
    context: AdminContext, caller: Caller, done: str, made: tuple[str, str]
) -> Json:
    access_id, secret = made
    tell(done, caller, access_id)
    found = await look(context, caller, _info, access_id)
    return {"secretAccessKey": secret, **found}


def _invalid(message: str) -> AdminError:
    return AdminError("INVALID_REQUEST", message)
