"""What a request says of its body, and the digests that tell whether it is true.

Sources: Amazon S3 API Reference, PutObject; Amazon S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..errors import (
    BadDigest,
    InvalidDigest,
    InvalidRequest,
    MissingContentLength,
    XAmzContentSHA256Mismatch,
)
from ..immutable import frozen
from .checksums import ALGORITHMS, Hash, check, check_value, declared, encode, trailer
from .row import Body

if TYPE_CHECKING:
    from ..auth.sigv4 import Verified
    from ..wire.body import RequestBody
    from ..wire.headers import Headers
    from .call import Call
    from .row import Operation

_OF_NOTHING = hashlib.sha256().hexdigest()


@frozen
class Terms:
    """What a request says about its body, in good form.

    :ivar size: decoded bytes; ``None`` when not said.
    :ivar streaming: the kind of aws-chunked, or ``""``.
    :ivar sha256: hex, lower case.
    :ivar md5: base64.
    :ivar declared: (algorithm, base64) by header.
    :ivar trailing: the algorithm announced as trailer.
    :ivar of_object: whether the body is that of an object or part. S3 shows the Content-MD5 of one that it did not get in
        hex, that of a document as it was sent, and what it got in base64 (quoted so by users of S3).
    """

    size: int | None
    streaming: str
    sha256: str | None
    md5: str | None
    declared: tuple[str, str] | None
    trailing: str | None
    of_object: bool

    @property
    def algorithm(self) -> str | None:
        """Of the checksum that the client gives, in a header or as a trailer; ``None`` where it gives none."""
        return self.declared[0] if self.declared else self.trailing


def read_terms(call: Call) -> Terms:
    """What a request says about its body.

    :raises S3Error: it says it badly.
    """
    headers = call.headers
    payload = call.verified.payload
    streaming = payload if payload.startswith("STREAMING-") else ""
    trailing = trailer(headers)
    if trailing is not None and not payload.endswith("-TRAILER"):
        raise InvalidRequest(
            "The x-amz-trailer header needs an x-amz-content-sha256 header that ends in -TRAILER."
        )
    return Terms(
        _decoded_length(headers) if streaming else _plain_length(call),
        streaming,
        payload.lower() if len(payload) == 64 else None,
        _content_md5(headers),
        declared(headers),
        trailing,
        call.operation.body is Body.STREAM,
    )


def stated_size(call: Call) -> int:
    """The bytes of the body by what the client says, before they have come; 0 when it says nothing.

    :raises MissingContentLength: it says it badly.
    """
    if call.verified.payload.startswith("STREAMING-"):
        return _decoded_length(call.headers)
    return call.body.length or 0


def check_payload(operation: Operation, verified: Verified) -> None:
    """Check that an operation takes what a request says of the form of its body.

    :raises InvalidRequest: chunks that nothing signs are for the bytes of objects and parts.
    """
    if (
        verified.payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        and not operation.takes_unsigned_chunks
    ):
        raise InvalidRequest("The value of x-amz-content-sha256 header is invalid.")


def check_unread(verified: Verified, body: RequestBody) -> None:
    """Check what is said of a body that nobody reads: whether there is one.

    :raises XAmzContentSHA256Mismatch: the signed SHA-256 is that of no bytes, and some come; or the other way round.
    """
    payload = verified.payload
    if len(payload) == 64 and body.length is not None:
        payload = payload.lower()
        if (payload == _OF_NOTHING) != (body.length == 0):
            raise XAmzContentSHA256Mismatch(ClientComputedContentSHA256=payload)


def _plain_length(call: Call) -> int | None:
    """Bytes that will come as they are; ``None`` when nobody said: S3 takes no silence for an empty object."""
    length = call.body.length
    return length if length or "content-length" in call.headers else None


def _decoded_length(headers: Headers) -> int:
    text = headers.get("x-amz-decoded-content-length") or ""
    # 19 digits hold 2**63 - 1; what has more is no size.
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise MissingContentLength()
    return int(text)


def _content_md5(headers: Headers) -> str | None:
    text = headers.get("content-md5")
    if text is None:
        return None
    try:
        if len(b64decode(text, validate=True)) == 16:
            return text
    except (BadBase64, ValueError):
        pass
    members: dict[str, str | int] = {"Content-MD5": text}
    raise InvalidDigest(None, **members)


class Digests:
    """The digests that one body needs, each computed once.

    :param names: checksum algorithms wanted besides what the client states.
    """

    def __init__(self, terms: Terms, names: Iterable[str]) -> None:
        self._terms = terms
        wanted = dict.fromkeys(names)
        if terms.algorithm is not None:
            wanted[terms.algorithm] = None
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._checksums: dict[str, Hash] = {
            name: self.md5 if name == "MD5" else ALGORITHMS[name].new()
            for name in wanted
        }
        self._sha256: Hash | None = None
        if terms.sha256:
            self._sha256 = self._checksums.get("SHA256") or hashlib.sha256()

    def hashes(self) -> list[Hash]:
        """What is to be fed: each once, whatever it is for."""
        hashes = dict.fromkeys([self.md5, *self._checksums.values()])
        if self._sha256 is not None:
            hashes[self._sha256] = None
        return list(hashes)

    def take(
        self, data: bytes, trailers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Take all of the body at once, and compare.

        :raises S3Error: as :meth:`verify`.
        """
        self.md5.update(data)
        for it in self._checksums.values():
            if it is not self.md5:
                it.update(data)
        sha256 = self._sha256
        if sha256 is not None and sha256 is not self._checksums.get("SHA256"):
            sha256.update(data)
        self.verify(trailers)

    def checksums(self) -> dict[str, str]:
        """Algorithm → base64."""
        return {name: encode(it.digest()) for name, it in self._checksums.items()}

    def verify(self, trailers: Mapping[str, str]) -> None:
        """Compare with what the client stated.

        :raises XAmzContentSHA256Mismatch: the signed SHA-256 is another.
        :raises BadDigest: Content-MD5 or a checksum is another.
        """
        terms = self._terms
        if terms.sha256 and self._sha256 is not None:
            computed = self._sha256.digest().hex()
            if computed != terms.sha256:
                raise XAmzContentSHA256Mismatch(
                    ClientComputedContentSHA256=terms.sha256,
                    S3ComputedContentSHA256=computed,
                )
        if terms.md5:
            computed = encode(self.md5.digest())
            if computed != terms.md5:
                stated_md5 = terms.md5
                if terms.of_object:
                    stated_md5 = b64decode(stated_md5).hex()
                raise BadDigest(ExpectedDigest=stated_md5, CalculatedDigest=computed)
        stated = terms.declared
        if terms.trailing:
            row = ALGORITHMS[terms.trailing]
            stated = row.name, check_value(row, trailers[row.header], "trailing header")
        if stated:
            name, value = stated
            check(name, value, encode(self._checksums[name].digest()))
