"""Tests of :mod:`ozgate.auth.identities.accesskeys`, and of keys that are made and rotated where secrets are."""

from __future__ import annotations

from ozgate.auth.identities.accesskeys import (
    delete_key,
    disable_key,
    expire_key,
    find_key,
)
from ozgate.auth.secretstore import StaticSecrets
from ozgate.errors import Absent, Conflict
from ozgate.errors.iam import NoSuchEntity
from ozgate.testing.metadata_base import ask
from tests.unit.auth.identities.people import DOCUMENT, PeopleTestCase


class KeyTests(PeopleTestCase):
    """Keys, made, changed and removed."""

    def test_opaque(self) -> None:
        """A key whose access id says nothing of its user speaks for him all the same."""
        access_id = self.issue("alice", None, description="ci", created_by="root")
        self.assertRegex(access_id, "^AKIA[A-Z2-7]{16}$")
        self.assertNotEqual(access_id, self.issue("alice", None))
        row = self.look(find_key, access_id)
        self.assertEqual(
            (row.user, row.description, row.created_by), ("alice", "ci", "root")
        )
        self.grants(access_id)

    def test_others(self) -> None:
        """A key of another is not found where it has to be somebody's."""
        for interaction, *values in (
            (find_key,),
            (disable_key, True),
            (expire_key, 1.0),
            (delete_key,),
        ):
            self.refused(NoSuchEntity, interaction, "alice", *values, "bob")
            self.refused(NoSuchEntity, interaction, "none", *values)

    def test_disable(self) -> None:
        """A key that is disabled is refused as if it were not there, others of the user are not, and it can be enabled again."""
        other = self.issue("alice", None)
        self.do(disable_key, "alice", True)
        self.fails(Absent, "alice")
        self.grants(other)
        # It is there all the same.
        self.failureResultOf(self.secrets.issue("alice"), Conflict)
        self.do(disable_key, "alice", False)
        self.grants("alice")

    def test_expire(self) -> None:
        """A key that is to end ends, and not later than it would have."""
        self.do(expire_key, "alice", 10.0)
        self.do(expire_key, "alice", 100.0)
        self.clock.advance(9)
        self.grants("alice")
        self.clock.advance(1)
        self.fails(Absent, "alice")

    def test_delete(self) -> None:
        """A key that is removed is refused."""
        self.do(delete_key, "alice", "alice")
        self.fails(Absent, "alice")

    def test_rotate(self) -> None:
        """A new key stands beside the old one, as narrow, and the old one ends when it is told to."""
        old = self.issue("alice", "ci", limits=(DOCUMENT,), ttl=1000.0)
        for expire in (None, 60.0):
            rotated = self.secrets.rotate(old, expire, "root")
            new, secret = self.successResultOf(rotated)
            self.keys[new] = secret
            self.assertEqual(self.grants(new), self.grants(old))
            row = self.look(find_key, new)
            self.assertEqual((row.expires, row.created_by), (None, "root"))
        self.clock.advance(60)
        self.fails(Absent, old)
        self.assertEqual(self.grants(new).limits, (DOCUMENT.encode(),))
        self.failureResultOf(self.secrets.rotate(old, None), Absent)

    def test_rotate_refused(self) -> None:
        """What is disabled, or set in the configuration, gives no new key."""
        self.do(disable_key, "alice", True)
        for access_id in ("alice", "nobody"):
            self.failureResultOf(self.secrets.rotate(access_id, None), Absent)
        static = StaticSecrets({"boss": "x"}, self.secrets)
        self.failureResultOf(static.rotate("boss", None), Conflict)
        self.failureResultOf(static.issue("boss"), Conflict)
        self.assertEqual(len(self.look(ask, "secrets", ("", 9))), 1)
