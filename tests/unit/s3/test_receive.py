"""Tests of :mod:`ozgate.s3.receive`: what is taken, what is refused, and that refusing leaves nothing."""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from typing import Any

from attrs import evolve
from awscrt.checksums import crc64nvme
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from ozgate.blobs.files.store import FileBlobStore
from ozgate.config.settings import Settings
from ozgate.content.readers import Readers
from ozgate.content.stores import BlobStores
from ozgate.errors import (
    BadDigest,
    ClientGone,
    EntityTooLarge,
    IncompleteBody,
    InvalidDigest,
    InvalidRequest,
    MaxMessageLengthExceeded,
    MissingContentLength,
    NoSpace,
    SignatureDoesNotMatch,
    XAmzContentSHA256Mismatch,
)
from ozgate.gateway.gateway import Gateway
from ozgate.interfaces import IBlobStore, IMetadataTransaction
from ozgate.s3.asked import Asked
from ozgate.s3.call import Call, asked_of
from ozgate.s3.checksums import ALGORITHMS, encode
from ozgate.s3.receive import Received, document, keep, receive
from ozgate.s3.row import Body, Operation
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import (
    BlobRef,
    Bucket,
    ByteRange,
    Claim,
    Content,
    Extent,
    Principal,
    Volume,
)
from ozgate.wire.body import RequestBody
from ozgate.wire.headers import Headers
from ozgate.wire.target import Scope, parse_address
from tests.started import started
from tests.unit.auth.chunking import (
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    signed_chunks,
    signed_trailer,
    unsigned,
    verified,
)

SMALL = b"small body"
LARGE = bytes(range(256)) * 1024
PUT = Operation(
    "PutObject", "PUT", Scope.OBJECT, (), None, "s3:PutObject", body=Body.STREAM
)
TAGGING = evolve(PUT, name="PutObjectTagging", body=Body.DOCUMENT)
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


class SelfRunning(Connection):
    """One that delivers by itself, in the reactor's turns."""

    def resume_body(self) -> None:
        """Let bytes come, soon."""
        super().resume_body()
        reactor.callLater(0, self.run)  # type: ignore[attr-defined]


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


