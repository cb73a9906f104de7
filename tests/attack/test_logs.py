"""What is written down of attacks: no secret, no signature, no line that is not ours (F54).

All that Twisted's logger is given is looked at, whatever its level: there is no other log of that kind. The log files of a real service, its
configuration page and its command line are in ``tests.service.test_intruders_logs``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, eventAsText, globalLogPublisher

from ozgate.s3.operations import OPERATIONS
from tests.attack.mutations import of_header_form
from tests.attack.presigned import of_presigned_form, of_version_2
from tests.attack.requests import Draft, Sent
from tests.attack.support import AttackTestCase
from tests.operations.support import SECRETS

SAMPLE = ("GetObject", "PutObject", "DeleteObjects", "PutBucketPolicy")
TOKEN = "a-token-of-a-session"
CUSTOMERS = "a key that a customer encrypts with"

_signature = re.compile(rb"Signature=([0-9A-Za-z%+/=]{20,})")
_hexadecimal = re.compile(rb"[0-9a-f]{64}")

CONTROLS = (
    "\r\n",
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
)
FORGED = '192.0.2.9 - admin [22/Nov/2026:12:00:00 +0000] "GET / HTTP/1.1" 200'
AUDITED = (
    "2026-11-22 12:00:00,000 | INFO | S3GAudit | ozgate | user=admin | ret=SUCCESS"
)


class LogTestCase(AttackTestCase):
    """Hears all logs."""

    def setUp(self) -> Deferred[None]:
        """Listen."""
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        return super().setUp()

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Both log files: name, and all that is in it."""
        for log in (self.client.access_log, self.client.audit_log):
            path = Path(log.file.path)
            yield path.name, path.read_bytes()

    def written(self) -> Iterator[tuple[str, bytes]]:
        """All that was logged."""
        yield from self.files()
        for event in self.events:
            yield "log", f"{eventAsText(event)} {event!r}".encode()

    def drafts_of(self, *names: str) -> Iterator[tuple[str, Draft]]:
        """Requests for operations."""
        for row, draft in self.drafts():
            if row.name in names:
                yield row.name, draft


class SecretTests(LogTestCase):
    """Secrets, tokens and signatures."""

    def attacks(self) -> Iterator[Sent]:
        """Every mutation of a few operations; tokens and keys; what is no request any more."""
        for row in OPERATIONS:
            if row.name not in SAMPLE:
                continue
            draft = self.draft(row)
            for mutations in (of_header_form, of_presigned_form):
                yield from (mutation.sent for mutation in mutations(row, draft))
            if row.name == "GetObject":
                yield from (mutation.sent for mutation in of_version_2(row, draft))
            tokens = (
                *draft.query,
                ("X-Amz-Security-Token", TOKEN),
                ("x-amz-server-side-encryption-customer-key", CUSTOMERS),
            )
            asking = evolve(draft, query=tokens)
            yield from (draft.signed(), asking.presigned(), asking.presigned_2())
            yield draft.having(x_amz_security_token=TOKEN).signed()
            yield draft.signed().adding(
                "referer", f"http://h{asking.presigned().target}"
            )
            for broken in ("%zz", " x", "\x01"):
                sent = draft.presigned()
                yield evolve(sent, target=sent.target + broken)

    def test_nowhere(self) -> None:
        """None of them is in a log of any level, whatever was done to a request (RustFS GHSA-r54g, -8cm2, -333v, CVE-2026-22782, -45040)."""
        hidden = {TOKEN.encode(), quote(CUSTOMERS).encode(), CUSTOMERS.encode()}
        hidden.update(secret.encode() for secret in SECRETS.values())
        asked = 0
        for sent in self.attacks():
            before = self.holds()
            self.send_sent(sent)
            asked += 1
            if self.holds() != before:
                self.undo(before)
            octets = sent.octets().partition(b"\r\n\r\n")[0]
            hidden.update(_signature.findall(octets))
        self.assertGreater(asked, 500)
        self.assertGreater(len(hidden), 100)
        for name, text in self.written():
            for found in (*_signature.findall(text), *_hexadecimal.findall(text)):
                self.assertNotIn(found, hidden, name)
            for each in (TOKEN, quote(CUSTOMERS), CUSTOMERS, *SECRETS.values()):
                self.assertNotIn(each.encode(), text, name)
            self.assertNotIn(b"Credential=testuser", text, name)

    def test_answers(self) -> None:
        """An answer to a wrong signature has the one that was sent and never the right one; no answer has a secret."""
        for _, draft in self.drafts_of(*SAMPLE):
            other = evolve(draft, secret=SECRETS["other"])
            for right, wrong in (
                (draft.signed(), other.signed()),
                (draft.presigned(), other.presigned()),
                (draft.presigned_2(), other.presigned_2()),
            ):
                self.assertEqual(self.send_sent(wrong)[1], "SignatureDoesNotMatch")
                [signature] = _signature.findall(right.octets())
                self.assertNotIn(signature, self.heard)
                for secret in SECRETS.values():
                    self.assertNotIn(secret.encode(), self.heard)


