"""Whether somebody may do something with users, keys, groups and policies.

Administrators may, and whoever has a policy that allows it; nobody else, oneself included: ``iam:*`` makes an administrator of whoever has it. A policy that denies is heard
before any that allows, and a session or a narrowed key may do what each of its limits allows, as with S3 (:mod:`ozgate.s3.policy.decide`).

Source: IAM User Guide, "Policy evaluation logic"; Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ..errors import Damaged
from ..errors.iam import AccessDenied
from ..s3.policy.facts import ACCOUNT, source_ip
from ..s3.policy.language import (
    Effect,
    Malformed,
    Query,
    parse_identity_policy,
    who,
)
from ..s3.times import timestamp
from .arns import arn_of, policy_name, session_arn

if TYPE_CHECKING:
    from ..values import Principal
    from .asked import QueryCall

_numbered = re.compile(r"^(arn:aws:iam::)(?:[0-9]{12}|aws)(?=:)")


def caller_arn(call: QueryCall) -> str:
    """What whoever asks is called."""
    user, session = call.principal.user, call.session
    if session is not None and session.name:
        return session_arn(user, session.name)
    return arn_of("user", user)


def resource_of(call: QueryCall) -> str:
    """What a call is about, as policies name it."""
    form, kind = call.form, call.row.on
    if kind == "user":
        return arn_of("user", call.user_name)
    if kind == "group":
        return arn_of("group", form.get("GroupName"))
    if kind == "policy":
        arn = form.get("PolicyArn")
        name = policy_name(arn) if arn else form.get("PolicyName")
        return arn_of("policy", name)
    return "*"


def authorize(call: QueryCall) -> None:
    """Make sure that the caller may do what is asked.

    :raises AccessDenied: no.
    :raises Damaged: a policy that has to be asked cannot be read.
    """
    if call.row.on is None:
        return
    resource = resource_of(call)
    if not may(call, call.row.action, resource, call.principal.is_admin):
        raise denied(call, call.row.action, resource)


def may(
    call: QueryCall,
    action: str,
    resource: str,
    is_granted: bool,
    with_limits: bool = True,
) -> bool:
    """Whether the caller may do something.

    :param is_granted: whether it is allowed to him unless a policy denies it.
    :param with_limits: whether each of his limits has to allow it, too.
    """
    principal = call.principal
    query = _query(call, principal, action)
    for document in principal.limits if with_limits else ():
        if _judge(document, query, resource) is not Effect.ALLOW:
            return False
    for document in principal.policies:
        effect = _judge(document, query, resource)
        if effect is Effect.DENY:
            return False
        is_granted |= effect is Effect.ALLOW
    return is_granted


def denied(call: QueryCall, action: str, resource: str) -> AccessDenied:
    """The refusal of an action on something."""
    return AccessDenied(
        f"User: {caller_arn(call)} is not authorized to perform: {action} on resource: {resource}"
    )


_Asking = Callable[[str], Query]


def _query(call: QueryCall, principal: Principal, action: str) -> _Asking:
    caller = who((principal.user, principal.short_name), (), principal.is_admin)
    key = _keys(call)
    return lambda resource: Query(caller, action, resource, key)


def _judge(document: bytes, query: _Asking, resource: str) -> Effect | None:
    """What a policy says of something, whether that is named with the account or without."""
    try:
        policy = parse_identity_policy(document)
    except Malformed as error:
        raise Damaged(f"a policy: {error.reason}", "metadata") from error
    names = {resource, _numbered.sub(r"\1", resource)}
    effects = {policy.judge(query(name)) for name in names}
    if Effect.DENY in effects:
        return Effect.DENY
    return Effect.ALLOW if Effect.ALLOW in effects else None


def _keys(call: QueryCall) -> Callable[[str], Sequence[str] | None]:
    """What the request has for a condition key: of those that AWS has for all services, and for which policy is attached."""

    def look(name: str) -> Sequence[str] | None:
        if name == "iam:policyarn":
            return _given_policy(call)
        find = _KEYS.get(name)
        value = None if find is None else find(call)
        return None if value is None else (value,)

    return look


def _given_policy(call: QueryCall) -> Sequence[str] | None:
    """The policy that a user or group is given, or that is taken from him, with the account and without."""
    arn = call.form.get("PolicyArn")
    if not arn or call.row.on == "policy":
        return None
    named = arn_of("policy", policy_name(arn))
    return named, _numbered.sub(r"\1", named)


def _now(call: QueryCall) -> int:
    return int(call.gateway.clock.seconds() * 1000)


_KEYS: Final[dict[str, Callable[[QueryCall], str | None]]] = {
    "aws:currenttime": lambda call: timestamp(_now(call)),
    "aws:epochtime": lambda call: str(_now(call) // 1000),
    # No session has a second factor; of a key of its own nothing is said, as on AWS.
    "aws:multifactorauthpresent": lambda call: "false" if call.session else None,
    "aws:principalaccount": lambda call: ACCOUNT,
    "aws:principalarn": caller_arn,
    "aws:principaltype": lambda call: "User",
    "aws:requestedregion": lambda call: call.gateway.settings.region,
    "aws:resourceaccount": lambda call: ACCOUNT,
    "aws:securetransport": lambda call: "true" if call.is_secure else "false",
    "aws:sourceip": lambda call: source_ip(call.peer) or None,
    "aws:tokenissuetime": lambda call: (
        timestamp(call.session.issued) if call.session else None
    ),
    "aws:useragent": lambda call: call.headers.get("user-agent"),
    "aws:userid": lambda call: (
        f"{call.principal.user}:{call.principal.session}"
        if call.principal.session
        else call.principal.user
    ),
    "aws:username": lambda call: call.principal.user,
}
