"""minio-go, which sends checksums as trailers: of chunks that are signed over plain HTTP, and are not over TLS.

Its program is in ``minio_go``. It computes all ten algorithms with libraries that are not the gateway's.
"""

from __future__ import annotations

import json

from tests.clients.support import built
from tests.clients.test_tls import TlsTestCase


class MinioGoTests(TlsTestCase):
    """Objects there and back."""

    def there_and_back(self, url: str) -> None:
        """Have the program put and get its objects, and hold what it was told against what boto3 is told."""
        program = built(self, "minio-go")
        s3 = self.client(url)
        s3.create_bucket(Bucket="bucket")
        code, said = self.run_client(
            *(program, url, "bucket"), SSL_CERT_FILE=self.certificate
        )
        self.assertEqual(code, 0, said)
        rows = [json.loads(line) for line in said.splitlines()]
        self.assertEqual(len(rows), 40, said)
        for row in rows:
            head = s3.head_object(
                Bucket="bucket", Key=row["Key"], ChecksumMode="ENABLED"
            )
            self.assertEqual(head["ContentLength"], row["Size"])
            self.assertEqual(head["ETag"].strip('"'), row["ETag"])
            self.assertEqual(head["ChecksumType"], row["Mode"])
            self.assertEqual(head["Checksum" + row["Algorithm"]], row["Checksum"])
            composite = "-" in row["ETag"] and row["Algorithm"] != "CRC64NVME"
            self.assertEqual(row["Checksum"].endswith("-2"), composite)

    def test_unsigned_chunks(self) -> None:
        """Over TLS every object goes up in unsigned chunks, whose trailer ends in a bare LF and an empty line too many."""
        [url] = self.secured().urls
        self.there_and_back(url)

    def test_signed_chunks(self) -> None:
        """Over plain HTTP the chunks are signed, and so is the trailer, with an empty line before its signature."""
        plain = next(
            url
            for url in self.secured(policy="HTTP_AND_HTTPS").urls
            if url.startswith("http:")
        )
        self.there_and_back(plain)
