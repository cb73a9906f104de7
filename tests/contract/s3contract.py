"""The contract of blob stores on an S3 engine, whichever that is."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.internet.tcp import Client

from ozgate.blobs.s3.frames import BLOCK, CHECK
from ozgate.blobs.s3.location import name_of
from ozgate.blobs.s3.store import S3BlobStore
from ozgate.testing.blob_contract import BlobContract
from ozgate.values import BlobRef
from tests.contract.s3engine import keys_of, make_bucket, store_over


class S3BlobContract(BlobContract):
    """The contract on :class:`S3BlobStore`. A test case says which engine it is."""

    prefix = "deep/down"
    host: str

    def ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        """What the engine answers."""
        raise NotImplementedError

    def make_store(self) -> S3BlobStore:
        self.bucket = make_bucket()
        self.ask("PUT", f"/{self.bucket}")
        return self.remake_store()

    def remake_store(self) -> S3BlobStore:
        return store_over(self.host, f"{self.bucket}/{self.prefix}")

    async def tearDown(self) -> None:
        """Wait until what was given up is closed: an engine that refuses a body may be sent the rest of it."""
        await super().tearDown()
        for _ in range(20000):
            open_ones = reactor.getReaders() + reactor.getWriters()
            if not any(isinstance(each, Client) for each in open_ones):
                break
            await self.turn()

    def now(self) -> int:
        return int(reactor.seconds() * 1000)

    def place(self, blob: BlobRef) -> str:
        """Where the engine has a blob."""
        return f"/{self.bucket}/{self.prefix}/{name_of(blob.id)}"

    def damage(self, blob: BlobRef, offset: int) -> None:
        changed = bytearray(self.ask("GET", self.place(blob)))
        changed[offset + offset // BLOCK * CHECK.size] ^= 0x10
        self.ask("PUT", self.place(blob), bytes(changed))

    def truncate(self, blob: BlobRef, length: int) -> None:
        found = self.ask("GET", self.place(blob))
        self.ask("PUT", self.place(blob), found[:length])

    def leftovers(self) -> list[str]:
        listed = keys_of(self.ask("GET", f"/{self.bucket}?list-type=2"))
        ours = f"{self.prefix}/NAME", f"{self.prefix}/data/"
        return [key for key in listed if not key.startswith(ours)]
