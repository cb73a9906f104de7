"""Tests of :mod:`ozgate.foreign.ozone.verifying` without a cluster: what is sent to an OM, and what is not."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import InvalidToken, NotImplemented
from ozgate.foreign.ozone.verifying import can_be_right, check_form, signatory_of
from ozgate.values import Presented

HEX = "0123456789abcdef" * 4
SCOPE = "20261130/us-east-1/s3/aws4_request"
STAMP = "20261130T235959Z"
RIGHT = Presented(
    "alice@R",
    f"AWS4-HMAC-SHA256\n{STAMP}\n{SCOPE}\n{HEX}",
    HEX,
    "20261130",
    "us-east-1",
)


class FormTests(SynchronousTestCase):
    """What an OM can take apart: it fails on everything else, again and again."""

    def test_taken(self) -> None:
        """What a request, a chunk and a trailer sign."""
        for text in (
            RIGHT.string_to_sign,
            f"AWS4-HMAC-SHA256-PAYLOAD\n{STAMP}\n{SCOPE}\n{HEX}\n{HEX}\n{HEX}",
            f"AWS4-HMAC-SHA256-TRAILER\n{STAMP}\n{SCOPE}\n{HEX}\n{HEX}",
        ):
            check_form(evolve(RIGHT, string_to_sign=text))

    def test_not_taken(self) -> None:
        """Everything else, of lines more or fewer, or with a scope that is not the signature's own."""
        text = RIGHT.string_to_sign
        lines = text.split("\n")
        for other in (
            *("", "x", "eyJleHBpcmF0aW9uIjogIiJ9", text + "\n", f"\n{text}"),
            *("\n".join(lines[:number]) for number in range(4)),
            f"{text}\n{HEX}",
            text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256-PAYLOAD"),
            text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256-TRAILER"),
            text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256-OTHER"),
            *(text.replace(STAMP, each) for each in ("", "x", "20261130T2359Z")),
            *(text.replace(SCOPE, each) for each in ("", "/", "a/b/c/d", "///")),
            text.replace("20261130/", "20261129/"),
            text.replace("/s3/", "/iam/"),
            text.replace("aws4_request", "other"),
            text.replace(HEX, HEX[:-1]),
            text.replace(HEX, HEX.upper()),
            text.replace("\n", "\r\n"),
        ):
            with self.assertRaises(NotImplemented):
                check_form(evolve(RIGHT, string_to_sign=other))

    def test_regions(self) -> None:
        """A region may be anything that is neither lines nor parts of a scope."""
        for region, taken in (
            *(("é", True), ("a b", True), ("-", True), ("x" * 500, True)),
            *(("", False), ("a\nb", False), ("a/b", False), ("\0", False)),
            (f"x\n{SCOPE}", False),
        ):
            text = RIGHT.string_to_sign.replace("us-east-1", region)
            presented = evolve(RIGHT, string_to_sign=text, region=region)
            if taken:
                check_form(presented)
            else:
                with self.assertRaises(NotImplemented):
                    check_form(presented)

    def test_version_2(self) -> None:
        """A signature of version 2, whatever it signs."""
        with self.assertRaises(NotImplemented):
            check_form(evolve(RIGHT, region="", date=""))

    def test_signatures(self) -> None:
        """What cannot be right is not asked for: no 64 hex digits, no text that Java could have."""
        self.assertTrue(can_be_right(RIGHT))
        for bad in ("", HEX[:-1], HEX + "0", HEX.upper(), f"{HEX}\n", "é" * 64):
            self.assertFalse(can_be_right(evolve(RIGHT, signature=bad)))
        for nobody in ("\udce9", "", " "):
            self.assertFalse(can_be_right(evolve(RIGHT, access_id=nobody)))


class SignatoryTests(SynchronousTestCase):
    """What the gate is told of an answer."""

    def test_told(self) -> None:
        """The user without a key; a token is refused where the signature is right, and changes nothing where it is wrong."""
        found = signatory_of("alice", RIGHT)
        assert found is not None
        self.assertEqual((found.user, found.signing_key), ("alice", None))
        with_token = evolve(RIGHT, token="x")
        self.assertIsNone(signatory_of(None, with_token))
        with self.assertRaises(InvalidToken):
            signatory_of("alice", with_token)
