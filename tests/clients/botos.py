"""boto3 clients of one shared gateway, for tests that make many small requests."""

from __future__ import annotations

import http.client
import itertools
import re
import socket
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.sigv4 import sign
from tests.forking import run
from tests.running import ACCESS_KEY, REGION, SECRET_KEY, Server, shared_server

DOMAIN = "s3.localhost"
"""One of the gateway's domains; names below it are resolved by the tests, not by the system."""

_numbers = itertools.count(1)


@cache
def session(access_id: str, secret: str) -> boto3.session.Session:
    """A session, which loads the service model once."""
    return boto3.session.Session(access_id, secret, region_name=REGION)


@cache
def make_client(
    url: str,
    style: str = "path",
    access_id: str = ACCESS_KEY,
    secret: str = SECRET_KEY,
    **options: Any,
) -> Any:
    """A client that does not retry; further options are botocore's."""
    config = Config(
        s3={"addressing_style": style}, retries={"max_attempts": 0}, **options
    )
    return session(access_id, secret).client("s3", endpoint_url=url, config=config)


@cache
def of_user(server: Server, user: str) -> Any:
    """A client of a user whom the server's administrator gave a key."""
    command = ["-m", "ozgate", "s3", "getsecret", "-e", "-u", user]
    ended = run(
        *command, env={**server.environment(), "OZGATE_DATA": server.data}, cwd="/"
    )
    ended.check_returncode()
    found = re.findall(r"export (\w+)='?([^'\n]*)'?", ended.stdout)
    pair = dict(found)
    return make_client(
        server.url,
        access_id=pair["AWS_ACCESS_KEY_ID"],
        secret=pair["AWS_SECRET_ACCESS_KEY"],
    )


def same_address(host: object, *arguments: Any, **options: Any) -> Any:
    """``getaddrinfo``, to which every name below ``localhost`` is loopback (RFC 6761, 6.3)."""
    if isinstance(host, str) and host.endswith(".localhost"):
        host = "127.0.0.1"
    return _getaddrinfo(host, *arguments, **options)


_getaddrinfo: Callable[..., Any] = socket.getaddrinfo


class SharedTestCase(SynchronousTestCase):
    """A bucket of its own in the shared gateway, and clients of it.

    :ivar s3: path style, boto3's defaults.
    :ivar virtual: virtual-host style.
    :ivar plain: sends and checks no checksum unasked.
    """

    server: Server
    bucket: str

    def setUp(self) -> None:
        """Make a bucket."""
        self.server = shared_server(f"ozone.s3g.domain.name={DOMAIN},x.example")
        self.patch(socket, "getaddrinfo", same_address)
        self.s3: Any = make_client(self.server.url)
        self.virtual: Any = make_client(
            f"http://{DOMAIN}:{self.server.port}", "virtual"
        )
        self.plain: Any = make_client(
            self.server.url,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self.bucket = f"bucket-{next(_numbers)}"
        self.s3.create_bucket(Bucket=self.bucket)

    def error(self, call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        """The error that a call must end in: ``Code`` and members, with its ``Status``."""
        parameters.setdefault("Bucket", self.bucket)
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        answer: Any = caught.exception.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return {**answer["Error"], "Status": status}

    def refused(
        self, status: int, code: str, call: Callable[..., Any], **parameters: Any
    ) -> dict[str, Any]:
        """Assert that a call ends in an error, and give it. Answers to HEAD have no code but the status."""
        error = self.error(call, **parameters)
        self.assertEqual((error["Status"], error["Code"]), (status, code), parameters)
        return error

    def put(self, key: str = "key", body: bytes = b"0123456789", **options: Any) -> str:
        """Put an object; its ETag."""
        put = self.plain.put_object
        etag: str = put(Bucket=self.bucket, Key=key, Body=body, **options)["ETag"]
        return etag

    def raw(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        host: str = "",
    ) -> tuple[int, Mapping[str, str], bytes]:
        """A request signed by ours: status, headers with lower-case names as UTF-8, body.

        :param path: the path and query, percent-encoded.
        :param host: what to send as Host.
        """
        host = host or f"127.0.0.1:{self.server.port}"
        signed = sign(
            method,
            f"http://{host}{path}",
            dict(headers or {}),
            ACCESS_KEY,
            SECRET_KEY,
            REGION,
            time.time(),
        )
        return send(self.server.port, method, path, signed, body)


def send(
    port: int,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> tuple[int, Mapping[str, str], bytes]:
    """A request as it is given; see :meth:`SharedTestCase.raw`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        encoded = {name: value.encode() for name, value in headers.items()}
        connection.request(method, target, body, encoded)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def checksums(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer says of checksums."""
    return {name: answer[name] for name in answer if name.startswith("Checksum")}
