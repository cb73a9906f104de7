"""Large documents that clients asked for and do not read: they are accounted for, so that there are only so many of them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5

from ozgate.auth.sigv4 import sign
from ozgate.testing.inmemory import CLIENT, join, settle
from tests.operations.many import Reader
from tests.operations.support import REGION, SECRETS, URL, OperationTestCase

KEYS = [f"{number:03}{'中' * 330}" for number in range(100)]
LIST = "/bucket?list-type=2&encoding-type=url"


class UnreadTests(OperationTestCase):
    """Listings of some 300 KB."""

    async def _open(self) -> None:
        await super()._open()
        await self.add_objects(*KEYS)
        self.size = len((await self.client.request("GET", LIST)).body)
        self.memory = self.client.gateway.memory
        self.readers: list[Reader] = []

    def ask(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> Reader:
        """A client that has asked and does not read."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        now = self.clock.seconds()
        secret = SECRETS["testuser"]
        signed = sign(method, URL + target, named, "testuser", secret, REGION, now)
        signed["content-length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in signed.items()]
        reader = Reader("\r\n".join([*lines, "", ""]).encode() + body)
        channel = self.client.site.buildProtocol(CLIENT)
        join(self.clock, channel, reader)
        settle(self.clock)
        self.readers.append(reader)
        return reader

    def read_all(self) -> None:
        """Have everybody read, and go."""
        for reader in self.readers:
            reader.transport.resumeProducing()
        settle(self.clock)
        for reader in self.readers:
            reader.transport.loseConnection()
        settle(self.clock)

    async def test_bounded(self) -> None:
        """What is unread is held, up to the limit; one more hears SlowDown; when it is read there is room, and nothing is missing."""
        self.memory.most = 3 * self.size + 1000
        for number in range(1, 4):
            self.ask("GET", LIST)
            self.assertEqual(self.memory.held, number * self.size)
        answer = await self.client.request("GET", LIST)
        self.assertEqual((answer.status, answer.code), (503, "SlowDown"))
        self.assertEqual(answer.headers["retry-after"], "1")
        self.assertEqual(self.memory.held, 3 * self.size)
        self.read_all()
        self.assertEqual(self.memory.held, 0)
        for reader in self.readers:
            self.assertTrue(reader.heard.startswith(b"HTTP/1.1 200 "))
            self.assertTrue(reader.heard.endswith(b"</ListBucketResult>"))
        self.assertEqual((await self.client.request("GET", LIST)).status, 200)

    def test_small(self) -> None:
        """A small document finds room always, and takes none."""
        self.memory.most = 1
        reader = self.ask("GET", LIST + "&max-keys=2")
        self.assertEqual(self.memory.held, 0)
        self.read_all()
        self.assertTrue(reader.heard.startswith(b"HTTP/1.1 200 "))

    def test_gone(self) -> None:
        """Who goes without having read leaves nothing held, also where the connection was to end after the answer."""
        for more in ({}, {"connection": "close"}):
            self.ask("GET", LIST, **more)
        self.assertEqual(self.memory.held, 2 * self.size)
        for reader in self.readers:
            reader.transport.abortConnection()
        settle(self.clock)
        self.assertEqual(self.memory.held, 0)

    def test_closing(self) -> None:
        """Nor does who reads to the end, on a connection that ends then."""
        reader = self.ask("GET", LIST, connection="close")
        self.assertEqual(self.memory.held, self.size)
        reader.transport.resumeProducing()
        settle(self.clock)
        self.assertTrue(reader.gone)
        self.assertTrue(reader.heard.endswith(b"</ListBucketResult>"))
        self.assertEqual(self.memory.held, 0)

    def test_what_is_done(self) -> None:
        """What has been done is answered whether there is room or not, and counts for those who come then."""
        named = "".join(f"<Object><Key>{key}</Key></Object>" for key in KEYS)
        body = f"<Delete>{named}</Delete>".encode()
        self.memory.most = len(body)
        digest = b64encode(md5(body, usedforsecurity=False).digest()).decode()
        reader = self.ask("POST", "/bucket?delete", body, content_md5=digest)
        self.assertGreater(self.memory.held, len(body) - 1)
        self.read_all()
        self.assertEqual(reader.heard.count(b"<Deleted>"), len(KEYS))
        self.assertEqual(self.memory.held, 0)
