"""How commits end whose answer does not come, and what else a server does not answer: nothing is done twice, and nobody waits for ever."""

from __future__ import annotations

import os
import signal
from threading import Event
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol

from ozgate.errors import NoSpace, Overtaken, Unavailable, Uncertain
from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.metadata_base import blob, doomed_names
from ozgate.values import Claim
from tests.contract.test_postgresql_failures import (
    SHORT,
    FailureCase,
    add_one,
    count_of,
    sleep,
)

try:
    from ozgate.metadata.postgresql import pool, running, session, settling
    from ozgate.metadata.postgresql.connections import Address
    from ozgate.metadata.postgresql.store import PostgreSQLMetadataStore
except ImportError:
    PostgreSQLMetadataStore = None  # type: ignore[assignment,misc]


class CommitCase(FailureCase):
    """A store behind a proxy."""

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


class CommitTests(CommitCase):
    """Commits whose answer does not come."""

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

    async def test_answer_of_a_pooler(self) -> None:
        """Who says that the connection to the server failed says nothing of the commit, though it is an error with a code, and comes while the connection is there."""
        fields = b"SFATAL\0VFATAL\0C08P01\0Mserver conn crashed?\0\0"
        wire = Wire(True, says=b"E" + (len(fields) + 4).to_bytes(4) + fields)
        store = await self.behind(wire)
        wire.is_armed = True
        self.assertEqual(await store.write(add_one, "n"), 1)
        self.assertEqual((wire.cut, await self.store.read(count_of, "n")), (1, 1))

    async def test_too_old(self) -> None:
        """A transaction that took for too long is not committed, and its connection goes on."""
        self.patch(running, "MOST", 0.0)
        await self.assertFailure(self.store.write(add_one, "n"), Unavailable)
        self.patch(running, "MOST", 25.0)
        self.assertEqual(await self.store.write(add_one, "n"), 1)

    async def test_too_old_by_the_server(self) -> None:
        """Nor is one that names bytes or gives some up, where only the server's clock tells: its gateway stood still just before the commit."""
        self.patch(running, "MOST", SHORT)
        self.patch(running, "_check_age", lambda session, began: None)
        work = self.store.write(_give_up, "b1", 2 * SHORT)
        error = await self.assertFailure(work, Unavailable)
        self.assertIn("took more than", str(error))
        self.assertEqual(await self.store.read(doomed_names), [])
        await self.store.write(_give_up, "b1", 0.0)
        self.assertEqual(await self.store.read(doomed_names), ["b1"])

    async def test_stands_still(self) -> None:
        """Who stands still in the middle of a transaction loses it, and what it has claimed is free; it does it anew when it goes on."""
        self.patch(session, "IDLE_SECONDS", SHORT)
        store = await self.opened(Address(self.url))
        stood = Event()
        frozen = store.write(_stand_still, "n", stood)
        try:
            # Waits for the claim, until the server takes it away.
            self.assertEqual(await self.store.write(add_one, "n"), 1)
        finally:
            stood.set()
        self.assertEqual(await frozen, 2)

    async def test_refused_at_commit(self) -> None:
        """What a commit itself fails of was surely not done: it is said what it was, and the connection goes on."""
        self.server.execute(_REFUSES_AT_COMMIT, self.name)
        for name, kind in ("53100", NoSpace), ("40001", Overtaken), ("25P02", None):
            self.patch(running, "ATTEMPTS", 2)
            work = self.store.write(add_one, name)
            error = await self.assertFailure(work, kind or Unavailable)
            self.assertIn(f"({name})", str(error))
            self.assertEqual(await self.store.read(count_of, name), 0)
        self.assertEqual(await self.store.write(add_one, "n"), 1)

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


def _give_up(tx: IMetadataTransaction, name: str, seconds: float) -> None:
    """Give up a blob, and take some time."""
    tx.doom([blob(name)])
    sleep(tx, seconds)


