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

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer, IPushProducer
from zope.interface import implementer

from ..errors import Absent, InvalidAccessKeyId, SignatureDoesNotMatch
from .canonical import signature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.python.failure import Failure

    from ..interfaces import IVerifier
    from ..values import Presented, Signatory
    from .sigv4 import Verified

MOST_ASKED = 8
"""Signatures of chunks of one body that are being asked for at a time; then the body waits."""

_EMPTY = hashlib.sha256().hexdigest()


class ChunkVerifier:
    """The rolling signature of one body.

    With security off there is no key: every signature of good form is accepted, and nothing is hashed. Where somebody else has the key, each signature is
    asked for.

    :param verified: what the gate found; its signature is the first of the chain.
    """

    def __init__(self, verified: Verified) -> None:
        self.trailer = verified.payload.endswith("-TRAILER")
        """Whether the body ends in a signed trailer."""
        self.asked: AskedChunks | None = None
        """Asks for signatures; ``None`` where they are computed here, or believed."""
        if verified.verifier is not None and verified.presented is not None:
            self.asked = AskedChunks(verified.verifier, verified.presented)
        self._key = verified.signing_key
        self._is_hashed = self._key is not None or self.asked is not None
        self._access_id = verified.access_id
        self._middle = f"{verified.timestamp}\n{verified.scope}"
        self._previous = verified.signature
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Take bytes of the chunk under way."""
        if self._is_hashed:
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
        if self.asked is not None:
            self.asked.ask(text, provided)
            self._previous = provided
            return
        if self._key is None:
            return
        expected = signature(self._key, text)
        if not hmac.compare_digest(expected.encode(), provided.encode()):
            raise _mismatch(self._access_id, text, provided)
        self._previous = expected


@implementer(IConsumer)
class AskedChunks:
    """Has signatures of chunks verified by whoever has the secret, beside the body that goes on. A consumer of the body, to hold it up where answers take long.

    None of them is known to be right until :meth:`finish` has fired.

    :param presented: what the request was signed with, which was verified.
    """

    def __init__(self, verifier: IVerifier, presented: Presented) -> None:
        self._verifier = verifier
        self._presented = presented
        self._waiting = 0
        self._failed: Exception | None = None
        self._producer: IPushProducer | None = None
        self._is_paused = False
        self._settled: Deferred[None] | None = None

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Take the push producer of the body, which waits while too many signatures are asked for."""
        self._producer = IPushProducer(producer)

    def unregisterProducer(self) -> None:
        """Let go of it."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Take nothing: what is asked for comes from who decodes the body."""

    def ask(self, text: str, provided: str) -> None:
        """Have one more signature verified.

        :param text: what it is said to be one of.
        :raises SignatureDoesNotMatch: one of those before is another's; the body need not go on.
        :raises StoreError: one of those before could not be verified.
        """
        if self._failed is not None:
            raise self._failed
        presented = evolve(self._presented, string_to_sign=text, signature=provided)
        self._waiting += 1
        asked = self._verifier.verify(presented)
        asked.addCallback(self._take, presented).addErrback(self._fail)
        asked.addBoth(self._settle)
        if self._waiting > MOST_ASKED and self._producer and not self._is_paused:
            self._is_paused = True
            self._producer.pauseProducing()

    async def finish(self) -> None:
        """Wait for the answers.

        :raises SignatureDoesNotMatch: one of the signatures is another's.
        :raises InvalidAccessKeyId: nobody has the access id any more.
        :raises StoreError: one could not be verified.
        """
        if self._waiting:
            self._settled = Deferred()
            await self._settled
        if self._failed is not None:
            raise self._failed

    def _take(self, signatory: Signatory | None, presented: Presented) -> None:
        if signatory is None:
            access_id, text = presented.access_id, presented.string_to_sign
            raise _mismatch(access_id, text, presented.signature)

    def _fail(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, Absent):
            error = InvalidAccessKeyId(AWSAccessKeyId=self._presented.access_id)
        if self._failed is None and isinstance(error, Exception):
            self._failed = error

    def _settle(self, _: object) -> None:
        self._waiting -= 1
        if self._is_paused and self._waiting <= MOST_ASKED // 2:
            self._is_paused = False
            if self._producer is not None:
                self._producer.resumeProducing()
        if self._waiting == 0 and self._settled is not None:
            settled, self._settled = self._settled, None
            settled.callback(None)


def _mismatch(access_id: str, text: str, provided: str) -> SignatureDoesNotMatch:
    return SignatureDoesNotMatch(
        AWSAccessKeyId=access_id,
        StringToSign=text,
        SignatureProvided=provided,
        StringToSignBytes=text.encode().hex(" "),
    )
