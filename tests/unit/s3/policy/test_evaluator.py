"""Tests of :mod:`ozgate.s3.policy`, and of how :mod:`ozgate.auth.administrators` tells names and groups."""

from __future__ import annotations

import os

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import ensureDeferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.accounts import KEPT, Accounts, local_user
from ozgate.auth.administrators import Administrators, Identity
from ozgate.config.settings import Settings
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy.evaluator import allows, may, may_remove, new_acls
from ozgate.s3.policy.rights import rights_for
from ozgate.values import RIGHTS, Acl, Bucket, Principal, Volume

ALICE = Principal("alice@EXAMPLE.COM", short_name="alice", groups=frozenset(("staff",)))
BUCKET = Bucket("s3v", "bucket", "owner", 0)
VOLUME = Volume("s3v", "keeper", 0)

ENTRIES = st.builds(
    Acl,
    st.sampled_from(("user", "group", "world", "anonymous")),
    st.sampled_from(("alice", "alice@EXAMPLE.COM", "bob", "staff", "WORLD")),
    st.frozensets(st.sampled_from(sorted(RIGHTS.values())), min_size=1),
    st.sampled_from(("ACCESS", "DEFAULT")),
)


def granted(*acls: str, right: str = "READ") -> bool:
    """Whether a list gives alice a right."""
    return allows(tuple(map(Acl.parse, acls)), ALICE, right)


class AllowsTests(SynchronousTestCase):
    """What access control lists give."""

    def test_who(self) -> None:
        """A user by either name, a member of a group, and everyone who signed; nobody else."""
        for entry in ("user:alice", "user:alice@EXAMPLE.COM", "group:staff", "world:"):
            self.assertTrue(granted(f"{entry}:r"), entry)
        for entry in ("user:bob", "user:staff", "group:alice", "anonymous:"):
            self.assertFalse(granted(f"{entry}:r"), entry)
        self.assertFalse(granted())

    def test_rights(self) -> None:
        """A right gives itself, ALL gives each, and NONE makes an entry void."""
        for letter, right in RIGHTS.items():
            if right == "NONE":
                continue
            for other in RIGHTS.values():
                if other != "NONE":
                    given_it = granted(f"user:alice:{letter}", right=other)
                    self.assertEqual(given_it, right in (other, "ALL"), (right, other))
            self.assertFalse(granted(f"user:alice:{letter}n", right=right))

    @given(st.lists(ENTRIES), ENTRIES)
    def test_more_never_takes(self, acls: list[Acl], more: Acl) -> None:
        """Whatever is added to a list, nothing that it gave is lost; order means nothing."""
        for right in ("READ", "WRITE"):
            before = allows(acls, ALICE, right)
            after = allows([*acls, more], ALICE, right)
            self.assertLessEqual(before, after)
            self.assertEqual(after, allows([more, *acls], ALICE, right))


class MayTests(SynchronousTestCase):
    """Owners and administrators."""

    def test_owner(self) -> None:
        """An owner may do everything, by either name; an administrator too."""
        for owner in ("alice", "alice@EXAMPLE.COM"):
            self.assertTrue(may(ALICE, "WRITE_ACL", evolve(BUCKET, owner=owner)))
        self.assertFalse(may(ALICE, "READ", BUCKET))
        self.assertTrue(may(evolve(ALICE, is_admin=True), "READ", BUCKET))
        self.assertTrue(may(Principal("keeper"), "CREATE", VOLUME))

    def test_removing(self) -> None:
        """Removing a bucket of another takes DELETE on it and WRITE on its volume: neither alone."""
        doomed = evolve(BUCKET, acls=(Acl.parse("user:alice:d"),))
        opened = evolve(VOLUME, acls=(Acl.parse("group:staff:w"),))
        self.assertTrue(may_remove(ALICE, doomed, opened))
        self.assertFalse(may_remove(ALICE, doomed, VOLUME))
        self.assertFalse(may_remove(ALICE, BUCKET, opened))
        self.assertFalse(may_remove(ALICE, doomed, None))
        self.assertFalse(may_remove(Principal("keeper"), BUCKET, VOLUME))
        self.assertTrue(may_remove(Principal("owner"), BUCKET, VOLUME))
        self.assertTrue(may_remove(evolve(ALICE, is_admin=True), BUCKET, VOLUME))

    def test_new(self) -> None:
        """What is new is its owner's, and has the DEFAULT entries above in force."""
        above = tuple(map(Acl.parse, ("world::rl", "group:staff:rw[DEFAULT]")))
        shown = [str(acl) for acl in new_acls("alice", above)]
        self.assertEqual(shown, ["user:alice:a[ACCESS]", "group:staff:rw[ACCESS]"])


