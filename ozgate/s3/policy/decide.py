"""Whether somebody may do something: an action on a resource. S3 asks nobody else.

:func:`may` puts the question together, in the interaction that acts on the answer; :func:`decide` answers it, pure over values: the
first rule of :data:`RULES` that has something to say decides, and where none has, nobody may. So a request is allowed when nothing denies it
and at least one grants it:

1. what the caller's session or key is *limited* to, whoever its user is, administrators and owners included;
2. policies of the user and of his groups, and the bucket's policy. One that denies is heard before any that allows, and binds
   administrators and owners too; but the bucket's policy never keeps those from reading, changing and removing it;
3. administrators;
4. the owner;
5. S3's access control lists, where they count (:mod:`ozgate.s3.policy.counting`);
6. Ozone's access control list.

Of an object that another owns than its bucket's owner, the bucket's policy, owner and Ozone's list give nobody anything to read, as on AWS.
To whoever did not sign, the bucket's policy and S3's lists alone grant anything, and they do not where what is public is restricted or ignored
(:mod:`ozgate.s3.configuration.publicaccess`). DeleteObjects asks twice: at the bucket's door without a key, whether anything may be removed, then for each key; at the door
only where there is no policy, for those speak of keys. A rule that reads a document gets it as a member of :class:`Question`, looked up where the bucket is known to have
one; what a policy's conditions hang on is looked up when it asks for it (:mod:`ozgate.s3.policy.facts`).

Source: IAM User Guide, "Policy evaluation logic"; Amazon S3 User Guide, "How Amazon S3 authorizes a request". That administrators and owners may always
mend a bucket's policy is what AWS lets the root user of an account do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from attrs import evolve

from ...errors import AccessDenied, Damaged
from ...immutable import frozen
from ...values import Bucket, Principal
from ..configuration.bucketpolicy import KIND as POLICY
from ..configuration.bucketpolicy import policy_of
from ..configuration.publicaccess import blocks_of
from .arns import PREFIX, arn_for_identity, arn_in_bucket
from .counting import lists_of
from .evaluator import allows, may_remove
from .facts import Facts
from .language import (
    Effect,
    Malformed,
    Policy,
    Query,
    parse_identity_policy,
    who,
)
from .lists import Lists, is_foreign, lists_allow
from .rights import rights_for

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Volume
    from ..asked import Asked

_REMOVAL = "s3:DeleteBucket"
_SHOWING = "s3:ListAllMyBuckets"
_MENDING = frozenset(
    ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
)
"""What a bucket's policy keeps neither its owner from, nor an administrator: else nobody could ever mend it."""


@frozen
class Question:
    """Whether somebody may do something.

    :ivar operation: what is being done, in S3's service model.
    :ivar action: what is asked for it, such as ``s3:GetObject``.
    :ivar thing: the real bucket; the bucket or link to remove; the volume to make a bucket in, or to list.
    :ivar key: ``""`` where it is about the bucket.
    :ivar version: the version that is named, ``""`` where none is.
    :ivar volume: the one that a bucket to remove is in.
    :ivar policies: what policies are asked; ``None`` where there are none.
    :ivar lists: S3's lists; ``None`` where they do not count.
    """

    principal: Principal
    operation: str
    action: str
    thing: Bucket | Volume
    key: str
    version: str
    volume: Volume | None
    policies: Policies | None = None
    lists: Lists | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether it is about an object of another than its bucket's owner: see :func:`~ozgate.s3.policy.lists.is_foreign`."""
        return self.lists is not None and is_foreign(
            self.lists, self.operation, self.action, self.thing.owner
        )


@frozen(eq=False)
class Policies:
    """The policies that there are for a question, and what they are asked.

    Those of the caller are members of the principal.

    :ivar bucket: the bucket's.
    :ivar is_restricted: whether what that grants to everybody is granted to nobody but those who are known here.
    :ivar arn: what the bucket's policy calls the thing.
    :ivar identity_arn: what those of the caller call it, where there are any.
    :ivar look: what the request has for a condition key.
    """

    bucket: Policy | None
    is_restricted: bool
    arn: str
    identity_arn: str
    look: Callable[[str], Sequence[str] | None]


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

    :raises Damaged: a policy that has to be asked cannot be read.
    """
    return decide(_question(tx, asked, action, thing, key, version))


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
    if not decide(_question(tx, asked, action, thing, key, version)):
        raise AccessDenied()


def is_kept_from(
    tx: IMetadataTransaction,
    asked: Asked,
    action: str,
    thing: Bucket | Volume,
    key: str = "",
    version: str = "",
) -> bool:
    """Whether a policy or a limit forbids the caller something, whatever else would grant it; as :func:`may`."""
    question = _question(tx, asked, action, thing, key, version)
    return policies(question) is False


def would_shut_out(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, policy: Policy
) -> bool:
    """Whether a policy, were it the bucket's, would keep the caller or the bucket's owner from putting another.

    It does not keep the owner in truth, nor administrators; but as on AWS they have to say that they mean it.
    """
    key = (bucket, "", "")
    for principal in (asked.principal, Principal(bucket.owner)):
        his = evolve(asked, principal=principal)
        look = Facts(tx, his, asked.action, *key).get
        asks = _policies(tx, his, bucket, "", policy, look)
        question = Question(principal, asked.operation, asked.action, *key, None, asks)
        if not decide(question):
            return True
    return False


def has_policies(asked: Asked, bucket: Bucket) -> bool:
    """Whether any policy has something to say of what is done in a bucket, so that it pays to ask for more than Ozone's lists know."""
    principal = asked.principal
    return bool(principal.policies or principal.limits or POLICY in bucket.configured)


