"""A request as Twisted's resources take it: what ours never ask for is made when it is asked for.

Twisted's own makes all of it for each request, which took a tenth of the time of a small one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred
from twisted.web import server
from twisted.web.http_headers import Headers as TwistedHeaders

from .head import Head, split_target
from .headers import Headers

if TYPE_CHECKING:
    from .channel import GatewayChannel


class LazyRequest(server.Request):
    """A request whose head is read already.

    :ivar raw_target: the request target exactly as sent.
    :ivar raw_host: the Host header, valid by :func:`~ozgate.wire.head.valid_host`; ``None`` where HTTP/1.0 sent none.
    :ivar headers: the headers, as values.
    :ivar args: nothing: a query is read by who is asked, from the target.
    """

    channel: GatewayChannel | None  # type: ignore[assignment]
    defaultContentType = None
    queued = False
    _parsePOSTFormSubmission = False
    raw_target = b""
    raw_host: bytes | None = None
    headers = Headers()
    _head: Head | None = None
    _postpath: list[bytes] | None = None
    _twisted_headers: TwistedHeaders | None = None
    _answer_headers: TwistedHeaders | None = None

    def __init__(self, channel: GatewayChannel) -> None:
        """All that the ``__init__`` of Twisted's own gives an instance, which is not called; a test holds one against the other."""
        self.channel = channel
        self.transport = channel.transport
        self.client, self.host = channel.getPeer(), channel.getHost()
        self.args: dict[bytes, list[bytes]] = {}
        self.cookies: list[bytes] = []
        self.received_cookies: dict[bytes, bytes] = {}
        self.notifications: list[Deferred[None]] = []
        self._adapterCache: dict[str, Any] = {}

    def _take(self, head: Head) -> None:
        self._head = head
        self.method, self.clientproto = head.method, head.version
        self.uri = self.raw_target = head.target
        self.raw_host, self.headers = head.host, head.headers

    def header_pairs(self) -> list[tuple[bytes, bytes]]:
        """(lower-case name, value) of each header line, in order, as sent but for outer white space."""
        return [] if self._head is None else self._head.pairs

    def last_sent(self, name: str) -> bytes:
        """The last value of a header, by its name in lower case, as sent; nothing where there is none."""
        head = self._head
        if head is None or head.is_plain:
            return self.headers.get(name, "").encode("ascii")
        return dict(head.pairs).get(name.encode("ascii"), b"")

    @property
    def postpath(self) -> list[bytes]:
        """The path in pieces, as Twisted's resources take it; made when first asked for, as S3's do not."""
        made = self._postpath
        if made is None:
            pieces = self.path[1:].split(b"/")
            made = self._postpath = [unquote_to_bytes(each) for each in pieces]
        return made

    @postpath.setter
    def postpath(self, pieces: list[bytes]) -> None:
        self._postpath = pieces

    @property
    def path(self) -> bytes:  # type: ignore[override]
        """The path of the target; made when asked for, as by Twisted's resources."""
        target = self.raw_target
        return target and split_target(target)[1].partition(b"?")[0]

    @property
    def requestHeaders(self) -> TwistedHeaders:
        """The headers as Twisted keeps them; made when first asked for, as we never do."""
        made = self._twisted_headers
        if made is None:
            made = self._twisted_headers = TwistedHeaders()
            for name, value in self.header_pairs():
                made.addRawHeader(name, value)
        return made

    @requestHeaders.setter
    def requestHeaders(self, headers: TwistedHeaders) -> None:
        self._twisted_headers = headers

    @property
    def responseHeaders(self) -> TwistedHeaders:
        """Headers of an answer that Twisted's resources add; made when first asked for, as we never do."""
        made = self._answer_headers
        if made is None:
            made = self._answer_headers = TwistedHeaders()
        return made

    @responseHeaders.setter
    def responseHeaders(self, headers: TwistedHeaders) -> None:
        self._answer_headers = headers

    def getRequestHostname(self) -> bytes:
        """The Host header without its port; the address that was reached where there is none."""
        host = self.raw_host
        if host is None:
            return bytes(super().getRequestHostname())  # type: ignore[no-untyped-call]
        name, colon, port = host.rpartition(b":")
        return name if colon and b"]" not in port else host
