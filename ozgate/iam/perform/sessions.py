"""STS: who asks, and credentials that last for a while.

ozgate has no roles of its own: whoever assumes one is still himself, within the policy that he names, so that a role is called as he is. A session that is made in a session keeps the
limits of that one, and lasts no longer.

Sources: AWS Security Token Service API Reference, "GetCallerIdentity", "GetSessionToken", "AssumeRole"; IAM User Guide, "Roles terms and concepts" (role chaining).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ...auth.identities.naming import USER, id_of
from ...auth.identities.users import find_user
from ...auth.sessions import MOST, new_access_id, new_secret
from ...auth.sigv4 import confirm
from ...errors import Absent, S3Error
from ...errors.iam import (
    AccessDenied,
    InvalidClientTokenId,
    MalformedPolicyDocument,
    NoSuchEntity,
    ValidationError,
)
from ...s3.policy.facts import ACCOUNT
from ...s3.policy.language import Malformed, parse_identity_policy
from ...values import Session
from ..arns import arn_of, role_name, session_arn
from ..authorizing import caller_arn, denied, may
from ..shown import date

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ..answers import Value
    from ..asked import QueryCall
    from ..form import Form

SHORTEST: Final = 900
"""Seconds that a session lasts at least."""

CHAINED: Final = 3600
"""Seconds that a session lasts at most that is made in another."""

_NAME: Final = frozenset("+=,.@-_")


def user_id(tx: IMetadataTransaction, name: str) -> str:
    """The id of a user: of one of whom nothing is stored, too, as of a pair of the configuration."""
    try:
        return find_user(tx, name).id
    except NoSuchEntity:
        return id_of(USER, name, 0)


async def get_caller_identity(call: QueryCall) -> Mapping[str, Value]:
    """Say who asks."""
    shown = await call.read(user_id, call.principal.user)
    if call.session is not None and call.session.name:
        shown = f"{shown}:{call.session.name}"
    return {"UserId": shown, "Account": ACCOUNT, "Arn": caller_arn(call)}


async def get_session_token(call: QueryCall) -> Mapping[str, Value]:
    """Make a session of whoever asks, which may do all that he may.

    :raises AccessDenied: he asks in a session.
    """
    seconds = call.form.number("DurationSeconds", 43200, SHORTEST, 129600)
    if call.session is not None:
        raise AccessDenied("Cannot call GetSessionToken with session credentials")
    session = await _session(call, "", seconds, None)
    return {"Credentials": credentials(session, call.sessions.tokens.seal(session))}


async def assume_role(call: QueryCall) -> Mapping[str, Value]:
    """Make a session of whoever asks, which may do what he may and the policy says.

    :raises AccessDenied: the role is another user, or a policy denies it.
    """
    form = call.form
    arn = form.text("RoleArn", 20, 2048)
    name = session_name(form)
    seconds = form.number("DurationSeconds", 3600, SHORTEST, 43200)
    if call.session is not None and seconds > CHAINED:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    limit, user = session_policy(form), call.principal.user
    role = role_name(arn)
    resource = arn_of("user", user)
    # To be no more than oneself needs no permission, but may be denied.
    if not call.principal.is_called(role) or _is_denied(call, resource):
        raise denied(call, call.row.action, arn)
    session = await _session(call, name, seconds, limit)
    token = call.sessions.tokens.seal(session)
    shown = await call.read(user_id, user)
    return {
        "Credentials": credentials(session, token),
        "AssumedRoleUser": {
            "AssumedRoleId": f"{shown}:{name}",
            "Arn": session_arn(user, name),
        },
        "PackedPolicySize": packed_size(token),
    }


def _is_denied(call: QueryCall, resource: str) -> bool:
    """Whether a policy of the caller denies to assume oneself. Limits narrow what comes of it, and are not asked."""
    return not may(call, call.row.action, resource, True, with_limits=False)


async def _session(
    call: QueryCall, name: str, seconds: int, limit: bytes | None
) -> Session:
    """A session of whoever asks.

    :param limit: the document of its policy.
    :raises InvalidClientTokenId: what he asks with is gone meanwhile.
    """
    within, verified = call.session, call.verified
    assert verified is not None
    secrets = call.sessions.secrets
    limits: tuple[bytes, ...] = () if limit is None else (limit,)
    user = call.principal.user
    parent = verified.access_id
    policies: tuple[str, ...] = ()
    if within is not None:
        parent, policies = within.parent, within.policies
        limits = (*within.limits, *limits)
    try:
        if parent:
            standing = await secrets.standing(parent)
        else:
            standing = await secrets.standing_by(user, policies)
        # What was looked up just now is what signed.
        await confirm(verified, call.sessions)
    except (Absent, S3Error):
        raise InvalidClientTokenId() from None
    expires = standing.now + seconds * 1000
    return Session(
        access_id=new_access_id(),
        secret=new_secret(),
        parent=parent,
        bond=standing.bond,
        user=user,
        kind=call.row.name,
        name=name,
        issued=standing.now,
        expires=expires if within is None else min(expires, within.expires),
        limits=limits,
        policies=policies,
    )


def session_name(form: Form) -> str:
    """What a session is to be called.

    :raises ValidationError: it may not be called so.
    """
    name = form.text("RoleSessionName", 2, 64)
    if not name.isascii() or not all(each.isalnum() or each in _NAME for each in name):
        raise ValidationError(
            "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
        )
    return name


def session_policy(form: Form) -> bytes | None:
    """The document that a session is to be limited by; ``None`` where there is none.

    :raises MalformedPolicyDocument: it is no policy.
    """
    if "Policy" not in form.names():
        return None
    document = form.text("Policy", 1, 2048).encode()
    try:
        parse_identity_policy(document)
    except Malformed as error:
        raise MalformedPolicyDocument(error.reason) from None
    return document


def credentials(session: Session, token: str) -> Mapping[str, Value]:
    """What a client signs with."""
    return {
        "AccessKeyId": session.access_id,
        "SecretAccessKey": session.secret,
        "SessionToken": token,
        "Expiration": date(session.expires),
    }


def packed_size(token: str) -> int:
    """How much of the longest token one is, in percent."""
    return -(-len(token) * 100 // MOST)
