"""A server that is measured: where it is, with which keys, what its processes use; requests to it that are not measured."""

from __future__ import annotations

import contextlib
import http.client
import math
import re
import secrets
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import md5
from html import unescape
from urllib.parse import quote, urlsplit

from attrs import field, frozen

from benchmarks.processes import cpu_of, memory_of, reset_high_water
from ozgate.auth.presign import presign
from ozgate.auth.sigv4 import sign

LIFETIME = 6 * 3600
"""Seconds that a presigned URL lives: longer than a run."""


@frozen
class Server:
    """One server.

    :ivar name: what its column is called.
    :ivar url: the endpoint, without a path.
    :ivar tls: a second endpoint of it, over TLS; empty where there is none.
    :ivar pids: its processes, of which each counts with all that it started; none where they are not known.
    :ivar durability: what it says that a 200 to a write means.
    :ivar durable: whether that is: data and their name outlive a power cut.
    :ivar kind: ``s3``, or what else it is.
    :ivar bucket: what is measured is in it; made and removed here.
    """

    name: str
    url: str
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    region: str = "us-east-1"
    tls: str = ""
    pids: tuple[int, ...] = ()
    durability: str = ""
    durable: bool = False
    kind: str = "s3"
    bucket: str = field(factory=lambda: f"ozgate-suite-{secrets.token_hex(6)}")

    @property
    def cpu(self) -> float:
        """CPU seconds that it used so far; ``nan`` where its processes are not known."""
        return sum(map(cpu_of, self.pids)) if self.pids else math.nan

    def memory(self, name: str = "VmRSS") -> float:
        """MiB of its processes, as :func:`benchmarks.processes.memory_of`; ``nan`` where they are not known."""
        sizes = [size for pid in self.pids for size in memory_of(pid, name)]
        return sum(sizes) if sizes else math.nan

    def forget_peak(self) -> None:
        """Have ``VmHWM`` start again, where that is permitted: another user's processes keep theirs."""
        with contextlib.suppress(PermissionError):
            for pid in self.pids:
                reset_high_water(pid)

    def target(self, key: str = "", query: str = "") -> str:
        """Path and query of a key in the bucket, or of the bucket."""
        path = f"/{self.bucket}" + (f"/{quote(key)}" if key else "")
        return path + (f"?{query}" if query else "")

    def presigned(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        url: str = "",
    ) -> str:
        """A target with a signature in its query.

        :param headers: that are sent with it, and signed.
        :param url: the endpoint it is for, if it is another.
        """
        made = presign(
            method,
            (url or self.url) + target,
            self.access_key,
            self.secret_key,
            self.region,
            LIFETIME,
            time.time(),
            {},
            headers,
        )
        parts = urlsplit(made)
        return f"{parts.path}?{parts.query}"

    def signed(
        self, method: str, target: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Headers with a signature among them, that of Host left out."""
        found = sign(
            method,
            self.url + target,
            dict(headers or {}),
            self.access_key,
            self.secret_key,
            self.region,
            time.time(),
            "UNSIGNED-PAYLOAD",
        )
        return {name: value for name, value in found.items() if name.lower() != "host"}

    def request(
        self, method: str, target: str, body: bytes = b"", **more: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request, on a connection of its own: status, headers, body.

        :param more: headers, with ``_`` for ``-``.
        """
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if body:
            # Some operations want to be sure of their document.
            headers["Content-MD5"] = b64encode(md5(body).digest()).decode()
        headers = self.signed(method, target, headers)
        with contextlib.closing(connect(self.url)) as connection:
            connection.request(method, target, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def must(self, method: str, target: str, body: bytes = b"", **more: str) -> bytes:
        """Like :meth:`request`, but the body alone, and anything else than success is an error."""
        status, _, answer = self.request(method, target, body, **more)
        if status >= 300:
            path = target.partition("?")[0]
            raise RuntimeError(f"{method} {path}: {status} {said(answer)}")
        return answer

    def pages(self, query: str, token: str, named: str) -> Iterator[bytes]:
        """The pages of a listing of the bucket.

        :param token: the element of an answer that says where it goes on.
        :param named: the parameter that says so in the next request.
        """
        more = ""
        while True:
            answer = self.must("GET", self.target(query=query + more))
            yield answer
            found = re.search(f"<{token}>(.+?)</{token}>".encode(), answer)
            if found is None:
                return
            more = f"&{named}={quote(unescape(found[1].decode()), safe='')}"


def said(body: bytes) -> str:
    """What the document of an error says, in short."""
    found = re.findall(rb"<(?:Code|Message)>(.*?)</", body, re.S)
    return " ".join(each.decode(errors="replace") for each in found)[:200]


def connect(url: str) -> http.client.HTTPConnection:
    """A connection to an endpoint. Certificates are not verified: what is asked for is the time, not who answers."""
    parts = urlsplit(url)
    assert parts.hostname
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=600)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(
        parts.hostname, parts.port, timeout=600, context=context
    )