class RightsTests(SynchronousTestCase):
    """From operations to rights."""

    def test_every_row(self) -> None:
        """Every operation needs rights that there are; who may only read or list can change nothing."""
        for row in OPERATIONS:
            rights = rights_for(row.name, row.action)
            self.assertTrue(rights, row.name)
            self.assertLessEqual(set(rights), {*RIGHTS.values()} - {"NONE"})
            if row.method in ("PUT", "DELETE") or row.name == "DeleteObjects":
                self.assertFalse({"READ", "LIST", "READ_ACL"} & set(rights), row.name)

    def test_closed(self) -> None:
        """An operation that nobody has thought of is for the owner, but reading a bucket's configuration."""
        (row,) = (row for row in OPERATIONS if row.name == "PutBucketCors")
        self.assertEqual(rights_for(row.name, row.action), ("ALL",))
        new = evolve(row, name="PutNew", action="s3:PutNew")
        self.assertEqual(rights_for(new.name, new.action), ("ALL",))
        self.assertEqual(rights_for(new.name, "s3:GetNew"), ("READ",))


class PeopleTests(SynchronousTestCase):
    """Names and groups of users."""

    def setUp(self) -> None:
        """A realm, with groups and a clock of the test's."""
        self.groups = {"alice": frozenset(("staff",)), "root": frozenset(("wheel",))}
        self.now = 0.0
        self.people = Administrators(
            Settings(),
            Accounts(
                maybeDeferred,
                Clock(),
                lambda name: self.groups.get(name, frozenset()),
                seconds=lambda: self.now,
            ),
            "EXAMPLE.COM",
        )

    def known(self, user: str) -> Identity:
        """What is known of a user."""
        return self.successResultOf(ensureDeferred(self.people.identify(user)))

    def test_groups(self) -> None:
        """The groups of a principal are those of its short name, and are asked again after a while."""
        for user in ("alice", "alice@EXAMPLE.COM", "alice/host@EXAMPLE.COM"):
            self.assertEqual(self.known(user).groups, frozenset(("staff",)))
        self.assertEqual(self.known("alice@OTHER.COM").groups, frozenset())
        self.groups = {}
        self.assertEqual(self.known("alice").groups, frozenset(("staff",)))
        self.now = KEPT
        self.assertEqual(self.known("alice").groups, frozenset())

    def test_service(self) -> None:
        """No principal passes for the user that the service runs as, nor for a member of its groups."""
        own = local_user(os.geteuid())
        self.groups[own] = frozenset(("wheel",))
        principal = f"{own}/host@EXAMPLE.COM"
        self.assertEqual(self.people.known_as(principal), principal)
        self.assertEqual(self.known(principal).groups, frozenset())
        self.assertTrue(self.known(own).is_admin)
        self.assertEqual(self.people.known_as("alice@EXAMPLE.COM"), "alice")
        self.people.take_up(Settings(administrator_groups=("wheel",)))
        self.assertTrue(self.known("root").is_admin)
        self.assertFalse(self.known(principal).is_admin)

    def test_operators_key(self) -> None:
        """No principal passes for the configured access key, whose name it may be short for; its groups it keeps."""
        self.people.take_up(Settings(access_key="alice", secret_key="x" * 20))
        principal = "alice@EXAMPLE.COM"
        self.assertEqual(self.people.known_as(principal), principal)
        self.assertEqual(self.known(principal).groups, frozenset(("staff",)))
