"""A valid signed request for each row of the table, made from the row; and requests as they are on the wire.

The signer here is our own, after the Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)", and
shares nothing with :mod:`ozgate.auth`: it signs whatever it is told, such as another service's scope.
"""

from __future__ import annotations

import hmac
import re
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import md5, sha1, sha256
from urllib.parse import quote, unquote_to_bytes

from attrs import evolve, frozen

from ozgate.s3.operations import Body, Operation
from tests.operations import rights
from tests.operations.support import HOST, REGION, SECRETS
from tests.operations.test_table import target_of

Query = tuple[tuple[str, str], ...]
Fields = tuple[tuple[str, str], ...]

USER = "testuser"
UNSIGNED = "UNSIGNED-PAYLOAD"
CHUNKED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
CHUNKED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = sha256().hexdigest()
LIFETIME = 600
"""Seconds that a presigned URL lives here."""

PLACE = b"<CreateBucketConfiguration></CreateBucketConfiguration>"
DOCUMENTS: Mapping[str, bytes] = {"CreateBucket": PLACE, **rights.DOCUMENTS}
"""Documents that do something; other operations get one that is well-formed, which is enough to come past the gate."""

NEEDED: Mapping[str, Mapping[str, str]] = {
    "GetObjectAttributes": {"x-amz-object-attributes": "ETag"},
    "CopyObject": {"x-amz-metadata-directive": "REPLACE"},
    "PutBucketPolicy": {"x-amz-confirm-remove-self-bucket-access": "true"},
}
"""Headers that operations want, besides what their rows say."""


@frozen
class Sent:
    """A request on the wire; what happens to it on the way makes another.

    :ivar target: path and query as sent.
    :ivar headers: in order, with lower-case names, as sent; without those that frame the body.
    """

    method: str
    target: str
    headers: Fields
    body: bytes = b""

    def octets(self) -> bytes:
        """All of it, with the body's length and the wish to close."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body or self.method in ("PUT", "POST"):
            lines.append(f"content-length: {len(self.body)}")
        head = "\r\n".join([*lines, "connection: close", "", ""])
        return head.encode("utf-8", "surrogateescape") + self.body

    def header(self, name: str) -> str:
        """The value of a header that is there."""
        return dict(self.headers)[name]

    def having(self, name: str, value: str | None) -> Sent:
        """The same with another value of a header, or without it."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return evolve(self, headers=kept if value is None else (*kept, (name, value)))

    def adding(self, name: str, value: str) -> Sent:
        """The same with one header more, perhaps of a name that is there already."""
        return evolve(self, headers=(*self.headers, (name, value)))

    def authorized(self, old: str, new: str) -> Sent:
        """The same with text replaced in its Authorization, where it is once."""
        value = self.header("authorization")
        assert old in value and old != new, (old, value)
        return self.having("authorization", value.replace(old, new, 1))

    def asking(self, old: str, new: str) -> Sent:
        """The same with text replaced in its target, where it is."""
        assert old in self.target and old != new, (old, self.target)
        return evolve(self, target=self.target.replace(old, new, 1))

    def at(self, path: str) -> Sent:
        """The same for another path."""
        _, mark, query = self.target.partition("?")
        return evolve(self, target=path + mark + query)


