"""Answers: documents, files by sendfile, push sources; whole, or cut."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from twisted.internet import reactor, ssl
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.endpoints import (
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    connectProtocol,
)
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from ozgate.errors import ClientGone, Damaged
from ozgate.interfaces import IByteSource
from ozgate.wire import send as sending
from ozgate.wire import sendthread
from ozgate.wire.request import GatewayRequest, new_request_id
from ozgate.wire.send import send
from tests.wire.sources import FileSource, Push
from tests.wire.support import Bare, Peer, WireTestCase

GET = b"GET /k HTTP/1.1\r\nHost: h\r\n\r\n"
HEAD = b"HEAD /k HTTP/1.1\r\nHost: h\r\n\r\n"
DATA = bytes(range(256)) * 40960  # 10 MiB


class SendTests(WireTestCase):
    """Byte sources over plain TCP."""

    plain = True
    run_in_thread: Callable[..., Deferred[Any]] | None = None

    def setUp(self) -> None:
        """A file of 10 MiB."""
        self.path = self.mktemp()
        with open(self.path, "wb") as file:
            file.write(DATA)
        self.opened: list[Any] = []
        self.errors: list[BaseException] = []
        self.requests: list[GatewayRequest] = []

    def run_of(self, offset: int, length: int) -> FileSource:
        """Some of the file."""
        source = FileSource(self.path, offset, length)
        self.opened.append(source)
        return source

    def push(self, data: bytes, length: int | None = None) -> Push:
        """A push source."""
        source = Push(data, length)
        self.opened.append(source)
        return source

    def answering(
        self,
        length: int,
        sources: Callable[[], Iterable[Any]],
        pausing: bool = False,
        **arguments: Any,
    ) -> None:
        """Serve an answer from sources."""

        async def each() -> AsyncIterator[IByteSource]:
            for source in sources():
                if pausing:
                    await deferLater(reactor, 0)
                yield source

        async def operation(request: GatewayRequest) -> None:
            self.requests.append(request)
            headers = [(b"ETag", b'"e"')]
            try:
                await send(request, 200, headers, length, each(), self.run_in_thread)
            except BaseException as error:
                self.errors.append(error)
                if not isinstance(error, Damaged):
                    raise

        self.serve(operation, **arguments)

    async def whole(self, data: bytes) -> None:
        """Two pipelined GETs bring the data twice, and a third goes over the same connection."""
        (peer := await self.connect()).send(GET + GET)
        # Each of both has a head beside its bytes; the heads are alike in length.
        head = (await peer.until(b"\r\n\r\n")).partition(b"\r\n\r\n")[0]
        while len(peer.data) < 2 * (len(head) + 4 + len(data)):
            await deferLater(reactor, 0)
        first, second, third = bytes(peer.data).split(b"HTTP/1.1 200 OK\r\n")
        self.assertEqual(first, b"")
        for answer in (second, third):
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertIn(b"Content-Length: %d" % len(data), head)
            self.assertEqual(
                hashlib.sha256(body).digest(), hashlib.sha256(data).digest()
            )
        peer.data.clear()
        peer.send(GET.replace(b"Host", b"Connection: close\r\nHost"))
        self.assertTrue((await peer.ended).endswith(data[-1000:]))
        self.assertEqual(self.requests[0].sentLength, len(data))
        self.assertTrue(all(source.closed for source in self.opened))
        self.assertEqual(self.errors, [])

    async def test_large_file(self) -> None:
        """A file goes by sendfile."""
        self.answering(len(DATA), lambda: [self.run_of(0, len(DATA))])
        await self.whole(DATA)

    async def test_uncached(self) -> None:
        """A large answer drops all that it has sent from the page cache; of one that is a byte shorter nothing is dropped."""
        dropped: list[int] = []
        for module in (sending, sendthread):
            self.patch(module, "drop_sent", lambda _, __, count: dropped.append(count))
        size = len(DATA)
        for limit, times in ((size, 3), (size + 1, 0)):
            dropped.clear()
            self.requests.clear()
            self.answering(size, lambda: [self.run_of(0, size)])
            self.site.uncached_from = limit
            await self.whole(DATA)
            self.assertEqual(sum(dropped), times * size if self.plain else 0)

    async def test_part_of_a_file(self) -> None:
        """A run within a file is just that run."""
        self.answering(1_000_000, lambda: [self.run_of(12345, 1_000_000)])
        await self.whole(DATA[12345 : 12345 + 1_000_000])

    async def test_small_file(self) -> None:
        """A small file goes out with its head, in one write."""
        self.answering(4096, lambda: [self.run_of(5, 4096)])
        await self.whole(DATA[5 : 5 + 4096])

    async def test_push(self) -> None:
        """A source that is no file writes to the request, held back by the client's pace."""
        self.answering(len(DATA), lambda: [self.push(DATA)])
        await self.whole(DATA)

    async def test_many_extents(self) -> None:
        """Thousands of extents, large and small, files and not, come out in order."""
        sizes = [100_000, 70_000, 1, 65_536, 65_537, 3] * 25 + [10] * 3000

        def sources() -> Iterator[Any]:
            at = 0
            for index, size in enumerate(sizes):
                if index % 7 == 6 and size > 10:
                    yield self.push(DATA[at : at + size])
                else:
                    yield self.run_of(at, size)
                at += size

        total = sum(sizes)
        self.answering(total, sources)
        await self.whole(DATA[:total])

    async def test_slow_iterator(self) -> None:
        """Sources that come only after a while are waited for."""
        self.answering(
            600_000,
            lambda: [self.run_of(i * 200_000, 200_000) for i in range(3)],
            pausing=True,
        )
        await self.whole(DATA[:600_000])

    async def test_empty(self) -> None:
        """No bytes at all are an answer too."""
        self.answering(0, list)
        await self.whole(b"")

    async def test_head(self) -> None:
        """HEAD gets the head, with the length, and no source is opened."""
        self.answering(77, lambda: [self.run_of(0, 77)])
        peer = await self.connect()
        peer.send(HEAD + HEAD)
        await peer.until(b"(Content-Length: 77.*\r\n\r\n.*){2}")
        self.assertNotIn(DATA[:10], peer.data)
        self.assertEqual(self.opened, [])

    async def cut(self) -> bytes:
        """One GET ends with a cut connection, everything closed, and Damaged."""
        answer = await self.exchange(GET + GET)
        self.assertEqual([type(error) for error in self.errors], [Damaged])
        self.assertTrue(all(source.closed for source in self.opened))
        return answer

    async def test_truncated_large_file(self) -> None:
        """A file that ends early never looks whole."""
        size = len(DATA)
        self.answering(size + 100_000, lambda: [self.run_of(0, size + 100_000)])
        self.assertLess(len(await self.cut()), size + 100_000)

    async def test_truncated_push(self) -> None:
        """A source that sends too little never looks whole."""
        self.answering(200, lambda: [self.push(bytes(100), 200)])
        self.assertLess(len((await self.cut()).partition(b"\r\n\r\n")[2]), 200)

    async def test_too_few_sources(self) -> None:
        """Sources that end early never look whole."""
        self.answering(200_100, lambda: [self.run_of(0, 200_000)])
        self.assertLess(len((await self.cut()).partition(b"\r\n\r\n")[2]), 200_100)

    async def test_too_many_bytes(self) -> None:
        """Never more than the Content-Length: a client would take the rest for the next answer."""
        self.answering(
            100_000, lambda: [self.run_of(0, 90_000), self.run_of(0, 90_000)]
        )
        body = (await self.cut()).partition(b"\r\n\r\n")[2]
        self.assertLessEqual(len(body), 90_000)

    async def test_before_the_head(self) -> None:
        """What fails before the head is out leaves the answer to the caller."""

        async def operation(request: GatewayRequest) -> None:
            async def none() -> AsyncIterator[IByteSource]:
                raise Damaged()
                yield

            try:
                await send(request, 200, [], 5, none())
            except Damaged:
                request.answer_document(500, [], b"sorry")

        self.serve(operation)
        peer = await self.connect()
        peer.send(GET)
        await peer.until(b"500 .*sorry$")

    async def vanish(self, expected: Any) -> None:
        """A client that stalls and goes leaves nothing open, and no timer or error behind."""
        peer = await self.connect()
        peer.send(GET)
        await peer.until(b"ETag")
        peer.transport.pauseProducing()
        for _ in range(20):
            await deferLater(reactor, 0)
        peer.transport.abortConnection()
        while not self.errors:
            await deferLater(reactor, 0)
        self.assertIsInstance(self.errors[0], expected)
        self.assertTrue(all(source.closed for source in self.opened))

    async def test_vanish(self) -> None:
        """Gone in mid-file; Klein cancels the coroutine."""

        def files() -> Iterator[Any]:
            for _ in range(4):
                yield self.run_of(0, len(DATA))

        self.answering(4 * len(DATA), files)
        await self.vanish(CancelledError)

    async def test_vanish_push(self) -> None:
        """Gone in mid-push; Klein cancels the coroutine."""

        def pushes() -> Iterator[Any]:
            for _ in range(4):
                yield self.push(DATA)

        self.answering(4 * len(DATA), pushes)
        await self.vanish(CancelledError)

    async def test_vanish_uncancelled(self) -> None:
        """Where nothing cancels, send fails with ClientGone."""
        failed: Deferred[BaseException] = Deferred()

        async def operation(request: GatewayRequest) -> None:
            async def each() -> AsyncIterator[IByteSource]:
                for _ in range(4):
                    yield self.run_of(0, len(DATA))

            try:
                await send(request, 200, [], 4 * len(DATA), each())
            except BaseException as error:
                failed.callback(error)

        self.serve(operation, Bare)
        peer = await self.connect()
        peer.send(GET)
        await peer.until(b"\r\n\r\n")
        peer.transport.pauseProducing()
        peer.transport.abortConnection()
        self.assertIsInstance(await failed, ClientGone)

    async def test_split(self) -> None:
        """A header that would split the answer is refused, and nothing of it is sent."""

        async def operation(request: GatewayRequest) -> None:
            for value in (b"a\r\nX-B: 1", b"a\nb", b"a\rb", b"a\0"):
                with self.assertRaises(ValueError):
                    request.answer_document(200, [(b"X-A", value)], b"")
            with self.assertRaises(ValueError):
                request.answer_document(200, [(b"X\r\nA", b"")], b"")
            request.answer_document(200, [], b"fine")

        self.serve(operation)
        peer = await self.connect()
        peer.send(GET)
        self.assertEqual((await peer.until(b"fine$")).count(b"\r\n\r\n"), 1)

    async def test_no_content(self) -> None:
        """204 and 304 have neither body nor length, and the connection lives on."""

        async def operation(request: GatewayRequest) -> None:
            status = 200 if request.raw_target == b"/k" else int(request.raw_target[1:])
            request.answer_document(status, [], b"body")

        self.serve(operation)
        peer = await self.connect()
        for target in (b"204", b"304"):
            peer.send(GET.replace(b"/k", b"/" + target))
        peer.send(GET)
        data = await peer.until(b"body$")
        self.assertEqual(data.count(b"body"), 1)
        self.assertEqual(data.count(b"Content-Length"), 1)


