"""A client that speaks bytes and reads answers strictly, one by one: what tests of framing need."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import socket
import struct
from types import TracebackType

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.running import Server, shared_server

EXPECT = "Expect: 100-continue"


def md5(data: bytes) -> str:
    """A Content-MD5."""
    return base64.b64encode(hashlib.md5(data).digest()).decode()


@frozen
class Heard:
    """One answer.

    :ivar headers: (lower-case name, value) of each line, in order.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> str:
        """S3's code in an error document; ``""`` without one."""
        found = re.search(rb"<Code>(\w+)</Code>", self.body)
        return found[1].decode() if found else ""

    def header(self, name: str) -> str:
        """The value of a header that is there once; ``""`` where it is not."""
        values = [value for found, value in self.headers if found == name]
        assert len(values) < 2, self.headers
        return values[0] if values else ""


class Talk:
    """A connection to a server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._data = b""

    def __enter__(self) -> Talk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has cut the connection by then is heard at the next read."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    def end(self) -> None:
        """Say that no more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End with a reset, as a crash does."""
        linger = struct.pack("ii", 1, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.socket.close()

    def hear(self, method: str = "GET") -> Heard:
        """The next answer, interim ones too.

        :param method: of its request: HEAD has no body.
        :raises EOFError: the connection ended before, or in its middle.
        """
        while b"\r\n\r\n" not in self._data:
            self._more()
        head, _, self._data = self._data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = line.split(" ")
        assert version == "HTTP/1.1", line
        pairs = [each.partition(": ") for each in lines]
        assert all(colon for _, colon, _ in pairs), lines
        headers = [(name.lower(), value) for name, _, value in pairs]
        assert "transfer-encoding" not in dict(headers), headers
        length = int(dict(headers).get("content-length", "0"))
        if method == "HEAD" or status in ("100", "204", "304"):
            length = 0
        while len(self._data) < length:
            self._more()
        body, self._data = self._data[:length], self._data[length:]
        return Heard(int(status), headers, body)

    def rest(self) -> bytes:
        """Everything until the connection ends."""
        with contextlib.suppress(EOFError):
            while True:
                self._more()
        return self._data

    def _more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError(self._data)
        self._data += data


class TalkCase(SynchronousTestCase):
    """Tests that speak bytes to one server, with one bucket and one object, which must be as they were afterwards."""

    settings: tuple[str, ...] = ()
    server: Server

    def setUp(self) -> None:
        """Have it."""
        self.server = shared_server(*self.settings)
        self.assertIn(self.server.request("PUT", "/bucket")[0], (200, 409))
        status, _, _ = self.server.request("PUT", "/bucket/kept", body=b"kept")
        self.assertEqual(status, 200)
        self.logged = len(self.server.output())

    def tearDown(self) -> None:
        """The service lives, nobody's mistake is an error in its log, and the one object is all there is."""
        listing = self.server.request("GET", "/bucket?list-type=2")[2]
        self.assertEqual(listing.count(b"<Key>"), 1, listing)
        self.assertIn(b"<Key>kept</Key>", listing)
        self.assertEqual(self.server.request("GET", "/bucket/kept")[2], b"kept")
        uploads = self.server.request("GET", "/bucket?uploads=")[2]
        self.assertNotIn(b"<UploadId>", uploads)
        self.assertNotRegex(self.server.output()[self.logged :], "Traceback|rror")

    def talk(self) -> Talk:
        """A new connection."""
        return Talk(self.server.port)

    def only(self, data: bytes, method: str = "GET") -> Heard:
        """The one answer to some bytes, after which the connection ends."""
        with self.talk() as talk:
            talk.send(data)
            heard = talk.hear(method)
            self.assertEqual(talk.rest(), b"", data[:200])
            return heard

    def head(self, method: str, target: str, *lines: str, **headers: str) -> bytes:
        """The head of a signed request.

        :param lines: header lines that are not signed, as they are.
        :param headers: signed ones, ``_`` for ``-``.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.head(method, target, named, lines)
