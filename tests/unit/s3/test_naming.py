"""Tests of :mod:`ozgate.s3.naming`: nothing takes bytes for left over before their row is there; where that fails, they are doomed."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from ozgate.content.readers import MARGIN
from ozgate.errors import InvalidRequest
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.asked import Asked
from ozgate.s3.naming import keep
from ozgate.values import Bucket, Claim, Volume
from tests.unit.s3.receiving import LARGE, SMALL, Connection, ReceiveCase, all_doomed


def add_bucket(tx: IMetadataTransaction) -> None:
    """Make the bucket of :meth:`ReceiveCase.call`, of whom asks."""
    tx.claim(Claim.volume("s3v"), Claim.name("s3v", "bucket"))
    tx.add_volume(Volume("s3v", "somebody", tx.now()))
    tx.add_bucket(Bucket("s3v", "bucket", "somebody", tx.now()))


def give(tx: IMetadataTransaction, asked: Asked, bucket: Bucket, value: str) -> str:
    """An interaction that succeeds."""
    return value


def refuse(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> None:
    """An interaction that fails."""
    raise InvalidRequest("no")


class KeepTests(ReceiveCase):
    """Naming bytes that were just written."""

    def setUp(self) -> None:
        """Make a bucket besides."""
        super().setUp()
        self.successResultOf(self.metadata.write(add_bucket))

    def test_kept(self) -> None:
        """When the write succeeds its result is given and nothing is doomed."""
        received = self.taken(LARGE)
        call = self.call(Connection(b"", 0))
        kept = Deferred.fromCoroutine(keep(call, received, give, "x"))
        self.assertEqual(self.successResultOf(kept), "x")
        self.assertEqual(self.successResultOf(self.metadata.read(all_doomed)), [])

    def test_failed(self) -> None:
        """When the write fails, the blobs just written are doomed."""
        received = self.taken(LARGE)
        call = self.call(Connection(b"", 0))
        failed = Deferred.fromCoroutine(keep(call, received, refuse))
        self.failureResultOf(failed, InvalidRequest)
        self.assert_nothing_left()
        self.assertIsNone(self.gateway.readers.oldest())

    def test_held(self) -> None:
        """From the first of several blobs on, until the row is there, or surely is not, their writer counts as a reader."""
        self.blobs.extent_size = 100_000
        readers, began = self.gateway.readers, int(self.clock.seconds() * 1000)
        received = self.taken(LARGE)
        self.assertEqual(received.began, began)
        # The turn of the commit is not over: here the row is asked for.
        self.assertEqual(readers.oldest(), began - MARGIN)
        waiting: list[Deferred[None]] = []
        write = self.metadata.write

        def wait(*args: Any) -> Deferred[Any]:
            waiting.append(Deferred())
            return waiting[-1].addCallback(lambda _: write(*args))

        self.patch(self.metadata, "write", wait)
        call = self.call(Connection(b"", 0))
        kept = Deferred.fromCoroutine(keep(call, received, give, "x"))
        self.clock.advance(3600)
        self.assertEqual(readers.oldest(), began - MARGIN)
        waiting[0].callback(None)
        self.assertEqual(self.successResultOf(kept), "x")
        self.assertIsNone(readers.oldest())

    def test_client_gone(self) -> None:
        """A client that goes ends no write: until that is over its writer is a reader still, and nothing is doomed that a row may name."""
        began, received = int(self.clock.seconds() * 1000), self.taken(LARGE)
        write, asked = self.metadata.write, list[Deferred[Any]]()
        under_way: Deferred[None] = Deferred()

        def late(*args: Any) -> Deferred[Any]:
            # As of a store whose threads know nothing of who waits.
            asked.append(Deferred())
            under_way.addCallback(lambda _: write(*args).chainDeferred(asked[0]))
            return asked[0]

        self.patch(self.metadata, "write", late)
        call = self.call(Connection(b"", 0))
        kept = Deferred.fromCoroutine(keep(call, received, give, "x"))
        kept.cancel()
        self.failureResultOf(kept, CancelledError)
        self.assertEqual(len(asked), 1)
        self.assertEqual(self.gateway.readers.oldest(), began - MARGIN)
        under_way.callback(None)
        self.assertIsNone(self.gateway.readers.oldest())
        self.assertEqual(self.successResultOf(self.metadata.read(all_doomed)), [])

    def test_given_up(self) -> None:
        """Who asks for no row is no reader any more in the next turn."""
        self.blobs.extent_size = 100_000
        self.taken(LARGE)
        self.clock.advance(0)
        self.assertIsNone(self.gateway.readers.oldest())

    def test_inline_failed(self) -> None:
        """Bytes in the row need no dooming."""
        call = self.call(Connection(b"", 0))
        failed = Deferred.fromCoroutine(keep(call, self.taken(SMALL), refuse))
        self.failureResultOf(failed, InvalidRequest)
        self.assertEqual(self.successResultOf(self.metadata.read(all_doomed)), [])