def _stand_still(tx: IMetadataTransaction, name: str, until: Event) -> int:
    """Count in a named value, once something has come to pass."""
    tx.claim(Claim.setting(name))
    count_of(tx, name)
    until.wait(20)
    return add_one(tx, name)


_REFUSES_AT_COMMIT = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'refused' USING ERRCODE = NEW.name; END $$;
    CREATE CONSTRAINT TRIGGER refusal AFTER INSERT ON settings DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.name <> 'n') EXECUTE FUNCTION refuse()
"""


class SilenceTests(CommitCase):
    """Servers that acknowledge what they get, and answer nothing."""

    async def test_stopped_while_frozen(self) -> None:
        """Who closes a store waits for no server."""
        # A read is answered before its transaction is ended, which takes no longer than a write.
        await self.store.read(count_of, "n")
        await self.store.write(add_one, "n")
        self.server.freeze()
        try:
            await self.store.close()
        finally:
            self.server.thaw()

    async def test_new_connection(self) -> None:
        """A new connection that gets no answer is given up soon, and its thread goes on with another."""
        self.patch(session, "SET_UP_SECONDS", SHORT)
        wire = Wire(lose_answer=True)
        store = await self.behind(wire)
        wire.is_silent = True
        await self.refused(store.write(add_one, "n"))
        wire.is_silent = False
        self.assertEqual(await store.write(add_one, "n"), 1)

    async def test_others_of_before(self) -> None:
        """Once a connection got no answer, nobody waits for others of the same time: those that come next are new."""
        self.patch(pool, "MARGIN", SHORT)
        store = await self.opened(Address(self.url, statement=1.0))
        await gatherResults([store.write(sleep, 0.1) for _ in range(4)])
        of = f"FROM pg_stat_activity WHERE datname = '{self.name}'"
        frozen = [pid for (pid,) in self.server.execute(f"SELECT pid {of}")]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
            self.addCleanup(os.kill, pid, signal.SIGCONT)
        self.assertGreater(len(frozen), 1)
        await self.refused(store.write(add_one, "n"))
        for _ in frozen:
            await store.write(add_one, "n")

    async def test_asked_how_it_ended(self) -> None:
        """A server that is asked how a commit ended, and says nothing, is not waited for."""
        self.patch(session, "SET_UP_SECONDS", SHORT)
        self.patch(settling, "SECONDS", SHORT)
        wire = Wire(lose_answer=True)
        store = await self.behind(wire)
        await store.write(add_one, "m")
        wire.is_armed = wire.is_silent = True
        await self.assertFailure(store.write(add_one, "n"), Uncertain)
        self.assertEqual(await self.store.write(add_one, "n"), 2)


class Wire(Factory):
    """A proxy that cuts a connection at its first commit, once it is armed.

    :param says: what the client is told before its connection is cut, in the place of the answer.
    :param then: whether it refuses connections after that.
    :ivar is_silent: whether it passes on nothing of new connections that comes after they are let in.
    :ivar cut: how often it cut one.
    """

    port = 0

    def __init__(
        self, lose_answer: bool, then: bool = False, says: bytes = b""
    ) -> None:
        self.lose_answer = lose_answer
        self.refuses_after = then
        self.says = says
        self.is_armed = self.is_silent = False
        self.cut = 0

    def buildProtocol(self, addr: object) -> Protocol | None:
        """The client's end."""
        if self.cut and self.refuses_after:
            return None
        return _Client(self, self.is_silent)


class _Client(Protocol):
    def __init__(self, wire: Wire, is_silent: bool) -> None:
        self._wire = wire
        self._is_silent = is_silent
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

    def cut(self) -> None:
        """Instead of the answer."""
        self.transport.write(self._wire.says)
        reactor.callLater(
            SHORT if self._wire.says else 0, self.transport.abortConnection
        )

    def dataReceived(self, data: bytes) -> None:
        if self._is_silent and b"pg_backend_pid" in data:
            return
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
            self._client.cut()
        else:
            self._client.transport.write(data)

    def connectionLost(self, reason: object = None) -> None:
        self._client.transport.loseConnection()
