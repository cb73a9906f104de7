"""The admin listener's app, asked in memory: what reaches a page or a command, and what does not."""

from __future__ import annotations

import inspect
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.commands.table import COMMANDS
from tests.fuzz.judging import Answer
from tests.fuzz.sites import World

VALUES = st.one_of(
    st.sampled_from(["s3v", "bucket", "key", "alice", "user:alice:rw", "world::r", ""]),
    st.sampled_from([True, None, -1, 0, 1, 1 << 40, 1 << 63, 10**30, 0.5, 1e300]),
    st.text(max_size=6),
    st.floats(),
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(
        sorted(
            {
                name
                for command in COMMANDS.values()
                for name in inspect.signature(command).parameters
            }
        )
    ),
    st.one_of(VALUES, st.lists(VALUES, max_size=2)),
    max_size=7,
)
"""Arguments of any command, sensible or not."""


class AppTests(SynchronousTestCase):
    """Requests as they come, to a listener that trusts whoever reaches it."""

    def setUp(self) -> None:
        """The two sites in memory."""
        self.world = World(secure=False)

    def ask(self, head: bytes, body: bytes = b"") -> Answer:
        """The answer to one request, by stores that nobody has asked before."""
        self.world.renew()
        length = b"Host: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
        said = [head + b"\r\n" + length + body]
        [answer] = self.world.ask(self.world.admin, said)
        return answer

    def test_method_in_another_case(self) -> None:
        """``DELEtE`` is no method, and no ``PUT`` either: no secret is made, nothing fails."""
        for method in (b"DELEtE", b"put", b"pOST"):
            for path in (b"/secret/alice", b"/ozgate/v1/whoami", b"/healthz"):
                answer = self.ask(b"%b %b HTTP/1.1" % (method, path))
                self.assertEqual((answer.status, answer.body), (501, b""))
        self.assertEqual(self.ask(b"PUT /secret/alice HTTP/1.1").status, 200)

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(COMMANDS)), ARGUMENTS)
    def test_any_arguments(self, name: str, arguments: dict[str, Any]) -> None:
        """Whatever JSON a command is given, it does what it says, or refuses with a code and a line."""
        signature = inspect.signature(COMMANDS[name])
        known = {
            each: arguments[each] for each in arguments if each in signature.parameters
        }
        for given_ in (arguments, known):
            body = json.dumps(given_).encode()
            head = b"POST /ozgate/v1/%b HTTP/1.1\r\nContent-Type: application/json"
            answer = self.ask(head % name.encode(), body)
            result = json.loads(answer.body)
            if answer.status != 200:
                self.assertEqual(set(result), {"code", "message"})
                self.assertNotEqual(result["code"], "INTERNAL_ERROR", result)

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from([b"PUT", b"DELETE", b"GET", b"POST"]),
        st.lists(
            st.one_of(
                st.sampled_from(
                    b"/secret /alice %2F %00 %FF ?ttl= ?key= & ; 1h 99999999d a~b // /conf ?name= /metrics".split()
                ),
                st.from_regex(rb"[!-~]{1,3}", fullmatch=True),
            ),
            max_size=6,
        ).map(b"".join),
    )
    def test_any_target(self, method: bytes, target: bytes) -> None:
        """Whatever path and query are asked for, the answer was foreseen."""
        for path in (b"/" + target, b"/secret/" + target):
            self.assertNotEqual(
                self.ask(b"%b %b HTTP/1.1" % (method, path)).status, 500
            )

    def test_path_that_is_no_text(self) -> None:
        """A path that is no UTF-8 is a bad request, and no traceback in the log."""
        for path in (b"/%FF", b"/secret/%C3", b"/ozgate/v1/%E2%82"):
            self.assertEqual(self.ask(b"PUT %b HTTP/1.1" % path).status, 400)
        self.assertEqual(self.ask(b"PUT /secret/%61lice HTTP/1.1").status, 200)

    def test_headers_that_are_no_text(self) -> None:
        """Bytes that are no UTF-8 in a header are what they are: another type, another token."""
        whoami = b"POST /ozgate/v1/whoami HTTP/1.1\r\nContent-Type: "
        self.assertEqual(self.ask(whoami + b"application\xff/json", b"{}").status, 415)
        self.assertEqual(self.ask(whoami + b"application/json;\xff", b"{}").status, 200)
        metrics = b"GET /metrics HTTP/1.1\r\n"
        self.assertEqual(self.ask(metrics + b"Accept: text/\xff").status, 200)
        self.assertEqual(self.ask(metrics + b"Authorization: Bearer \xff").status, 200)
