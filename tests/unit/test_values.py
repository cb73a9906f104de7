"""Tests of :mod:`ozgate.values`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.values import RIGHTS, Acl, Credential, Principal, Secret

ACLS = st.builds(
    lambda who, rights, scope: Acl(*who, frozenset(rights), scope),
    st.one_of(
        st.tuples(
            st.sampled_from(("user", "group")),
            st.sampled_from(("alice", "testuser/scm@EXAMPLE.COM", "ünï", "a b")),
        ),
        st.sampled_from((("world", "WORLD"), ("anonymous", "ANONYMOUS"))),
    ),
    st.sets(st.sampled_from(sorted(RIGHTS.values())), min_size=1),
    st.sampled_from(("ACCESS", "DEFAULT")),
)


class AclTests(SynchronousTestCase):
    """Ozone's access control entries."""

    def test_parse(self) -> None:
        """The forms of Ozone's commands are read; the scope may be left out."""
        alice = Acl("user", "alice", frozenset({"READ", "WRITE"}))
        for text in ("user:alice:rw[ACCESS]", "user:alice:wr", " USER:alice:RW "):
            self.assertEqual(Acl.parse(text), alice)
        default = Acl.parse("group:staff/x@Y:a[DEFAULT]")
        self.assertEqual(
            default, Acl("group", "staff/x@Y", frozenset({"ALL"}), "DEFAULT")
        )
        self.assertEqual(Acl.parse("world::r"), Acl.parse("world:WORLD:r[ACCESS]"))

    def test_refused(self) -> None:
        """Anything else is refused, saying what it was."""
        for text in (
            "",
            "user",
            "user:alice",
            "user:alice:",
            "user::r",
            "user:alice:q",
            "user:alice:r[OTHER]",
            "user:alice:r[ACCESS]x",
            "robot:alice:r",
            "world:alice:r",
            "user:a:b:r",
        ):
            self.assertRaises(ValueError, Acl.parse, text)

    def test_json(self) -> None:
        """The JSON form is Ozone's, rights in Ozone's order."""
        expected = {
            "type": "USER",
            "name": "alice",
            "aclScope": "ACCESS",
            "aclList": ["READ", "CREATE", "LIST"],
        }
        self.assertEqual(Acl.parse("user:alice:lcr").to_json(), expected)

    def test_json_refused(self) -> None:
        """A JSON form with members missing or unknown is refused."""
        whole = Acl.parse("user:alice:r").to_json()
        for changed in (
            {"type": "ROBOT"},
            {"type": None},
            {"name": ""},
            {"aclList": ["RUN"]},
            {"aclList": None},
            {"aclScope": "OTHER"},
        ):
            self.assertRaises(ValueError, Acl.from_json, {**whole, **changed})
        self.assertRaises(ValueError, Acl.from_json, {})

    @given(ACLS)
    def test_round_trips(self, acl: Acl) -> None:
        """Both forms are read back as what was written."""
        self.assertEqual(Acl.parse(str(acl)), acl)
        self.assertEqual(Acl.from_json(acl.to_json()), acl)


class WhoTests(SynchronousTestCase):
    """Who asks, and what proves it."""

    def test_user(self) -> None:
        """The user is the access id unless told otherwise."""
        self.assertEqual(Principal("a").user, "a")
        self.assertEqual(Principal("a", "").user, "a")
        self.assertEqual(Principal("a~ci", "a").user, "a")
        self.assertFalse(Principal("a").is_admin)

    def test_hidden(self) -> None:
        """A secret is not in what a value shows of itself in a log or traceback."""
        self.assertNotIn("hush", repr(Credential("hush", "a")))
        self.assertNotIn("hush", repr(Secret("a", "a", b"hush", 1)))
