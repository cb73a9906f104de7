"""IAM's policy language, pure over values: a document is parsed once, and judges queries.

A bucket's policy names principals, and resources of its bucket alone; an identity's, a session's or a narrowed key's names no principal. Nothing here
knows of requests or stores: what a request has for a condition key is asked through :class:`Query`.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "Policy evaluation logic"; S3 User Guide, "Bucket policies for Amazon S3".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from ...immutable import frozen
from .actions import ACTIONS
from .elements import Effect, Query, Statement, joined
from .malformed import Malformed
from .principals import INVALID, Who, who
from .public import grants_everybody
from .statements import Read, read_document

__all__ = [
    "Effect",
    "Malformed",
    "Policy",
    "Query",
    "Who",
    "parse_bucket_policy",
    "parse_identity_policy",
    "who",
]


@frozen(eq=False)
class Policy:
    """A document.

    :ivar statements: as they are written.
    :ivar by_action: of each action that is known, the statements that are about it, those that deny first.
    :ivar is_public: whether a bucket's grants something to everybody, by AWS's rule (:mod:`.public`).
    """

    statements: tuple[Statement, ...]
    by_action: Mapping[str, tuple[Statement, ...]]
    is_public: bool

    def judge(self, query: Query) -> Effect | None:
        """What the document says: an explicit denial before all that it allows; ``None``: nothing."""
        for statement in _reached(self, query.action, query.who, query.resource):
            resources = statement.resources
            if resources.plain is None and not resources.hold(query):
                continue
            for condition in statement.conditions:
                if not condition.holds(query):
                    break
            else:
                return statement.effect
        return None

    @property
    def named(self) -> frozenset[str]:
        """Every principal that is named, in the form of :mod:`.principals`: ``user/alice``."""
        return frozenset(
            name
            for statement in self.statements
            if statement.principals is not None
            for name in statement.principals.named
        )

    def check_principals(self, known: Callable[[str], bool]) -> None:
        """Make sure that everybody it names is somebody. As on AWS, this is asked when a policy is put: those who go later stay named.

        :param known: whether there is a principal of a name as in :attr:`named`.
        :raises Malformed: somebody is nobody.
        """
        for name in self.named:
            if not name.startswith("service/") and not known(name):
                raise Malformed(INVALID)


@lru_cache(maxsize=1024)
def _reached(
    policy: Policy, action: str, who: Who, resource: str
) -> tuple[Statement, ...]:
    """The statements that are about an action of somebody, and may be about a resource; for what is asked often, such as reading one object."""
    found = []
    for each in _meant(policy, action, who):
        plain = each.resources.plain
        if plain is None or plain.match(resource):
            found.append(each)
    return tuple(found)


@lru_cache(maxsize=1024)
def _meant(policy: Policy, action: str, who: Who) -> tuple[Statement, ...]:
    """The statements that are about an action of somebody, whatever the resource."""
    return tuple([each for each in _about(policy, action) if each.means(who)])


@lru_cache(maxsize=128)
def _about(policy: Policy, action: str) -> tuple[Statement, ...]:
    """The statements that are about an action. Those that differ in their resources alone are one, so that what they ask is asked once."""
    statements = policy.by_action.get(action)
    if statements is None:
        about = [each for each in policy.statements if each.is_about(action)]
        statements = tuple(_denials_first(about))
    alike: dict[object, list[Statement]] = {}
    for each in statements:
        alike.setdefault(each.but_for_resources, []).append(each)
    return tuple([joined(each) for each in alike.values()])


@lru_cache(maxsize=512)
def parse_bucket_policy(document: bytes, bucket: str) -> Policy:
    """The policy of a bucket; parsed once for the same bytes.

    :param document: as it was put.
    :raises Malformed: it is none, or is about another bucket.
    """
    return _compiled(read_document(document, bucket))


@lru_cache(maxsize=1024)
def parse_identity_policy(document: bytes) -> Policy:
    """The policy of a user, a group, a session or a narrowed key; parsed once for the same bytes.

    :raises Malformed: it is none.
    """
    return _compiled(read_document(document, None))


def _compiled(read: tuple[Read, ...]) -> Policy:
    about = dict(read)
    statements = tuple(about)
    by_action: dict[str, list[Statement]] = {action: [] for action in ACTIONS}
    for statement in _denials_first(statements):
        for action in about[statement]:
            by_action[action].append(statement)
    # Most actions share their statements: kept once, a large policy is small.
    kept: dict[tuple[Statement, ...], tuple[Statement, ...]] = {}
    return Policy(
        statements,
        {
            action: kept.setdefault(each := tuple(found), each)
            for action, found in by_action.items()
        },
        any(map(grants_everybody, statements)),
    )


def _denials_first(statements: Iterable[Statement]) -> list[Statement]:
    return sorted(statements, key=lambda each: each.effect is not Effect.DENY)
