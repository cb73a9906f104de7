"""STS: sessions for whoever has the token of an issuer of OpenID Connect.

Nobody signs it: the token says who asks. The claim of the token that the configuration names has the names of policies, and whom no policy that there is is named for gets no session. A role is called as
the issuer is here, for all of them, or as one of them.

Source: AWS Security Token Service API Reference, "AssumeRoleWithWebIdentity".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...auth.identities.grants import document_of
from ...auth.sessions import new_access_id, new_secret
from ...errors import Absent
from ...errors.iam import AccessDenied
from ...values import Principal, Session
from ..arns import role_name, session_arn
from .sessions import (
    SHORTEST,
    credentials,
    packed_size,
    session_name,
    session_policy,
    user_id,
)

if TYPE_CHECKING:
    from ...auth.oidc import WebIdentity
    from ...interfaces import IMetadataTransaction
    from ..answers import Value
    from ..asked import QueryCall


def _known(tx: IMetadataTransaction, names: Sequence[str]) -> tuple[str, ...]:
    """Those names that are a policy's."""
    return tuple([name for name in names if document_of(tx, name) is not None])


async def assume_role_with_web_identity(call: QueryCall) -> Mapping[str, Value]:
    """Make a session of whom the token speaks for, with the policies that it names.

    :raises AccessDenied: it names none that there is, or not that of the role; whoever it speaks for is disabled.
    """
    form = call.form
    role = role_name(form.text("RoleArn", 20, 2048))
    name = session_name(form)
    seconds = form.number("DurationSeconds", 3600, SHORTEST, 43200)
    limit = session_policy(form)
    found = await call.issuers.identify(form.text("WebIdentityToken", 4, 20000))
    wanted = [each for each in found.policies if role in (found.issuer, each)]
    policies = await call.read(_known, tuple(wanted))
    if not policies:
        raise _refused()
    session = await _session(call, found, name, seconds, limit, policies)
    call.principal = Principal(session.access_id, session.user)
    token = call.sessions.tokens.seal(session)
    shown = await call.read(user_id, session.user)
    return {
        "Credentials": credentials(session, token),
        "SubjectFromWebIdentityToken": found.subject,
        "AssumedRoleUser": {
            "AssumedRoleId": f"{shown}:{name}",
            "Arn": session_arn(session.user, name),
        },
        "PackedPolicySize": packed_size(token),
        "Provider": found.provider,
        "Audience": found.audience,
    }


async def _session(
    call: QueryCall,
    found: WebIdentity,
    name: str,
    seconds: int,
    limit: bytes | None,
    policies: tuple[str, ...],
) -> Session:
    try:
        standing = await call.sessions.secrets.standing_by(found.user, policies)
    except Absent:
        raise _refused() from None
    return Session(
        access_id=new_access_id(),
        secret=new_secret(),
        parent="",
        bond=standing.bond,
        user=found.user,
        kind=call.row.name,
        name=name,
        issued=standing.now,
        expires=standing.now + seconds * 1000,
        limits=() if limit is None else (limit,),
        policies=policies,
    )


def _refused() -> AccessDenied:
    return AccessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
