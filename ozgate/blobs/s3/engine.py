"""An S3 engine as a client sees it: requests that are tried again, within deadlines, so many at a time."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredSemaphore,
    TimeoutError,
)
from twisted.internet.task import deferLater
from twisted.web.iweb import IResponse

from ...errors import Absent, Unavailable
from .answers import Answer, Page, Passing, error_of, read_page
from .bodies import Arriving, Content, Watch
from .connections import Connections, Limits, Sign
from .location import Location
from .turns import Turn, Turns

T = TypeVar("T")

_DOCUMENT = 4 << 20
"""Bytes of a list at most: a thousand keys of ours are a tenth of that."""

_NO_RANGE = 416


class Opened:
    """An answer whose body has not come yet, and the connection that it comes over.

    :ivar total: bytes of the whole object; -1 where the answer does not say.
    """

    def __init__(self, response: IResponse, total: int, turn: Turn) -> None:
        self.response = response
        self.total = total
        self._turn = turn
        self._is_taken = False

    @property
    def is_over(self) -> bool:
        """Whether it was released or dropped."""
        return self._turn.is_over

    def release(self) -> None:
        """The body was taken, or its connection given up. Idempotent."""
        self._turn.release()

    def pause(self, give_back: Callable[[], object]) -> None:
        """Its connection stands still for now: whoever waits for one may have it.

        :param give_back: called for that; releases or drops this.
        """
        self._turn.pause(give_back)

    def resume(self) -> None:
        """Its connection is used again."""
        self._turn.resume()

    def take(self, arriving: Arriving) -> None:
        """Have the body come; whoever takes it releases this."""
        self._is_taken = True
        self.response.deliverBody(arriving)

    def drop(self) -> None:
        """Have no body come; of one that is taken, nothing is changed."""
        if not self.is_over and not self._is_taken:
            arriving = Arriving(lambda data: None, lambda reason: None)
            self.take(arriving)
            arriving.hang_up()
            self.release()


class Engine:
    """See the module.

    :param reactor: connects, and knows the date.
    :param sign: signs.
    :param policy: how an engine proves who it is, an ``IPolicyForHTTPS``.
    :param hidden: what it signs with, which no error may say.
    :ivar location: where blobs are.
    :ivar turns: of those whose answers are sent on as they come.
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
        self._connections = Connections(reactor, location, sign, policy, limits, hidden)
        self._short = DeferredSemaphore(limits.connections)
        self._runs = DeferredSemaphore(limits.connections)
        self.turns = Turns(reactor, limits.connections)

    def open(self) -> None:
        """Keep connections from now on."""
        self._connections.open()

    def close(self) -> Deferred[None]:
        """Close the connections that nobody uses, and others when they are not used any more."""
        return self._connections.close()

    async def tried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try something until it succeeds, fails for good, or the deadline is over.

        :raises StoreError: what it failed with at last.
        """
        trying: Deferred[T]
        reasons: list[Passing] = []
        watch = Watch(self.reactor, self.limits.deadline, lambda: trying.cancel())
        trying = Deferred.fromCoroutine(self._tried(attempt, watch, reasons))
        try:
            return await trying
        except CancelledError:
            if not watch.has_expired:
                raise
            said = (
                reasons[-1]
                if reasons
                else f"the engine at {self.location.endpoint} does not answer"
            )
            raise Unavailable(
                f"{said}; it was tried for {self.limits.deadline:g} s"
            ) from None
        finally:
            watch.stop()

    async def _tried(
        self,
        attempt: Callable[[], Awaitable[T]],
        watch: Watch,
        reasons: list[Passing],
    ) -> T:
        for pause in self.limits.pauses:
            try:
                return await attempt()
            except Passing as error:
                reasons.append(error)
                # A request that is cancelled while its body goes fails like one that broke off.
                if watch.has_expired:
                    raise
                await deferLater(self.reactor, pause * random.uniform(0.75, 1.25))
        return await attempt()

    async def ask(
        self,
        method: str,
        name: str,
        what: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: Content = ((), 0),
    ) -> Answer:
        """Send one request, once, and take its answer.

        :param name: of an object of the store; ``""`` for the bucket, with a query.
        :param what: what it is for, for people.
        :param body: its pieces, and their size.
        :return: the answer, where it is no error.
        :raises Passing: it failed in a way that the next may not.
        :raises StoreError: it failed.
        """
        answer = await self.answered(method, name, what, query, headers, body)
        if answer.status >= 300:
            raise error_of(answer, what)
        return answer

    async def answered(
        self,
        method: str,
        name: str,
        what: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: Content = ((), 0),
    ) -> Answer:
        """As :meth:`ask`, but that an error is an answer, too.

        :raises Passing: none came.
        """
        await self._short.acquire()
        try:
            return await self._ask(method, name, what, query, headers or {}, body)
        finally:
            self._short.release()

    async def _ask(
        self,
        method: str,
        name: str,
        what: str,
        query: str,
        headers: Mapping[str, str],
        body: Content,
    ) -> Answer:
        response = await self._connections.send(
            method, name, what, query, headers, body
        )
        document = await self._connections.document(response, _DOCUMENT, what)
        found = {
            key.decode("ascii", "replace").lower(): values[-1].decode(
                "utf-8", "replace"
            )
            for key, values in response.headers.getAllRawHeaders()
        }
        return Answer(response.code, found, document)

    async def open_range(self, name: str, what: str, first: int, stop: int) -> Opened:
        """Ask for a run of an object's bytes, once a connection is free; tried again.

        :param first: the offset of its first byte.
        :param stop: that just past its last; of an object that has fewer, those there are.
        :return: the answer, to be released or dropped; without any bytes, where the object ends before them.
        :raises Absent: there is no such object.
        :raises Unavailable: the engine cannot be asked, or no connection becomes free.
        """
        turn = await self._turn(what)
        try:
            response, total = await self.tried(
                lambda: self._get_range(name, what, first, stop)
            )
        except BaseException:
            turn.release()
            raise
        return Opened(response, total, turn)

    async def _turn(self, what: str) -> Turn:
        """Wait for a connection. That is no fault of the engine's, and takes nothing of the time that it is tried for.

        :raises Unavailable: none has become free for as long.
        """
        try:
            return await self.turns.acquire().addTimeout(
                self.limits.deadline, self.reactor
            )
        except TimeoutError:
            raise Unavailable(
                f"{what}: all {self.limits.connections} connections are in use, see ozgate.blobs.s3.connections; one was waited for {self.limits.deadline:g} s"
            ) from None

    async def _get_range(
        self, name: str, what: str, first: int, stop: int
    ) -> tuple[IResponse, int]:
        """An answer that is no error, and how many bytes the whole object has."""
        headers = {"range": f"bytes={first}-{stop - 1}"}
        response = await self._connections.send("GET", name, what, "", headers, ((), 0))
        if response.code not in (206, _NO_RANGE):
            document = await self._connections.document(response, _DOCUMENT, what)
            if response.code == 200:
                raise Unavailable(f"{what}: the engine honours no ranges")
            raise error_of(Answer(response.code, {}, document), what)
        return response, _total(response)

    async def read_range(
        self, name: str, what: str, first: int, stop: int
    ) -> tuple[bytes, int]:
        """Read a run of an object's bytes; tried again.

        :return: the bytes, and how many the whole object has.
        :raises StoreError: as :meth:`open_range`.
        """

        async def attempt() -> tuple[bytes, int]:
            await self._runs.acquire()
            try:
                response, total = await self._get_range(name, what, first, stop)
                count = stop - first if response.code == 206 else _DOCUMENT
                data = await self._connections.gathered(response, count, what)
            finally:
                self._runs.release()
            return data if response.code == 206 else b"", total

        return await self.tried(attempt)

    async def pages(self, below: str, what: str, most: int = 1000) -> list[str]:
        """Names of objects, below the prefix, that begin so; all of them, or the first few.

        Source: Amazon S3 API Reference, "ListObjectsV2".

        :param most: keys of a page; fewer than 1000 for the first page alone.
        :raises StoreError: the engine cannot be asked.
        """
        prefix, names, token = self.location.prefix, [], ""
        while True:
            page = await self._page(prefix + below, what, most, token)
            names += [
                key.removeprefix(prefix)
                for key in page.keys
                if key.startswith(prefix + below)
            ]
            if not page.token or page.token == token or most < 1000:
                return names
            token = page.token

    async def _page(self, prefix: str, what: str, most: int, token: str) -> Page:
        parameters = {"list-type": "2", "max-keys": str(most), "prefix": prefix}
        if token:
            parameters["continuation-token"] = token
        query = "&".join(
            f"{each}={quote(value, safe='')}"
            for each, value in sorted(parameters.items())
        )

        async def attempt() -> Page:
            return read_page((await self.ask("GET", "", what, query)).body)

        try:
            return await self.tried(attempt)
        except Absent as error:
            raise Unavailable(str(error)) from error


def _total(response: IResponse) -> int:
    """Bytes of the whole object, as ``Content-Range`` has it. Source: RFC 9110, 14.4."""
    values = response.headers.getRawHeaders("content-range", [])
    total = values[-1].rpartition("/")[2] if values else ""
    return int(total) if total.isascii() and total.isdigit() and len(total) < 19 else -1
