"""Requests to an engine, one at a time: signed, sent over a pool of connections, and given up when nothing comes or goes.

They are signed as Amazon S3 API Reference has it, "Authenticating Requests (AWS Signature Version 4)"; the bytes of a body are no part of what is
signed, but their checksum is, where the engine verifies one. Twisted's Agent is used by itself, without treq: of an answer that treq gives, neither the
head nor the body can be had at its own time without being held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.web.client import Agent, HTTPConnectionPool, _HTTP11ClientFactory
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from ...errors import Unavailable
from ...immutable import frozen
from .answers import Passing, masked
from .bodies import Content, Pieces, Watch, gather
from .location import Location

Sign = Callable[[str, str, Mapping[str, str], float], Mapping[str, str]]
"""``sign(method, url, headers, now)``: the headers to send."""

_IDLE = 30
"""Seconds that a connection is kept for the next request. Engines close those of theirs after a minute or so."""


@frozen
class Limits:
    """What an engine is given.

    :ivar connections: at a time for what is sent on as it comes, as many for what is read at once, and as many for all else.
    :ivar silence: seconds without a byte to or from it, after which a request is given up.
    :ivar deadline: seconds that a request is tried for.
    :ivar pauses: seconds before it is tried again, each time; about that, so that not all who wait come at once.
    """

    connections: int
    silence: float
    deadline: float
    pauses: tuple[float, ...] = (0.1, 0.5, 2.0, 5.0)


class _Connections(_HTTP11ClientFactory):
    """Makes connections without a line in the log for each."""

    noisy = False


class _Pool(HTTPConnectionPool):
    """Connections that are kept for the next request.

    :ivar is_closed: whether there will be none.
    """

    _factory = _Connections
    is_closed = False

    def _putConnection(self, key: Any, connection: Any) -> None:
        if self.is_closed:
            connection.transport.loseConnection()
        else:
            super()._putConnection(key, connection)  # type: ignore[no-untyped-call]


class Connections:
    """See the module.

    :param reactor: connects, and knows the date.
    :param sign: signs.
    :param policy: how an engine proves who it is, an ``IPolicyForHTTPS``.
    :param hidden: what it signs with, which no error may say.
    """

    def __init__(
        self,
        reactor: Any,
        location: Location,
        sign: Sign,
        policy: Any,
        limits: Limits,
        hidden: Sequence[str],
    ) -> None:
        self.reactor = reactor
        self.location = location
        self.limits = limits
        self._sign = sign
        self._hidden = hidden
        self._pool = _Pool(reactor)  # type: ignore[no-untyped-call]
        self._pool.maxPersistentPerHost = 3 * limits.connections
        self._pool.cachedConnectionTimeout = _IDLE
        # Whoever asks tries again by himself.
        self._pool.retryAutomatically = False
        self._agent = Agent(reactor, policy, limits.silence, pool=self._pool)

    def open(self) -> None:
        """Keep connections from now on."""
        self._pool.is_closed = False

    def close(self) -> Deferred[None]:
        """Close the connections that nobody uses, and others when they are not used any more."""
        self._pool.is_closed = True
        closing: Deferred[None] = self._pool.closeCachedConnections()  # type: ignore[no-untyped-call]
        return closing

    async def send(
        self,
        method: str,
        name: str,
        what: str,
        query: str,
        headers: Mapping[str, str],
        body: Content,
    ) -> IResponse:
        """Send a request, once.

        :param name: of an object of the store; ``""`` for the bucket, with a query.
        :param what: what it is for, for people.
        :param body: its pieces, and their size.
        :return: the answer, whatever it is; its body has not come yet.
        :raises Passing: there is none.
        :raises Unavailable: the engine does not prove who it is.
        """
        location = self.location
        path = location.path_of(name) if name else location.path
        url = f"{location.endpoint}{path}{query and '?'}{query}"
        signed = self._sign(method, url, headers, self.reactor.seconds())
        pieces, size = body
        asking: Deferred[IResponse]
        watch = Watch(self.reactor, self.limits.silence, lambda: asking.cancel())
        producer = Pieces(pieces, size, watch.touch) if size else None
        asking = self._agent.request(
            method.encode(),
            url.encode(),
            Headers({key: [value] for key, value in signed.items()}),
            producer,
        )
        try:
            return await asking
        except CancelledError:
            if not watch.has_expired:
                raise
            raise Passing(self._silent(what)) from None
        except Exception as error:
            if watch.has_expired:
                raise Passing(self._silent(what)) from None
            reason = self._reason(error)
            if "certificate" in reason or "VerificationError" in reason:
                raise Unavailable(
                    f"{what}: the certificate of {self.location.endpoint} is none to be trusted, see ozgate.blobs.s3.ca: {reason}"
                ) from error
            sent = not isinstance(error, ConnectError)
            raise Passing(f"{what}: {self._broken(error)}", sent) from error
        finally:
            watch.stop()

    def _silent(self, what: str) -> str:
        return f"{what}: the engine at {self.location.endpoint} is silent for {self.limits.silence:g} s"

    def _broken(self, error: BaseException) -> str:
        return f"the engine at {self.location.endpoint} cannot be asked: {self._reason(error)}"

    def _reason(self, error: BaseException) -> str:
        """Why a request broke off, in one line: Twisted wraps it."""
        reasons = getattr(error, "reasons", None)
        while reasons:
            error = reasons[0].value
            reasons = getattr(error, "reasons", None)
        # It may have what the engine sent in the place of an answer.
        text = masked(str(error).encode("utf-8", "replace"), self._hidden)
        return " ".join(text.decode().split())[:200] or type(error).__name__

    async def document(self, response: IResponse, most: int, what: str) -> bytes:
        """As :meth:`gathered`; of an error, without our keys."""
        document = await self.gathered(response, most, what)
        return masked(document, self._hidden) if response.code >= 300 else document

    async def gathered(self, response: IResponse, most: int, what: str) -> bytes:
        """The body of an answer.

        :param most: bytes it has at most.
        :raises Passing: it did not come, or is larger.
        """
        arriving: Deferred[bytes]
        watch = Watch(self.reactor, self.limits.silence, lambda: arriving.cancel())
        arriving = gather(response, most, watch)
        try:
            return await arriving
        except CancelledError:
            if not watch.has_expired:
                raise
            raise Passing(self._silent(what)) from None
        except Exception as error:
            raise Passing(f"{what}: {self._broken(error)}") from error
        finally:
            watch.stop()
