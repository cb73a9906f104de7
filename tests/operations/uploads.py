"""What the tests of objects and multipart uploads share."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import md5
from typing import Any

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.checksums import ALGORITHMS
from ozgate.values import Bucket, Extent
from tests.operations.support import OperationTestCase, Response

SMALL = b"small enough for the metadata row"
LARGE = bytes(range(256)) * 400
"""100 KiB: too large for the metadata row."""
PART = b"five mebi" * ((5 << 20) // 9) + b"bytes"
"""Just as large as a part must be at least."""
PART = PART[: 5 << 20].ljust(5 << 20, b".")

UNKNOWN_UPLOAD = "0" * 44


def etag_of(data: bytes) -> str:
    """The ETag of bytes, quoted."""
    return f'"{md5(data, usedforsecurity=False).hexdigest()}"'


def multipart_etag_of(*parts: bytes) -> str:
    """The ETag of a multipart object, quoted, by AWS's formula."""
    digests = b"".join(md5(part, usedforsecurity=False).digest() for part in parts)
    digest = md5(digests, usedforsecurity=False).hexdigest()
    return f'"{digest}-{len(parts)}"'


def checksum_of(algorithm: str, data: bytes) -> str:
    """A checksum of bytes, base64."""
    hash_ = ALGORITHMS[algorithm].new()
    hash_.update(data)
    return b64encode(hash_.digest()).decode()


def dashed(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers named as keywords: underscores stand for hyphens."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def complete_document(
    parts: Sequence[tuple[int, str]], checksums: Sequence[Mapping[str, str]] = ()
) -> bytes:
    """The document of a Complete.

    :param parts: (number, ETag) of each.
    :param checksums: for each, algorithm → base64.
    """
    rows = []
    for at, (number, etag) in enumerate(parts):
        extra = "".join(
            f"<Checksum{name}>{value}</Checksum{name}>"
            for name, value in (checksums[at] if checksums else {}).items()
        )
        quoted = etag.replace('"', "&quot;")
        rows.append(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{quoted}</ETag>{extra}</Part>"
        )
    return (
        '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{''.join(rows)}</CompleteMultipartUpload>"
    ).encode()


class ObjectTestCase(OperationTestCase):
    """Puts objects and parts by asking for it."""

    async def ask(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> Response:
        """A request; underscores in header names stand for hyphens."""
        return await self.client.request(method, target, dashed(headers), body)

    async def put(
        self, body: bytes = SMALL, target: str = "/bucket/key", **headers: str
    ) -> Response:
        """Put an object that must succeed."""
        response = await self.ask("PUT", target, body, **headers)
        self.assertEqual(response.status, 200, response.body)
        return response

    async def get(self, target: str = "/bucket/key", **headers: str) -> Response:
        """Get an object."""
        return await self.ask("GET", target, **headers)

    async def begin(self, target: str = "/bucket/key", **headers: str) -> str:
        """Begin an upload; its id."""
        response = await self.ask("POST", f"{target}?uploads", **headers)
        self.assertEqual(response.status, 200, response.body)
        upload_id = response.text("UploadId")
        assert upload_id
        return upload_id

    async def part(
        self,
        upload_id: str,
        number: int,
        body: bytes,
        target: str = "/bucket/key",
        **headers: str,
    ) -> str:
        """Upload a part that must succeed; its ETag, quoted."""
        asked = f"{target}?partNumber={number}&uploadId={upload_id}"
        response = await self.ask("PUT", asked, body, **headers)
        self.assertEqual(response.status, 200, response.body)
        return response.headers["etag"]

    async def complete(
        self,
        upload_id: str,
        parts: Sequence[tuple[int, str]],
        target: str = "/bucket/key",
        checksums: Sequence[Mapping[str, str]] = (),
        **headers: str,
    ) -> Response:
        """Complete an upload."""
        return await self.ask(
            "POST",
            f"{target}?uploadId={upload_id}",
            complete_document(parts, checksums),
            **headers,
        )

    async def upload(
        self, *bodies: bytes, target: str = "/bucket/key", **headers: str
    ) -> Response:
        """A multipart object, numbered from 1, that must succeed."""
        upload_id = await self.begin(target, **headers)
        parts = [
            (number, await self.part(upload_id, number, body, target))
            for number, body in enumerate(bodies, 1)
        ]
        response = await self.complete(upload_id, parts, target)
        self.assertEqual(response.status, 200, response.body)
        return response

    async def look(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Read from the store, past S3; the interaction, a function of a module, is given the bucket."""
        volume = self.client.gateway.settings.volume_name
        return await self.client.gateway.metadata.read(
            _in_bucket, volume, interaction, args
        )

    async def blobs_named(self, key: str = "key") -> list[str]:
        """The ids of the blobs that hold an object."""
        extents: Sequence[Extent] = await self.look(extents_of, key)
        return [extent.blob.id for extent in extents]

    def assert_no_reader(self) -> None:
        """Nothing keeps the reaper any more."""
        self.assertIsNone(self.client.gateway.readers.oldest())


def _in_bucket(
    tx: IMetadataTransaction,
    volume: str,
    interaction: Callable[..., Any],
    args: Sequence[Any],
) -> Any:
    bucket = tx.bucket(volume, "bucket")
    assert bucket is not None
    return interaction(tx, bucket, *args)


def extents_of(tx: IMetadataTransaction, bucket: Bucket, key: str) -> Sequence[Extent]:
    """Where the bytes of an object are."""
    version = tx.latest(bucket, key)
    assert version is not None
    return tx.content(bucket, version).extents


def doomed_ids(tx: IMetadataTransaction, bucket: Bucket) -> list[str]:
    """The ids of all blobs that are to be removed."""
    return [blob.id for blob in tx.doomed("memory", 1 << 62, 10)]