@frozen
class Draft:
    """What a client is about to sign.

    :ivar path: percent-encoded.
    :ivar query: decoded.
    :ivar headers: further headers, all of them signed; lower-case names.
    :ivar time: seconds since the epoch.
    :ivar payload: what ``x-amz-content-sha256`` says; ``""``: the body's hash.
    :ivar date: the date in the scope; ``""``: that of the time.
    """

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    time: float
    body: bytes = b""
    payload: str = ""
    access_id: str = USER
    secret: str = SECRETS[USER]
    algorithm: str = "AWS4-HMAC-SHA256"
    date: str = ""
    region: str = REGION
    service: str = "s3"
    terminator: str = "aws4_request"
    host: str = HOST

    def having(self, **headers: str) -> Draft:
        """The same with further headers; ``_`` stands for ``-``."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return evolve(self, headers={**self.headers, **named})

    @property
    def timestamp(self) -> str:
        """The time as signatures have it."""
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.time))

    @property
    def scope(self) -> str:
        """The credential scope."""
        date = self.date or self.timestamp[:8]
        return "/".join((date, self.region, self.service, self.terminator))

    @property
    def key(self) -> bytes:
        """What is signed with."""
        key = ("AWS4" + self.secret).encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), sha256)
        return key

    def signed(self) -> Sent:
        """The request with an Authorization header."""
        payload = self.payload or sha256(self.body).hexdigest()
        headers = {
            "host": self.host,
            **self.headers,
            "x-amz-content-sha256": payload,
            "x-amz-date": self.timestamp,
        }
        names = ";".join(sorted(headers))
        signature = self._signature(self.query, headers, payload)
        value = f"{self.algorithm} Credential={self.access_id}/{self.scope},SignedHeaders={names},Signature={signature}"
        fields = (*headers.items(), ("authorization", value))
        return Sent(self.method, self._target(self.query), fields, self.body)

    def presigned(self, expires: str = str(LIFETIME)) -> Sent:
        """The request with its signature in the query; its body is not signed."""
        headers = {"host": self.host, **self.headers}
        query = (
            *self.query,
            ("X-Amz-Algorithm", self.algorithm),
            ("X-Amz-Credential", f"{self.access_id}/{self.scope}"),
            ("X-Amz-Date", self.timestamp),
            ("X-Amz-Expires", expires),
            ("X-Amz-SignedHeaders", ";".join(sorted(headers))),
        )
        signature = self._signature(query, headers, self.payload or UNSIGNED)
        target = self._target((*query, ("X-Amz-Signature", signature)))
        return Sent(self.method, target, tuple(headers.items()), self.body)

    def presigned_2(self, expires: int | None = None) -> Sent:
        """The request with a signature of version 2 in the query.

        Source: Amazon S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)"; it is for
        queries of one sub-resource at most.
        """
        until = int(self.time) + LIFETIME if expires is None else expires
        amz = sorted(pair for pair in self.headers.items() if pair[0][:6] == "x-amz-")
        path = self.path if self.path.count("/") > 1 else self.path.rstrip("/") + "/"
        asked = sorted(pair for pair in self.query if pair[0] != "x-id")
        resource = "&".join(f"{name}={value}" for name, value in asked)
        text = "\n".join(
            (
                self.method,
                self.headers.get("content-md5", ""),
                self.headers.get("content-type", ""),
                str(until),
                *(f"{name}:{value}" for name, value in amz),
                path + ("?" + resource if resource else ""),
            )
        )
        signature = b64encode(hmac.digest(self.secret.encode(), text.encode(), sha1))
        query = (
            *self.query,
            ("AWSAccessKeyId", self.access_id),
            ("Expires", str(until)),
            ("Signature", signature.decode()),
        )
        headers = (("host", self.host), *self.headers.items())
        return Sent(self.method, self._target(query), headers, self.body)

    def _target(self, query: Query) -> str:
        joined = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in query)
        return self.path + ("?" + joined if joined else "")

    def _signature(self, query: Query, headers: Mapping[str, str], payload: str) -> str:
        pairs = sorted((_quoted(name), _quoted(value)) for name, value in query)
        request = "\n".join(
            (
                self.method,
                quote(unquote_to_bytes(self.path), safe="/-_.~"),
                "&".join(f"{name}={value}" for name, value in pairs),
                *(f"{name}:{headers[name].strip()}" for name in sorted(headers)),
                "",
                ";".join(sorted(headers)),
                payload,
            )
        )
        digest = sha256(request.encode()).hexdigest()
        text = f"{self.algorithm}\n{self.timestamp}\n{self.scope}\n{digest}"
        return hmac.digest(self.key, text.encode(), sha256).hex()


def draft_for(
    row: Operation,
    now: float,
    upload_id: str,
    documents: Mapping[str, bytes] = DOCUMENTS,
) -> Draft:
    """A request for an operation that passes the gate, whatever the operation says to it.

    Its query names the operation, as SDKs' do; it has a signed header that means nothing to most operations.

    :param upload_id: of an upload of ``/bucket/key``.
    :param documents: bodies that are better than the plainest one.
    """
    path, _, asked = target_of(row, upload_id).partition("?")
    pairs = (pair.partition("=") for pair in asked.split("&") if pair)
    query = (*((name, value) for name, _, value in pairs), ("x-id", row.name))
    headers = {"x-amz-meta-mark": "one", **NEEDED.get(row.name, {})}
    body = b""
    if row.body is Body.STREAM:
        body = b"bytes of an attacker"
    elif row.body is Body.DOCUMENT:
        body = documents.get(row.name, b"<x></x>")
        headers["content-type"] = "application/xml"
    if row.copy_source:
        headers["x-amz-copy-source"] = "/bucket/other"
    if row.checksum_required:
        headers["content-md5"] = content_md5(body)
    return Draft(row.method, path, query, headers, now, body)


def content_md5(body: bytes) -> str:
    """The Content-MD5 of a body."""
    return b64encode(md5(body, usedforsecurity=False).digest()).decode()


def chunked(draft: Draft, pieces: Iterable[bytes]) -> list[bytes]:
    """A body's chunks, each with its signature, the last and empty one included.

    :param draft: whose signature begins the chain; its payload is one of the signed streaming ones.
    """
    previous = signature_of(draft.signed())
    chunks = []
    for piece in [*pieces, b""]:
        digest = sha256(piece).hexdigest()
        previous = _chained(draft, "PAYLOAD", previous, EMPTY, digest)
        end = b"\r\n" if piece else b""
        head = f"{len(piece):x};chunk-signature={previous}\r\n"
        chunks.append(head.encode() + piece + end)
    return chunks


def trailer(draft: Draft, last: bytes, name: str, value: str) -> bytes:
    """A signed trailer.

    :param last: the last chunk, whose signature it goes on from.
    """
    previous = re.search(rb"chunk-signature=([0-9a-f]{64})", last)
    assert previous is not None
    digest = sha256(f"{name}:{value}\n".encode()).hexdigest()
    signature = _chained(draft, "TRAILER", previous[1].decode(), digest)
    return f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def signature_of(sent: Sent) -> str:
    """The signature that a request has in its Authorization header."""
    return sent.header("authorization").rpartition("Signature=")[2]


def _chained(draft: Draft, kind: str, *parts: str) -> str:
    text = "\n".join((f"AWS4-HMAC-SHA256-{kind}", draft.timestamp, draft.scope, *parts))
    return hmac.digest(draft.key, text.encode(), sha256).hex()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
