"""The contract of blob stores on an S3 engine, which is another ozgate."""

from __future__ import annotations

from urllib.parse import urlsplit

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from ozgate.blobs.s3.frames import BLOCK, CHECK
from ozgate.blobs.s3.location import name_of
from ozgate.blobs.s3.store import S3BlobStore
from ozgate.testing.blob_contract import BlobContract
from ozgate.values import BlobRef
from tests.contract.s3engine import engine, keys, make_bucket, set_quota, store_over


class S3BlobTests(BlobContract, TestCase):
    """The contract on :class:`S3BlobStore`."""

    prefix = "deep/down"

    def make_store(self) -> S3BlobStore:
        self.bucket = make_bucket()
        return self.remake_store()

    def remake_store(self) -> S3BlobStore:
        host = urlsplit(engine().url).netloc
        return store_over(host, f"{self.bucket}/{self.prefix}")

    def now(self) -> int:
        return int(reactor.seconds() * 1000)

    def place(self, blob: BlobRef) -> str:
        return f"/{self.bucket}/{self.prefix}/{name_of(blob.id)}"

    def damage(self, blob: BlobRef, offset: int) -> None:
        _, _, found = engine().request("GET", self.place(blob))
        changed = bytearray(found)
        changed[offset + offset // BLOCK * CHECK.size] ^= 0x10
        engine().request("PUT", self.place(blob), body=bytes(changed))

    def truncate(self, blob: BlobRef, length: int) -> None:
        _, _, found = engine().request("GET", self.place(blob))
        engine().request("PUT", self.place(blob), body=found[:length])

    def fill(self) -> None:
        set_quota(self.bucket, "2MB")

    def leftovers(self) -> list[str]:
        ours = f"{self.prefix}/NAME", f"{self.prefix}/data/"
        return [key for key in keys(self.bucket) if not key.startswith(ours)]