class InjectionTests(LogTestCase):
    """Lines that somebody would have liked to be in the logs."""

    def lines(self) -> dict[str, list[bytes]]:
        """The lines of both files."""
        return {name: text.splitlines(True) for name, text in self.files()}

    def evil(self, draft: Draft) -> Iterator[Sent]:
        """Requests that try."""
        for control in CONTROLS:
            text = f"{control}{FORGED}{control}{AUDITED}{control}"
            coded = quote(text, safe="")
            for place in (
                evolve(draft, path=f"/bucket/{quote(text)}"),
                evolve(draft, query=(("prefix", text),)),
                evolve(draft, query=((f"x-id{text}", ""),)),
                evolve(draft, access_id=text.replace("/", "")),
            ):
                yield place.presigned()
            yield Sent("GET", f"/{coded}/key", draft.signed().headers)
            plain = text.replace("\r", "").replace("\n", "").replace("\0", "")
            for header in ("user-agent", "referer", "x-forwarded-for"):
                yield draft.signed().adding(header, plain)
                yield draft.signed().adding(header, text)
            yield Sent("GET", f"/bucket/key{text}", draft.signed().headers)
            yield Sent(f"GET{control}", "/bucket/key", draft.signed().headers)

    def test_growth(self) -> None:
        """However much is sent in a head, both lines together stay below 16 KB, and what is no HTTP is one short line."""
        [(_, draft)] = self.drafts_of("GetObject")
        long = "\x80" * 30_000
        for sent in (
            Sent("GET", "/bucket/" + "%01" * 5000, draft.signed().headers),
            Sent("GET", "/bucket/key?" + "&|=%ff" * 2500, draft.signed().headers),
            Sent("GET", "/" + "|" * 15_000 + "?X-Amz-Signature", ()),
            evolve(draft, query=(("prefix", "\x01" * 5000),)).presigned(),
            evolve(draft, access_id="\x01" * 5000).presigned(),
            draft.signed().adding("user-agent", long),
            draft.signed().adding("referer", long),
        ):
            self.check_growth(sent.octets(), 16 << 10)
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
        for octets in (
            hello,
            hello + b"\x80" * 500,
            b"\x80" * 30_000,
            b"GET " + b"|" * 30_000,
            b"GET /" + b"|" * 10_000 + b"\n\n",
        ):
            self.check_growth(octets, 768)
        self.assertIn(
            b'"- TLS-handshake HTTP/1.1" 400', dict(self.files())["access.log"]
        )

    def check_growth(self, octets: bytes, most: int) -> None:
        """Send bytes; both logs together may not grow more."""
        before = sum(len(text) for _, text in self.files())
        self.outcome(octets)
        grown = sum(len(text) for _, text in self.files()) - before
        self.assertGreater(grown, 0)
        self.assertLess(grown, most, octets[:99])

    def test_lines(self) -> None:
        """Each request is one line of plain characters in each log, or none, whatever is in its names and headers."""
        [(_, draft)] = self.drafts_of("GetObject")
        for sent in self.evil(draft):
            before = self.lines()
            self.send_sent(sent)
            for name, lines in self.lines().items():
                added = lines[len(before[name]) :]
                self.assertLessEqual(len(added), 1, sent)
                for line in added:
                    text = line.decode("ascii").removesuffix("\n")
                    self.assertTrue(text.isprintable(), text)
                    self.assertFalse(text.startswith((FORGED, AUDITED)), text)
                    if name == "access.log":
                        self.assertTrue(text.startswith("192.0.2.1 - "), text)
                    else:
                        self.assertEqual(text.count(" | ret="), 1, text)
        for event in self.events:
            self.assertNotIn(f"\n{FORGED}", eventAsText(event))
            self.assertNotIn(f"\n{AUDITED}", eventAsText(event))
