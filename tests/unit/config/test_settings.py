"""Knobs: how each kind of value is read, and what is shown of it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config import parsers
from ozgate.config.knob import MASKED
from ozgate.config.reference import TYPES, written
from ozgate.config.settings import Settings, by_key, knobs


class ParseTests(SynchronousTestCase):
    """Text to values."""

    def test_sizes(self) -> None:
        """Sizes take Ozone's binary units, with or without the B."""
        for text, value in (
            ("65536", 65536),
            ("64K", 65536),
            ("64kb", 65536),
            (" 5gb ", 5 << 30),
            ("0", 0),
        ):
            self.assertEqual(parsers.size(text), value)
        for text in ("", "x", "-1", "1.5GB", "5XB", "B", "٣"):
            self.assertRaises(ValueError, parsers.size, text)

    def test_stores(self) -> None:
        """A blob store is a URL, with a name before it or called by its scheme."""
        for text, value in (
            ("files:blobs", ("files", "files:blobs")),
            (" disk2=files:/mnt/blobs ", ("disk2", "files:/mnt/blobs")),
            ("files:/a=b", ("files", "files:/a=b")),
            ("a=files:/a=b", ("a", "files:/a=b")),
            ("s3+https://host/b", ("s3+https", "s3+https://host/b")),
        ):
            self.assertEqual(parsers.store_and_url(text), value)
            self.assertEqual(parsers.store(text), text.strip())
        for text in (
            "",
            "a=",
            "=files:b",
            "a b=files:c",
            "a/b=files:c",
            "x" * 33 + "=files:b",
        ):
            self.assertRaises(ValueError, parsers.store, text)

    def test_durations(self) -> None:
        """Durations are seconds, whatever the unit they were written in."""
        for text, value in (
            ("7d", 604800),
            ("24h", 86400),
            ("30m", 1800),
            ("5s", 5),
            ("500ms", 0.5),
            ("12", 12),
            ("0", 0),
        ):
            self.assertEqual(parsers.duration(text), value)
        for text in ("", "x", "-1", "inf", "nan", "5w", "1.2.3s"):
            self.assertRaises(ValueError, parsers.duration, text)

    def test_endless_durations(self) -> None:
        """A duration has an end: a hundred years, and not what overflows into infinity."""
        self.assertEqual(parsers.duration("36500d"), 3_153_600_000)
        for text in ("36501d", "9" * 400, "9" * 400 + "ms", "1" + "0" * 308 + "d"):
            self.assertRaises(ValueError, parsers.duration, text)

    @given(
        st.one_of(
            st.text(max_size=12),
            st.text("0123456789.KMGTPBmshd-+:[] ", max_size=12),
            st.from_regex(r"[0-9]{1,30}[a-zA-Z]{0,2}", fullmatch=True),
        )
    )
    def test_any_text(self, text: str) -> None:
        """Whatever is written is a value of every kind, or a ValueError of one line."""
        for each in knobs():
            try:
                each.metadata["parse"](text)
            except ValueError as error:
                self.assertEqual(len(str(error).splitlines()), 1)

    @given(st.integers(0, 9**9), st.sampled_from(["", "K", "M", "G", "T", "P"]))
    def test_any_size(self, number: int, unit: str) -> None:
        """Each unit is 1024 times the one before, in either case, with and without the B."""
        wanted = number * 1024 ** ["", "K", "M", "G", "T", "P"].index(unit)
        for text in (
            f"{number}{unit}",
            f" {number}{unit}b ",
            f"{number}{unit.lower()}",
        ):
            self.assertEqual(parsers.size(text), wanted)

    @given(st.integers(0, 36500), st.sampled_from(["ms", "s", "m", "h", "d"]))
    def test_any_duration(self, number: int, unit: str) -> None:
        """A number with each unit is that many of them."""
        wanted = timedelta(
            milliseconds=number * {"ms": 1}.get(unit, 0),
            seconds=number * {"s": 1}.get(unit, 0),
            minutes=number * {"m": 1}.get(unit, 0),
            hours=number * {"h": 1}.get(unit, 0),
            days=number * {"d": 1}.get(unit, 0),
        )
        found = parsers.duration(f"{number}{unit.upper()}")
        self.assertAlmostEqual(found, wanted.total_seconds())

    @given(st.from_regex(r"[a-z0-9.-]{1,9}", fullmatch=True), st.integers(0, 65535))
    def test_any_address(self, host: str, port: int) -> None:
        """Host and port put together are told apart again."""
        self.assertEqual(parsers.host_and_port(f"{host}:{port}"), (host, port))
        self.assertEqual(
            parsers.host_and_port(f"[{host}::]:{port}"), (f"{host}::", port)
        )

    def test_intervals_are_above_zero(self) -> None:
        """What is done again and again cannot be done without a pause."""
        self.assertEqual(parsers.interval("1s"), 1)
        self.assertRaises(ValueError, parsers.interval, "0")
        self.assertEqual(parsers.half_a_minute("30s"), 30)
        for text in ("0", "31s"):
            self.assertRaises(ValueError, parsers.half_a_minute, text)
        self.assertRaises(ValueError, parsers.positive, "0")

    def test_milliseconds(self) -> None:
        """A bare number of a Hadoop key that ends in ms is milliseconds."""
        self.assertEqual(parsers.milliseconds("60000"), 60)
        self.assertEqual(parsers.milliseconds("60s"), 60)

    def test_addresses(self) -> None:
        """Host and port are told apart, IPv6 in brackets."""
        self.assertEqual(parsers.host_and_port("127.0.0.1:9878"), ("127.0.0.1", 9878))
        self.assertEqual(parsers.host_and_port("[::1]:0"), ("::1", 0))
        for text in ("9878", ":9878", "host", "host:", "host:x", "::1:9878", "h:65536"):
            self.assertRaises(ValueError, parsers.address, text)

    def test_booleans_and_lists(self) -> None:
        """Booleans are words; empty members of a list are dropped."""
        self.assertTrue(parsers.boolean(" True "))
        self.assertFalse(parsers.boolean("false"))
        self.assertRaises(ValueError, parsers.boolean, "yes")
        self.assertEqual(parsers.names(" a, b,,"), ("a", "b"))

    def test_urls(self) -> None:
        """A provider is named by a scheme and a location."""
        self.assertEqual(parsers.url("sqlite:/a/b.db"), "sqlite:/a/b.db")
        for text in ("", "sqlite", "sqlite:", ":x"):
            self.assertRaises(ValueError, parsers.url, text)

    def test_urls_of_engines(self) -> None:
        """Engines beyond this machine have hosts, several of them and with ports, users and parameters; schemes may have a plus."""
        for text in (
            "postgresql://ozgate@db1,db2:5433/ozgate?target_session_attrs=read-write",
            "postgresql:///ozgate?host=/run/postgresql&passfile=/etc/ozgate/pgpass",
            "hdfs://ns/ozgate",
            "s3+https://host:9000/bucket/prefix@place",
            "postgresql://db1:5432,db2:5433/ozgate?user=me@place",
        ):
            self.assertEqual(parsers.url(text), text)
            self.assertEqual(parsers.store(f"far={text}"), f"far={text}")
            self.assertEqual(parsers.masked(text), text)

    def test_passwords(self) -> None:
        """A password in a URL is refused, and what is said of it does not show it but where it goes."""
        for text in (
            "postgresql://ozgate:hidden@db1,db2/ozgate",
            "postgresql://:hidden@db1/ozgate",
            "postgresql://ozgate:a@hidden@db1/ozgate",
            "postgresql://ozgate:a/hidden@db1,db2:5433/ozgate",
            "postgresql://ozgate:12/hidden@db1/ozgate",
            "postgresql://ozgate:hidden/?@db1/ozgate",
            "postgresql://ozgate@db1/ozgate?password=hidden",
            "postgresql://db1/ozgate?user=ozgate&sslpassword=hidden&x=y",
            "postgresql//ozgate:hidden@db1",
            "s3+https://key:hidden@host/bucket",
            "s3+https://key:a/hidden@host/bucket",
            "s3+https://key:a,hidden@host/bucket",
        ):
            for parse in parsers.url, parsers.store, parsers.stores:
                error = self.assertRaises(ValueError, parse, text)
                self.assertNotIn("hidden", str(error))
                self.assertIn("password-file", str(error))


