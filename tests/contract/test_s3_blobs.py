"""The contract of blob stores on an S3 engine, which is another ozgate."""

from __future__ import annotations

from urllib.parse import urlsplit

from twisted.trial.unittest import TestCase

from tests.contract.s3contract import S3BlobContract
from tests.contract.s3engine import engine, set_quota


class S3BlobTests(S3BlobContract, TestCase):
    """The contract on :class:`S3BlobStore`."""

    def setUp(self):
        self.host = urlsplit(engine().url).netloc
        return super().setUp()

    def ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        status, _, answer = engine().request(method, target, body=body)
        assert status < 300, answer
        return answer

    def fill(self) -> None:
        set_quota(self.bucket, "2MB")
