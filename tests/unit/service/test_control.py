"""What a parent and a worker say to each other."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.service.control import Control
from ozgate.service.inheriting import inherited


class ControlTests(SynchronousTestCase):
    """Two ends."""

    def setUp(self) -> None:
        """They are joined, and note what they hear."""
        self.heard: list[tuple[str, Any, Any]] = []
        self.gone: list[str] = []
        self.one = Control(self.hear, lambda: self.gone.append("one"))
        self.other = Control(self.hear, lambda: self.gone.append("other"))
        for each in self.one, self.other:
            each.makeConnection(StringTransport())

    def hear(self, kind: str, value: Any, answer: Any) -> None:
        """Something is said."""
        self.heard.append((kind, value, answer))

    def carry(self) -> None:
        """Bring what each has written to the other, a byte at a time."""
        for each, peer in ((self.one, self.other), (self.other, self.one)):
            written = each.transport.value()
            each.transport.clear()
            for byte in written:
                peer.dataReceived(bytes([byte]))

    def test_told(self) -> None:
        """What is told arrives, whole and in order; secrets are in it and not in what is shown of it."""
        settings = Settings(secret_key="a secret of this test")
        self.one.tell("begin", settings)
        self.one.tell("stop")
        self.carry()
        [first, second] = self.heard
        self.assertEqual(first, ("begin", settings, None))
        self.assertEqual(second, ("stop", None, None))
        self.assertNotIn("a secret", repr(first))

    def test_asked(self) -> None:
        """Each question has its own answer, in whatever order they come."""
        asked = [self.one.ask("reload", number) for number in range(2)]
        self.carry()
        for _, value, answer in reversed(self.heard):
            answer(f"answer {value}")
        self.carry()
        found = [self.successResultOf(each) for each in asked]
        self.assertEqual(found, ["answer 0", "answer 1"])

    def test_gone(self) -> None:
        """Who is gone answers nothing any more, and is told nothing."""
        asked = self.one.ask("report")
        self.one.connectionLost()
        self.failureResultOf(asked, ConnectionDone)
        self.failureResultOf(self.one.ask("report"), ConnectionDone)
        self.one.transport.clear()
        self.one.tell("stop")
        self.assertEqual(self.one.transport.value(), b"")
        self.assertEqual(self.gone, ["one"])


class InheritedTests(SynchronousTestCase):
    """Descriptions of sockets that are inherited."""

    def test_systemd(self) -> None:
        """What a worker cannot read, since the descriptor is its parent's, is described otherwise; all else stays."""
        for given, expected in (
            ("systemd:domain=INET:index=0", "tcp:0"),
            ("haproxy:systemd:domain=INET6:index=1", "haproxy:tcp:0"),
            ("ssl:9879:certKey=c.pem", "ssl:9879:certKey=c.pem"),
            ("unix:/run/s:mode=600", "unix:/run/s:mode=600"),
        ):
            self.assertEqual(inherited(given), expected)
