"""Tests of :mod:`ozgate.values`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.values import RIGHTS, Acl, Credential, Principal, Secret

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=3,
)
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

    def test_mistakes_are_told(self) -> None:
        """What is said of a mistake shows how it is written, and which rights there are."""
        for text, said in (("user:alice", "user:alice:rl"), ("user:a:q", "r, w, c")):
            with self.assertRaises(ValueError) as caught:
                Acl.parse(text)
            self.assertIn(said, str(caught.exception))

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

    @given(
        st.one_of(
            st.text(max_size=20),
            st.text("usergopwld:[]ACES ", max_size=30),
            st.from_regex(r"(user|world|group):[^:]{0,3}:[a-z]{0,4}(\[ACCESS\])?"),
        )
    )
    def test_any_text(self, text: str) -> None:
        """Whatever an administrator writes is an entry that can be written and read, or a ValueError of one line."""
        try:
            acl = Acl.parse(text)
        except ValueError as error:
            self.assertEqual(len(str(error).splitlines()), 1)
            return
        self.assertEqual(Acl.parse(str(acl)), acl)
        self.assertTrue(acl.rights and acl.name)

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.one_of(JSON, st.sampled_from(["USER", "world", "ROBOT"])),
                "name": st.one_of(JSON, st.sampled_from(["alice", "WORLD"])),
                "aclScope": st.one_of(JSON, st.just("DEFAULT")),
                "aclList": st.one_of(JSON, st.just(["READ"]), st.lists(JSON)),
            },
        )
    )
    def test_any_json(self, members: dict[str, Any]) -> None:
        """Whatever JSON has the members of an entry is one that can be written and read, or a ValueError."""
        try:
            acl = Acl.from_json(members)
        except ValueError:
            return
        self.assertEqual(Acl.from_json(acl.to_json()), acl)
        self.assertIsInstance(acl.name, str)


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
