"""What tests over HDFS have in common: a store in a folder of its own."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import SkipTest

from ozgate.blobs.hdfs.store import HdfsBlobStore
from ozgate.errors import Unavailable
from ozgate.values import BlobRef
from tests.engines.hdfs import given

BLOCK_SIZE = 1 << 20
"""Bytes of a block of HDFS: small, so that a quota can be small, which counts a whole block from its beginning."""


class InHdfs:
    """A mixin: a folder of the given HDFS for each test."""

    path: str

    def make_store(self, **more: Any) -> HdfsBlobStore:
        """A new store in a new folder."""
        self.path = f"/ozgate-{os.urandom(6).hex()}"
        return self.remake_store(**more)

    def remake_store(self, **more: Any) -> HdfsBlobStore:
        """Another over the same folder."""
        self.hdfs = given()
        try:
            return HdfsBlobStore(
                f"{self.hdfs.url}{self.path}",
                "hdfs",
                reactor,
                16384,
                block_size=BLOCK_SIZE,
                **more,
            )
        except Unavailable as error:
            raise SkipTest(str(error)) from None

    def client(self) -> Any:
        """A client of hdfs-native."""
        from hdfs_native import Client

        return Client(self.hdfs.url)

    def now(self) -> int:
        """The time of the store."""
        return int(reactor.seconds() * 1000)

    def file_of(self, blob: BlobRef) -> str:
        """The path of a blob."""
        return f"{self.path}/data/{blob.id[-2:]}/{blob.id}"

    def names(self, folder: str) -> list[str]:
        """What is in a folder."""
        client = self.client()
        found = client.list_status(f"{self.path}/{folder}", False)
        return [each.path.rpartition("/")[2] for each in found]

    def rewrite(self, blob: BlobRef, data: bytes) -> None:
        """Have a blob's file be another."""
        client, path = self.client(), self.file_of(blob)
        client.delete(path)
        with client.create(path) as file:
            file.write(data)

    def read(self, blob: BlobRef) -> bytes:
        """A blob's whole file."""
        file = self.client().read(self.file_of(blob))
        return bytes(file.read_range(0, len(file)))
