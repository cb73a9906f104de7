"""Access and audit lines."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.wire.loglines import (
    CUT,
    HEADER,
    PARAMETER,
    TARGET,
    USER,
    access_line,
    audit_line,
    escape,
    query_parameters,
    redact,
)

NOON = 1_795_348_800.25  # 2026-11-22T12:00:00Z, and a quarter

SIGNED = (
    b"/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261122%2Fus-east-1%2Fs3%2Faws4_request"
    b"&X-Amz-Date=20261122T120000Z&x-amz-SECURITY-token=TOKEN&X-Amz%2DSignature=SIGNATURE&partNumber=1"
)


def line(**changes: Any) -> str:
    """An access line, some of it changed."""
    given: dict[str, Any] = {
        "now": NOON,
        "ip": "192.0.2.1",
        "user": "AKID",
        "method": b"GET",
        "target": b"/b/k?acl",
        "protocol": b"HTTP/1.1",
        "status": 200,
        "sent": 5,
        "referrer": b"",
        "agent": b"aws-cli/2",
        "request_id": "0123456789ABCDEF",
        "operation": "GetObject",
        "seconds": 0.0123,
    }
    return access_line(**{**given, **changes})


class AccessLineTests(SynchronousTestCase):
    """The access log's line."""

    def test_form(self) -> None:
        """The combined format, then request id, operation, milliseconds."""
        self.assertEqual(
            line(),
            '192.0.2.1 - AKID [22/Nov/2026:12:00:00 +0000] "GET /b/k?acl HTTP/1.1" 200 5 '
            '"-" "aws-cli/2" 0123456789ABCDEF GetObject 12.3\n',
        )

    def test_secrets(self) -> None:
        """What a presigned URL is signed with appears nowhere, however its name is written."""
        for text in (
            line(target=SIGNED),
            line(referrer=b"http://h" + SIGNED),
            line(target=b"/?AWSAccessKeyId=AKID%2F&Signature=SIGNATURE", user=""),
        ):
            for secret in ("SIGNATURE", "TOKEN", "AKID%2F"):
                self.assertNotIn(secret, text)
        self.assertIn("partNumber=1", line(target=SIGNED))
        self.assertIn("X-Amz-Date=20261122T120000Z", line(target=SIGNED))

    def test_injection(self) -> None:
        """Nothing a client sends ends the line or a quoted field, or reaches a terminal."""
        evil = b'a"b\\c\r\nd\x1b[0m\xff|\x7f'
        for name in ("method", "target", "agent", "referrer"):
            text = line(**{name: evil})
            self.assertEqual(text.count("\n"), 1)
            self.assertTrue(text.isascii() and text.rstrip("\n").isprintable())
            self.assertIn('a\\"b\\\\c\\x0d\\x0ad\\x1b[0m\\xff\\x7c\\x7f', text)
        self.assertIn("\\x0aevil", line(user="\nevil"))

    def test_escape(self) -> None:
        """What is harmless stays as it is."""
        self.assertEqual(escape(b"/b/a%20b?x=1&y='z'"), "/b/a%20b?x=1&y='z'")

    def test_redact(self) -> None:
        """A target without a query, or with an empty one, stays as it is."""
        for target in (
            b"/b/X-Amz-Signature=1",
            b"/?",
            b"/?acl&&=",
            b"/?X-Amz-Signature",
        ):
            self.assertEqual(redact(target), target)

    def test_redacted(self) -> None:
        """What opens something is left out, however its name is written."""
        for name in (
            b"X-Amz-Signature",
            b"x-amz-%53ecurity-token",
            b"Signature",
            b"X-Amz-Server-Side-Encryption-Customer-Key",
        ):
            found = redact(b"/b/k?a=1&%b=secret&b=2" % name)
            self.assertEqual(found, b"/b/k?a=1&%b=REDACTED&b=2" % name)

    @given(st.binary(max_size=20), st.binary(max_size=20), st.text(max_size=9))
    def test_any_request(self, target: bytes, agent: bytes, user: str) -> None:
        """Whatever was sent is on one line of printable ASCII, whose quotes are those of its five fields."""
        text = line(target=b"/" + target, agent=agent, referrer=agent, user=user)
        self.assertRegex(text, r"\A[ -~]+\n\Z")
        self.assertEqual(len(re.findall(r'(?<!\\)(?:\\\\)*"', text)), 6)

    @given(
        st.sampled_from(["X-Amz-Signature", "signature", "X-AMZ-Credential"]),
        st.integers(0, 8),
        st.binary(max_size=9),
    )
    def test_any_spelling(self, name: str, place: int, before: bytes) -> None:
        """A secret is left out whatever part of its name is escaped, and whatever comes before it."""
        place %= len(name)
        escaped = f"{name[:place]}%{ord(name[place]):02X}{name[place + 1 :]}"
        for spelled in (name, name.upper(), escaped, escaped.lower()):
            target = (
                b"/?" + before.replace(b"&", b"") + f"&{spelled}=hidden&b=c".encode()
            )
            self.assertNotIn("hidden", line(target=target))
            self.assertIn("&b=c", line(target=target))

    def test_long(self) -> None:
        """What is too long is cut, as it is written, and ends in dots; what just fits is whole."""
        for name, most in (("target", TARGET), ("agent", HEADER), ("referrer", HEADER)):
            whole = line(**{name: b"x" * most})
            self.assertIn("x" * most, whole)
            self.assertNotIn(CUT, whole)
            for evil in (b"x", b"\xff", b'"', b"?&x=", b"?x-amz-signature=a&"):
                text = line(**{name: evil * 30_000})
                self.assertLess(len(text), most + 250)
                self.assertIn(f"{CUT} " if name == "target" else f'{CUT}"', text)
        self.assertIn(f"{'u' * USER}{CUT} [", line(user="u" * 5000))

    @given(st.integers(0, 60))
    def test_cut_secret(self, place: int) -> None:
        """A secret is left out wherever the cut falls."""
        before = b"/b/k?" + b"x" * (TARGET - place) + b"&"
        for spelled in (b"X-Amz-Signature", b"X-Amz-%53ignature"):
            text = line(target=before + spelled + b"=hidden" * 9)
            self.assertNotIn("=h", text)


