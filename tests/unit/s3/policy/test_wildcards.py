"""Patterns: wildcards and policy variables."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.policy.patterns import Patterns, may_be, may_begin
from ozgate.s3.policy.wildcards import condition_key, filled, read
from tests.unit.s3.policy.plain import glob, tokens

PATTERNS = st.text("ab*?/", max_size=10)
TEXTS = st.text("ab/", max_size=10)


def pattern(text: str) -> Patterns:
    """A pattern without variables."""
    return Patterns([read(text, wild=True, variables=False)])


class GlobTests(SynchronousTestCase):
    """Wildcards."""

    @given(PATTERNS, TEXTS)
    def test_plain(self, written: str, text: str) -> None:
        """A pattern matches what a table of all beginnings says."""
        self.assertIs(pattern(written).match(text), glob(tokens(written, None), text))

    @given(PATTERNS, TEXTS)
    def test_may(self, written: str, text: str) -> None:
        """Whether a pattern may begin so is whether it matches with anything behind."""
        parts = read(written, wild=True, variables=False)
        self.assertIs(may_be(parts, text), pattern(written).match(text))
        for more in ("", "a", "ab", "b/", "/a"):
            if pattern(written).match(text + more):
                self.assertTrue(may_begin(parts, text))

    def test_may_not_begin(self) -> None:
        """Another bucket is no beginning; a variable may be anything."""
        self.assertFalse(may_begin(read("bucke?", wild=True, variables=True), "other/"))
        self.assertFalse(
            may_begin(read("bucket", wild=True, variables=True), "bucket/")
        )
        self.assertTrue(may_begin(read("${a}/*", wild=True, variables=True), "other/"))

    def test_between_ends(self) -> None:
        """What is between two stars is looked for before the end, not in it."""
        self.assertFalse(pattern("a*b*b").match("ab"))
        self.assertFalse(pattern("*ab*ab").match("ab"))
        self.assertTrue(pattern("*ab*ab").match("abab"))

    def test_case_and_slashes(self) -> None:
        """Letters are what they are, a star crosses slashes, a question mark is any one character."""
        self.assertFalse(pattern("A*").match("a"))
        self.assertTrue(pattern("a*d").match("a/b/c/d"))
        self.assertTrue(pattern("a?b").match("a/b"))
        self.assertTrue(pattern("a?").match("a\N{GRINNING FACE}"))

    def test_nothing_blows_up(self) -> None:
        """The patterns that others go back and forth over are as quick as any: were they not, this would not end."""
        for written in ("*a" * 5000 + "b", "*?a" * 5000 + "b", "a?*" * 300 + "b"):
            self.assertFalse(pattern(written).match("a" * 20000))


class VariableTests(SynchronousTestCase):
    """Policy variables."""

    def fill(self, text: str, **values: tuple[str, ...]) -> str | None:
        """A text with variables filled in; a wildcard shows as it is."""
        parts = read(text, wild=False, variables=True)
        known = {name.replace("__", ":"): value for name, value in values.items()}
        found = filled(parts, known.get)
        return None if found is None else "".join(map(str, found))

    def test_values(self) -> None:
        """A variable is the one value that the request has, whatever the case of its name."""
        self.assertEqual(self.fill("a/${aws:x}/b", aws__x=("c",)), "a/c/b")
        self.assertEqual(self.fill("${AWS:X}${aws:x}", aws__x=("c",)), "cc")
        self.assertIsNone(self.fill("${aws:x}"))
        self.assertIsNone(self.fill("${aws:x}", aws__x=("a", "b")))

    def test_defaults(self) -> None:
        """A default stands where there is nothing, not where there is too much."""
        self.assertEqual(self.fill("${a:b, 'c d'}"), "c d")
        self.assertEqual(self.fill("${a:b,'' }"), "")
        self.assertEqual(self.fill("${a:b, 'c'}", a__b=("d",)), "d")
        self.assertIsNone(self.fill("${a:b, 'c'}", a__b=("d", "e")))

    def test_themselves(self) -> None:
        """Three characters are written as variables, and are not wildcards."""
        self.assertEqual(self.fill("${*}${?}${$}{a}"), "*?${a}")
        parts = filled(read("a${*}b", wild=True, variables=True), {}.get)
        assert parts is not None
        self.assertTrue(Patterns([parts]).match("a*b"))
        self.assertFalse(Patterns([parts]).match("acb"))

    def test_values_are_no_patterns(self) -> None:
        """A star in a value is a star."""
        parts = read("home/${a:b}/*", wild=True, variables=True)
        found = filled(parts, {"a:b": ("*",)}.get)
        assert found is not None
        self.assertTrue(Patterns([found]).match("home/*/x"))
        self.assertFalse(Patterns([found]).match("home/alice/x"))

    def test_broken(self) -> None:
        """What begins like a variable has to be one."""
        for text in ("${}", "${a", "${a:b, c}", "${a{b}}", "x${", "${a:b, 'c}"):
            with self.assertRaises(ValueError):
                read(text, wild=True, variables=True)
            self.assertEqual(read(text, wild=False, variables=False), (text,))

    def test_condition_keys(self) -> None:
        """The names of tags keep their case."""
        self.assertEqual(
            condition_key("S3:ExistingObjectTag/A/B"), "s3:existingobjecttag/A/B"
        )
        self.assertEqual(condition_key("aws:SourceIp"), "aws:sourceip")
