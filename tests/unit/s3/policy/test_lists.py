"""Tests of :mod:`ozgate.s3.policy.grants` and :mod:`ozgate.s3.policy.lists`, under a plain reference."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy.counting import lists_of
from ozgate.s3.policy.grants import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    FULL_CONTROL,
    GROUPS,
    LOG_DELIVERY,
    OF_BUCKETS,
    PERMISSIONS,
    READ,
    READ_ACP,
    WRITE,
    WRITE_ACP,
    Grant,
    Grants,
    canned,
    gives,
    gives_others,
    is_public,
    owners,
    pack,
    unpack,
)
from ozgate.s3.policy.lists import WRITES, Lists, is_foreign, lists_allow
from ozgate.values import ANONYMOUS, Bucket, Principal

ALICE = Principal("alice@EXAMPLE.COM", short_name="alice")
BOB = Principal("bob")
ACTIONS = sorted({row.action for row in OPERATIONS} | {"s3:GetObjectVersion"})
NAMES = sorted({row.name for row in OPERATIONS})

PRINCIPALS = st.sampled_from((ALICE, BOB, ANONYMOUS))
PEOPLE = ("alice", "alice@EXAMPLE.COM", "bob", "carol", "")
ENTRIES = st.one_of(
    st.builds(Grant, st.sampled_from(PEOPLE), st.sampled_from(PERMISSIONS)),
    st.builds(
        Grant,
        st.sampled_from(sorted(GROUPS)),
        st.sampled_from(PERMISSIONS),
        st.just(True),
    ),
)
LISTS = st.lists(ENTRIES, max_size=4).map(tuple)
QUESTIONS = st.builds(
    Lists, LISTS, st.booleans(), st.sampled_from(("", "alice", "bob", "carol")), LISTS
)


def named(principal: Principal) -> set[str]:
    """The names of a user; none of who did not sign."""
    return {principal.user, principal.short_name} - {""}


def reference_gives(
    grants: Grants, principal: Principal, permission: str, without_public: bool
) -> bool:
    """What :func:`gives` says, the long way: all that each entry gives to each whom it means, and then whether that is among it."""
    everything: set[tuple[str, str]] = set()
    for grant in grants:
        given_by_it = (
            {READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL}
            if grant.permission == FULL_CONTROL
            else {grant.permission}
        )
        for each in given_by_it:
            if not grant.is_group:
                everything.add((f"user {grant.grantee}", each))
            elif grant.grantee == ALL_USERS and not without_public:
                everything.add(("anybody", each))
            elif grant.grantee == AUTHENTICATED_USERS and not without_public:
                everything.add(("anybody who signed", each))
    bearers = {f"user {name}" for name in named(principal)} | {"anybody"}
    if principal.user:
        bearers.add("anybody who signed")
    return any((bearer, permission) in everything for bearer in bearers)


TABLE = """
s3:ListBucket bucket READ
s3:ListBucketVersions bucket READ
s3:ListBucketMultipartUploads bucket READ
s3:PutObject bucket WRITE
s3:GetBucketAcl bucket READ_ACP
s3:PutBucketAcl bucket WRITE_ACP
s3:GetObject object READ
s3:GetObjectVersion object READ
s3:GetObjectAcl object READ_ACP
s3:GetObjectVersionAcl object READ_ACP
s3:PutObjectAcl object WRITE_ACP
s3:PutObjectVersionAcl object WRITE_ACP
"""
"""AWS's table, written down once more."""


def reference(
    lists: Lists, principal: Principal, operation: str, action: str, key: str
) -> bool:
    """What :func:`lists_allow` says, row by row of AWS's table."""
    public = lists.without_public
    is_owner = lists.owner in named(principal)
    may_write = reference_gives(lists.bucket, principal, WRITE, public)
    rows = [line.split() for line in TABLE.split("\n") if line]
    allowed = False
    for name, what, permission in rows:
        if name != action:
            continue
        if what == "object" and operation in WRITES and "Put" in action:
            allowed = may_write
        elif what == "object" and lists.owner == "":
            allowed = reference_gives(lists.bucket, principal, READ, public)
        elif what == "object":
            allowed = reference_gives(lists.object, principal, permission, public)
        else:
            allowed = reference_gives(lists.bucket, principal, permission, public)
    if action.endswith("Acl") and "Object" in action and operation not in WRITES:
        allowed = allowed or is_owner
    if action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        allowed = may_write and (key == "" or is_owner)
    if action in ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"):
        allowed = may_write and is_owner
    return allowed


