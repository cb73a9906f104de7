"""Tests of :mod:`ozgate.auth.identities.policies`, and of the policies that are always there."""

from __future__ import annotations

from ozgate.auth.identities.canned import CANNED
from ozgate.auth.identities.groups import attach_group_policy, create_group
from ozgate.auth.identities.policies import (
    all_policies,
    create_policy,
    delete_policy,
    find_policy,
    holders_of,
    replace_policy,
)
from ozgate.auth.identities.users import attach_user_policy, detach_user_policy
from ozgate.errors.iam import (
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    UnmodifiableEntity,
    ValidationError,
)
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.policy.language import parse_identity_policy
from tests.unit.auth.identities.people import DOCUMENT, PeopleTestCase


class PolicyTests(PeopleTestCase):
    """Named policies, made, written anew and removed."""

    def test_create(self) -> None:
        """A policy is made once, under a name that can be one and is not taken."""
        made = self.do(create_policy, "deny", DOCUMENT, "of é", {"a": "b"})
        self.assertRegex(made.id, "^ANPA[A-Z2-7]{17}$")
        self.assertEqual(self.look(find_policy, "deny"), made)
        self.assertEqual((made.version, made.description), (1, "of é"))
        for name in ("deny", *CANNED):
            self.refused(EntityAlreadyExists, create_policy, name, DOCUMENT)
        self.refused(ValidationError, create_policy, "a b", DOCUMENT)
        self.refused(LimitExceeded, create_policy, "long", "x" * 6145)
        self.do(create_policy, "all", "x" * 6144 + " " * 99)
        self.assertEqual(self.look(_names), ["all", "deny"])

    def test_replace(self) -> None:
        """A policy that is written anew has another version, and is attached as before."""
        made = self.do(create_policy, "deny", DOCUMENT)
        self.do(attach_user_policy, "alice", "deny")
        self.clock.advance(1)
        found = self.do(replace_policy, "deny", "{}")
        self.assertEqual((found.version, found.document), (2, "{}"))
        self.assertEqual(found.updated, made.updated + 1000)
        self.assertEqual(found.created, made.created)
        self.assertEqual(self.grants("alice").policies, (b"{}",))
        self.refused(NoSuchEntity, replace_policy, "none", DOCUMENT)
        self.refused(LimitExceeded, replace_policy, "deny", "x" * 6145)

    def test_delete(self) -> None:
        """A policy goes when nobody has it."""
        self.do(create_policy, "deny", DOCUMENT)
        self.do(create_group, "staff")
        self.do(attach_user_policy, "alice", "deny")
        self.do(attach_group_policy, "staff", "deny")
        found = self.look(holders_of, "deny")
        self.assertEqual((found.users, found.groups), (["alice"], ["staff"]))
        self.refused(DeleteConflict, delete_policy, "deny")
        self.do(detach_user_policy, "alice", "deny")
        self.refused(DeleteConflict, delete_policy, "deny")
        self.refused(NoSuchEntity, delete_policy, "none")

    def test_canned(self) -> None:
        """Canned policies are good ones, can be looked at and attached, and neither changed nor removed."""
        self.assertEqual(set(CANNED), {"readonly", "readwrite", "writeonly", "admin"})
        for name, document in CANNED.items():
            parse_identity_policy(document.encode())
            self.assertEqual(self.look(find_policy, name).document, document)
            self.do(attach_user_policy, "alice", name)
            self.refused(UnmodifiableEntity, replace_policy, name, DOCUMENT)
            self.refused(UnmodifiableEntity, delete_policy, name)
        self.assertEqual(
            set(self.grants("alice").policies), {d.encode() for d in CANNED.values()}
        )


def _names(tx: IMetadataTransaction) -> list[str]:
    return [policy.name for policy in all_policies(tx)]
