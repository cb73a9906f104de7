"""The admin listener's app, asked in memory: what reaches a page or a command, and what does not."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.judging import Answer
from tests.fuzz.sites import World


class AppTests(SynchronousTestCase):
    """Requests as they come, to a listener that trusts whoever reaches it."""

    def ask(self, head: bytes, body: bytes = b"") -> Answer:
        """The answer to one request."""
        world = World(secure=False)
        length = b"Host: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
        [answer] = world.ask(world.admin, [head + b"\r\n" + length + body])
        return answer

    def test_method_in_another_case(self) -> None:
        """``DELEtE`` is no method, and no ``PUT`` either: no secret is made, nothing fails."""
        for method in (b"DELEtE", b"put", b"pOST"):
            for path in (b"/secret/alice", b"/ozgate/v1/whoami", b"/healthz"):
                answer = self.ask(b"%b %b HTTP/1.1" % (method, path))
                self.assertEqual((answer.status, answer.body), (501, b""))
        self.assertEqual(self.ask(b"PUT /secret/alice HTTP/1.1").status, 200)

    def test_headers_that_are_no_text(self) -> None:
        """Bytes that are no UTF-8 in a header are what they are: another type, another token."""
        whoami = b"POST /ozgate/v1/whoami HTTP/1.1\r\nContent-Type: "
        self.assertEqual(self.ask(whoami + b"application\xff/json", b"{}").status, 415)
        self.assertEqual(self.ask(whoami + b"application/json;\xff", b"{}").status, 200)
        metrics = b"GET /metrics HTTP/1.1\r\n"
        self.assertEqual(self.ask(metrics + b"Accept: text/\xff").status, 200)
        self.assertEqual(self.ask(metrics + b"Authorization: Bearer \xff").status, 200)