class ThreadTests(SendTests):
    """The same where a thread goes on as soon as it may."""

    def setUp(self) -> None:
        """Threads for whatever is left, and a count of their parts."""
        super().setUp()
        self.parts = 0
        for name in ("LARGE", "FAST"):
            self.patch(sending, name, 1)

        def run_in_thread(work: Callable[[], int]) -> Deferred[int]:
            self.parts += 1
            # So that nobody is in a thread when the next test begins.
            done: Deferred[int] = deferToThread(work)
            self.addCleanup(lambda: done)
            return done

        self.run_in_thread = run_in_thread

    async def test_large_file(self) -> None:
        """A file goes by sendfile, most of it in threads, and they are counted."""
        await super().test_large_file()
        self.assertGreater(self.parts, 1)
        self.assertEqual(self.site.sending, 0)

    async def test_no_descriptor(self) -> None:
        """Where none is left for a thread, the reactor goes on."""

        def refuse(*arguments: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        self.patch(sending, "Part", refuse)
        await super().test_large_file()
        self.assertEqual(self.parts, 0)

    async def test_thread_that_fails(self) -> None:
        """What nobody expects of a thread cuts the answer."""

        def run_in_thread(work: Callable[[], int]) -> Deferred[int]:
            return fail(Damaged())

        self.run_in_thread = run_in_thread
        size = len(DATA)
        self.answering(size, lambda: [self.run_of(0, size)])
        self.assertLess(len(await self.cut()), size)


class TLSTests(SendTests):
    """The same over TLS, where nothing may go past the encryption."""

    plain = False

    async def connect(self) -> Peer:
        """A client over TLS, to a TLS endpoint of its own before the same site."""
        key = ssl.KeyPair.generate(size=2048)
        certificate = key.selfSignedCert(1, CN="localhost")
        endpoint = SSL4ServerEndpoint(
            reactor, 0, certificate.options(), interface="127.0.0.1"
        )
        listening = await endpoint.listen(self.site)
        self.addCleanup(listening.stopListening)
        client = SSL4ClientEndpoint(
            reactor, "127.0.0.1", listening.getHost().port, ssl.CertificateOptions()
        )
        peer = await connectProtocol(client, Peer())
        self._peers.append(peer)
        return peer


class RequestIdTests(SynchronousTestCase):
    """Request ids."""

    def test_form(self) -> None:
        """16 upper-case hexadecimal digits, never twice."""
        made = {new_request_id() for _ in range(1000)}
        self.assertEqual(len(made), 1000)
        for name in made:
            self.assertRegex(name, r"^[0-9A-F]{16}$")
