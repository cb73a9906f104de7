"""Tests of :mod:`ozgate.config.authtolocal`: the examples of Hadoop's documentation, and what is malformed."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.authtolocal import default_realm, parse_rules, short_name

REALM = "EXAMPLE.COM"


class ShortNameTests(SynchronousTestCase):
    """Principals and what rules make of them."""

    def short(self, principal: str, rules: str = "DEFAULT") -> str:
        """The short name under some rules."""
        return short_name(principal, parse_rules(rules), REALM)

    def test_default(self) -> None:
        """DEFAULT takes the first component, in the default realm only."""
        self.assertEqual(self.short("testuser/scm@EXAMPLE.COM"), "testuser")
        self.assertEqual(self.short("testuser@EXAMPLE.COM"), "testuser")
        self.assertEqual(self.short("testuser@OTHER.COM"), "testuser@OTHER.COM")
        self.assertEqual(self.short("testuser/scm"), "testuser/scm")
        self.assertEqual(self.short("Test@EXAMPLE.COM", "DEFAULT/L"), "test")

    def test_simple(self) -> None:
        """A name without a realm is its own; so is what is no principal."""
        for name in ("alice", "", "a@b@c", "@X", "a/b/c@X"):
            self.assertEqual(self.short(name), name)

    def test_no_default_realm(self) -> None:
        """Where the default realm is not known, DEFAULT fits nobody."""
        rules = parse_rules("DEFAULT")
        self.assertEqual(short_name("a@EXAMPLE.COM", rules), "a@EXAMPLE.COM")
        self.assertEqual(short_name("a/b", rules), "a/b")

    def test_rules(self) -> None:
        """Rules choose by their number of components and pattern, and the first that fits decides."""
        rules = r"""
            RULE:[2:$1/$2@$0]([ndj]n/.*@REALM\.TLD)s/.*/hdfs/
            RULE:[2:$1@$0](om@.*)s/@.*//
            RULE:[1:$1@$0](.*@OTHER\.COM)s/@.*/-other/L
            RULE:[1:$1]
            DEFAULT
        """
        for principal, expected in (
            ("nn/host@REALM.TLD", "hdfs"),
            ("om/host@ANY", "om"),
            ("Alice@OTHER.COM", "alice-other"),
            ("bob@SOME", "bob"),
            ("dn/host@EXAMPLE.COM", "dn"),
            ("dn/host@SOME", "dn/host@SOME"),
        ):
            self.assertEqual(self.short(principal, rules), expected)

    def test_replacement(self) -> None:
        """A replacement is of the first match, or of all with g, and may name groups."""
        self.assertEqual(self.short("aXbX@R", "RULE:[1:$1]s/X/-/"), "a-bX")
        self.assertEqual(self.short("aXbX@R", "RULE:[1:$1]s/X/-/g"), "a-b-")
        self.assertEqual(self.short("ab@R", "RULE:[1:$1]s/(a)(b)/$2$1/"), "ba")

    def test_not_simple(self) -> None:
        """A rule that leaves a realm or a host gives no short name, whatever comes after it."""
        self.assertEqual(self.short("a@R", "RULE:[1:$1@$0] RULE:[1:$1]"), "a@R")

    def test_malformed(self) -> None:
        """What is no rule is refused, with what it is."""
        for text in (
            "default",
            "RULE:[1:$1](x",
            "RULE:[3:$1]",
            "RULE:[:$1]",
            "RULE:[1:$1]([)s/a/b/",
            "RULE:[1:$1]s/(/b/",
            "DEFAULT nonsense",
            "DEFAULTDEFAULT",
        ):
            self.assertRaises(ValueError, parse_rules, text)
        self.assertEqual(parse_rules("  "), ())

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.one_of(
                st.sampled_from(
                    "RULE: DEFAULT [1:$1] [2:$2@$0] (.*) ([a-z]+) ( ) s/a/b/ s/(a)/$1/g /L $3 \\ *".split()
                ),
                st.sampled_from([" ", "\n", "["]),
                st.text(max_size=3),
            ),
            max_size=9,
        ).map("".join),
        st.from_regex(r"[a-z]{1,4}(/[a-z]{1,4})?(@[A-Z]{1,3})?", fullmatch=True),
    )
    def test_any_rules(self, text: str, principal: str) -> None:
        """Whatever is configured is refused with a line that says why, or makes a name or nothing of a principal."""
        try:
            rules = parse_rules(text)
        except ValueError as error:
            self.assertEqual(len(str(error).splitlines()), 1)
            return
        for realm in ("", "A"):
            short = short_name(principal, rules, realm)
            self.assertTrue(short == principal or not set(short) & set("/@"), short)

    @given(st.text(max_size=20), st.sampled_from(["DEFAULT", "RULE:[1:$1]", ""]))
    def test_any_principal(self, principal: str, rules: str) -> None:
        """Whatever somebody is called has a short name: at worst, what they are called."""
        self.assertTrue(principal.startswith(self.short(principal, rules)))


class DefaultRealmTests(SynchronousTestCase):
    """Where the default realm comes from."""

    def test_file(self) -> None:
        """It is in the section libdefaults of the first file that says it."""
        folder = self.mktemp()
        os.makedirs(folder)
        first, second = Path(folder, "first"), Path(folder, "second")
        first.write_text("[realms]\ndefault_realm = NO\n")
        second.write_text("[libdefaults]\n # c\n  default_realm = YES.COM\n[x]\n")
        self.assertEqual(default_realm({"KRB5_CONFIG": f"{first}:{second}"}), "YES.COM")
        self.assertEqual(default_realm({"KRB5_CONFIG": str(first)}), "")
        self.assertEqual(default_realm({"KRB5_CONFIG": f"{first}.none"}), "")
