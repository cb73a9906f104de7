"""The contract of blob stores on a real HDFS."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from ozgate.testing.blob_contract import BlobContract
from ozgate.values import BlobRef
from tests.hdfs.store import InHdfs


class HdfsBlobTests(InHdfs, BlobContract, TestCase):
    """The contract on :class:`~ozgate.blobs.hdfs.store.HdfsBlobStore`."""

    timeout = 120

    def damage(self, blob: BlobRef, offset: int) -> None:
        data = bytearray(self.read(blob))
        data[offset] ^= 0x10
        self.rewrite(blob, bytes(data))

    def truncate(self, blob: BlobRef, length: int) -> None:
        self.rewrite(blob, self.read(blob)[:length])

    def fill(self) -> None:
        self.hdfs.admin("-setSpaceQuota", "3m", self.path)

    def leftovers(self) -> list[str]:
        return self.names("staging")