class AuditLineTests(SynchronousTestCase):
    """The audit log's line."""

    def audit(self, **changes: Any) -> str:
        """An audit line, some of it changed."""
        given: dict[str, Any] = {
            "now": NOON,
            "user": "AKID",
            "ip": "192.0.2.1",
            "action": "GET_KEY",
            "parameters": [("bucket", "b"), ("path", "k")],
            "request_id": "ID",
            "success": True,
            "perf": {"opLatencyMs": 3, "sizeByte": 5},
        }
        return audit_line(**{**given, **changes})

    def test_form(self) -> None:
        """The form of Ozone's S3 gateway."""
        self.assertEqual(
            self.audit(),
            "2026-11-22 12:00:00,250 | INFO | S3GAudit | ozgate | user=AKID | ip=192.0.2.1 | "
            'op=GET_KEY {"bucket": "[b]", "path": "[k]", "x-amz-request-id": "ID", "x-amz-id-2": "ID"} | '
            'ret=SUCCESS | perf: {"opLatencyMs": 3, "sizeByte": 5}\n',
        )

    def test_failure(self) -> None:
        """A failure has the level ERROR, as in Ozone."""
        text = self.audit(success=False)
        self.assertIn(" | ERROR | S3GAudit | ", text)
        self.assertIn(" | ret=FAILURE | ", text)

    def test_secrets(self) -> None:
        """Presigned parameters are named and not shown."""
        text = self.audit(parameters=query_parameters(SIGNED))
        for secret in ("SIGNATURE", "TOKEN", "AKID/"):
            self.assertNotIn(secret, text)
        self.assertIn('"partNumber": "[1]"', text)

    def test_injection(self) -> None:
        """Keys and names of any kind neither end the line nor make a field."""
        parameters = [("path", "a\n2026 | INFO | x\x7f\u2028"), ("|", "é")]
        text = self.audit(parameters=parameters, user="a | op=B\r\n")
        self.assertEqual(text.count("\n"), 1)
        self.assertEqual(text.count(" | "), 8)
        self.assertTrue(text.isascii() and text.rstrip("\n").isprintable())

    @given(
        st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4),
        st.text(st.characters(exclude_categories=("Cs",)), max_size=9),
    )
    def test_any_parameters(self, parameters: list[tuple[str, str]], user: str) -> None:
        """Whatever was asked for is on one line of nine fields, and its parameters are JSON."""
        text = self.audit(parameters=parameters, user=user)
        self.assertRegex(text, r"\A[ -~]+\n\Z")
        fields = text.split(" | ")
        self.assertEqual(len(fields), 9)
        found = json.loads(fields[6].removeprefix("op=GET_KEY "))
        names = {name for name, _ in parameters}
        self.assertEqual(names | {"x-amz-request-id", "x-amz-id-2"}, set(found))

    @given(st.binary(max_size=30))
    def test_any_target(self, target: bytes) -> None:
        """Whatever a target is, its query has names and values, and none is lost."""
        found = query_parameters(b"/?" + target)
        pieces = target.split(b"&") if target else []
        self.assertEqual(len(found), len(pieces))

    def test_long(self) -> None:
        """A key is whole; what is longer than any is cut, and so is a long access id."""
        key = "\x01" * PARAMETER
        self.assertIn(
            "\\u0001" * PARAMETER + ']"', self.audit(parameters=[("path", key)])
        )
        text = self.audit(parameters=[("path", key * 2), ("n" * 9999, "v")])
        self.assertIn(f"{'u' * USER}{CUT} |", self.audit(user="u" * 5000))
        self.assertIn("\\u0001" * PARAMETER + f'{CUT}]"', text)
        self.assertIn(f'"{"n" * PARAMETER}{CUT}"', text)

    def test_repeated(self) -> None:
        """A parameter given twice is shown twice."""
        text = self.audit(parameters=query_parameters(b"/?a=1&a=2+%2B&b"))
        self.assertIn('"a": "[1, 2 +]", "b": "[]"', text)