class TakenTests(ReceiveCase):
    """Bodies that are what their headers say."""

    def test_inline(self) -> None:
        """A small body stays in memory, and no blob is made."""
        received = self.taken(SMALL, algorithms=("SHA1",))
        self.assertEqual(received.content, Content(SMALL))
        self.assertEqual(received.size, len(SMALL))
        self.assertEqual(received.md5, hashlib.md5(SMALL).hexdigest())
        self.assertEqual(
            received.checksums,
            {name: checksum(name, SMALL) for name in ("CRC64NVME", "SHA1")},
        )
        self.assertIsNone(received.declared)
        self.assertEqual(self.blobs.data, {})

    def test_inline_below(self) -> None:
        """The blob store says up to which size a body stays in memory."""
        limit = self.blobs.inline_below
        self.assertEqual(self.taken(b"x" * limit).content, Content(b"x" * limit))
        self.assertIsNone(self.taken(b"x" * (limit + 1)).content.body)

    def test_never_inline(self) -> None:
        """A small body that must be a blob is one; an empty one never is."""
        received = self.taken(SMALL, inline=False)
        (extent,) = received.content.extents
        self.assertEqual(self.blobs.data[extent.blob.id], SMALL)
        self.assertEqual(extent, Extent(extent.blob, 0, len(SMALL)))
        self.assertEqual(self.taken(b"", inline=False).content, Content(b""))
        self.assertEqual(self.taken(b"").md5, hashlib.md5().hexdigest())

    def test_large(self) -> None:
        """A large body goes to a blob, with all its digests."""
        names = ("SHA256", "CRC32C")
        received = self.taken(LARGE, algorithms=names)
        (extent,) = received.content.extents
        self.assertEqual(self.blobs.data[extent.blob.id], LARGE)
        self.assertEqual(received.md5, hashlib.md5(LARGE).hexdigest())
        self.assertEqual(
            received.checksums,
            {name: checksum(name, LARGE) for name in (*names, "CRC64NVME")},
        )

    def test_stated(self) -> None:
        """What a client states and is true is accepted, of small bodies and large."""
        for data in (SMALL, LARGE):
            md5 = b64encode(hashlib.md5(data).digest()).decode()
            gate = verified(hashlib.sha256(data).hexdigest().upper())
            for name, row in ALGORITHMS.items():
                value = checksum(name, data)
                received = self.taken(
                    data, gate=gate, content_md5=md5, **{row.header: value}
                )
                self.assertEqual(received.declared, name)
                self.assertEqual(received.checksums[name], value)

    def test_trailer(self) -> None:
        """A checksum that comes as trailer counts as stated."""
        for data in (SMALL, LARGE):
            for name, row in ALGORITHMS.items():
                value = checksum(name, data)
                encoded = unsigned([data[:9000], data[9000:]], {row.header: value})
                if len(data) < 9000:
                    encoded = unsigned([data], {row.header: value})
                received = self.taken(
                    encoded,
                    gate=verified(UNSIGNED_TRAILER),
                    x_amz_trailer=row.header,
                    x_amz_decoded_content_length=str(len(data)),
                )
                self.assertEqual(received.size, len(data))
                self.assertEqual(received.declared, name)
                self.assertEqual(received.checksums[name], value)
                self.assertEqual(received.content.length, len(data))

    def test_signed_chunks(self) -> None:
        """Signed chunks with a signed trailer are decoded and verified, also without Content-Length."""
        value = checksum("CRC32", LARGE)
        chunks, last = signed_chunks([LARGE[:100000], LARGE[100000:]])
        trailer = signed_trailer({"x-amz-checksum-crc32": value}, last)
        received = self.taken(
            b"".join(chunks) + trailer,
            length=None,
            gate=verified(SIGNED_TRAILER),
            x_amz_trailer="x-amz-checksum-crc32",
            x_amz_decoded_content_length=str(len(LARGE)),
        )
        (extent,) = received.content.extents
        self.assertEqual(self.blobs.data[extent.blob.id], LARGE)

    def test_several_blobs(self) -> None:
        """Where the store limits a blob, a body becomes several, in order."""
        self.blobs.extent_size = 100000  # type: ignore[misc]
        received = self.taken(LARGE)
        lengths = [extent.length for extent in received.content.extents]
        self.assertEqual(lengths, [100000, 100000, 62144])
        stored = [self.blobs.data[each.blob.id] for each in received.content.extents]
        self.assertEqual(b"".join(stored), LARGE)
        value = encode(crc64nvme(LARGE).to_bytes(8, "big"))
        self.assertEqual(received.checksums, {"CRC64NVME": value})

    def test_whole_blobs(self) -> None:
        """A body of exactly two blobs' size makes two."""
        self.blobs.extent_size = len(LARGE) // 2  # type: ignore[misc]
        self.assertEqual(len(self.taken(LARGE).content.extents), 2)


