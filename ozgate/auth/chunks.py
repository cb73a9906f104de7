"""Signatures of the chunks of a body sent with ``STREAMING-AWS4-HMAC-SHA256-PAYLOAD``, and of its trailer.

Each signature covers the one before it, so that a chunk can be neither replayed nor reordered. Source: Amazon S3 API
Reference, "Signature Calculations: Transferring Payload in Multiple Chunks" and "… Including Trailing Headers".

A chunk is hashed while it passes and checked at its end: its bytes are handed on before. That is safe
because nothing becomes visible until the whole body was checked.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from ..errors import SignatureDoesNotMatch
from .canonical import signature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .sigv4 import Verified

_EMPTY = hashlib.sha256().hexdigest()


class ChunkVerifier:
    """The rolling signature of one body.

    With security off there is no key: every signature of good form is accepted, and nothing is hashed.

    :param verified: what the gate found; its signature is the first of the chain.
    """

    def __init__(self, verified: Verified) -> None:
        self.trailer = verified.payload.endswith("-TRAILER")
        """Whether the body ends in a signed trailer."""
        self._key = verified.signing_key
        self._access_id = verified.access_id
        self._middle = f"{verified.timestamp}\n{verified.scope}"
        self._previous = verified.signature
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Take bytes of the chunk under way."""
        if self._key is not None:
            self._hash.update(data)

    def end_chunk(self, provided: str) -> None:
        """The chunk under way is complete.

        :param provided: the signature that came with it.
        :raises SignatureDoesNotMatch: it is another's.
        """
        digest = self._hash.hexdigest()
        self._hash = hashlib.sha256()
        self._check(
            f"AWS4-HMAC-SHA256-PAYLOAD\n{self._middle}\n{self._previous}\n{_EMPTY}\n{digest}",
            provided,
        )

    def end_trailer(self, trailers: Iterable[tuple[str, str]], provided: str) -> None:
        """All trailers have come.

        :param trailers: lower-case names and values, without the signature.
        :raises SignatureDoesNotMatch: the signature is another's.
        """
        text = "".join(f"{name}:{value}\n" for name, value in sorted(trailers))
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._check(
            f"AWS4-HMAC-SHA256-TRAILER\n{self._middle}\n{self._previous}\n{digest}",
            provided,
        )

    def _check(self, text: str, provided: str) -> None:
        if self._key is None:
            return
        expected = signature(self._key, text)
        if not hmac.compare_digest(expected.encode(), provided.encode()):
            raise SignatureDoesNotMatch(
                AWSAccessKeyId=self._access_id,
                StringToSign=text,
                SignatureProvided=provided,
                StringToSignBytes=text.encode().hex(" "),
            )
        self._previous = expected
