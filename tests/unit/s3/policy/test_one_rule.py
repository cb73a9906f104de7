"""The one rule against a slow and plain one: who asks, what for, what is written where, all of it at random."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.configuration.publicaccess import ALL, DELETED, PUBLIC_ACCESS
from ozgate.s3.policy.decide import may
from ozgate.s3.policy.rights import rights_for
from ozgate.values import ANONYMOUS, Acl, Bucket, Principal
from tests.unit.s3.policy.asking import Rows, asked
from tests.unit.s3.policy.documents import document, statement

ASKED = (
    ("GetObject", "s3:GetObject", "key"),
    ("PutObject", "s3:PutObject", "key"),
    ("ListObjectsV2", "s3:ListBucket", ""),
    ("DeleteObject", "s3:DeleteObject", "home/a"),
    ("PutBucketPolicy", "s3:PutBucketPolicy", ""),
    ("DeleteBucketPolicy", "s3:DeleteBucketPolicy", ""),
    ("GetBucketPolicy", "s3:GetBucketPolicy", ""),
)
ACTIONS = ("s3:GetObject", "s3:*Object", "s3:*", "s3:ListBucket", "s3:*BucketPolicy")
OWN = ("arn:aws:s3:::bucket*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket")
RESOURCES = (*OWN, "*", "arn:aws:s3:::other/*", "arn:aws:s3:::@v/bucket/*")
NAMES = ("alice", "bob", "owner")
SECURE = {"Bool": {"aws:SecureTransport": "true"}}


def statements(*resources: str, named: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Statements of a policy.

    :param named: whether they name principals.
    """
    who = st.sampled_from((*NAMES, "*")) if named else st.none()
    one = st.builds(
        lambda effect, action, resource, who, condition: statement(
            effect, action, resource, who, **condition
        ),
        st.sampled_from(("Allow", "Deny")),
        st.just("s3:*") if named else st.sampled_from(ACTIONS),
        st.sampled_from(resources),
        who,
        st.sampled_from(({}, {}, {"Condition": SECURE})),
    )
    return st.lists(one, min_size=1, max_size=3)


IDENTITY = st.lists(statements(*RESOURCES, named=False), max_size=2)
BUCKETS = st.one_of(st.none(), statements(OWN[0], named=True))
PRINCIPALS = st.sampled_from(
    (
        ANONYMOUS,
        Principal("K", "alice"),
        Principal("K", "bob@REALM", short_name="bob"),
        Principal("K", "owner"),
        Principal("K", "boss", is_admin=True),
    )
)
LISTS = st.sampled_from(((), ("user:alice:rl",), ("world::a",), ("anonymous::a",)))


@frozen
class Case:
    """A question, and all that is written.

    :ivar policies: the statements of each policy of the caller; ``limits`` likewise.
    :ivar policy: those of the bucket's policy.
    """

    who: Principal
    what: tuple[str, str, str]
    volume: str
    policies: list[list[dict[str, Any]]]
    limits: list[list[dict[str, Any]]]
    policy: list[dict[str, Any]] | None
    is_secure: bool
    is_open: bool
    acls: tuple[str, ...]


CASES = st.builds(
    Case,
    PRINCIPALS,
    st.sampled_from(ASKED),
    st.sampled_from(("s3v", "v")),
    IDENTITY,
    IDENTITY,
    BUCKETS,
    st.booleans(),
    st.booleans(),
    LISTS,
)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None


def effects(case: Case, written: Iterable[dict[str, Any]], bucket: str) -> set[str]:
    """The effects of the statements that apply."""
    _, action, key = case.what
    arn = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    found = set()
    for one in written:
        named = one.get("Principal", "*")
        meant = named == "*" or any(
            named["AWS"].endswith(f":user/{name}")
            for name in (case.who.user, case.who.short_name)
            if name
        )
        if (
            meant
            and matches(one["Action"], action)
            and matches(one["Resource"], arn)
            and ("Condition" not in one or case.is_secure)
        ):
            found.add(one["Effect"])
    return found


def plainly(case: Case) -> bool:
    """The answer, by the words of the issue."""
    operation, action, _ = case.what
    who = case.who
    name = "bucket" if case.volume == "s3v" else f"@{case.volume}/bucket"
    for limit in case.limits:
        if effects(case, limit, name) != {"Allow"}:
            return False
    is_owner = "owner" in (who.user, who.short_name)
    heard = [effects(case, each, name) for each in case.policies]
    denied = any("Deny" in each for each in heard)
    granted = any("Allow" in each for each in heard)
    mends = "BucketPolicy" in action and (is_owner or who.is_admin)
    if case.policy is not None and not mends:
        said = effects(case, case.policy, "bucket")
        denied = denied or "Deny" in said
        is_public = any(
            one["Effect"] == "Allow" and one["Principal"] == "*" for one in case.policy
        )
        if who.user or case.is_open or not is_public:
            granted = granted or "Allow" in said
    if denied:
        return False
    if granted or who.is_admin or is_owner:
        return True
    for acl in map(Acl.parse, case.acls):
        meant = acl.kind == "world" or acl.name in (who.user, who.short_name)
        if who.user and meant and acl.kind != "anonymous":
            wanted = {*rights_for(operation, action), "ALL"}
            if wanted & acl.rights:
                return True
    return False


class OneRuleTests(SynchronousTestCase):
    """The same answers."""

    @settings(max_examples=600, deadline=None)
    @given(CASES)
    def test_same(self, case: Case) -> None:
        """Whatever is written and whoever asks, the rule says what the plain one says."""
        operation, action, key = case.what
        documents = {
            "publicAccessBlock": PUBLIC_ACCESS.document.render(
                DELETED if case.is_open else ALL
            )
        }
        if case.policy is not None:
            documents["policy"] = document(*case.policy)
        bucket = Bucket(
            case.volume,
            "bucket",
            "owner",
            0,
            acls=tuple(map(Acl.parse, case.acls)),
            configured=frozenset(documents),
        )
        who = case.who
        if who.user:
            who = evolve(
                who,
                policies=tuple(document(*each) for each in case.policies),
                limits=tuple(document(*each) for each in case.limits),
            )
        else:
            case = evolve(case, policies=[], limits=[])
        tx: Any = Rows(documents)
        request = asked(who, operation, is_secure=case.is_secure)
        self.assertIs(may(tx, request, action, bucket, key), plainly(case))
