"""Long header values and queries against whatever reads them: the work grows with their length and not faster, and so does the answer (F50).

Work is counted in lines of ozgate's code that are run, not in time. What a regular expression does within a line is not counted, so
that their forms are checked instead: none has a repetition inside a repetition that could match in more than one way.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from types import FrameType, ModuleType
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

import ozgate
from ozgate.wire.channel import GatewayChannel
from tests.attack.requests import Draft, Sent
from tests.attack.support import AttackTestCase

SHORT, LONG = 3 << 10, 12 << 10
GROWTH = 1.25 * LONG / SHORT
"""How much more work the long value may be than the short one."""
ANSWER = 6 << 10
"""Bytes of an answer at most, whatever was asked: a head, a message, and what a document may say of the request."""

FILLINGS = (
    *(",", ";", "=", "a=b&", "%41", "/", " a", "=?a?q?", 'W/"a",', "bytes=0-1,", "a;"),
    *("\\", "..", "é", "<", "9"),
)
HEADERS = (
    *("range", "if-match", "if-none-match", "if-modified-since", "expect", "cookie"),
    *("content-type", "content-md5", "content-encoding", "content-disposition"),
    *("x-amz-tagging", "x-amz-meta-a", "x-amz-copy-source", "x-amz-copy-source-range"),
    *("x-amz-acl", "x-amz-checksum-crc32", "x-amz-checksum-algorithm"),
    *("x-amz-trailer", "x-amz-storage-class", "x-amz-expected-bucket-owner"),
    *("x-amz-website-redirect-location", "x-amz-object-attributes", "user-agent"),
)


class WorkTests(AttackTestCase):
    """Requests with something long in them, signed well or not."""

    def steps(self, sent: Sent) -> int:
        """Lines of ozgate that are run for a request; what it did is undone."""
        count = 0

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal count
            count += event == "line"
            return line

        def call(frame: FrameType, event: str, argument: Any) -> Any:
            return line if "/ozgate/" in frame.f_code.co_filename else None

        before, tracing = self.holds(), sys.gettrace()
        octets = sent.octets()
        sys.settrace(call)
        try:
            self.outcome(octets)
        finally:
            sys.settrace(tracing)
        self.undo(before)
        self.assertLess(len(self.heard), ANSWER, octets[:200])
        return count

    def check(self, name: str, make: Callable[[str], Sent]) -> None:
        """Assert that work grows no faster than what it is about."""
        for filling in FILLINGS:
            short, long = (
                self.steps(make((filling * size)[:size])) for size in (SHORT, LONG)
            )
            self.assertLess(long, GROWTH * short + 500, (name, filling))

    def test_headers(self) -> None:
        """Headers that operations read, in a request that is signed well."""
        for header in HEADERS:
            reading = header[:5] in ("range", "if-mo") or "attributes" in header
            draft = self.draft_of("GetObjectAttributes" if reading else "PutObject")

            def make(value: str, draft: Draft = draft, header: str = header) -> Sent:
                # Not signed where it needs not be: the signer here does not normalize white space.
                sent = draft.signed()
                if header.startswith("x-amz-") or header == "content-md5":
                    changed = {**draft.headers, header: value.replace(" ", "_")}
                    sent = evolve(draft, headers=changed).signed()
                else:
                    sent = sent.adding(header, value)
                return sent

            self.check(header, make)

    def test_authorization(self) -> None:
        """What authenticates, before anybody knows who asks."""
        draft = self.draft_of("PutObject")
        sent = draft.signed()
        start = sent.header("authorization")
        for name, make in (
            ("whole", lambda value: f"AWS4-HMAC-SHA256 {value}"),
            ("scheme", lambda value: value),
            ("more", lambda value: f"{start},{value}"),
            ("access key", lambda value: start.replace("testuser", value)),
            ("signature", lambda value: f"{start}{value}"),
            ("names", lambda value: start.replace("Headers=", f"Headers={value}")),
        ):
            self.check(
                name, lambda value, make=make: sent.having("authorization", make(value))
            )
        for header in ("x-amz-date", "x-amz-content-sha256", "date", "host"):
            self.check(header, lambda value, h=header: sent.having(h, value))

    def test_queries(self) -> None:
        """Targets: keys, names and values of queries, what a URL is presigned with."""
        draft = self.draft_of("GetObject")
        printed = str.maketrans({" ": "+", "é": "%C3%A9", "\\": "%5C", '"': "%22"})
        for name, start in (
            ("key", "/bucket/"),
            ("name", "/bucket/key?"),
            ("value", "/bucket/key?prefix="),
            ("signature", "/bucket/key?X-Amz-Signature="),
            ("hoisted", "/bucket/key?x-amz-meta-a="),
            ("version 2", "/bucket/key?AWSAccessKeyId=testuser&Expires=1&Signature="),
            ("credential", f"{draft.presigned().target}&X-Amz-Credential="),
        ):
            sent = Sent("GET", start, (("host", draft.host),))
            self.check(
                name,
                lambda value, sent=sent: evolve(
                    sent, target=sent.target + value.translate(printed)
                ),
            )

    def test_too_long(self) -> None:
        """A head of more than 32 KiB is not read, whatever is long in it."""
        sent = self.draft_of("GetObject").signed()
        for header in HEADERS:
            found = self.send_sent(sent.adding(header, "x" * (64 << 10)))
            self.assertEqual(found[1], "RequestHeaderSectionTooLarge", header)
        self.assertEqual(GatewayChannel.max_head, 32 << 10)

    def test_signed_headers_repeated(self) -> None:
        """A signed header that is named thousands of times is refused: each time its value was signed, and shown.

        Found here: 26 KB from anybody who knew an access key took a gigabyte of memory and were answered with 280 MB.
        """
        sent = self.draft_of("GetObject").signed().adding("a", "x" * 14_000)
        sent = sent.authorized("SignedHeaders=", "SignedHeaders=" + "a;" * 5000)
        found = self.send_sent(sent)
        self.assertEqual(found, (400, "AuthorizationHeaderMalformed"))
        self.assertLess(len(self.heard), 2000)

    def test_parameters(self) -> None:
        """Thousands of parameters cost no more than twice what some do, since they are not looked at: nobody needs a key to send them."""
        host = (("host", self.draft_of("GetObject").host),)

        def with_parameters(count: int) -> Sent:
            query = "&".join(f"{number:x}" for number in range(count))
            return Sent("GET", f"/bucket/key?{query}", host)

        some = self.steps(with_parameters(77))
        self.assertEqual(self.send_sent(with_parameters(500)), (403, "AccessDenied"))
        self.assertEqual(self.send_sent(with_parameters(501)), (400, "InvalidURI"))
        self.assertEqual(self.send_sent(with_parameters(3300)), (400, "InvalidURI"))
        self.assertLess(self.steps(with_parameters(3300)), 2 * some)

    def test_wrong_signature_with_much(self) -> None:
        """Who signs much, and wrongly, is told what was signed where that is little, and else gets fewer bytes than were sent."""
        draft = self.draft_of("GetObject")
        for size, told in ((0, True), (3000, False), (14_000, False)):
            headers = {**draft.headers, "x-amz-meta-a": "x" * size}
            sent = evolve(draft, headers=headers).signed()
            sent = evolve(sent, target="/bucket/other")
            found = self.send_sent(sent)
            self.assertEqual(found, (403, "SignatureDoesNotMatch"))
            self.assertIn(b"<SignatureProvided>", self.heard)
            self.assertEqual(b"<CanonicalRequestBytes>" in self.heard, told, size)
            self.assertLess(len(self.heard), ANSWER)
            if size > ANSWER:
                self.assertLess(len(self.heard), len(sent.octets()))

    def test_errors_that_cite(self) -> None:
        """No error says more than a few KiB of what it is about: a date, an argument, an address, a header that was not signed."""
        draft = self.draft_of("GetObject")
        sent = draft.signed()
        long = '"' * 14_000
        for each in (
            sent.authorized("/20", f"/{long}20"),
            sent.authorized("AWS4-HMAC-SHA256", long),
            sent.having("x-amz-content-sha256", long),
            sent.having("x-amz-date", long),
            sent.adding("x-amz-" + "a" * 14_000, "1"),
            evolve(sent, target="/bucket/%zz" + "a" * 14_000),
            evolve(sent, target="/" + "a" * 14_000),
            evolve(sent, target="/bucket/" + '"' * 1024),
            evolve(sent, target=f"/bucket/key?X-Amz-Algorithm={long}"),
        ):
            status, code = self.send_sent(each)
            self.assertIn(status, (400, 403), code)
            self.assertLess(len(self.heard), ANSWER, code)


class KeptTests(AttackTestCase):
    """What is kept of requests that are over, to be quicker with the next."""

    def kept(self) -> int:
        """The longest text by which anything is kept."""
        return max(map(_longest, _caches()))

    def test_nothing_long(self) -> None:
        """Nothing that is long: thousands of them would be kept for good, and who sends them need not have a key.

        Found here: 16 KB of a bucket's name, a host, a region or a query's name stayed in memory, in 6,600 places.
        """
        draft = self.draft_of("GetObject")
        sent = draft.signed()
        long = "a" * LONG
        for name, each in (
            ("bucket", evolve(sent, target=f"/{long}/key")),
            ("source", evolve(self.draft_of("CopyObject"), headers={"x-amz-copy-source": f"/{long}/key"}).signed()),
            ("host", sent.having("host", f"{long}.example.com")),
            ("target", evolve(sent, target=f"http://{long}/bucket/key")),
            ("region", sent.authorized("us-east-1", long)),
            ("access key", sent.authorized("testuser", long)),
            ("name", evolve(sent, target=f"/bucket/key?{long}=b")),
            ("secret", evolve(sent, target=f"/bucket/key?{'+' * LONG}signature=b")),
            ("header", sent.adding("x-a", long)),
            ("metadata", evolve(self.draft_of("PutObject"), headers={"x-amz-meta-a": "b" * 2000, "content-disposition": long}).signed()),
        ):  # fmt: skip
            self.send_sent(each)
            self.assertLessEqual(self.kept(), 1100, name)

    def test_would_be_found(self) -> None:
        """The caches are looked into, all of them."""
        self.send_sent(self.draft_of("GetObject").signed())
        self.assertGreater(self.kept(), 100)  # an Authorization header
        self.assertGreater(len(list(_caches())), 10)


def _caches() -> Iterator[Any]:
    """Everything in ozgate that keeps what it was called with."""
    for found in pkgutil.walk_packages(ozgate.__path__, "ozgate."):
        if not found.name.endswith("__main__"):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if hasattr(value, "cache_info") and value.__module__ == found.name:
                    yield value


def _longest(cache: Any) -> int:
    """The longest text that is a key of a cache, or in one."""
    longest = 0
    for entries in gc.get_referents(cache):
        if isinstance(entries, dict):
            for key in entries:
                parts = key if isinstance(key, tuple) else (key,)
                texts = [part for part in parts if isinstance(part, str | bytes)]
                longest = max([longest, *map(len, texts)])
    return longest


class PatternTests(SynchronousTestCase):
    """Regular expressions."""

    def test_forms(self) -> None:
        """No pattern can match one text in more than a few ways."""
        found = {
            f"{module}.{name}: {pattern.pattern!r}"
            for module, name, pattern in patterns()
            if is_ambiguous(parser.parse(pattern.pattern, pattern.flags))
        }
        self.assertEqual(found, set())

    def test_would_be_found(self) -> None:
        """The check finds what it is for, and all of ours are looked at."""
        for text in ("(a+)+", "(a*b?)*", "(?:a|b+)*c", "(.*,)*", "(?:;[a;]+)*"):
            self.assertTrue(is_ambiguous(parser.parse(text)), text)
        for text in ("a+b+", "[a-z]+(?:;[a-z]+)*", "(?:[0-9]+\\.){3}", "(a{1,9})*"):
            self.assertFalse(is_ambiguous(parser.parse(text)), text)
        self.assertGreater(len(list(patterns())), 40)


def patterns() -> Iterator[tuple[str, str, re.Pattern[Any]]]:
    """(module, name, pattern) of all patterns that are kept, or whose methods are."""
    for each in pkgutil.walk_packages(ozgate.__path__, "ozgate."):
        if not each.name.endswith("__main__"):
            module: ModuleType = importlib.import_module(each.name)
            for name, value in vars(module).items():
                for one in value if isinstance(value, tuple | list) else (value,):
                    owner = getattr(one, "__self__", one)
                    if isinstance(owner, re.Pattern):
                        yield each.name, name, owner


def is_ambiguous(parsed: Any) -> bool:
    """Whether a repetition without end has another in it that does not begin with a mark of its own."""
    for operator, argument in parsed:
        for inner in _inner(argument):
            if is_ambiguous(inner):
                return True
        if operator in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT):
            _, most, body = argument
            if most == opcodes.MAXREPEAT and _repeats(body) and not _is_marked(body):
                return True
    return False


def _inner(argument: Any) -> Iterator[Any]:
    """The patterns that an operator's argument has in it."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for each in argument:
            yield from _inner(each)


def _repeats(parsed: Any) -> bool:
    """Whether there is a repetition without end."""
    for operator, argument in parsed:
        if operator in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT):
            if argument[1] == opcodes.MAXREPEAT:
                return True
        if any(map(_repeats, _inner(argument))):
            return True
    return False


def _is_marked(body: Any) -> bool:
    """Whether each round begins with a character that nothing else in it matches."""
    body = list(body)
    while len(body) == 1 and body[0][0] is opcodes.SUBPATTERN:
        body = list(body[0][1][-1])
    operator, code = body[0]
    if operator is not opcodes.LITERAL:
        return False
    return not any(_matches(each, code) for each in body[1:])


def _matches(node: Any, code: int) -> bool:
    """Whether a node of a pattern may match a character."""
    operator, argument = node
    if operator is opcodes.LITERAL:
        return bool(argument == code)
    if operator is opcodes.RANGE:
        return bool(argument[0] <= code <= argument[1])
    if operator is opcodes.IN:
        negated = argument[0][0] is opcodes.NEGATE
        return negated != any(_matches(e, code) for e in argument[negated:])
    inner = list(_inner(argument))
    if not inner:
        return True
    return any(_matches(each, code) for part in inner for each in part)
