"""Requests as Twisted's resources take them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web import server

from ozgate.wire.head import parse_head
from ozgate.wire.lazyrequest import LazyRequest


class LazyRequestTests(SynchronousTestCase):
    """What is not made until it is asked for."""

    def setUp(self) -> None:
        """A connection that is none."""
        site = SimpleNamespace(_parsePOSTFormSubmission=False)
        self.channel: Any = SimpleNamespace(
            transport=None, site=site, getPeer=lambda: "peer", getHost=lambda: "host"
        )

    def test_all_there(self) -> None:
        """It has all that Twisted's own is made with, since that is not called."""
        theirs = server.Request(self.channel)
        ours = LazyRequest(self.channel)
        for name, value in vars(theirs).items():
            self.assertEqual(getattr(ours, name), value, name)

    def test_asked_for(self) -> None:
        """The target and the headers in Twisted's forms; nothing is added to what others see."""
        request = LazyRequest(self.channel)
        request._take(
            parse_head(b"GET /a%20b/c?d HTTP/1.1\r\nHost: h:1\r\nA: 1\r\na: 2", 99, 9)
        )
        self.assertEqual(request.path, b"/a%20b/c")
        self.assertEqual(request.postpath, [b"a b", b"c"])
        self.assertEqual(request.requestHeaders.getRawHeaders("a"), ["1", "2"])
        self.assertEqual(request.getRequestHostname(), b"h")
        self.assertEqual((request.last_sent("a"), request.last_sent("b")), (b"2", b""))
        request.responseHeaders.addRawHeader("x", "y")
        other = LazyRequest(self.channel)
        self.assertFalse(other.responseHeaders.hasHeader("x"))
