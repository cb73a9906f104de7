"""Secrets: made, set, revoked and listed, each for oneself; for others by administrators of S3 alone.

That nobody touches another's secret is decided here, for the HTTP forms, the commands and offline use alike. Ozone lets
only administrators have secrets over HTTP, their own included; here everyone may have his own. Codes and messages are
Ozone's ``ozone s3`` commands'.
"""

from __future__ import annotations

import re

from twisted.logger import Logger

from ...auth.identities.naming import is_user_name
from ...auth.identities.users import is_user
from ...auth.secretstore import access_id_of, is_expired
from ...config.strength import refusal, warning
from ...errors import Absent, Conflict
from ...interfaces import IMetadataTransaction, ISecretStore
from ...values import Secret
from ..answers import Json
from ..caller import Caller
from ..context import AdminContext
from ..errors import AdminError, access_denied

_log = Logger()

LONGEST_LIFE = 100 * 365 * 86400.0
"""Seconds that a secret lives at most."""

MOST_LISTED = 1000

SHOWN_ONCE = (
    "A secret is shown once, when it is made. '--key NAME' makes a further key beside it. If it is lost, 'ozgate s3 revokesecret' "
    "takes it back, so that 'ozgate s3 getsecret' makes another, and 'ozgate s3 setsecret' replaces it by one of your choice."
)
"""What can be done where there is a secret already."""

_key = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


async def whoami(context: AdminContext, caller: Caller) -> Json:
    """Who the caller is."""
    return {"user": caller.user, "isAdmin": caller.is_admin}


async def get_secret(
    context: AdminContext,
    caller: Caller,
    user: str | None = None,
    key: str = "",
    ttl: float | None = None,
    only_known: bool = False,
) -> Json:
    """Make a secret, which is shown this once.

    :param user: whose; the caller's own when ``None``.
    :param key: the name of a further key.
    :param ttl: seconds after which it is refused.
    :param only_known: whether another user has to be there already: with a key, or a row.
    :return: ``awsAccessKey`` and ``awsSecret``.
    :raises AdminError: ``S3_SECRET_ALREADY_EXISTS``, ``USER_MISMATCH``, ``USER_NOT_FOUND``, ``INVALID_REQUEST``.
    """
    store = open_store(context, caller)
    owner = _target(caller, user, key)
    access_id = access_id_of(owner, key)
    if owner == context.settings.access_key and not caller.is_s3_admin:
        # Whoever happens to bear the name of the operator's own key is not the operator.
        raise _invalid(f"the secret of {owner} is set in the configuration")
    check_ttl(ttl)
    if only_known and owner not in (caller.user, context.settings.access_key):
        if not await context.gateway.metadata.read(is_user, owner):
            raise AdminError("USER_NOT_FOUND", f"There is no user {owner} yet", 404)
    try:
        _, secret = await store.issue(owner, key, ttl)
    except Conflict:
        raise AdminError(
            "S3_SECRET_ALREADY_EXISTS",
            f"Secret for '{access_id}' already exists",
            remedy=SHOWN_ONCE,
        ) from None
    _say("generated", caller, access_id)
    return _shown(access_id, secret)


async def set_secret(
    context: AdminContext,
    caller: Caller,
    secret: str,
    user: str | None = None,
    key: str = "",
) -> Json:
    """Replace a secret that is there by a given one.

    :return: ``awsAccessKey``, ``awsSecret``, and a ``warning`` where the secret can be guessed.
    :raises AdminError: ``ACCESS_ID_NOT_FOUND``, ``USER_MISMATCH``, ``INVALID_REQUEST``.
    """
    store = open_store(context, caller)
    access_id = access_id_of(_target(caller, user, key), key)
    if refused := refusal(secret):
        raise _invalid(refused)
    try:
        await store.set(access_id, secret)
    except Absent:
        raise AdminError(
            "ACCESS_ID_NOT_FOUND",
            f"accessId '{access_id}' not found.",
            404,
            "There is no secret to replace: 'ozgate s3 getsecret' makes one.",
        ) from None
    except Conflict as error:
        raise _invalid(str(error)) from None
    _say("set", caller, access_id)
    said = warning(secret)
    return {**_shown(access_id, secret), **({"warning": said} if said else {})}


