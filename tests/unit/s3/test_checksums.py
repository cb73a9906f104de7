"""Tests of :mod:`ozgate.s3.checksums`."""

from __future__ import annotations

import base64
import hashlib
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import BadDigest, InvalidRequest
from ozgate.s3.checksums import (
    ALGORITHMS,
    check,
    combine,
    composite,
    declared,
    encode,
    trailer,
)
from ozgate.wire.headers import Headers

CHECK = b"123456789"
"""The string whose CRCs are published as the check values of each."""


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum of bytes, base64."""
    computing = ALGORITHMS[algorithm].new()
    computing.update(data)
    return encode(computing.digest())


class ComputingTests(SynchronousTestCase):
    """Checksums of bytes."""

    def test_check_values(self) -> None:
        """Each algorithm has its published check value."""
        for algorithm, value in (
            ("CRC32", "cbf43926"),
            ("CRC32C", "e3069283"),
            ("CRC64NVME", "ae8b14860a799888"),
            ("SHA1", hashlib.sha1(CHECK).hexdigest()),
            ("SHA256", hashlib.sha256(CHECK).hexdigest()),
            ("SHA512", hashlib.sha512(CHECK).hexdigest()),
            ("MD5", hashlib.md5(CHECK).hexdigest()),
            ("XXHASH64", "8cb841db40e6ae83"),
        ):
            self.assertEqual(base64.b64decode(checksum(algorithm, CHECK)).hex(), value)

    def test_xxh3(self) -> None:
        """The xxHashes of the third kind have the published values of no bytes, in canonical order, and are asked again at will."""
        for algorithm, value in (
            ("XXHASH3", "2d06800538d394c2"),
            ("XXHASH128", "99aa06d3014798d86001c324468d497f"),
        ):
            self.assertEqual(base64.b64decode(checksum(algorithm, b"")).hex(), value)
        for algorithm in ("XXHASH64", "XXHASH3", "XXHASH128"):
            computing = ALGORITHMS[algorithm].new()
            for data in (CHECK, b"more"):
                computing.update(data)
                self.assertEqual(computing.digest(), computing.digest())
            found = encode(computing.digest())
            self.assertEqual(found, checksum(algorithm, CHECK + b"more"))

    def test_documented_trailer(self) -> None:
        """AWS's example of 65 KiB of ``a`` has the CRC32C that is documented."""
        self.assertEqual(checksum("CRC32C", b"a" * 66560), "sOO8/Q==")

    @settings(deadline=None, max_examples=30)
    @given(pieces=st.lists(st.binary(max_size=100), max_size=8))
    def test_in_pieces(self, pieces: list[bytes]) -> None:
        """Bytes in pieces have the checksum of the whole, fed or combined."""
        whole = b"".join(pieces)
        for name, algorithm in ALGORITHMS.items():
            computing = algorithm.new()
            for piece in pieces:
                computing.update(piece)
            self.assertEqual(encode(computing.digest()), checksum(name, whole))
            if algorithm.full_object_combinable:
                parts = [(checksum(name, piece), len(piece)) for piece in pieces]
                self.assertEqual(combine(name, parts), checksum(name, whole))

    def test_combinable(self) -> None:
        """CRCs of parts give that of the whole; hashes do not."""
        combinable = {
            name for name, row in ALGORITHMS.items() if row.full_object_combinable
        }
        self.assertEqual(combinable, {"CRC32", "CRC32C", "CRC64NVME"})
        with self.assertRaises(ValueError):
            combine("SHA1", [])

    def test_composite(self) -> None:
        """A composite checksum is that of the parts' binary checksums, and their number."""
        values = [checksum("CRC32", b"a"), checksum("CRC32", b"b")]
        raw = zlib.crc32(b"a").to_bytes(4, "big") + zlib.crc32(b"b").to_bytes(4, "big")
        expected = base64.b64encode(zlib.crc32(raw).to_bytes(4, "big")).decode()
        self.assertEqual(composite("CRC32", values), f"{expected}-2")

    def test_check(self) -> None:
        """A mismatch names the algorithm."""
        check("CRC32", "AAAAAA==", "AAAAAA==")
        with self.assertRaises(BadDigest) as caught:
            check("CRC32", "AAAAAA==", "AAAAAQ==")
        self.assertEqual(
            caught.exception.message,
            "The CRC32 you specified did not match the calculated checksum.",
        )


