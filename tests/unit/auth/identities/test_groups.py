"""Tests of :mod:`ozgate.auth.identities.groups`."""

from __future__ import annotations

from ozgate.auth.identities.groups import (
    all_groups,
    attach_group_policy,
    create_group,
    delete_group,
    delete_group_policy,
    detach_group_policy,
    find_group,
    put_group_policy,
    users_in_group,
)
from ozgate.auth.identities.users import add_user_to_group, remove_user_from_group
from ozgate.errors.iam import (
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from ozgate.interfaces import IMetadataTransaction
from tests.unit.auth.identities.people import DOCUMENT, PeopleTestCase


class GroupTests(PeopleTestCase):
    """Groups, made, changed and removed."""

    def test_create(self) -> None:
        """A group is made once, under a name that can be one."""
        made = self.do(create_group, "staff")
        self.assertRegex(made.id, "^AGPA[A-Z2-7]{17}$")
        self.assertEqual(self.look(find_group, "staff"), made)
        self.refused(EntityAlreadyExists, create_group, "staff")
        for name in ("", "a/b", "a b", "é", "a" * 129):
            self.refused(ValidationError, create_group, name)
        self.do(create_group, "admins")
        self.assertEqual(self.look(_names), ["admins", "staff"])

    def test_nothing(self) -> None:
        """Nothing can be done with a group that is not there."""
        for interaction, *values in (
            (find_group,),
            (users_in_group,),
            (delete_group,),
            (attach_group_policy, "readonly"),
            (detach_group_policy, "readonly"),
            (put_group_policy, "own", DOCUMENT),
            (delete_group_policy, "own"),
        ):
            self.refused(NoSuchEntity, interaction, "none", *values)

    def test_delete(self) -> None:
        """A group goes when it has nothing left, and says what is in the way."""
        self.do(create_group, "staff")
        self.do(attach_group_policy, "staff", "readonly")
        self.do(put_group_policy, "staff", "own", DOCUMENT)
        self.do(add_user_to_group, "alice", "staff")
        self.assertEqual(self.look(users_in_group, "staff"), ["alice"])
        for said, undo, *values in (
            ("detach all policies", detach_group_policy, "staff", "readonly"),
            ("delete policies", delete_group_policy, "staff", "own"),
            ("remove users", remove_user_from_group, "alice", "staff"),
        ):
            self.assertIn(said, self.refused(DeleteConflict, delete_group, "staff"))
            self.do(undo, *values)
        self.do(delete_group, "staff")
        self.refused(NoSuchEntity, find_group, "staff")

    def test_policies(self) -> None:
        """Policies are attached and written as those of users, of 5,120 characters together."""
        self.do(create_group, "staff")
        self.refused(NoSuchEntity, attach_group_policy, "staff", "none")
        self.refused(NoSuchEntity, detach_group_policy, "staff", "readonly")
        self.do(put_group_policy, "staff", "own", "x" * 5120)
        self.refused(LimitExceeded, put_group_policy, "staff", "more", "x")
        self.refused(NoSuchEntity, delete_group_policy, "staff", "more")


def _names(tx: IMetadataTransaction) -> list[str]:
    return [group.name for group in all_groups(tx)]
