"""Names of buckets: which AWS allows."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.target import valid_bucket_name


class BucketNameTests(SynchronousTestCase):
    """AWS's rules for names of general purpose buckets."""

    def test_valid(self) -> None:
        """Names by the published rules, at both ends of the lengths."""
        for name in (
            "abc",
            "a" * 63,
            "1a2",
            "my.bucket-1",
            "a-.b",
            "a.-b",
            "1.2.3",
            "1.2.3.4.5",
            "a.2.3.4",
            "s3alias",
        ):
            self.assertTrue(valid_bucket_name(name), name)

    def test_invalid(self) -> None:
        """Each rule broken once."""
        for name in (
            "",
            "ab",
            "a" * 64,
            "Abc",
            "a_b",
            "a b",
            "abc\n",
            "-ab",
            "ab-",
            ".ab",
            "ab.",
            "a..b",
            "192.168.5.4",
            "999.1.1.1",
            "xn--abc",
            "sthree-abc",
            "amzn-s3-demo-bucket",
            "abc-s3alias",
            "abc--ol-s3",
            "abc.mrap",
            "abc--use1-az4--x-s3",
            "abc--table-s3",
            "äbc",
            "١٢٣",
        ):
            self.assertFalse(valid_bucket_name(name), name)

    @given(st.text("abz09.-A_", max_size=66))
    def test_against_the_rules(self, name: str) -> None:
        """The predicate agrees with the rules taken one by one."""
        expected = (
            3 <= len(name) <= 63
            and set(name) <= set("abz09.-")
            and name[0] not in ".-"
            and name[-1] not in ".-"
            and ".." not in name
            and not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
        )
        self.assertEqual(valid_bucket_name(name), expected)
