"""Tests of :mod:`ozgate.auth.identities.grants`: what comes with a signature."""

from __future__ import annotations

from ozgate.auth.identities.canned import CANNED
from ozgate.auth.identities.groups import (
    attach_group_policy,
    create_group,
    put_group_policy,
)
from ozgate.auth.identities.lost import lost_rows
from ozgate.auth.identities.policies import create_policy
from ozgate.auth.identities.users import (
    add_user_to_group,
    attach_user_policy,
    detach_user_policy,
    disable_user,
    find_user,
    put_user_policy,
)
from ozgate.errors import Absent, Damaged
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.memory_rows import MemoryTransaction
from ozgate.values import NO_GRANTS, Claim
from tests.unit.auth.identities.people import DOCUMENT, PeopleTestCase


class GrantTests(PeopleTestCase):
    """What whoever signs is granted."""

    def test_nothing(self) -> None:
        """Somebody of whom nothing is said is granted nothing besides, and no row is asked for."""
        self.assertEqual(self.grants("alice"), NO_GRANTS)
        asked: list[object] = []
        self.patch(MemoryTransaction, "user", lambda tx, name: asked.append(name))
        self.grants("alice")
        self.assertEqual(asked, [])

    def test_policies(self) -> None:
        """Policies of a user and of his groups come along, attached ones and his own, each document once."""
        self.do(create_policy, "deny", DOCUMENT)
        self.do(create_group, "staff")
        self.do(attach_group_policy, "staff", "readonly")
        self.do(put_group_policy, "staff", "own", '{"group": 1}')
        self.do(put_user_policy, "alice", "own", '{"user": 1}')
        self.do(attach_user_policy, "alice", "deny")
        self.do(put_user_policy, "alice", "again", DOCUMENT)
        self.do(add_user_to_group, "alice", "staff")
        found = self.grants("alice")
        self.assertEqual(found.groups, {"staff"})
        documents = [DOCUMENT, CANNED["readonly"], '{"group": 1}', '{"user": 1}']
        self.assertEqual(sorted(found.policies), sorted(d.encode() for d in documents))
        self.assertEqual(found.limits, ())

    def test_at_once(self) -> None:
        """What is detached or disabled counts from the next signature on."""
        self.do(attach_user_policy, "alice", "readonly")
        self.assertEqual(len(self.grants("alice").policies), 1)
        self.do(detach_user_policy, "alice", "readonly")
        self.assertEqual(self.grants("alice").policies, ())
        self.do(disable_user, "alice", True)
        self.fails(Absent, "alice")
        later = self.issue("alice", "later")
        self.fails(Absent, later)
        self.do(disable_user, "alice", False)
        for access_id in ("alice", later):
            self.grants(access_id)

    def test_limits(self) -> None:
        """The limits of a key come along, whether its user has a row or not."""
        access_id = self.issue("alice", None, limits=(DOCUMENT, "{}"))
        for policies in ((), (CANNED["readonly"].encode(),)):
            found = self.grants(access_id)
            self.assertEqual(found.limits, (DOCUMENT.encode(), b"{}"))
            self.assertEqual(found.policies, policies)
            self.assertEqual(self.grants("alice").limits, ())
            self.do(attach_user_policy, "alice", "readonly")

    def test_lost(self) -> None:
        """Where a row is lost that another one names, whoever it is about is refused, with his new keys too; others are not."""
        other = self.issue("bob")
        for kind, name in (("policy", "deny"), ("group", "staff"), ("user", "alice")):
            self.do(create_policy, "deny", DOCUMENT)
            self.do(create_group, "staff")
            self.do(attach_user_policy, "alice", "deny")
            self.do(add_user_to_group, "alice", "staff")
            self.grants("alice")
            before = self.metadata._state.copy()
            self.assertEqual(self.look(lost_rows), [])
            self.do(_lose, kind, name)
            holder = "key alice" if kind == "user" else "user alice"
            self.assertIn((holder, f"{kind} {name!r}"), self.look(lost_rows))
            self.fails(Damaged, "alice")
            self.fails(Damaged, self.issue("alice", None))
            self.grants(other)
            self.metadata._state = before
            self.grants("alice")
            self.do(detach_user_policy, "alice", "deny")
            self.do(_lose, "policy", "deny")
            self.do(_lose, "group", "staff")

    def test_lost_user(self) -> None:
        """A user whose row is lost looks disabled, whatever is said of him since, and is taken again where that is said."""
        self.manage()
        self.do(_lose, "user", "alice")
        self.assertTrue(self.look(find_user, "alice").is_disabled)
        self.do(attach_user_policy, "alice", "readonly")
        self.fails(Absent, "alice")
        self.do(disable_user, "alice", False)
        self.assertEqual(self.grants("alice").policies, (CANNED["readonly"].encode(),))


def _lose(tx: IMetadataTransaction, kind: str, name: str) -> None:
    tx.claim(getattr(Claim, kind)(name))
    getattr(tx, f"remove_{kind}")(name)