def _question(
    tx: IMetadataTransaction,
    asked: Asked,
    action: str,
    thing: Bucket | Volume,
    key: str,
    version: str,
) -> Question:
    principal, operation, volume = asked.principal, asked.operation, None
    policy, lists, asks = None, None, None
    if isinstance(thing, Bucket):
        if action == _REMOVAL:
            volume = tx.volume(thing.volume)
        if thing.configured:
            if not _mends(principal, action, thing):
                policy = policy_of(tx, thing)
            lists = lists_of(tx, asked, thing, action, key, version)
    if policy is not None or principal.policies or principal.limits:
        bucket = thing if isinstance(thing, Bucket) else None
        look = Facts(tx, asked, action, thing, key, version).get
        asks = _policies(tx, asked, bucket, key, policy, look)
    return Question(
        principal, operation, action, thing, key, version, volume, asks, lists
    )


def _policies(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket | None,
    key: str,
    policy: Policy | None,
    look: Callable[[str], Sequence[str] | None],
) -> Policies:
    if bucket is None:
        arn = PREFIX + (asked.bucket_name or "*")
        return Policies(None, False, arn, arn, look)
    principal = asked.principal
    is_restricted = (
        policy is not None
        and not principal.user
        and blocks_of(tx, bucket, asked.is_closed).restrict_public_buckets is True
        and policy.is_public
    )
    arn = arn_in_bucket(bucket, key)
    identity_arn = ""
    if principal.policies or principal.limits:
        identity_arn = arn_for_identity(bucket, key, asked.shown)
    return Policies(policy, is_restricted, arn, identity_arn, look)


def _mends(principal: Principal, action: str, bucket: Bucket) -> bool:
    """Whether it is about the policy itself, and the caller is somebody whom it cannot keep from that. A list of buckets asks none either."""
    if action == _SHOWING:
        return True
    return action in _MENDING and _is_root(principal, bucket)


def _is_root(principal: Principal, thing: Bucket | Volume) -> bool:
    """Whether somebody stands for the account that something belongs to."""
    return principal.is_admin or principal.is_called(thing.owner)


def decide(question: Question) -> bool:
    """The answer."""
    for rule in RULES:
        verdict = rule(question)
        if verdict is not None:
            return verdict
    return False


Rule = Callable[[Question], "bool | None"]
"""Whether somebody may; ``None`` where the rule has nothing to say, so that the next one is asked."""


def policies(question: Question) -> bool | None:
    """What the policies of the caller and of the bucket deny, and if none of them denies it, what any of them allows.

    Before that, a session and a key that is narrowed may do nothing that one of its own does not allow; what those allow, they do not grant.
    """
    asked, is_allowed = question.policies, False
    if asked is None:
        return None
    for document in question.principal.limits:
        if _judge(document, question) is not Effect.ALLOW:
            return False
    for document in question.principal.policies:
        effect = _judge(document, question)
        if effect is Effect.DENY:
            return False
        is_allowed |= effect is Effect.ALLOW
    if asked.bucket is not None:
        effect = asked.bucket.judge(_query(question, asked.arn))
        if effect is Effect.DENY:
            return False
        counts = not asked.is_restricted and not question.is_foreign
        is_allowed |= effect is Effect.ALLOW and counts
    return is_allowed or None


def administrator(question: Question) -> bool | None:
    """Administrators may do everything."""
    return question.principal.is_admin or None


def owner(question: Question) -> bool | None:
    """Owners may do everything with what is theirs."""
    if question.is_foreign:
        return None
    return question.principal.is_called(question.thing.owner) or None


def s3_lists(question: Question) -> bool | None:
    """What S3's lists of the bucket and of the object give, where they count; they take nothing away."""
    lists, who_asks = question.lists, question.principal
    if lists is None:
        return None
    operation, action = question.operation, question.action
    return lists_allow(lists, who_asks, operation, action, question.key) or None


def ozone_list(question: Question) -> bool | None:
    """What the list of a bucket or volume gives, in Ozone's rights: it says nothing of single keys, and takes nothing away."""
    principal, thing = question.principal, question.thing
    if question.is_foreign:
        return None
    if question.action == _REMOVAL and isinstance(thing, Bucket):
        return may_remove(principal, thing, question.volume) or None
    for right in rights_for(question.operation, question.action):
        if allows(thing.acls, principal, right):
            return True
    return None


RULES: Final[tuple[Rule, ...]] = (
    policies,
    administrator,
    owner,
    s3_lists,
    ozone_list,
)


def _judge(document: bytes, question: Question) -> Effect | None:
    """What a policy of the caller says.

    :raises Damaged: it is none: then nobody knows what it denies.
    """
    try:
        policy = parse_identity_policy(document)
    except Malformed as error:
        user = question.principal.user
        raise Damaged(f"a policy of {user}: {error.reason}", "metadata") from error
    assert question.policies is not None
    return policy.judge(_query(question, question.policies.identity_arn))


def _query(question: Question, arn: str) -> Query:
    principal, asked = question.principal, question.policies
    assert asked is not None
    is_root = _is_root(principal, question.thing)
    others: tuple[str, ...] = ()
    names = (principal.user, principal.short_name) if principal.user else ()
    if principal.session:
        others = _roles_of(names, principal.session)
    caller = who(names, others, is_root)
    return Query(caller, question.action, arn, asked.look)


def _roles_of(names: tuple[str, ...], session: str) -> tuple[str, ...]:
    """What a session is called besides: users are the roles that they assume."""
    roles = [f"role/{name}" for name in names]
    sessions = [f"assumed-role/{name}/{session}" for name in names]
    return *roles, *sessions
