"""Tests of :class:`ozgate.auth.chunks.AskedChunks`: signatures of chunks that somebody else verifies."""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from ozgate.auth.chunks import MOST_ASKED, AskedChunks, ChunkVerifier
from ozgate.auth.signatory import signatory_of
from ozgate.auth.sigv4 import Verified
from ozgate.errors import (
    Absent,
    InvalidAccessKeyId,
    S3Error,
    SignatureDoesNotMatch,
    Unavailable,
)
from ozgate.interfaces import IVerifier
from ozgate.values import Credential, Presented, Signatory
from tests.unit.auth.chunking import SCOPE, SIGNED_TRAILER, TIMESTAMP, sign
from tests.unit.auth.signed import DOCUMENTED, SECRET
from tests.unit.auth.test_chunks import (
    CHUNKS,
    TRAILER,
    TRAILER_CHUNKS,
    TRAILER_SEED,
)

PRESENTED = Presented(DOCUMENTED, "first", TRAILER_SEED, "20130524", "us-east-1")
ALICE = Signatory("alice")


@implementer(IVerifier)
class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Presented, Deferred[Signatory | None]]] = []

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`IVerifier`."""
        answer: Deferred[Signatory | None] = Deferred()
        self.asked.append((presented, answer))
        return answer

    def answer(self, signatory: Signatory | None = ALICE) -> None:
        """Answer the one who asked first."""
        self.asked.pop(0)[1].callback(signatory)


@implementer(IVerifier)
class Knowing:
    """Has the secret, and gives no key away."""

    def verify(self, presented: Presented) -> Deferred[Signatory | None]:
        """See :class:`IVerifier`."""
        found = signatory_of(presented, Credential(SECRET, DOCUMENTED))
        return succeed(None if found is None else Signatory(found.user))


@implementer(IPushProducer)
class Body:
    """Counts whether it is to be silent."""

    is_paused = False

    def pauseProducing(self) -> None:
        """Be silent."""
        self.is_paused = True

    def resumeProducing(self) -> None:
        """Go on."""
        self.is_paused = False

    def stopProducing(self) -> None:
        """Do nothing."""


def verified(verifier: IVerifier) -> Verified:
    """What the gate found, where it knows no key."""
    return Verified(
        *(DOCUMENTED, SIGNED_TRAILER, None, SCOPE, TIMESTAMP, TRAILER_SEED, False),
        presented=PRESENTED,
        verifier=verifier,
    )


class ChainTests(SynchronousTestCase):
    """The documented upload, held against a secret that is not here."""

    def sent(self, changed: int = -1, trailer: str = TRAILER) -> S3Error | None:
        """How it ends, once the body is here.

        :param changed: the chunk that has another byte.
        """
        chunks = ChunkVerifier(verified(Knowing()))
        asked = cast(AskedChunks, chunks.asked)
        try:
            for number, ((data, _), signature) in enumerate(
                zip(CHUNKS, TRAILER_CHUNKS, strict=True)
            ):
                chunks.update(data[:-1] + b"b" if number == changed else data)
                chunks.end_chunk(signature)
            chunks.end_trailer([("x-amz-checksum-crc32c", "sOO8/Q==")], trailer)
        except SignatureDoesNotMatch as error:
            return error
        finished = Deferred.fromCoroutine(asked.finish())
        if changed < 0 and trailer == TRAILER:
            self.successResultOf(finished)
            return None
        return cast(
            S3Error, self.failureResultOf(finished, SignatureDoesNotMatch).value
        )

    def test_documented(self) -> None:
        """It is right as it is, and a changed chunk or trailer is refused by the time that the body is here."""
        self.assertIsNone(self.sent())
        for number in range(len(CHUNKS)):
            self.assertIsNotNone(self.sent(changed=number))
        last = TRAILER_CHUNKS[-1]
        self.assertIsNotNone(self.sent(trailer=last))
        self.assertIsNotNone(self.sent(trailer=sign("TRAILER", last, "0" * 64)))


class AskingTests(SynchronousTestCase):
    """How they are asked for."""

    def setUp(self) -> None:
        """One that waits for answers."""
        self.slow, self.body = Slow(), Body()
        self.asked = AskedChunks(self.slow, PRESENTED)
        self.asked.registerProducer(self.body, True)

    def test_what_is_asked(self) -> None:
        """Each is asked for as what the request was signed with, but for the text and the signature."""
        self.asked.ask("text", "0" * 64)
        presented, _ = self.slow.asked[0]
        self.assertEqual(presented.string_to_sign, "text")
        self.assertEqual(presented.signature, "0" * 64)
        self.assertEqual(presented.access_id, DOCUMENTED)
        self.assertEqual(presented.date, "20130524")

    def test_all_are_waited_for(self) -> None:
        """The body is right when the last answer has come, in whatever order they come."""
        for _ in range(3):
            self.asked.ask("text", "0" * 64)
        finished = Deferred.fromCoroutine(self.asked.finish())
        self.slow.asked.reverse()
        for _ in range(3):
            self.assertNoResult(finished)
            self.slow.answer()
        self.successResultOf(finished)
        self.successResultOf(Deferred.fromCoroutine(self.asked.finish()))

    def test_one_is_wrong(self) -> None:
        """One that is wrong is enough, whichever; the body need not go on."""
        for wrong in range(3):
            self.setUp()
            for _ in range(3):
                self.asked.ask("text", "0" * 64)
            finished = Deferred.fromCoroutine(self.asked.finish())
            for number in range(3):
                self.slow.answer(None if number == wrong else ALICE)
            self.failureResultOf(finished, SignatureDoesNotMatch)
            with self.assertRaises(SignatureDoesNotMatch):
                self.asked.ask("text", "0" * 64)

    def test_held_up(self) -> None:
        """The body waits while many are asked for, and goes on when some were answered."""
        for _ in range(MOST_ASKED):
            self.asked.ask("text", "0" * 64)
        self.assertFalse(self.body.is_paused)
        self.asked.ask("text", "0" * 64)
        self.assertTrue(self.body.is_paused)
        for _ in range(MOST_ASKED // 2 + 1):
            self.assertTrue(self.body.is_paused)
            self.slow.answer()
        self.assertFalse(self.body.is_paused)

    def test_body_over(self) -> None:
        """A body that has ended while it waited is let go of."""
        for _ in range(MOST_ASKED + 1):
            self.asked.ask("text", "0" * 64)
        self.asked.unregisterProducer()
        finished = Deferred.fromCoroutine(self.asked.finish())
        while self.slow.asked:
            self.slow.answer()
        self.assertTrue(self.body.is_paused)
        self.successResultOf(finished)

    def test_client_gone(self) -> None:
        """Answers that nobody waits for any more change nothing."""
        self.asked.ask("text", "0" * 64)
        finished = Deferred.fromCoroutine(self.asked.finish())
        finished.cancel()
        self.failureResultOf(finished)
        self.slow.answer(None)

    def test_failures(self) -> None:
        """Without an answer a body is not right; an access id that is gone is told as such."""
        for error, told in (
            (Unavailable("x"), Unavailable),
            (Absent("x"), InvalidAccessKeyId),
        ):
            self.setUp()
            self.asked.ask("text", "0" * 64)
            self.slow.asked.pop()[1].errback(error)
            finished = Deferred.fromCoroutine(self.asked.finish())
            self.failureResultOf(finished, told)
