"""What the tests of operations stand on: a whole gateway in memory and a client that speaks to it.

A request of :class:`Client` is signed, goes over a connection in memory through the real channel, Klein and the
pipeline, and comes back. Stores are in memory too, unless the environment says otherwise (:mod:`tests.elsewhere`); time is a clock's, which stands still unless a test moves it.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Coroutine, Mapping, Sequence
from copy import copy
from hashlib import md5
from http.client import HTTPResponse
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import treq
from attrs import evolve, frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase
from twisted.web.client import URI
from twisted.web.http import NO_BODY_CODES
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore, StaticSecrets
from ozgate.auth.sessions import Sessions
from ozgate.auth.sigv4 import sign
from ozgate.config.settings import Settings
from ozgate.content.readers import Readers
from ozgate.content.sealing import Sealing
from ozgate.content.stores import BlobStores
from ozgate.gateway.gateway import Gateway
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.app import make_site
from ozgate.s3.perform.buckets import shared_volume
from ozgate.testing.inmemory import BytesBody, in_memory_agent, settle, talk
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Acl, Claim, Content, ObjectVersion
from ozgate.wire.accesslog import AccessLog, AuditLog
from tests import elsewhere
from tests.operations.engines import make_blobs, make_metadata
from tests.operations.neighbors import Documents, make_neighbor

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
HOST = "localhost"
URL = f"http://{HOST}"
REGION = "us-east-1"
SECRETS = {name: f"secret of {name}" for name in ("testuser", "other", "somebody")}
STANDING = frozenset(("date", "server", "x-amz-id-2", "x-amz-request-id"))
"""Headers that every answer has."""


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
    def own_headers(self) -> dict[str, str]:
        """The headers but those that every answer has."""
        return {n: v for n, v in self.headers.items() if n not in STANDING}

    @property
    def code(self) -> str | None:
        """The S3 code of an error."""
        return self.text("Code")


class Client:
    """Requests to a gateway in memory, over the wire.

    :ivar gateway: its stores are for tests to look into.
    :ivar site: serves the gateway.
    :ivar access_id: who asks; one of :data:`SECRETS`.
    :ivar sessions: verify what is signed.
    """

    def __init__(
        self, gateway: Gateway, access_log: AccessLog, audit_log: AuditLog
    ) -> None:
        self.gateway = gateway
        self.documents = Documents()
        self.access_id = "testuser"
        self.access_log, self.audit_log = access_log, audit_log
        key = MasterKey(b"k" * 32)
        stored = MetadataSecretStore(gateway.metadata, key)
        self.sessions = Sessions(key, StaticSecrets(SECRETS, stored))
        neighbor = make_neighbor(gateway, self.sessions, self.documents)
        logs = access_log, audit_log
        self.site = make_site(
            gateway.clock, gateway, self.sessions, *logs, neighbor=neighbor
        )
        self._agent: IAgent = in_memory_agent(self.site, gateway.clock)

    def as_user(self, access_id: str) -> Client:
        """Another client of the same gateway."""
        other = copy(self)
        other.access_id = access_id
        return other

    def with_settings(self, **changes: Any) -> Client:
        """A client of the same stores under other settings."""
        settings = evolve(self.gateway.settings, **changes)
        gateway = evolve(self.gateway, settings=settings)
        return Client(gateway, self.access_log, self.audit_log).as_user(self.access_id)

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        length: int | None = -1,
        *,
        signed: bool = True,
    ) -> Response:
        """Ask, and have the whole answer. Requests begun together are under way together.

        The parameters are those of :meth:`begin`.
        """
        asked = self.begin(method, target, headers, body, length, signed=signed)
        # A turn of the real reactor, for others to begin.
        await deferLater(reactor, 0)  # type: ignore[arg-type]
        settle(self.gateway.clock)  # type: ignore[arg-type]
        assert asked.called, f"{method} {target} hangs until time passes"
        return await asked

    def begin(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        length: int | None = -1,
        *,
        signed: bool = True,
    ) -> Deferred[Response]:
        """Ask.

        :param target: the raw request target, already percent-encoded.
        :param length: the declared Content-Length; ``-1`` for that of ``body``, ``None`` for chunked coding.
        :param signed: whether with a signature; its payload is what ``x-amz-content-sha256`` says, else unsigned.
        :return: fires with the whole answer, in the course of the clock's turns.
        """
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if signed:
            sent = self._sign(method, target, sent)
        url = URL + target
        exact = URI.fromBytes(url.encode()).originForm == target.encode()
        if exact and length in (-1, None, len(body)):
            counted = length is not None
            asked = ensureDeferred(self._ask(method, url, sent, body, counted))
        else:
            declared = len(body) if length == -1 else length
            assert declared is not None
            asked = ensureDeferred(self._say(method, target, sent, body, declared))
        return asked.addCallback(_checked)

    def _sign(
        self, method: str, target: str, headers: dict[str, str]
    ) -> dict[str, str]:
        payload = headers.pop("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        secret = SECRETS[self.access_id]
        now = self.gateway.clock.seconds()
        url = URL + target
        return sign(method, url, headers, self.access_id, secret, REGION, now, payload)

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        counted: bool,
    ) -> Response:
        """By way of an HTTP client."""
        sent = Headers()
        for name, value in headers.items():
            sent.addRawHeader(name.encode(), value.encode())
        producer = BytesBody(body, counted) if body or not counted else None
        response = await self._agent.request(
            method.encode(), url.encode(), sent, producer
        )
        data = await treq.content(response)
        pairs = [
            (name.decode().lower(), value.decode("latin-1"))
            for name, values in response.headers.getAllRawHeaders()
            for value in values
        ]
        fields = _joined(pairs)
        if response.length is not UNKNOWN_LENGTH and response.code not in NO_BODY_CODES:
            # What frames a body is not among the agent's headers.
            fields.setdefault("content-length", str(response.length))
        return Response(response.code, fields, data)

    async def _say(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        length: int,
    ) -> Response:
        """Byte by byte, then half-close: for what an HTTP client would not send."""
        fields = {"host": HOST, **headers, "content-length": str(length)}
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        said = await talk(self.site, self.gateway.clock, head + body)
        answer = HTTPResponse(_Said(said), method=method)  # type: ignore[arg-type]
        answer.begin()
        return Response(answer.status, _joined(answer.getheaders()), answer.read())


def checked(body: bytes) -> dict[str, str]:
    """The header that says a document's MD5: many operations demand one."""
    digest = md5(body, usedforsecurity=False).digest()
    return {"content-md5": b64encode(digest).decode()}


