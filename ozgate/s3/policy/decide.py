"""Whether somebody may do something: an action on a resource. S3 asks nobody else.

:func:`may` puts the question together, in the interaction that acts on the answer; :func:`decide` answers it, pure over values: the
first rule of :data:`RULES` that has something to say decides, and where none has, nobody may. A rule that is added has one place, in this order:

1. administrators, who may mend what a policy locks;
2. what a bucket's, an identity's or a session's policy *denies*;
3. the owner;
4. what the bucket's policy allows;
5. S3's access control lists;
6. what policies of the identity allow, within those of its session;
7. Ozone's access control list.

:data:`RULES` has those that are built. DeleteObjects asks twice: at the bucket's door without a key, whether anything may be removed, then for
each key. A rule that reads a document gets it as a member of :class:`Question`, looked up by :func:`may`
where the bucket is known to have one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ...errors import AccessDenied
from ...immutable import frozen
from ...values import Bucket
from .evaluator import allows, may_remove
from .rights import rights_for

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Principal, Volume
    from ..asked import Asked

_REMOVAL = "s3:DeleteBucket"


@frozen
class Question:
    """Whether somebody may do something.

    :ivar operation: what is being done, in S3's service model.
    :ivar action: what is asked for it, such as ``s3:GetObject``.
    :ivar thing: the real bucket; the bucket or link to remove; the volume to make a bucket in.
    :ivar key: ``""`` where it is about the bucket.
    :ivar version: the version that is named, ``""`` where none is.
    :ivar volume: the one that a bucket to remove is in.
    """

    principal: Principal
    operation: str
    action: str
    thing: Bucket | Volume
    key: str
    version: str
    volume: Volume | None


def may(
    tx: IMetadataTransaction,
    asked: Asked,
    action: str,
    thing: Bucket | Volume,
    key: str = "",
    version: str = "",
) -> bool:
    """Whether the caller may do something; for use inside an interaction.

    The parameters are members of :class:`Question`.
    """
    volume = None
    if action == _REMOVAL and isinstance(thing, Bucket):
        volume = tx.volume(thing.volume)
    return decide(
        Question(asked.principal, asked.operation, action, thing, key, version, volume)
    )


def authorize(
    tx: IMetadataTransaction,
    asked: Asked,
    action: str,
    thing: Bucket | Volume,
    key: str = "",
    version: str = "",
) -> None:
    """Make sure that the caller may do something; as :func:`may`.

    :raises AccessDenied: no.
    """
    if not may(tx, asked, action, thing, key, version):
        raise AccessDenied()


def decide(question: Question) -> bool:
    """The answer."""
    for rule in RULES:
        verdict = rule(question)
        if verdict is not None:
            return verdict
    return False


Rule = Callable[[Question], "bool | None"]
"""Whether somebody may; ``None`` where the rule has nothing to say, so that the next one is asked."""


def administrator(question: Question) -> bool | None:
    """Administrators may do everything."""
    return question.principal.is_admin or None


def owner(question: Question) -> bool | None:
    """Owners may do everything with what is theirs."""
    return question.principal.is_called(question.thing.owner) or None


def ozone_list(question: Question) -> bool | None:
    """What the list of a bucket or volume gives, in Ozone's rights: it says nothing of single keys, and takes nothing away."""
    principal, thing = question.principal, question.thing
    if question.action == _REMOVAL and isinstance(thing, Bucket):
        return may_remove(principal, thing, question.volume) or None
    for right in rights_for(question.operation, question.action):
        if allows(thing.acls, principal, right):
            return True
    return None


RULES: Final[tuple[Rule, ...]] = (administrator, owner, ozone_list)
