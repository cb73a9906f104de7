"""What the tests of operations stand on: a gateway in memory and a client that speaks to it.

:class:`Client` takes a request through addressing, resolving, performing and error rendering,
as the pipeline does, but with neither a socket nor a signature.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from ozgate.auth.sigv4 import Verified
from ozgate.blobs.readers import Readers
from ozgate.config import Settings
from ozgate.errors import IncompleteBody, NotImplemented, NotModified, S3Error
from ozgate.interfaces import IByteSource, IMetadataTransaction
from ozgate.s3.address import parse_address
from ozgate.s3.call import Call, Gateway, Headers
from ozgate.s3.resolve import resolve
from ozgate.s3.xml import error_document
from ozgate.testing.memory_blobs import MemoryBlobStore
from ozgate.testing.memory_metadata import MemoryMetadataStore
from ozgate.values import Content, ObjectVersion, Principal, Volume

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
REQUEST_ID = "0000000000000001"


@implementer(IPushProducer)
class MemoryBody:
    """A request body that is all there: what :class:`ozgate.wire.body.RequestBody` promises.

    :param data: the bytes that arrive.
    :param length: the Content-Length the client declared; ``None`` for chunked coding.
    """

    awaits_continue = False

    def __init__(self, data: bytes, length: int | None) -> None:
        self._data = data
        self.length = length
        self.complete = False
        self.discarded = False

    def deliver_to(self, consumer: IConsumer) -> Deferred[int]:
        """Write everything at once, whatever the consumer says about pausing."""
        return maybeDeferred(self._deliver, consumer)

    def _deliver(self, consumer: IConsumer) -> int:
        consumer.registerProducer(self, True)
        try:
            if self._data:
                consumer.write(self._data)
        finally:
            consumer.unregisterProducer()
        if self.length is not None and len(self._data) < self.length:
            raise IncompleteBody()
        self.complete = True
        return len(self._data)

    def discard(self) -> None:
        """Nobody wants it."""
        self.discarded = True

    def pauseProducing(self) -> None:
        """Too late: all is written."""

    def resumeProducing(self) -> None:
        """Nothing is left to write."""

    def stopProducing(self) -> None:
        """Nothing is left to write."""


@implementer(IConsumer)
class _Sent:
    """Collects what a byte source sends."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._producer: Any = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        self._producer = producer
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self._producer = None

    def write(self, data: bytes) -> None:
        self.data += data


@frozen
class Response:
    """What the client got.

    :ivar headers: lower-case names; those of one name are joined with ``,``.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def xml(self) -> ElementTree.Element:
        """The document, without S3's namespace."""
        root = ElementTree.fromstring(self.body.decode("utf-8"))
        for element in root.iter():
            element.tag = element.tag.removeprefix(NAMESPACE)
        return root

    def text(self, path: str) -> str | None:
        """The text at a path below the root; ``None`` when there is no such element."""
        found = self.xml().find(path)
        return None if found is None else (found.text or "")

    def texts(self, path: str) -> list[str]:
        """The texts of all elements at a path."""
        return [found.text or "" for found in self.xml().findall(path)]

    def names(self) -> list[str]:
        """The names of the root's children, in order."""
        return [child.tag for child in self.xml()]

    @property
    def code(self) -> str | None:
        """The S3 code of an error."""
        return self.text("Code")


