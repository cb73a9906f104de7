"""How commits end whose answer does not come, and what else a server does not answer: nothing is done twice, and nobody waits for ever."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol

from ozgate.errors import Uncertain
from tests.contract.test_postgresql_failures import (
    SHORT,
    FailureCase,
    add_one,
    count_of,
    sleep,
)

try:
    from ozgate.metadata.postgresql import pool, settling
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    PostgreSQLMetadataStore = None  # type: ignore[assignment,misc]


class CommitTests(FailureCase):
    """Commits whose answer does not come."""

    async def behind(self, wire: Wire) -> Any:
        """A store whose connections pass a proxy."""
        listening = reactor.listenTCP(0, wire, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        wire.port = self.server.port
        passfile = self.server.passfile.with_name(f"passfile-{self.name}")
        port = listening.getHost().port
        passfile.touch(0o600)
        text = self.server.passfile.read_text()
        passfile.write_text(text + text.replace(str(self.server.port), str(port)))
        url = f"postgresql://ozgate@127.0.0.1:{port}/{self.name}?passfile={passfile}"
        store = PostgreSQLMetadataStore(Address(url), reactor)
        await store.open()
        self.addCleanup(store.close)
        return store

    async def test_answer_lost(self) -> None:
        """A commit that was done is found to be done, and is not done twice."""
        wire = Wire(lose_answer=True)
        store = await self.behind(wire)
        wire.is_armed = True
        self.assertEqual(await store.write(add_one, "n"), 1)
        self.assertEqual((wire.cut, await self.store.read(count_of, "n")), (1, 1))

    async def test_commit_lost(self) -> None:
        """A commit that never came is found not to be done, and the interaction is run anew."""
        wire = Wire(lose_answer=False)
        store = await self.behind(wire)
        wire.is_armed = True
        self.assertEqual(await store.write(add_one, "n"), 1)
        self.assertEqual(wire.cut, 1)
        self.assertEqual(await self.store.read(count_of, "n"), 1)

    async def test_nobody_to_ask(self) -> None:
        """Where nobody can be asked how it ended, that is said to be unknown."""
        self.patch(settling, "SECONDS", SHORT)
        wire = Wire(lose_answer=True, then=True)
        store = await self.behind(wire)
        wire.is_armed = True
        await self.assertFailure(store.write(add_one, "n"), Uncertain)
        self.assertEqual(await self.store.read(count_of, "n"), 1)

    async def test_standby_does_not_answer(self) -> None:
        """A commit that waited in vain for a standby is not said to be done: the server has it, and perhaps nobody else."""
        self.patch(pool, "MARGIN", SHORT)
        self.patch(settling, "SECONDS", SHORT)
        store = await self.opened(Address(self.url, statement=SHORT))
        await store.write(add_one, "m")
        self.server.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        self.server.execute("SELECT pg_reload_conf()")
        try:
            await self.store.read(sleep, SHORT)
            await self.assertFailure(store.write(add_one, "n"), Uncertain)
        finally:
            self.server.execute("ALTER SYSTEM RESET synchronous_standby_names")
            self.server.execute("SELECT pg_reload_conf()")
        # It is claimed until the server need not wait any more.
        self.assertEqual(await self.store.write(add_one, "n"), 2)


class Wire(Factory):
    """A proxy that cuts a connection at its first commit, once it is armed.

    :ivar cut: how often it did.
    """

    port = 0

    def __init__(self, lose_answer: bool, then: bool = False) -> None:
        self.lose_answer = lose_answer
        self.refuses_after = then
        self.is_armed = False
        self.cut = 0

    def buildProtocol(self, addr: object) -> Protocol | None:
        """The client's end."""
        if self.cut and self.refuses_after:
            return None
        return _Client(self)


class _Client(Protocol):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._server: Any = None
        self._held: list[bytes] = []
        self.is_cut = False

    def connectionMade(self) -> None:
        endpoint = HostnameEndpoint(reactor, "127.0.0.1", self._wire.port)
        connectProtocol(endpoint, _Server(self)).addCallbacks(
            self._joined, lambda _: self.transport.abortConnection()
        )

    def _joined(self, server: Any) -> None:
        self._server = server.transport
        self._server.write(b"".join(self._held))

    def dataReceived(self, data: bytes) -> None:
        if self._wire.is_armed and b"COMMIT\0" in data and not self._wire.cut:
            self._wire.cut += 1
            self.is_cut = True
            if not self._wire.lose_answer:
                self._server.abortConnection()
                self.transport.abortConnection()
                return
        if self._server is None:
            self._held.append(data)
        else:
            self._server.write(data)

    def connectionLost(self, reason: object = None) -> None:
        if self._server is not None:
            self._server.loseConnection()


class _Server(Protocol):
    def __init__(self, client: _Client) -> None:
        self._client = client

    def dataReceived(self, data: bytes) -> None:
        if self._client.is_cut:
            # This is the answer.
            self._client.transport.abortConnection()
        else:
            self._client.transport.write(data)

    def connectionLost(self, reason: object = None) -> None:
        self._client.transport.loseConnection()
