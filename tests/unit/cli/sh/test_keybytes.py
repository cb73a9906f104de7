"""The bytes of keys on the side of the command: what becomes of files that shrink, early answers, cut connections."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from http.client import HTTPConnection, IncompleteRead
from io import BytesIO
from typing import Any, BinaryIO

from twisted.internet.interfaces import IConsumer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from ozgate.admin.errors import AdminError
from ozgate.cli.asking import exchange
from ozgate.cli.sh.keybytes import BLOCK, Get, Put
from ozgate.cli.sh.offlinebytes import FileBody

NAMES = {"volume": "v", "bucket": "b", "key": "k"}


@implementer(IConsumer)
class Greedy:
    """Takes bytes; may pause its producer after each write."""

    def __init__(self, pauses: bool = False) -> None:
        self.taken = b""
        self.producer: Any = None
        self._pauses = pauses

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Keep it."""
        self.producer = producer

    def unregisterProducer(self) -> None:
        """Forget it."""
        self.producer = None

    def write(self, data: bytes) -> None:
        """Take some."""
        self.taken += data
        if self._pauses:
            self.producer.pauseProducing()


class Full(BytesIO):
    """A file on a full disk."""

    def write(self, data: Any) -> int:
        """Fail."""
        raise OSError(28, "No space left on device")


class FileBodyTests(SynchronousTestCase):
    """A local file as the body of a request."""

    def body(self, file: BinaryIO, size: int) -> tuple[FileBody, Clock, list[int]]:
        """A body, what moves it, and what it tells."""
        clock, told = Clock(), list[int]()
        return FileBody(clock, file, size, told.append), clock, told

    def test_whole(self) -> None:
        """All bytes are given, a block a turn, and told of."""
        data = os.urandom(2 * BLOCK + 5)
        source, clock, told = self.body(BytesIO(data), len(data))
        consumer = Greedy()
        done = source.body.deliver_to(consumer)
        clock.pump([0] * 3)
        self.assertEqual(self.successResultOf(done), len(data))
        self.assertEqual(consumer.taken, data)
        self.assertEqual(told, [BLOCK, BLOCK, 5])
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_paused(self) -> None:
        """While the consumer pauses, the file is not read on."""
        data = os.urandom(3 * BLOCK)
        source, clock, told = self.body(BytesIO(data), len(data))
        consumer = Greedy(pauses=True)
        done = source.body.deliver_to(consumer)
        for turn in range(1, 4):
            clock.pump([0] * 3)
            self.assertEqual(len(told), turn)
            self.assertNoResult(done) if turn < 3 else None
            if consumer.producer is not None:
                consumer.producer.resumeProducing()
        self.assertEqual(self.successResultOf(done), len(data))
        self.assertEqual(consumer.taken, data)

    def test_shrunk(self) -> None:
        """A file that has become shorter fails the delivery."""
        source, clock, _ = self.body(BytesIO(b"abc"), 5)
        done = source.body.deliver_to(Greedy())
        clock.pump([0] * 3)
        self.failureResultOf(done, AdminError)

    def test_unwanted(self) -> None:
        """What is discarded is not read."""
        source, clock, told = self.body(BytesIO(b"abc"), 3)
        source.body.discard()
        clock.pump([0] * 3)
        self.assertEqual((told, clock.getDelayedCalls()), ([], []))


class ExchangeTests(SynchronousTestCase):
    """Bytes over a connection."""

    def connect(self, answer: bytes, *, closes: bool = False) -> HTTPConnection:
        """A connection whose other end has answered already, and reads nothing."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        if closes:
            theirs.close()
        connection = HTTPConnection("localhost", timeout=10)
        connection.sock = ours
        return connection

    def nothing(self) -> Callable[[int], None]:
        """Is told and does nothing."""
        return lambda count: None

    def test_answered_early(self) -> None:
        """Sending stops when the service has answered, and what it said is what comes out."""
        said = json.dumps({"code": "QUOTA_EXCEEDED", "message": "no"}).encode()
        head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(said)
        size = 100 << 20
        path = self.mktemp()
        for closes in (False, True):
            connection = self.connect(head + said, closes=closes)
            with open(path, "w+b") as file:
                file.truncate(size)
                request = Put(NAMES, file, size, self.nothing())
                with self.assertRaises(AdminError) as caught:
                    exchange(connection, "there", None, request)
            self.assertEqual(caught.exception.code, "QUOTA_EXCEEDED", closes)

    def test_file_shrunk(self) -> None:
        """A file that has become shorter is named as the reason."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        connection = HTTPConnection("localhost", timeout=10)
        connection.sock = ours
        with self.assertRaises(AdminError) as caught:
            exchange(
                connection, "there", None, Put(NAMES, BytesIO(b"x"), 2, self.nothing())
            )
        self.assertEqual(caught.exception.code, "IO_ERROR")

    def test_cut(self) -> None:
        """An answer that ends early is a failure, not a shorter file."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
        file = BytesIO()
        connection = self.connect(head + b"abc")
        request = Get(NAMES, file, self.nothing())
        response = request.send(connection, {})
        self.assertRaises(IncompleteRead, request.read, response)
        self.assertEqual(file.getvalue(), b"abc")
        connection.close()

    def test_disk_full(self) -> None:
        """A file that takes no more is named as the reason."""
        connection = self.connect(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
        with self.assertRaises(AdminError) as caught:
            exchange(connection, "there", None, Get(NAMES, Full(), self.nothing()))
        self.assertEqual(str(caught.exception), "IO_ERROR No space left on device")
