"""What the commands of ``ozgate sh`` share: addresses, quotas, how JSON is laid out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import click
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.cli.shell import (
    Place,
    checked_place,
    parse_count,
    parse_place,
    parse_quota,
    pretty,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.text()
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


class PlaceTests(SynchronousTestCase):
    """Addresses."""

    def test_forms(self) -> None:
        """With and without a slash in front, and with Ozone's scheme and any host, an address names the same."""
        for text in (
            "/vol/bucket/key",
            "vol/bucket/key",
            "o3://om/vol/bucket/key",
            "o3://om:9862/vol/bucket/key",
            "o3:///vol/bucket/key",
        ):
            self.assertEqual(parse_place(text), Place("vol", "bucket", "key"), text)

    def test_depths(self) -> None:
        """What an address leaves out is empty; a slash at its end changes nothing."""
        for text in ("/vol/bucket", "/vol/bucket/"):
            self.assertEqual(parse_place(text), Place("vol", "bucket"), text)
        for text in ("/vol", "vol/", "o3://om/vol"):
            self.assertEqual(parse_place(text), Place("vol"), text)
        for text in ("/", "", "o3://om/", "o3://om"):
            self.assertEqual(parse_place(text), Place(), text)

    def test_keys_are_kept(self) -> None:
        """A key is all that follows the bucket, slashes and all."""
        for key in ("a//b/", "/a", "o3://x", "ü %2F", ".."):
            self.assertEqual(parse_place(f"/v/b/{key}").key, key)

    def test_wrong_depth(self) -> None:
        """Each command says what is missing, or too much, and ends as usage errors do."""
        for text, depth in (
            ("/", 1),
            ("/v", 2),
            ("/v/b", 3),
            ("/v/b", 1),
            ("/v/b/k", 2),
        ):
            with self.assertRaises(click.UsageError):
                checked_place(text, depth)

    def test_not_text(self) -> None:
        """Keys are UTF-8: other bytes are refused."""
        with self.assertRaises(SystemExit):
            parse_place(os.fsdecode(b"/v/b/\xff"))


class QuotaTests(SynchronousTestCase):
    """Quotas as people write them."""

    def test_units(self) -> None:
        """Units are binary, of either case, and may be left out."""
        for text, value in (
            ("1", 1),
            ("17B", 17),
            ("1KB", 1 << 10),
            ("2k", 2 << 10),
            ("3mb", 3 << 20),
            ("4 GB", 4 << 30),
            ("5TB", 5 << 40),
            ("6PB", 6 << 50),
            ("7EB", 7 << 60),
        ):
            self.assertEqual(parse_quota(text), value, text)

    def refuse(self, parse: Callable[[str], int], text: str) -> None:
        """A text is refused with 255."""
        with self.assertRaises(SystemExit) as caught:
            parse(text)
        self.assertEqual(caught.exception.code, 255, text)

    def test_refused(self) -> None:
        """What is no whole number above zero, of a known unit and within 63 bits, is refused."""
        for text in ("1.5GB", "-1", "0", "0GB", "GB", "", "1ZB", "1GBB", "8EB", "٣"):
            self.refuse(parse_quota, text)
        for text in ("1.5", "-1", "0", "", "1K", "9223372036854775808", "²"):
            self.refuse(parse_count, text)

    def test_counts(self) -> None:
        """Names are counted in plain numbers."""
        self.assertEqual(parse_count("1000"), 1000)


def without_nulls(value: Any) -> Any:
    """A value as it is shown: members without a value are left out."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


class PrettyTests(SynchronousTestCase):
    """JSON on the terminal."""

    def test_layout(self) -> None:
        """It is laid out as Ozone's: arrays in line, a blank before each colon."""
        value = {
            "a": {},
            "b": [],
            "c": [{"d": "ü", "e": None}, {"f": True}],
            "g": [1, 2],
        }
        self.assertEqual(
            pretty(value),
            '{\n  "a" : { },\n  "b" : [ ],\n  "c" : [ {\n    "d" : "ü"\n  }, {\n'
            '    "f" : true\n  } ],\n  "g" : [ 1, 2 ]\n}',
        )

    @given(TREES)
    def test_is_json(self, value: Any) -> None:
        """Whatever is shown can be read back."""
        self.assertEqual(json.loads(pretty(value)), without_nulls(value))