class GrantTests(SynchronousTestCase):
    """Lists by themselves."""

    @given(LISTS, PRINCIPALS, st.sampled_from(PERMISSIONS), st.booleans())
    def test_gives(
        self, grants: Grants, who: Principal, permission: str, without_public: bool
    ) -> None:
        """A list gives what the reference says that it gives."""
        self.assertEqual(
            gives(grants, who, permission, without_public),
            reference_gives(grants, who, permission, without_public),
        )

    @given(LISTS)
    def test_kept(self, grants: Grants) -> None:
        """A list that is kept is read as it was."""
        self.assertEqual(unpack(pack(grants)), grants)

    def test_canned(self) -> None:
        """Each canned list gives what AWS's table of them says; the owner has all in each."""
        everybody, signed = (ALL_USERS, True), (AUTHENTICATED_USERS, True)
        logs = (LOG_DELIVERY, True)
        expected = {
            "private": set(),
            "public-read": {(everybody, READ)},
            "public-read-write": {(everybody, READ), (everybody, WRITE)},
            "authenticated-read": {(signed, READ)},
            "aws-exec-read": set(),
            "bucket-owner-read": {(("bob", False), READ)},
            "bucket-owner-full-control": {(("bob", False), FULL_CONTROL)},
            "log-delivery-write": {(logs, WRITE), (logs, READ_ACP)},
        }
        self.assertEqual(set(expected), OF_BUCKETS)
        for name, given_by_it in expected.items():
            grants = canned(name, "alice", "bob")
            self.assertEqual(grants[:1], owners("alice"), name)
            rest = {((g.grantee, g.is_group), g.permission) for g in grants[1:]}
            self.assertEqual(rest, given_by_it, name)
            public = bool({who for who, _ in rest} & {everybody, signed})
            self.assertEqual(is_public(grants), public, name)

    def test_bucket_owner_is_owner(self) -> None:
        """Where both are one, he is in the list once."""
        for name in ("bucket-owner-read", "bucket-owner-full-control"):
            self.assertEqual(canned(name, "alice", "alice"), owners("alice"))

    def test_gives_others(self) -> None:
        """A list that gives the owner anything gives nobody else anything; a group is somebody else."""
        self.assertFalse(gives_others(owners("alice"), "alice"))
        self.assertFalse(gives_others((Grant("alice", READ),), "alice"))
        self.assertFalse(gives_others((), "alice"))
        self.assertTrue(gives_others(owners("alice"), "bob"))
        self.assertTrue(gives_others(canned("log-delivery-write", "a", "a"), "a"))


class ListsTests(SynchronousTestCase):
    """Lists and actions."""

    @given(
        QUESTIONS,
        PRINCIPALS,
        st.sampled_from(NAMES),
        st.sampled_from(ACTIONS),
        st.sampled_from(("", "key")),
    )
    def test_reference(
        self, lists: Lists, who: Principal, operation: str, action: str, key: str
    ) -> None:
        """An action is allowed where AWS's table allows it, and nowhere else."""
        self.assertEqual(
            lists_allow(lists, who, operation, action, key),
            reference(lists, who, operation, action, key),
        )

    @given(QUESTIONS, st.sampled_from(NAMES), st.sampled_from(ACTIONS))
    def test_anonymous(self, lists: Lists, operation: str, action: str) -> None:
        """Whoever did not sign has what is given to everybody, and nothing where that counts for nothing."""
        allowed = lists_allow(lists, ANONYMOUS, operation, action, "key")
        gifts = [*lists.bucket, *lists.object]
        to_all = any(grant.is_group and grant.grantee == ALL_USERS for grant in gifts)
        if lists.without_public or not to_all:
            self.assertFalse(allowed)

    def test_nothing_is_looked_up(self) -> None:
        """Where no document says that lists count, nothing is read to find out what they say."""
        tx: Any = None
        asked: Any = None
        for configured in ((), ("cors", "acl", "policy")):
            bucket = Bucket("s3v", "b", "alice", 0, configured=frozenset(configured))
            for action in ACTIONS:
                self.assertIsNone(lists_of(tx, asked, bucket, action, "key", ""))

    @given(QUESTIONS, st.sampled_from(NAMES), st.sampled_from(ACTIONS))
    def test_foreign(self, lists: Lists, operation: str, action: str) -> None:
        """What another owns is foreign to its bucket's owner where it is read, and where its list is read or changed."""
        of_object = action.startswith(("s3:GetObject", "s3:PutObject")) and (
            action in ("s3:GetObject", "s3:GetObjectVersion") or action.endswith("Acl")
        )
        # Who writes an object says who has what of that one, and reads another that is there: a source, or what is compared.
        of_new = operation in WRITES and action.endswith("Acl")
        expected = of_object and not of_new and lists.owner not in ("", "alice")
        self.assertEqual(is_foreign(lists, operation, action, "alice"), expected)
        self.assertFalse(is_foreign(None, operation, action, "alice"))
