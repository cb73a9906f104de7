"""Blobs in a bucket of Ozone's own S3 gateway: the contract, over what it gets wrong."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

from twisted.trial.unittest import TestCase

from ozgate.auth.sigv4 import sign
from ozgate.errors import NoSpace
from ozgate.testing.blob_base import MIB, noise
from tests.contract.s3contract import S3BlobContract
from tests.engines.given import insecure
from tests.running import ACCESS_KEY, REGION, SECRET_KEY


class OzoneBlobTests(S3BlobContract, TestCase):
    """The contract of blob stores."""

    async def setUp(self) -> None:
        self.ozone = insecure()
        self.host = urlsplit(self.ozone.s3g).netloc
        await super().setUp()

    def ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        signed = sign(
            method,
            f"http://{self.host}{target}",
            {},
            ACCESS_KEY,
            SECRET_KEY,
            REGION,
            time.time(),
        )
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, target, body or None, signed)
            answer = connection.getresponse()
            found = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, found
        return found

    async def test_no_space(self) -> None:
        """A bucket over its quota says so and keeps nothing; there is room when it has none. A quota must have room for a whole block of Ozone's, whatever comes."""
        small = await self.put(b"before")
        place = f"/s3v/{self.bucket}"
        self.ozone.text("sh", "bucket", "setquota", "--space-quota", "2MB", place)
        sink = self.store.create(None)
        sink.write(noise(MIB))
        await self.assertFailure(sink.commit(), NoSpace)
        self.assertEqual(await self.ids(), [small.id])
        self.ozone.text("sh", "bucket", "clrquota", "--space-quota", place)
        self.assertEqual(await self.get(await self.put(b"after")), b"after")
