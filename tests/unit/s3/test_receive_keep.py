"""Tests of naming what :mod:`ozgate.s3.receive` wrote: where that fails, the bytes are doomed."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from ozgate.errors import InvalidRequest
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.asked import Asked
from ozgate.s3.receive import keep
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
        for kept in (received, received.content):
            failed = Deferred.fromCoroutine(keep(call, kept, refuse))
            self.failureResultOf(failed, InvalidRequest)
            self.assert_nothing_left()

    def test_inline_failed(self) -> None:
        """Bytes in the row need no dooming."""
        call = self.call(Connection(b"", 0))
        failed = Deferred.fromCoroutine(keep(call, self.taken(SMALL), refuse))
        self.failureResultOf(failed, InvalidRequest)
        self.assertEqual(self.successResultOf(self.metadata.read(all_doomed)), [])