class KnobTests(SynchronousTestCase):
    """The declarations themselves."""

    def test_written_defaults_read_back(self) -> None:
        """Each default, written as the reference shows it, is read as that default."""
        for each in knobs():
            parse = each.metadata["parse"]
            self.assertEqual(parse(written(each.default, parse)), each.default)
            self.assertIn(parse, TYPES)

    def test_keys_are_unique_and_documented(self) -> None:
        """Each knob has a key of its own and a sentence for people."""
        keys = [each.metadata["key"] for each in knobs()]
        self.assertEqual(len(keys), len(set(keys)))
        for each in knobs():
            self.assertTrue(each.metadata["doc"].endswith("."))
            self.assertNotIn("\n", each.metadata["doc"])

    def test_values_by_key(self) -> None:
        """Providers are given every knob by its key."""
        self.assertEqual(by_key(Settings(region="x"))["ozgate.region"], "x")
        self.assertEqual(len(by_key(Settings())), len(knobs()))

    def test_repr_masks_secrets(self) -> None:
        """A printed Settings shows that there is a secret, but not which."""
        shown = repr(Settings(access_key="visible", secret_key="hidden"))
        self.assertIn("visible", shown)
        self.assertNotIn("hidden", shown)
        self.assertIn(MASKED, shown)