class RefusedTests(ReceiveCase):
    """Bodies that are not, and requests that say nonsense about them."""

    def test_length(self) -> None:
        """Without a length an object is not taken."""
        self.refused(MissingContentLength, SMALL, length=None)
        for length in (None, "", "-1", "+5", "0x5", "5 ", "5,5", "9" * 20, "٣"):
            headers = {} if length is None else {"x_amz_decoded_content_length": length}
            self.refused(
                MissingContentLength,
                unsigned([SMALL]),
                gate=verified(UNSIGNED_TRAILER),
                **headers,
            )

    def test_too_large(self) -> None:
        """A body above the limit is refused before it is taken, by whatever length says so."""
        self.gateway = evolve(self.gateway, settings=Settings(max_object=5))
        connection = Connection(SMALL, len(SMALL))
        taking = Deferred.fromCoroutine(receive(self.call(connection), inline=True))
        error: Any = self.failureResultOf(taking, EntityTooLarge).value
        self.assertEqual(error.members, {"ProposedSize": 10, "MaxSizeAllowed": 5})
        self.assertFalse(connection.reading)
        self.refused(
            EntityTooLarge,
            unsigned([b"x"]),
            gate=verified(UNSIGNED_TRAILER),
            x_amz_decoded_content_length="6",
        )

    def test_signed_hash(self) -> None:
        """Another body than the signed one is refused, with both hashes."""
        wrong = hashlib.sha256(b"other").hexdigest()
        for data in (b"", SMALL, LARGE):
            error = self.refused(
                XAmzContentSHA256Mismatch, data, gate=verified(wrong), inline=False
            )
            self.assertEqual(
                error.members,
                {
                    "ClientComputedContentSHA256": wrong,
                    "S3ComputedContentSHA256": hashlib.sha256(data).hexdigest(),
                },
            )

    def test_content_md5(self) -> None:
        """A Content-MD5 that is none, or another's, is refused; S3 shows the one that was sent in hex, the other in base64."""
        for value in ("", "abc", "AAAA", "?" * 24, hashlib.md5(SMALL).hexdigest()):
            error = self.refused(InvalidDigest, SMALL, content_md5=value)
            self.assertEqual(error.members, {"Content-MD5": value})
            self.assertEqual(
                error.message, "The Content-MD5 you specified was invalid."
            )
        wrong = b64encode(hashlib.md5(b"other").digest()).decode()
        for data in (SMALL, LARGE):
            error = self.refused(BadDigest, data, content_md5=wrong)
            members = {
                "ExpectedDigest": hashlib.md5(b"other").hexdigest(),
                "CalculatedDigest": b64encode(hashlib.md5(data).digest()).decode(),
            }
            self.assertEqual(error.members, members)

    def test_checksums(self) -> None:
        """A checksum of other bytes is refused, in header or trailer."""
        for data in (SMALL, LARGE):
            for name, row in ALGORITHMS.items():
                value = checksum(name, b"other")
                error = self.refused(BadDigest, data, **{row.header: value})
                self.assertEqual(
                    error.message,
                    f"The {name} you specified did not match the calculated checksum.",
                )
                self.refused(
                    BadDigest,
                    unsigned([data], {row.header: value}),
                    gate=verified(UNSIGNED_TRAILER),
                    x_amz_trailer=row.header,
                    x_amz_decoded_content_length=str(len(data)),
                )

    def test_bad_trailer_value(self) -> None:
        """A trailer that is no checksum is refused."""
        error = self.refused(
            InvalidRequest,
            unsigned([SMALL], {"x-amz-checksum-crc32": "AAAA"}),
            gate=verified(UNSIGNED_TRAILER),
            x_amz_trailer="x-amz-checksum-crc32",
            x_amz_decoded_content_length=str(len(SMALL)),
        )
        self.assertIn("trailing header is invalid", error.message)

    def test_trailer_of_plain_body(self) -> None:
        """A trailer announced for a body that cannot have one is refused."""
        self.refused(InvalidRequest, SMALL, x_amz_trailer="x-amz-checksum-crc32")

    def test_broken_chunks(self) -> None:
        """Broken framing and wrong chunk signatures are refused, and leave nothing."""
        for data in (SMALL, LARGE):
            length = str(len(data))
            chunks, last = signed_chunks([data])
            encoded = b"".join(chunks) + signed_trailer({}, last)
            for error, broken, gate in (
                (IncompleteBody, encoded[:-3], SIGNED_TRAILER),
                (IncompleteBody, encoded + b"x", SIGNED_TRAILER),
                (
                    SignatureDoesNotMatch,
                    encoded.replace(data[:8], data[1:9], 1),
                    SIGNED_TRAILER,
                ),
                (IncompleteBody, encoded, UNSIGNED_TRAILER),
                (IncompleteBody, b"", UNSIGNED_TRAILER),
            ):
                self.refused(
                    error,
                    broken,
                    gate=verified(gate),
                    x_amz_decoded_content_length=length,
                )

    def test_several_blobs(self) -> None:
        """Blobs that were full before the rest was found wrong are doomed."""
        self.blobs.extent_size = 100000  # type: ignore[misc]
        self.refused(
            BadDigest, LARGE, **{"x-amz-checksum-crc32": checksum("CRC32", b"other")}
        )
        self.assertEqual(len(self.blobs.data), 2)

    def test_no_space(self) -> None:
        """A full store stops a body, and keeps nothing of it."""
        self.blobs.capacity = 100000
        self.refused(NoSpace, LARGE)
        self.blobs.capacity = 5
        self.refused(NoSpace, SMALL, inline=False)

    def test_client_gone(self) -> None:
        """A client that vanishes in mid-body leaves nothing."""
        for data in (SMALL, LARGE):
            connection = Connection(data, len(data) + 1)
            call = self.call(connection)
            done = Deferred.fromCoroutine(receive(call, inline=True))
            connection.body.data_received(connection.pieces.pop(0))
            connection.body.failed(ClientGone())
            self.failureResultOf(done, ClientGone)
            self.assert_nothing_left()

    def test_cancelled(self) -> None:
        """A call that is cancelled in mid-body leaves nothing."""
        connection = Connection(LARGE, len(LARGE))
        done = Deferred.fromCoroutine(receive(self.call(connection), inline=True))
        connection.body.data_received(connection.pieces.pop(0))
        self.assertEqual(len(self.blobs.sinks), 1)
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertTrue(connection.drained)
        self.assert_nothing_left()