class Client:
    """Requests to a gateway in memory.

    :ivar access_id: who asks.
    """

    def __init__(self, gateway: Gateway, access_id: str = "testuser") -> None:
        self.gateway = gateway
        self.access_id = access_id

    def as_user(self, access_id: str) -> Client:
        """Another client of the same gateway."""
        return Client(self.gateway, access_id)

    def with_settings(self, **changes: Any) -> Client:
        """A client of the same stores under other settings."""
        settings = evolve(self.gateway.settings, **changes)
        return Client(evolve(self.gateway, settings=settings), self.access_id)

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        length: int | None = -1,
    ) -> Response:
        """Ask, and have the whole answer.

        :param target: the raw request target, already percent-encoded.
        :param length: the declared Content-Length; ``-1`` for that of ``body``, ``None`` for chunked coding.
        """
        resource = ""
        try:
            address = parse_address(target.encode(), b"localhost", ())
            resource = address.resource
            asked = {name.lower(): value for name, value in (headers or {}).items()}
            operation = resolve(method, address, "x-amz-copy-source" in asked)
            if operation.perform is None:
                raise NotImplemented()
            call = Call(
                self.gateway,
                operation,
                address,
                Headers(asked),
                Principal(self.access_id),
                Verified(
                    access_id=self.access_id,
                    payload=asked.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
                    signing_key=None,
                    scope="20261122/us-east-1/s3/aws4_request",
                    timestamp="20261122T100000Z",
                    signature="0" * 64,
                    presigned=False,
                ),
                MemoryBody(body, len(body) if length == -1 else length),  # type: ignore[arg-type]
                REQUEST_ID,
            )
            reply = await operation.perform(call)
        except S3Error as error:
            return _error_response(method, error, resource)
        data = reply.body
        if reply.sources is not None:
            sent = await _drain(reply.sources)
            data = b"" if method == "HEAD" else sent
        fields = _joined(reply.headers)
        length_sent = len(data) if reply.length is None else reply.length
        fields.setdefault("content-length", str(length_sent))
        return Response(reply.status, fields, data)


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        assert "\r" not in value and "\n" not in value, (name, value)
        lowered = name.lower()
        fields[lowered] = f"{fields[lowered]},{value}" if lowered in fields else value
    return fields


def _error_response(method: str, error: S3Error, resource: str) -> Response:
    fields = _joined(getattr(error, "headers", ()))
    if method == "HEAD" or isinstance(error, NotModified):
        return Response(error.status, fields, b"")
    fields["content-type"] = "application/xml"
    return Response(error.status, fields, error_document(error, resource, REQUEST_ID))


async def _drain(sources: AsyncIterator[IByteSource]) -> bytes:
    sent = _Sent()
    async for source in sources:
        try:
            await source.send_to(sent)
        finally:
            source.close()
    return bytes(sent.data)


def make_gateway(clock: Clock, **settings: Any) -> Gateway:
    """A gateway over memory providers, not yet opened."""
    return Gateway(
        Settings(**settings),
        MemoryMetadataStore(clock),
        MemoryBlobStore(clock),
        Readers(),
        clock,
        maybeDeferred,
    )


class OperationTestCase(TestCase):
    """A test of one operation against an empty gateway with the one bucket ``bucket``."""

    client: Client
    clock: Clock

    def setUp(self) -> Deferred[None]:
        """Open the stores and make the bucket."""
        return ensureDeferred(self._open())

    async def _open(self) -> None:
        self.clock = Clock()
        self.clock.advance(1_795_000_000)
        gateway = make_gateway(self.clock)
        await gateway.metadata.open()
        await gateway.blobs.open_store()
        self.addCleanup(gateway.blobs.close_store)
        self.addCleanup(gateway.metadata.close)
        self.client = Client(gateway)
        await gateway.metadata.write(_add_volume, gateway.settings.volume_name)
        made = await self.client.request("PUT", "/bucket")
        self.assertEqual(made.status, 200, made.body)

    async def add_objects(
        self, *keys: str, bucket: str = "bucket", **members: Any
    ) -> None:
        """Put rows of empty objects straight into the metadata store.

        :param members: members of :class:`~ozgate.values.ObjectVersion` that all of them have.
        """
        settings = self.client.gateway.settings

        def add(tx: IMetadataTransaction) -> None:
            found = tx.bucket(settings.volume_name, bucket)
            assert found is not None
            given = {"etag": "d41d8cd98f00b204e9800998ecf8427e", "owner": "testuser"}
            for key in keys:
                version = ObjectVersion(
                    key=key,
                    sequence=tx.next_sequence(),
                    modified=tx.now(),
                    **{**given, **members},
                )
                tx.add_version(found, version, Content(b""))

        await self.client.gateway.metadata.write(add)

    async def refused(
        self, asked: Coroutine[Any, Any, Response], status: int, code: str
    ) -> Response:
        """Assert that a request is refused with a code, and give the answer."""
        response = await asked
        self.assertEqual((response.status, response.code), (status, code))
        return response


def _add_volume(tx: IMetadataTransaction, name: str) -> None:
    if tx.volume(name) is None:
        tx.add_volume(Volume(name, "ozgate", tx.now()))
