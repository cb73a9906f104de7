"""What the tests of intruders stand on: a service that others use, and requests as whoever wants to get in sends them."""

from __future__ import annotations

import hmac
import http.client
import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha1
from typing import Any
from urllib.parse import quote, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from ozgate.admin.localsocket import connect_local
from ozgate.auth.presign import presign
from ozgate.auth.sigv4 import sign
from tests.running import REGION, Server, shared_server

Pair = tuple[str, str]
Headers = Sequence[tuple[str, str]]

DOMAIN = "ozone.s3g.domain.name=s3.test"


class Answer:
    """What came back.

    :ivar code: S3's code in an error document; ``""`` without one.
    """

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        self.status = int(found[1]) if found else 0
        code = re.search(rb"<Code>(\w+)</Code>", self.body)
        self.code = code[1].decode() if code else ""
        self.data = data

    def __repr__(self) -> str:
        return f"<{self.data[:300]!r}>"


def exchange(
    server: Server,
    method: str,
    target: str,
    headers: Headers = (),
    body: bytes = b"",
    port: int = 0,
) -> Answer:
    """One request, its head as it is given, on a connection of its own."""
    sent = list(headers)
    if not any(name.lower() == "host" for name, _ in sent):
        sent.insert(0, ("Host", f"127.0.0.1:{port or server.port}"))
    if body:
        sent.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent)
    head = f"{method} {target} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
    return send(server, head.encode("latin-1") + body, port)


def send(server: Server, data: bytes, port: int = 0) -> Answer:
    """Bytes, on a connection of their own."""
    import socket

    received = b""
    address = ("127.0.0.1", port or server.port)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionResetError:
            pass
    return Answer(received)


def signed(
    server: Server,
    pair: Pair,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    payload: str = "UNSIGNED-PAYLOAD",
) -> Answer:
    """A request that is as it should be."""
    found = sign(
        method,
        server.url + target,
        headers or {},
        *pair,
        REGION,
        time.time(),
        payload,
    )
    return exchange(server, method, target, list(found.items()), body)


def command(server: Server, name: str, **arguments: Any) -> Any:
    """A command over the admin socket, as an administrator."""
    connection = http.client.HTTPConnection("localhost", timeout=20)
    connection.sock = connect_local(server.data)
    try:
        sent = {"Content-Type": "application/json"}
        body = json.dumps(arguments)
        connection.request("POST", f"/ozgate/v1/{name}", body, sent)
        response = connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        return answer
    finally:
        connection.close()


def pair_of(server: Server, user: str, **arguments: Any) -> Pair:
    """A new key of a user."""
    made = command(server, "get_secret", user=user, **arguments)
    return made["awsAccessKey"], made["awsSecret"]


def admin_port(server: Server) -> int:
    """Where the admin listener is."""
    pattern = r"^ozgate is administered at http://127\.0\.0\.1:(\d+)$"
    found = re.search(pattern, server.output(), re.M)
    assert found, server.output()
    return int(found[1])


@cache
def inhabited() -> tuple[Server, Pair, Pair]:
    """A server with Alice, who has a bucket with two keys, and Bob, who has one of his own."""
    server = shared_server(DOMAIN)
    alice, bob = pair_of(server, "alice"), pair_of(server, "bob")
    for pair, target, body in (
        (alice, "/alices", b""),
        (alice, "/alices/key", b"meant"),
        (alice, "/alices/key%20", b"not meant"),
        (bob, "/bobs", b""),
    ):
        answer = signed(server, pair, "PUT", target, body)
        assert answer.status == 200, answer
    return server, alice, bob


class IntruderCase(SynchronousTestCase):
    """Asks a server that others use."""

    def setUp(self) -> None:
        """Have one."""
        self.server, self.alice, self.bob = inhabited()

    def refused(self, answer: Answer, what: object = "") -> None:
        """Make sure that a request was refused, knowingly."""
        self.assertIn(answer.status, range(400, 500), (what, answer))

    def presigned(
        self,
        method: str,
        target: str,
        query: Mapping[str, str] | None = None,
        host: str = "",
        pair: Pair | None = None,
    ) -> str:
        """The target of a presigned URL of Alice's."""
        url = f"http://{host or f'127.0.0.1:{self.server.port}'}{target}"
        pair = pair or self.alice
        made = presign(method, url, *pair, REGION, 600, time.time(), query or {})
        parts = urlsplit(made)
        return f"{parts.path}?{parts.query}"

    def presigned_2(self, method: str, path: str, amz: str = "") -> str:
        """The query of a URL of Alice's that is presigned in the manner of version 2."""
        expires = int(time.time()) + 600
        text = f"{method}\n\n\n{expires}\n{amz}{path}"
        access_id, secret = self.alice
        digest = b64encode(hmac.digest(secret.encode(), text.encode(), sha1))
        signature = quote(digest, safe="")
        return f"AWSAccessKeyId={access_id}&Expires={expires}&Signature={signature}"