class ConfirmTests(ReceiveCase):
    """Whether it is asked again who signed, when a body is here."""

    def asked_again(self, data: bytes, seconds: float, *, of_object: bool) -> int:
        """How often, of a body that takes so long."""
        connection = Connection(data, len(data))
        asked = []

        async def admit_again() -> Principal:
            asked.append(connection.body.complete)
            return Principal("again")

        call = evolve(self.call(connection), admit_again=admit_again)
        work = receive(call, inline=True) if of_object else document(call, allow)
        done: Deferred[Any] = Deferred.fromCoroutine(work)
        self.clock.rightNow += seconds
        connection.run()
        self.successResultOf(done)
        self.assertTrue(all(asked))
        self.assertEqual(call.principal.user == "again", bool(asked))
        return len(asked)

    def test_small(self) -> None:
        """A small body that comes at once costs no second look; one that took its time does, and one of which the clock cannot tell."""
        for of_object in (True, False):
            for seconds, times in ((0, 0), (1, 0), (1.5, 1), (3600, 1), (-1, 1)):
                found = self.asked_again(SMALL, seconds, of_object=of_object)
                self.assertEqual(found, times, (of_object, seconds))

    def test_large(self) -> None:
        """A large one of an object does always."""
        self.assertEqual(self.asked_again(LARGE, 0, of_object=True), 1)


def allow(tx: IMetadataTransaction, asked: Asked) -> None:
    """An interaction by which everybody may."""


class DocumentTests(ReceiveCase):
    """Small documents."""

    def document(self, data: bytes, length: Any = -1, **rest: Any) -> Deferred[bytes]:
        """Have a document taken."""
        connection = Connection(data, len(data) if length == -1 else length)
        call = self.call(connection, **rest)
        done: Deferred[bytes] = Deferred.fromCoroutine(document(call, allow))
        connection.run()
        return done

    def test_taken(self) -> None:
        """A document is taken whole, with or without a length, in either coding."""
        self.assertEqual(self.successResultOf(self.document(SMALL)), SMALL)
        self.assertEqual(self.successResultOf(self.document(SMALL, None)), SMALL)
        self.assertEqual(self.successResultOf(self.document(b"")), b"")
        chunked = self.document(
            unsigned([SMALL]),
            gate=verified(UNSIGNED_TRAILER),
            x_amz_decoded_content_length=str(len(SMALL)),
        )
        self.assertEqual(self.successResultOf(chunked), SMALL)

    def test_too_big(self) -> None:
        """A document above the limit is refused, whether it says so or not."""
        self.gateway = evolve(self.gateway, settings=Settings(max_document=9))
        for length in (-1, None):
            done = self.document(SMALL, length)
            error: Any = self.failureResultOf(done, MaxMessageLengthExceeded).value
            self.assertEqual(error.members, {"MaxMessageLengthBytes": 9})

    def test_checksum_required(self) -> None:
        """Where the model demands a checksum, any kind will do, and none will not."""
        demanding = evolve(PUT, checksum_required=True)
        md5 = b64encode(hashlib.md5(SMALL).digest()).decode()
        for headers in (
            {"content_md5": md5},
            {"x_amz_checksum_crc32": checksum("CRC32", SMALL)},
        ):
            done = self.document(SMALL, operation=demanding, **headers)
            self.assertEqual(self.successResultOf(done), SMALL)
        done = self.document(SMALL, operation=demanding)
        error: Any = self.failureResultOf(done, InvalidRequest).value
        self.assertIn("Content-MD5 OR x-amz-checksum-*", error.message)

    def test_wrong(self) -> None:
        """A document that is not what was stated is refused; S3 shows its Content-MD5 as it was sent."""
        md5 = b64encode(hashlib.md5(b"other").digest()).decode()
        done = self.document(SMALL, content_md5=md5, operation=TAGGING)
        error: Any = self.failureResultOf(done, BadDigest).value
        self.assertEqual(error.members["ExpectedDigest"], md5)
        wrong = {"x_amz_checksum_crc32": checksum("CRC32", b"other")}
        self.failureResultOf(self.document(SMALL, **wrong), BadDigest)
        gate = verified(hashlib.sha256(b"other").hexdigest())
        self.failureResultOf(self.document(SMALL, gate=gate), XAmzContentSHA256Mismatch)