class _Said(BytesIO):
    """What a site said, for the standard library's parser."""

    def makefile(self, mode: str) -> BytesIO:
        """Itself."""
        return self


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in pairs:
        lowered = name.lower()
        fields[lowered] = f"{fields[lowered]},{value}" if lowered in fields else value
    return fields


def _checked(response: Response) -> Response:
    """The answer, in which holds what holds for every answer."""
    missing = STANDING - response.headers.keys()
    assert not missing, (missing, response)
    is_s3s = response.headers.get("content-type") != "text/xml"
    if is_s3s and response.status >= 400 and response.body:
        assert response.headers["content-type"] == "application/xml", response
        request_id = response.headers["x-amz-request-id"]
        assert response.text("RequestId") == request_id, response
        assert response.text("HostId") == response.headers["x-amz-id-2"], response
    return response


def make_gateway(
    clock: MemoryReactorClock, sealing: Sealing | None = None, **settings: Any
) -> Gateway:
    """A gateway over stores in which nothing is, not yet opened."""
    return Gateway(
        Settings(security_enabled=True, **settings),
        make_metadata(clock),
        BlobStores(make_blobs(clock)),
        Readers(),
        clock,
        maybeDeferred,
        process="test",
        sealing=sealing,
    )


class OperationTestCase(TestCase):
    """A test of one operation against an empty gateway with the one bucket ``bucket``.

    :cvar sealing: what seals the bytes that the gateway stores.
    """

    sealing: Sealing | None = None
    client: Client
    clock: MemoryReactorClock
    timeout = elsewhere.timeout(120.0)

    def setUp(self) -> Deferred[None]:
        """Open the stores and make the bucket."""
        return ensureDeferred(self._open())

    async def _open(self) -> None:
        self.clock = MemoryReactorClock()
        self.clock.advance(1_795_000_000)
        folder = self.mktemp()
        os.makedirs(folder)
        gateway = make_gateway(self.clock, self.sealing, data=folder)
        await gateway.metadata.open()
        await gateway.blobs.open()
        self.addCleanup(gateway.blobs.close)
        self.addCleanup(gateway.metadata.close)
        logs = AccessLog(gateway.settings), AuditLog(gateway.settings)
        for log in logs:
            self.addCleanup(log.file.close)
        self.client = Client(gateway, *logs)
        self.addCleanup(self._nothing_left)
        await gateway.metadata.write(_add_volume, gateway.settings.volume_name)
        made = await self.client.request("PUT", "/bucket")
        self.assertEqual(made.status, 200, made.body)

    def _nothing_left(self) -> None:
        """No connection, timer, blob under way or reader outlives a test."""
        gateway = self.client.gateway
        self.assertEqual(self.client.site.connections, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(gateway.blobs.default.sinks, set())
        self.assertIsNone(gateway.readers.oldest())

    async def grant(self, *acls: str, bucket: str = "bucket") -> None:
        """Set a bucket's access control list, in the form of Ozone's commands: ``user:alice:rl``."""
        volume = self.client.gateway.settings.volume_name
        entries = tuple(map(Acl.parse, acls))
        store = self.client.gateway.metadata
        await store.write(change_bucket, volume, bucket, {"acls": entries})

    async def add_objects(
        self, *keys: str, bucket: str = "bucket", **members: Any
    ) -> None:
        """Put rows of empty objects straight into the metadata store.

        :param members: members of :class:`~ozgate.values.ObjectVersion` that all of them have.
        """
        volume = self.client.gateway.settings.volume_name
        given = {"etag": "d41d8cd98f00b204e9800998ecf8427e", "owner": "testuser"}
        await self.client.gateway.metadata.write(
            _add_objects, volume, bucket, keys, {**given, **members}
        )

    async def refused(
        self, asked: Coroutine[Any, Any, Response], status: int, code: str
    ) -> Response:
        """Assert that a request is refused with a code, and give the answer."""
        response = await asked
        self.assertEqual((response.status, response.code), (status, code))
        return response


def change_bucket(
    tx: IMetadataTransaction, volume: str, bucket: str, members: Mapping[str, Any]
) -> None:
    """Change members of a bucket or link; an interaction."""
    found = tx.bucket(volume, bucket)
    assert found is not None
    claim_whole(tx, found)
    tx.replace_bucket(evolve(found, **members))


def _add_objects(
    tx: IMetadataTransaction,
    volume: str,
    bucket: str,
    keys: Sequence[str],
    members: Mapping[str, Any],
) -> None:
    found = tx.bucket(volume, bucket)
    assert found is not None
    claim_whole(tx, found)
    for key in keys:
        version = ObjectVersion(
            key=key, sequence=tx.next_sequence(), modified=tx.now(), **members
        )
        tx.add_version(found, version, Content(b""))


def _add_volume(tx: IMetadataTransaction, name: str) -> None:
    tx.claim(Claim.volume(name))
    if tx.volume(name) is None:
        tx.add_volume(shared_volume(name, "ozgate", tx.now()))
