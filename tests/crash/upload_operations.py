"""Multipart uploads and listings; see :mod:`tests.crash.operations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from tests.crash.model import (
    Conditions,
    Model,
    Refusal,
    Upload,
    checksum,
    counted,
    md5_hex,
)
from tests.crash.object_operations import shown_version
from tests.crash.operations import (
    ANY,
    OnBucket,
    OnUpload,
    Sent,
    conditional,
    described,
    path_of,
    query,
    unquoted,
)
from tests.crash.paging import Page, page
from tests.operations.support import Response
from tests.operations.uploads import complete_document


@frozen(kw_only=True)
class CreateMultipartUpload(OnUpload):
    """Begin an upload."""

    metadata: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        headers = described(self.metadata, self.tags)
        return Sent("POST", f"{self.path}?uploads", headers)

    def perform(self, model: Model) -> str:
        model.bucket(self.bucket)
        begun = Upload(self.bucket, self.key, self.metadata, self.tags)
        model.uploads[self.upload] = begun
        return self.upload

    def says(self, response: Response, names: Mapping[str, str]) -> str:
        assert response.text("Key") == self.key
        return self.upload


@frozen(kw_only=True)
class UploadPart(OnUpload):
    """Send a part.

    :ivar wrong: whether its checksum is another's.
    """

    number: int
    body: bytes = field(repr=counted)
    wrong: bool = False

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        summed = self.body + b"!" if self.wrong else self.body
        headers = {"x-amz-checksum-crc32": checksum("CRC32", summed)}
        target = self.target(ids, f"partNumber={self.number}&")
        return Sent("PUT", target, headers, self.body)

    def perform(self, model: Model) -> str:
        model.upload(self.bucket, self.upload)
        if self.wrong:
            raise Refusal(400, "BadDigest")
        model.put_part(self.bucket, self.upload, self.number, self.body)
        return md5_hex(self.body)

    def says(self, response: Response, names: Mapping[str, str]) -> str:
        return unquoted(response.headers["etag"])


@frozen(kw_only=True)
class UploadPartCopy(OnUpload):
    """Make a part of an object.

    :ivar source: bucket and key.
    :ivar span: first and last byte; ``None`` for all.
    """

    number: int
    source: tuple[str, str]
    span: tuple[int, int] | None = None

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        headers = {"x-amz-copy-source": path_of(*self.source)}
        if self.span is not None:
            first, last = self.span
            headers["x-amz-copy-source-range"] = f"bytes={first}-{last}"
        return Sent("PUT", self.target(ids, f"partNumber={self.number}&"), headers)

    def perform(self, model: Model) -> str:
        model.upload(self.bucket, self.upload)
        body = model.thing(*self.source).body
        if self.span is not None:
            first, last = self.span
            if not first <= last < len(body):
                raise Refusal(400, "InvalidArgument")
            body = body[first : last + 1]
        model.put_part(self.bucket, self.upload, self.number, body)
        return md5_hex(body)

    def says(self, response: Response, names: Mapping[str, str]) -> str:
        return unquoted(response.text("ETag"))


@frozen(kw_only=True)
class ListParts(OnUpload):
    """The parts of an upload: number, ETag and size of each."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", self.target(ids))

    def perform(self, model: Model) -> list[tuple[int, str, int]]:
        parts = model.upload(self.bucket, self.upload).parts
        return [
            (number, md5_hex(body), len(body)) for number, body in sorted(parts.items())
        ]

    def says(
        self, response: Response, names: Mapping[str, str]
    ) -> list[tuple[int, str, int]]:
        return [
            (int(number), unquoted(etag), int(size))
            for number, etag, size in zip(
                response.texts("Part/PartNumber"),
                response.texts("Part/ETag"),
                response.texts("Part/Size"),
                strict=True,
            )
        ]