def add_bucket(tx: IMetadataTransaction) -> None:
    """Make the bucket of :meth:`ReceiveCase.call`, of whom asks."""
    tx.claim(Claim.volume("s3v"), Claim.name("s3v", "bucket"))
    tx.add_volume(Volume("s3v", "somebody", tx.now()))
    tx.add_bucket(Bucket("s3v", "bucket", "somebody", tx.now()))


def give(tx: IMetadataTransaction, asked: Asked, bucket: Bucket, value: str) -> str:
    """An interaction that succeeds."""
    return value


def refuse(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> None:
    """An interaction that fails."""
    raise InvalidRequest("no")


class KeepTests(ReceiveCase):
    """Naming bytes that were just written."""

    def setUp(self) -> None:
        """Make a bucket besides."""
        super().setUp()
        self.successResultOf(self.metadata.write(add_bucket))

    def test_kept(self) -> None:
        """When the write succeeds its result is given and nothing is doomed."""
        received = self.taken(LARGE)
        call = self.call(Connection(b"", 0))
        kept = Deferred.fromCoroutine(keep(call, received, give, "x"))
        self.assertEqual(self.successResultOf(kept), "x")
        self.assertEqual(self.successResultOf(self.metadata.read(all_doomed)), [])

    def test_failed(self) -> None:
        """When the write fails, the blobs just written are doomed."""
        received = self.taken(LARGE)
        call = self.call(Connection(b"", 0))
        for kept in (received, received.content):
            failed = Deferred.fromCoroutine(keep(call, kept, refuse))
            self.failureResultOf(failed, InvalidRequest)
            self.assert_nothing_left()

    def test_inline_failed(self) -> None:
        """Bytes in the row need no dooming."""
        call = self.call(Connection(b"", 0))
        failed = Deferred.fromCoroutine(keep(call, self.taken(SMALL), refuse))
        self.failureResultOf(failed, InvalidRequest)
        self.assertEqual(self.successResultOf(self.metadata.read(all_doomed)), [])


class FilesTests(TestCase, ReceiveCase):
    """The same with files and threads."""

    def setUp(self) -> Any:
        """Make a gateway on files."""
        ReceiveCase.setUp(self)
        self.files = FileBlobStore(self.mktemp(), "files", Clock(), deferToThread, 10)
        self.gateway = evolve(
            self.gateway, blobs=BlobStores(self.files), run_in_thread=deferToThread
        )
        self.addCleanup(self.files.close_store)
        return started(self.files)

    async def test_taken(self) -> None:
        """A body of some MiB is in a file, byte for byte, with all its digests."""
        assert IBlobStore.providedBy(self.files)
        data = LARGE * 20
        connection = SelfRunning(data, len(data), 65536)
        header = {"x-amz-checksum-sha256": checksum("SHA256", data)}
        received = await receive(self.call(connection, **header), inline=True)
        self.assertEqual(received.md5, hashlib.md5(data).hexdigest())
        self.assertEqual(received.checksums["CRC64NVME"], checksum("CRC64NVME", data))
        (extent,) = received.content.extents
        source = await self.files.open(extent.blob, ByteRange(0, len(data)))
        fd, offset, count = source.as_file()  # type: ignore[misc]
        self.assertEqual(os.pread(fd, count, offset), data)
        source.close()

    async def test_refused(self) -> None:
        """A body that was refused leaves no file."""
        data = LARGE * 20
        connection = SelfRunning(data, len(data), 65536)
        header = {"x-amz-checksum-sha256": checksum("SHA256", b"other")}
        with self.assertRaises(BadDigest):
            await receive(self.call(connection, **header), inline=True)
        self.assertEqual(await self.files.list(1 << 60), [])

    async def test_cancelled(self) -> None:
        """A body cut off leaves no file."""
        data = LARGE * 20
        connection = Connection(data, len(data), 65536)
        done = Deferred.fromCoroutine(receive(self.call(connection), inline=True))
        connection.run()
        done.cancel()
        with self.assertRaises(CancelledError):
            await done
        self.assertEqual(await self.files.list(1 << 60), [])
