"""Bodies as they come in, and a gateway in memory that receives them: shared by the tests of :mod:`ozgate.s3.receive`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ozgate.config.settings import Settings
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.asked import Asked
from ozgate.s3.call import Call, asked_of
from ozgate.s3.checksums import ALGORITHMS, encode
from ozgate.s3.receive import Received, receive
from ozgate.s3.row import Body, Operation
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import BlobRef, Principal
from ozgate.wire.body import RequestBody
from ozgate.wire.headers import Headers
from ozgate.wire.target import Scope, parse_address
from tests.started import started
from tests.unit.auth.chunking import verified

SMALL = b"small body"
LARGE = bytes(range(256)) * 1024
PUT = Operation(
    "PutObject", "PUT", Scope.OBJECT, (), None, "s3:PutObject", body=Body.STREAM
)
UNSIGNED = verified("UNSIGNED-PAYLOAD")


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum of bytes, base64."""
    computing = ALGORITHMS[algorithm].new()
    computing.update(data)
    return encode(computing.digest())


def at_once(function: Any, *args: Any) -> Deferred[Any]:
    """Runs what a thread would."""
    return maybeDeferred(function, *args)


class Connection:
    """Where a body comes from: pieces that go to it while it is read."""

    def __init__(self, data: bytes, length: int | None, piece: int = 10000) -> None:
        self.pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
        self.body = RequestBody(self, length)
        self.reading = False
        self.drained = False

    def resume_body(self) -> None:
        """Let bytes come."""
        self.reading = True

    def pause_body(self) -> None:
        """Let none come."""
        self.reading = False

    def send_continue(self) -> None:
        """Nobody waits for it."""

    def drain_body(self) -> None:
        """The rest is not wanted."""
        self.drained = True

    def run(self) -> None:
        """Deliver what the body wants."""
        while self.pieces and self.reading and not self.drained:
            self.body.data_received(self.pieces.pop(0))
        if not self.pieces and not self.drained and not self.body.complete:
            self.body.all_received()


class ReceiveCase(SynchronousTestCase):
    """A gateway in memory."""

    def setUp(self) -> None:
        """Make the stores and the gateway."""
        self.clock = clock = Clock()
        self.blobs = MemoryBlobStore(clock)
        self.successResultOf(started(self.blobs))
        self.metadata = MemoryMetadataStore(clock)
        self.successResultOf(started(self.metadata))
        self.gateway = Gateway(
            Settings(),
            self.metadata,
            BlobStores(self.blobs),
            Readers(),
            clock,
            at_once,
            process="test",
        )

    def call(
        self,
        connection: Connection,
        gate: Any = UNSIGNED,
        operation: Any = PUT,
        **headers: str,
    ) -> Call:
        """A call with that body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if connection.body.length is not None:
            named["content-length"] = str(connection.body.length)
        asked = asked_of(
            self.gateway,
            operation,
            parse_address(b"/bucket/key", b"localhost", ()),
            Headers(named),
            Principal("somebody"),
        )
        return Call(
            self.gateway,
            operation,
            asked,
            gate,
            connection.body,
            "1",
        )

    def start(
        self,
        data: bytes,
        length: int | None = -1,
        gate: Any = UNSIGNED,
        inline: bool = True,
        algorithms: tuple[str, ...] = (),
        **headers: str,
    ) -> Deferred[Received]:
        """Have a body received that arrives at once; ``length`` -1: as long as it is."""
        connection = Connection(data, len(data) if length == -1 else length)
        call = self.call(connection, gate, **headers)
        done: Deferred[Received] = Deferred.fromCoroutine(
            receive(call, inline=inline, algorithms=algorithms)
        )
        connection.run()
        return done

    def taken(self, data: bytes, **rest: Any) -> Received:
        """What came of a body."""
        return self.successResultOf(self.start(data, **rest))

    def refused(self, error: type[Exception], data: bytes, **rest: Any) -> Any:
        """The error that a body was refused with, nothing of it left."""
        failure = self.failureResultOf(self.start(data, **rest), error)
        self.assert_nothing_left()
        return failure.value

    def assert_nothing_left(self) -> None:
        """No blob is being written, and none is there but doomed."""
        self.assertEqual(self.blobs.sinks, set())
        doomed = self.successResultOf(self.metadata.read(all_doomed))
        self.assertEqual(set(self.blobs.data), {blob.id for blob in doomed})


def all_doomed(tx: IMetadataTransaction) -> list[BlobRef]:
    """Every doomed blob."""
    return list(tx.doomed("memory", 1 << 60, 1000))


def allow(tx: IMetadataTransaction, asked: Asked) -> None:
    """An interaction by which everybody may."""