@frozen(kw_only=True)
class CompleteMultipartUpload(OnUpload):
    """Make an object of parts: number and ETag of each."""

    listed: tuple[tuple[int, str], ...]
    conditions: Conditions = ANY

    stores = True

    def sent(self, ids: Mapping[str, str]) -> Sent:
        body = complete_document(self.listed)
        headers = conditional(self.conditions)
        return Sent("POST", self.target(ids), headers, body)

    def perform(self, model: Model) -> Any:
        return model.complete(self.bucket, self.upload, self.listed, self.conditions)

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        crc = response.text("ChecksumCRC64NVME")
        etag = unquoted(response.text("ETag"))
        return etag, ("CRC64NVME", crc), shown_version(response)


@frozen(kw_only=True)
class AbortMultipartUpload(OnUpload):
    """End an upload."""

    status = 204

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("DELETE", self.target(ids))

    def perform(self, model: Model) -> None:
        model.abort(self.bucket, self.upload)


@frozen(kw_only=True)
class ListMultipartUploads(OnBucket):
    """The uploads in progress: key and name of each."""

    changes = False

    def sent(self, ids: Mapping[str, str]) -> Sent:
        return Sent("GET", f"/{self.bucket}?uploads")

    def perform(self, model: Model) -> list[tuple[str, str]]:
        model.bucket(self.bucket)
        return sorted(
            (upload.key, name)
            for name, upload in model.uploads.items()
            if upload.bucket == self.bucket and upload.listed is None
        )

    def says(
        self, response: Response, names: Mapping[str, str]
    ) -> list[tuple[str, str]]:
        return sorted(
            (key, names.get(upload_id, f"unknown {upload_id}"))
            for key, upload_id in zip(
                response.texts("Upload/Key"),
                response.texts("Upload/UploadId"),
                strict=True,
            )
        )


# Listings of objects


@frozen(kw_only=True)
class Listing(OnBucket):
    """A page.

    :ivar after: what to begin after.
    :ivar token: the gateway's word for it, from the page before.
    """

    prefix: str = ""
    delimiter: str = ""
    after: str = ""
    limit: int = 1000
    token: str = ""

    changes = False

    def perform(self, model: Model) -> Any:
        things = model.bucket(self.bucket)
        found = page(things, self.prefix, self.after, self.delimiter, self.limit)
        rows = [
            (key, things[key].etag, len(things[key].body), things[key].checksum[0])
            for key in found.items
        ]
        return rows, list(found.prefixes), found.last is not None

    def page(self, model: Model) -> Page:
        """What the model says."""
        things = model.buckets[self.bucket]
        return page(things, self.prefix, self.after, self.delimiter, self.limit)

    def following(self, model: Model, answer: Response) -> Listing:
        """The next page."""
        token = answer.text("NextContinuationToken") or ""
        return evolve(self, after=self.page(model).last, token=token)

    def rows(self, response: Response, row: str) -> Any:
        """What a document says."""
        keys = response.texts(f"{row}/Key")
        etags = [unquoted(etag) for etag in response.texts(f"{row}/ETag")]
        sizes = [int(size) for size in response.texts(f"{row}/Size")]
        algorithms = response.texts(f"{row}/ChecksumAlgorithm")
        rows = list(zip(keys, etags, sizes, algorithms, strict=True))
        prefixes = response.texts("CommonPrefixes/Prefix")
        return rows, prefixes, response.text("IsTruncated") == "true"


@frozen(kw_only=True)
class ListObjectsV2(Listing):
    """A page of the objects."""

    def sent(self, ids: Mapping[str, str]) -> Sent:
        going_on = (
            {"continuation_token": self.token}
            if self.token
            else {"start_after": self.after}
        )
        asked = query(
            list_type=2,
            prefix=self.prefix,
            delimiter=self.delimiter,
            max_keys=self.limit,
            **going_on,
        )
        return Sent("GET", f"/{self.bucket}?{asked}")

    def says(self, response: Response, names: Mapping[str, str]) -> Any:
        found = self.rows(response, "Contents")
        assert response.text("KeyCount") == str(len(found[0]) + len(found[1]))
        return found