async def revoke_secret(
    context: AdminContext, caller: Caller, user: str | None = None, key: str = ""
) -> None:
    """Remove a secret: the very next request with it is refused.

    :raises AdminError: ``S3_SECRET_NOT_FOUND``, ``USER_MISMATCH``, ``INVALID_REQUEST``.
    """
    store = open_store(context, caller)
    access_id = access_id_of(_target(caller, user, key), key)
    try:
        await store.revoke(access_id)
    except Absent:
        raise AdminError(
            "S3_SECRET_NOT_FOUND", f"Secret for '{access_id}' not found", 404
        ) from None
    except Conflict as error:
        raise _invalid(str(error)) from None
    _say("revoked", caller, access_id)


async def list_secrets(
    context: AdminContext, caller: Caller, after: str = "", limit: int = MOST_LISTED
) -> list[Json]:
    """Access ids, whose they are and how old: a page of those after one, by access id. Never secrets.

    :raises AdminError: the caller is no administrator of S3.
    """
    store = open_store(context, caller)
    if not caller.is_s3_admin:
        raise access_denied(f"{caller.user} is no administrator of S3")
    rows = await store.listed(after, max(1, min(limit, MOST_LISTED)))
    now = await context.gateway.metadata.read(_now)
    return [_listed(row, now) for row in rows]


def open_store(context: AdminContext, caller: Caller) -> ISecretStore:
    """The secrets, where there are any and the caller may come to them the way he came.

    :raises AdminError: security is off, or secrets are not to be had over TCP.
    """
    if context.secrets is None:
        raise AdminError(
            "SECURITY_DISABLED",
            "it works only when security is enabled. To enable security set ozone.security.enabled to true.",
        )
    check_way(context, caller)
    return context.secrets


def check_way(context: AdminContext, caller: Caller) -> None:
    """Make sure that secrets are to be had the way the caller came.

    :raises AdminError: he came over TCP, and they are not.
    """
    if not caller.is_local and not context.settings.secret_http_enabled:
        raise AdminError("SECRET_ENDPOINT_DISABLED", "S3 Secret endpoint is disabled.")


def _target(caller: Caller, user: str | None, key: str) -> str:
    """Whose secret it is about.

    :raises AdminError: the caller may not, or it is no name.
    """
    if not caller.user:
        raise access_denied("who asks is not known")
    wanted = caller.user if user is None else user
    if wanted != caller.user and not caller.is_s3_admin:
        raise AdminError(
            "USER_MISMATCH",
            f"Requested accessId '{wanted}' doesn't match current user '{caller.user}', "
            "nor does current user has administrator privilege.",
            403,
        )
    if not is_user_name(wanted):
        raise _invalid(
            f"{wanted!r} cannot have a secret: a name is up to 256 characters of ASCII without spaces, quotes, commas, $, \\ and ~, and no access key id"
        )
    if key:
        check_key_name(key)
    return wanted


def check_key_name(key: str) -> None:
    """Make sure that a further key may be called so.

    :raises AdminError: not so.
    """
    if not _key(key):
        raise _invalid(
            f"{key!r} is no name of a key: up to 64 letters, digits, dots, dashes and underscores"
        )


def check_ttl(ttl: float | None) -> None:
    """Make sure that a secret may live so long.

    :param ttl: seconds; ``None``: for ever.
    :raises AdminError: not so.
    """
    if ttl is not None and not 0 < ttl <= LONGEST_LIFE:
        raise _invalid(
            f"a time to live is above 0 and at most {LONGEST_LIFE:.0f} seconds"
        )


def _invalid(message: str) -> AdminError:
    return AdminError("INVALID_REQUEST", message)


def _shown(access_id: str, secret: str) -> Json:
    return {"awsAccessKey": access_id, "awsSecret": secret}


def _listed(row: Secret, now: int) -> Json:
    return {
        "accessId": row.access_id,
        "owner": row.user,
        "created": row.created,
        "expires": row.expires,
        "expired": is_expired(row, now),
        "age": max(0, now - row.created),
    }


def _now(tx: IMetadataTransaction) -> int:
    return tx.now()


def _say(done: str, caller: Caller, access_id: str) -> None:
    _log.info(
        "the secret of {access_id} was {done} by {user}",
        access_id=access_id,
        done=done,
        user=caller.user,
    )