class DeclaredTests(SynchronousTestCase):
    """What clients state in headers."""

    def test_nothing(self) -> None:
        """No header, no checksum; headers that are no values do not count."""
        headers = Headers({"x-amz-checksum-mode": "ENABLED", "x-amz-acl": "private"})
        self.assertIsNone(declared(headers))
        self.assertIsNone(trailer(headers))

    def test_each(self) -> None:
        """Each algorithm is found by its header, also when it is named besides."""
        for name, row in ALGORITHMS.items():
            value = checksum(name, CHECK)
            headers = {row.header: value, "x-amz-sdk-checksum-algorithm": name.lower()}
            self.assertEqual(declared(Headers(headers)), (name, value))

    def test_each_trailer(self) -> None:
        """Each algorithm is found by the trailer announced."""
        for name, row in ALGORITHMS.items():
            headers = Headers(
                {
                    "x-amz-trailer": row.header.upper(),
                    "x-amz-sdk-checksum-algorithm": name,
                }
            )
            self.assertEqual(trailer(headers), name)
            self.assertIsNone(declared(headers))

    def test_several(self) -> None:
        """More than one, by header or trailer, is refused."""
        one = {"x-amz-checksum-crc32": "AAAAAA=="}
        for other in (
            {"x-amz-checksum-crc32c": "AAAAAA=="},
            {"x-amz-trailer": "x-amz-checksum-crc32"},
        ):
            with self.assertRaises(InvalidRequest) as caught:
                declared(Headers({**one, **other}))
            self.assertIn("Expecting a single", caught.exception.message)

    def test_bad_values(self) -> None:
        """What is no base64 of the right length is refused."""
        for value in ("", "AAAA", "AAAAAAA=", "AAAAAA=", "AAAAAB==", "????????", "é"):
            with self.assertRaises(InvalidRequest) as caught:
                declared(Headers({"x-amz-checksum-crc32": value}))
            self.assertEqual(
                caught.exception.message,
                "Value for x-amz-checksum-crc32 header is invalid.",
            )

    def test_lengths(self) -> None:
        """A value of another length than its algorithm's is refused, one of another algorithm included."""
        for row in ALGORITHMS.values():
            for size in {each.size for each in ALGORITHMS.values()} | {0, 1}:
                headers = Headers({row.header: encode(bytes(size))})
                if size == row.size:
                    self.assertEqual(declared(headers), (row.name, encode(bytes(size))))
                else:
                    self.assertRaises(InvalidRequest, declared, headers)

    def test_sdk_algorithm(self) -> None:
        """The algorithm named must be known and the one of the checksum that is sent."""
        one = {"x-amz-checksum-crc32": "AAAAAA=="}
        for headers in (
            {"x-amz-sdk-checksum-algorithm": "CRC32"},
            {**one, "x-amz-sdk-checksum-algorithm": "SHA1"},
            {**one, "x-amz-sdk-checksum-algorithm": "CRC16"},
            {
                "x-amz-trailer": "x-amz-checksum-sha1",
                "x-amz-sdk-checksum-algorithm": "CRC32",
            },
        ):
            with self.assertRaises(InvalidRequest):
                declared(Headers(headers))

    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    *(row.header for row in ALGORITHMS.values()),
                    *("x-amz-checksum-md5", "x-amz-checksum-other", "x-amz-trailer"),
                    *("x-amz-checksum-type", "x-amz-sdk-checksum-algorithm"),
                ]
            ),
            st.one_of(
                st.text(max_size=12),
                st.sampled_from(["AAAAAA==", "AAAAAAAAAAA=", "CRC32", "sha256", "MD5"]),
                st.sampled_from([row.header for row in ALGORITHMS.values()]),
            ),
            max_size=4,
        )
    )
    def test_any_headers(self, values: dict[str, str]) -> None:
        """Whatever is stated is one checksum that could be true, or none, or an error."""
        headers = Headers(values)
        try:
            announced, found = trailer(headers), declared(headers)
        except InvalidRequest:
            return
        self.assertEqual(announced is None, "x-amz-trailer" not in values)
        if found is not None:
            row = ALGORITHMS[found[0]]
            self.assertEqual(values[row.header], found[1])
            self.assertEqual(len(base64.b64decode(found[1])), row.size)
            self.assertIsNone(announced)

    def test_unknown(self) -> None:
        """An algorithm that S3 does not have is refused."""
        for headers in (
            {"x-amz-checksum-crc16": "AAA="},
            {"x-amz-checksum-xxhash32": "AAAAAA=="},
            {"x-amz-sdk-checksum-algorithm": "SHA384"},
            {"x-amz-trailer": "x-amz-checksum-crc16"},
            {"x-amz-trailer": "authorization"},
            {"x-amz-trailer": "x-amz-checksum-crc32,x-amz-checksum-sha1"},
        ):
            with self.assertRaises(InvalidRequest):
                declared(Headers(headers))
