"""A small S3 engine on a real port that does what it is told to, and misbehaves when it is told to."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from typing import Any

from awscrt.checksums import crc64nvme
from twisted.internet import reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from ozgate.blobs.s3.store import S3BlobStore
from tests.contract.s3engine import store_over

Fault = Callable[[Any], Any]
"""Answers a request in the place of the engine, as a resource renders one; ``None``: the engine answers it after all."""

QUICK = {"timeout": 1.0, "deadline": 20.0}


class BadEngine(Resource):
    """See the module.

    :ivar objects: bytes by path.
    :ivar asked: the methods and paths of all requests, in order.
    :ivar faults: by method, what is done with the next requests; one each.
    :ivar always: by method, what is done with all others.
    :ivar conditions: whether ``If-None-Match`` is honoured.
    :ivar verifies: which checksums are held against what comes: ``crc64nvme``, ``md5``.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.verifies = {"crc64nvme"}
        self.honours_ranges = True
        self.conditions = False
        self.listen(0)

    def listen(self, port: int) -> None:
        """Listen."""
        self.site = Site(self)
        self.site.noisy = False
        self.port = self.listen_on(port)
        self.number = self.port.getHost().port

    def listen_on(self, port: int) -> Any:
        """The port."""
        return reactor.listenTCP(port, self.site, interface="127.0.0.1")

    async def stop(self) -> None:
        """Listen no more, and close what is open."""
        await maybeDeferred(self.port.stopListening)
        self.hang_up()

    def hang_up(self) -> None:
        """Close every connection."""
        for each in list(reactor.getReaders()):
            if getattr(each, "server", None) is self.port:
                each.abortConnection()

    def store(self, **settings: Any) -> S3BlobStore:
        """A store over it."""
        host = f"127.0.0.1:{self.number}"
        made = store_over(host, "bucket/in", **{**QUICK, **settings})
        limits = made.engine.limits
        pauses = (0.01,) * len(limits.pauses)
        made.engine.limits = type(limits)(
            limits.connections, limits.silence, limits.deadline, pauses
        )
        return made

    def blobs(self) -> list[str]:
        """The paths of what it has of blobs."""
        return [path for path in self.objects if "/data/" in path]

    def render(self, request: Any) -> Any:
        """Answer."""
        method, path = request.method.decode(), request.path.decode()
        self.asked.append((method, path))
        fault = self.always.get(method)
        if self.faults.get(method):
            fault = self.faults[method].pop(0)
        answer = fault(request) if fault is not None else None
        if answer is not None:
            return answer
        return getattr(self, f"do_{method.lower()}")(request, path)

    def do_put(self, request: Any, path: str) -> bytes:
        """Keep an object."""
        data = request.content.read()
        wanted = {
            "crc64nvme": (
                "x-amz-checksum-crc64nvme",
                struct.pack(">Q", crc64nvme(data)),
            ),
            "md5": ("content-md5", hashlib.md5(data).digest()),
        }
        for each in self.verifies:
            name, right = wanted[each]
            said = request.getHeader(name)
            if said is not None and base64.b64decode(said) != right:
                return refuse(400, "BadDigest")(request)
        if self.conditions and path in self.objects and _if_not_there(request):
            return refuse(412, "PreconditionFailed")(request)
        self.objects[path] = data
        request.setHeader("etag", f'"{hashlib.md5(data).hexdigest()}"')
        return b""

    def do_get(self, request: Any, path: str) -> bytes:
        """Give an object, or a list."""
        if b"list-type" in request.args:
            return self._list(request, path)
        data = self.objects.get(path)
        if data is None:
            return refuse(404, "NoSuchKey")(request)
        said = request.getHeader("range")
        if said and self.honours_ranges:
            first, last = map(int, said.removeprefix("bytes=").split("-"))
            stop = min(last + 1, len(data))
            request.setResponseCode(206)
            request.setHeader("content-range", f"bytes {first}-{stop - 1}/{len(data)}")
            data = data[first:stop]
        request.setHeader("content-length", str(len(data)))
        return data

    do_head = do_get

    def do_delete(self, request: Any, path: str) -> bytes:
        """Remove an object."""
        self.objects.pop(path, None)
        request.setResponseCode(204)
        return b""

    def _list(self, request: Any, path: str) -> bytes:
        """Two keys of a list."""
        prefix = f"{path}/{request.args[b'prefix'][0].decode()}"
        after = request.args.get(b"continuation-token", [b""])[0].decode()
        found = sorted(
            each for each in self.objects if each.startswith(prefix) and each > after
        )
        keys = "".join(
            f"<Contents><Key>{each.removeprefix(path + '/')}</Key></Contents>"
            for each in found[:2]
        )
        more = ""
        if len(found) > 2:
            more = f"<NextContinuationToken>{found[1]}</NextContinuationToken>"
        return f"<ListBucketResult>{keys}{more}</ListBucketResult>".encode()


def _if_not_there(request: Any) -> bool:
    return bool(request.getHeader("if-none-match") == "*")


def refuse(status: int, code: str, said: str = "so it is") -> Fault:
    """Answers an error.

    :param said: its message, with ``{}`` for how the request was signed.
    """

    def fault(request: Any) -> bytes:
        request.setResponseCode(status)
        message = said.format(request.getHeader("authorization"))
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return text.encode()

    return fault


def refuse_conditions(request: Any) -> Any:
    """Answers an error to whoever has one."""
    if _if_not_there(request):
        return refuse(501, "NotImplemented")(request)
    return None


def silence(request: Any) -> int:
    """Answers nothing."""
    request.notifyFinish().addErrback(lambda _: None)
    return NOT_DONE_YET


def hang_up(request: Any) -> int:
    """Closes the connection."""
    silence(request)
    request.transport.abortConnection()
    return NOT_DONE_YET


def after(engine: BadEngine, then: Fault) -> Fault:
    """Does what is asked for, and something else in the place of the answer."""

    def fault(request: Any) -> Any:
        getattr(engine, f"do_{request.method.decode().lower()}")(
            request, request.path.decode()
        )
        return then(request)

    return fault


def changed(
    engine: BadEngine, change: Callable[[bytes], bytes], then: str = "end"
) -> Fault:
    """Answers with other bytes, or fewer, of the length that was to be.

    :param then: ``end``, ``close``, ``silence``, or ``chunks``: whole, of a length that is not said, and with no end.
    """

    def fault(request: Any) -> Any:
        data = engine.do_get(request, request.path.decode())
        data = change(data)
        if then == "end":
            return data
        request.notifyFinish().addErrback(lambda _: None)
        if then == "chunks":
            request.responseHeaders.removeHeader("content-length")
        request.write(data)
        if then == "close":
            # What was written goes first.
            transport = request.channel.transport
            transport.unregisterProducer()
            transport.loseConnection()
        return NOT_DONE_YET

    return fault


def flipped(at: int) -> Callable[[bytes], bytes]:
    """Bytes with one bit that is another."""

    def change(data: bytes) -> bytes:
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return change


async def failure_of(deferred: Deferred[Any]) -> BaseException:
    """What a Deferred fails with."""
    try:
        await deferred
    except Exception as error:
        return error
    raise AssertionError("it did not fail")
