"""Tests of :mod:`ozgate.auth.identities.users`."""

from __future__ import annotations

from ozgate.auth.identities.groups import create_group
from ozgate.auth.identities.policies import create_policy
from ozgate.auth.identities.users import (
    add_user_to_group,
    attach_user_policy,
    create_user,
    delete_user,
    delete_user_policy,
    detach_user_policy,
    disable_user,
    find_user,
    is_user,
    list_users,
    put_user_policy,
    remove_user,
    remove_user_from_group,
    tag_user,
    untag_user,
)
from ozgate.errors import Absent
from ozgate.errors.iam import (
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from ozgate.testing.metadata_base import ask
from tests.unit.auth.identities.people import DOCUMENT, START, PeopleTestCase

KERBEROS = "testuser/scm@EXAMPLE.COM"
CHANGES = (
    (disable_user, True),
    (tag_user, {"a": "b"}),
    (untag_user, ["a"]),
    (attach_user_policy, "readonly"),
    (put_user_policy, "own", DOCUMENT),
)
"""What can be done to a user of whom nothing was said yet."""


class UserTests(PeopleTestCase):
    """Users, made, changed and removed."""

    def test_create(self) -> None:
        """A user who is made has a name, a time, and an id that the next one of that name has not."""
        made = self.do(create_user, KERBEROS, {"team": "x"})
        self.assertEqual((made.name, made.created), (KERBEROS, int(START * 1000)))
        self.assertRegex(made.id, "^AIDA[A-Z2-7]{17}$")
        self.assertEqual(self.look(find_user, KERBEROS), made)
        self.do(delete_user, KERBEROS)
        self.refused(NoSuchEntity, find_user, KERBEROS)
        self.clock.advance(1)
        self.assertNotEqual(self.do(create_user, KERBEROS).id, made.id)

    def test_there_already(self) -> None:
        """There is one user of a name, be it that he has nothing but a key."""
        self.do(create_user, "bob")
        for name in ("alice", "bob"):
            self.refused(EntityAlreadyExists, create_user, name)

    def test_names(self) -> None:
        """Names that could not be signed with, or would be taken for a key, are none."""
        for name in ("", "a b", "a~b", "a,b", "é", "a" * 257, "AKIAIOSFODNN7EXAMPLE"):
            self.refused(ValidationError, create_user, name)

    def test_nothing_but_a_key(self) -> None:
        """Whoever has a key is a user, and looks the same before and after something is said of him."""
        self.clock.advance(5)
        self.issue("alice", "later")
        before = self.look(find_user, "alice")
        self.assertEqual(before.created, int(START * 1000))
        after = self.do(disable_user, "alice", False)
        self.assertEqual(after, before)
        self.assertTrue(self.look(is_user, "alice"))
        self.assertFalse(self.look(is_user, "bob"))

    def test_nobody(self) -> None:
        """Nothing can be said of nobody."""
        self.do(create_group, "staff")
        for interaction, *values in (
            *CHANGES,
            (add_user_to_group, "staff"),
            (delete_user,),
            (remove_user,),
        ):
            self.refused(NoSuchEntity, interaction, "bob", *values)

    def test_keys_know(self) -> None:
        """Once something is said of a user, each of his keys knows, and those that are made later."""
        for interaction, *values in CHANGES:
            name = interaction.__name__
            first = [self.issue(name), self.issue(name, "x"), self.issue(name, None)]
            self.do(interaction, name, *values)
            for access_id in (*first, self.issue(name, "later")):
                row = self.look(ask, "secret_row", (access_id,))
                self.assertTrue(row.is_managed, (name, access_id))
        self.assertFalse(self.look(ask, "secret_row", ("alice",)).is_managed)

    def test_list(self) -> None:
        """Users are listed by name, a page at a time, with a row or without."""
        self.do(create_user, "bob")
        self.issue("Zoe", None)
        names = [user.name for user in self.look(list_users, "", 9)]
        self.assertEqual(names, ["Zoe", "alice", "bob"])
        names = [user.name for user in self.look(list_users, "Zoe", 1)]
        self.assertEqual(names, ["alice"])

    def test_delete(self) -> None:
        """A user goes when he has nothing left, and says what is in the way."""
        self.do(create_group, "staff")
        self.do(attach_user_policy, "alice", "readonly")
        self.do(put_user_policy, "alice", "own", DOCUMENT)
        self.do(add_user_to_group, "alice", "staff")
        for said, undo, *values in (
            ("must detach all policies first", detach_user_policy, "readonly"),
            ("must delete policies first", delete_user_policy, "own"),
            ("must remove users from group first", remove_user_from_group, "staff"),
        ):
            self.assertIn(said, self.refused(DeleteConflict, delete_user, "alice"))
            self.do(undo, "alice", *values)
        said = self.refused(DeleteConflict, delete_user, "alice")
        self.assertIn("must delete access keys first", said)
        self.successResultOf(self.secrets.revoke("alice"))
        self.do(delete_user, "alice")
        self.assertFalse(self.look(is_user, "alice"))

    def test_remove(self) -> None:
        """A user who is removed with all that he has: his keys open nothing, nobody else's is touched."""
        further = [self.issue("alice", "ci"), self.issue("alice", None)]
        other = self.issue("alice2")
        self.manage()
        self.assertEqual(self.do(remove_user, "alice"), 3)
        for access_id in ("alice", *further):
            self.fails(Absent, access_id)
        self.grants(other)
        self.refused(NoSuchEntity, remove_user, "alice")

    def test_tags(self) -> None:
        """Tags are given, replaced and taken, fifty at most."""
        self.do(tag_user, "alice", {"a": "1", "b": "2"})
        self.do(tag_user, "alice", {"b": "3"})
        self.assertEqual(self.look(find_user, "alice").tags, {"a": "1", "b": "3"})
        found = self.do(untag_user, "alice", ["a", "never"])
        self.assertEqual(found.tags, {"b": "3"})
        many = {str(number): "" for number in range(50)}
        self.refused(LimitExceeded, tag_user, "alice", many)


class HeldTests(PeopleTestCase):
    """Groups and policies of users."""

    def test_groups(self) -> None:
        """A user is in the groups that he was put into, ten at most."""
        self.refused(NoSuchEntity, add_user_to_group, "alice", "staff")
        for number in range(11):
            self.do(create_group, f"g{number}")
        for number in range(10):
            self.do(add_user_to_group, "alice", f"g{number}")
        self.refused(LimitExceeded, add_user_to_group, "alice", "g10")
        self.do(add_user_to_group, "alice", "g0")
        self.do(remove_user_from_group, "alice", "g0")
        self.refused(NoSuchEntity, remove_user_from_group, "alice", "g0")
        user = self.do(add_user_to_group, "alice", "g10")
        self.assertEqual(user.groups, {f"g{number}" for number in range(1, 11)})

    def test_attached(self) -> None:
        """Policies are attached by name, canned ones and others, ten at most; one that is there may be attached again."""
        self.refused(NoSuchEntity, attach_user_policy, "alice", "none")
        for number in range(10):
            self.do(create_policy, f"p{number}", DOCUMENT)
            self.do(attach_user_policy, "alice", f"p{number}")
        self.do(attach_user_policy, "alice", "p0")
        self.refused(LimitExceeded, attach_user_policy, "alice", "readonly")
        self.do(detach_user_policy, "alice", "p0")
        self.refused(NoSuchEntity, detach_user_policy, "alice", "p0")
        user = self.do(attach_user_policy, "alice", "readonly")
        self.assertEqual(len(user.policies), 10)

    def test_inline(self) -> None:
        """Policies of his own are written, replaced and removed, 2,048 characters together at most, but for white space."""
        self.do(put_user_policy, "alice", "one", "x" * 2000)
        user = self.do(put_user_policy, "alice", "one", "y" * 2000 + " \n" * 2000)
        self.assertEqual(list(user.inline), ["one"])
        self.do(put_user_policy, "alice", "two", "z" * 48)
        said = self.refused(LimitExceeded, put_user_policy, "alice", "three", "z")
        self.assertIn("Maximum policy size of 2048 bytes exceeded for user alice", said)
        self.refused(ValidationError, put_user_policy, "alice", "a b", "z")
        self.refused(NoSuchEntity, delete_user_policy, "alice", "three")
        user = self.do(delete_user_policy, "alice", "one")
        self.assertEqual(user.inline, {"two": "z" * 48})
