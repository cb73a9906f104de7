"""Checksums through boto3: all of S3's algorithms, of whole objects and of parts."""

from __future__ import annotations

import hashlib
import io
import os
from base64 import b64encode
from typing import Any
from zlib import crc32

from awscrt.checksums import XXHash, crc32c, crc64nvme

from tests.clients.botos import SharedTestCase, checksums

SUMS = {
    "CRC32": lambda data: crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
    "SHA512": lambda data: hashlib.sha512(data).digest(),
    "MD5": lambda data: hashlib.md5(data).digest(),
    "XXHASH64": XXHash.compute_xxhash64,
    "XXHASH3": XXHash.compute_xxhash3_64,
    "XXHASH128": XXHash.compute_xxhash3_128,
}
"""Digests by other code than the gateway's, as far as there is some; minio-go has its own xxHashes."""

PART = 5 << 20
BODIES = (os.urandom(PART), os.urandom(1000))


def sum_of(algorithm: str, data: bytes) -> str:
    """A checksum, base64."""
    return b64encode(SUMS[algorithm](data)).decode()


def composite_of(algorithm: str, *bodies: bytes) -> str:
    """The checksum of parts' checksums, without their number."""
    return sum_of(algorithm, b"".join(SUMS[algorithm](body) for body in bodies))


class ChecksumTests(SharedTestCase):
    """All of S3's algorithms, of whole objects and of parts."""

    def head(self, key: str = "key", **options: Any) -> dict[str, Any]:
        """The checksums that HeadObject shows."""
        head = self.s3.head_object(
            Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", **options
        )
        return checksums(head)

    def test_put(self) -> None:
        """A checksum is checked, kept, and shown to who asks."""
        body = os.urandom(100_000)
        for algorithm in SUMS:
            name, value = "Checksum" + algorithm, sum_of(algorithm, body)
            shown = {name: value, "ChecksumType": "FULL_OBJECT"}
            put = self.s3.put_object(
                Bucket=self.bucket, Key="key", Body=body, **{name: value}
            )
            self.assertEqual(checksums(put), shown)
            self.assertEqual(self.head(), shown)
            self.assertEqual(
                checksums(self.plain.head_object(Bucket=self.bucket, Key="key")), {}
            )
            self.assertEqual(self.head(Range="bytes=0-9"), {})
            listed = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"][0]
            self.assertEqual(listed["ChecksumAlgorithm"], [algorithm])
            attributes = self.s3.get_object_attributes(
                Bucket=self.bucket,
                Key="key",
                ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"],
            )
            self.assertEqual(attributes["Checksum"], shown)
            self.assertEqual(attributes["ETag"], hashlib.md5(body).hexdigest())
            for bad, code in ((b"", "BadDigest"), (None, "InvalidRequest")):
                wrong = "AAAA" if bad is None else sum_of(algorithm, bad)
                self.refused(
                    400,
                    code,
                    self.s3.put_object,
                    Key="other",
                    Body=body,
                    **{name: wrong},
                )

    def test_computed_by_boto3(self) -> None:
        """What boto3 computes itself, of a body that it knows or as a trailer of one that it streams over, is the same."""
        body = os.urandom(100_000)
        for algorithm in SUMS.keys() - {"MD5"}:
            for sent in (body, io.BytesIO(body)):
                put = self.s3.put_object(
                    Bucket=self.bucket,
                    Key="key",
                    Body=sent,
                    ChecksumAlgorithm=algorithm,
                )
                self.assertEqual(put["Checksum" + algorithm], sum_of(algorithm, body))
            got = self.s3.get_object(
                Bucket=self.bucket, Key="key", ChecksumMode="ENABLED"
            )
            self.assertEqual(got["Body"].read(), body)

    def test_none_sent(self) -> None:
        """Where the client sends none, CRC64NVME is computed."""
        self.put(body=BODIES[0])
        self.assertEqual(
            self.head(),
            {
                "ChecksumCRC64NVME": sum_of("CRC64NVME", BODIES[0]),
                "ChecksumType": "FULL_OBJECT",
            },
        )

    def test_content_md5(self) -> None:
        """Content-MD5 must be well formed and true."""
        error = self.refused(
            400,
            "BadDigest",
            self.plain.put_object,
            Key="key",
            Body=b"x",
            ContentMD5=b64encode(bytes(16)).decode(),
        )
        self.assertIn("CalculatedDigest", error)
        self.refused(
            400,
            "InvalidDigest",
            self.plain.put_object,
            Key="key",
            Body=b"x",
            ContentMD5="AAAA",
        )

    def test_multipart(self) -> None:
        """Every algorithm and type that go together, from the first part to the attributes."""
        for algorithm in SUMS:
            kinds = {"CRC64NVME": ["FULL_OBJECT"]}.get(algorithm, ["COMPOSITE"])
            if algorithm in ("CRC32", "CRC32C"):
                kinds.append("FULL_OBJECT")
            for kind in kinds:
                self.multipart(algorithm, kind)
            for kind in {"COMPOSITE", "FULL_OBJECT"} - set(kinds):
                self.refused(
                    400,
                    "InvalidRequest",
                    self.s3.create_multipart_upload,
                    Key="key",
                    ChecksumAlgorithm=algorithm,
                    ChecksumType=kind,
                )

    def multipart(self, algorithm: str, kind: str) -> None:
        """An upload of two parts, with everything that can be said wrongly about it said once."""
        name = "Checksum" + algorithm
        where = {"Bucket": self.bucket, "Key": "key"}
        made = self.s3.create_multipart_upload(
            **where, ChecksumAlgorithm=algorithm, ChecksumType=kind
        )
        self.assertEqual(
            checksums(made), {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
        )
        where["UploadId"] = made["UploadId"]
        parts = []
        for number, body in enumerate(BODIES, 1):
            stated = {"ChecksumAlgorithm": algorithm}
            if algorithm == "MD5":
                # boto3 takes this one from its user only.
                stated = {name: sum_of(algorithm, body)}
            put = self.s3.upload_part(**where, PartNumber=number, Body=body, **stated)
            self.assertEqual(checksums(put), {name: sum_of(algorithm, body)})
            parts.append({"PartNumber": number, "ETag": put["ETag"], **checksums(put)})
        listed = self.s3.list_parts(**where)
        self.assertEqual(listed["ChecksumType"], kind)
        self.assertEqual(
            [part[name] for part in listed["Parts"]],
            [sum_of(algorithm, body) for body in BODIES],
        )
        self.wrong_completes(where, parts, name, kind)
        value = (
            composite_of(algorithm, *BODIES)
            if kind == "COMPOSITE"
            else sum_of(algorithm, b"".join(BODIES))
        )
        shown = {
            name: f"{value}-2" if kind == "COMPOSITE" else value,
            "ChecksumType": kind,
        }
        done = self.s3.complete_multipart_upload(
            **where, MultipartUpload={"Parts": parts}, MpuObjectSize=PART + 1000
        )
        self.assertEqual(checksums(done), shown)
        md5s = b"".join(hashlib.md5(body).digest() for body in BODIES)
        self.assertEqual(done["ETag"], f'"{hashlib.md5(md5s).hexdigest()}-2"')
        self.assertEqual(self.head(), shown)
        self.assertEqual(
            self.head(PartNumber=2),
            {name: sum_of(algorithm, BODIES[1]), "ChecksumType": kind},
        )
        self.shows_attributes(name, value, kind)

    def shows_attributes(self, name: str, value: str, kind: str) -> None:
        """GetObjectAttributes has the checksum of the two parts together and, where it is made of theirs, those."""
        attributes = self.s3.get_object_attributes(
            Bucket=self.bucket,
            Key="key",
            ObjectAttributes=["Checksum", "ObjectParts"],
            MaxParts=1,
        )
        self.assertEqual(attributes["Checksum"], {name: value, "ChecksumType": kind})
        algorithm = name.removeprefix("Checksum")
        first = {"PartNumber": 1, "Size": PART, name: sum_of(algorithm, BODIES[0])}
        page = {
            "PartNumberMarker": 0,
            "NextPartNumberMarker": 1,
            "MaxParts": 1,
            "IsTruncated": True,
            "Parts": [first],
        }
        self.assertEqual(
            attributes["ObjectParts"],
            {"TotalPartsCount": 2, **(page if kind == "COMPOSITE" else {})},
        )

    def wrong_completes(
        self, where: dict[str, str], parts: list[dict[str, Any]], name: str, kind: str
    ) -> None:
        """Completes that lie, or leave out what the upload demands."""
        call = self.plain.complete_multipart_upload
        list_ = {"Parts": parts}
        nothing = sum_of(name.removeprefix("Checksum"), b"")
        lying = [{**parts[0], name: nothing}, parts[1]]
        self.refused(
            400, "InvalidPart", call, **where, MultipartUpload={"Parts": lying}
        )
        self.refused(
            400, "BadDigest", call, **where, MultipartUpload=list_, **{name: nothing}
        )
        other = "COMPOSITE" if kind == "FULL_OBJECT" else "FULL_OBJECT"
        wrong: tuple[dict[str, Any], ...] = (
            {"ChecksumType": other},
            {"MpuObjectSize": 7},
        )
        for more in wrong:
            self.refused(
                400, "InvalidRequest", call, **where, MultipartUpload=list_, **more
            )
        if kind == "COMPOSITE":
            bare = [
                {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
                for part in parts
            ]
            self.refused(
                400, "InvalidRequest", call, **where, MultipartUpload={"Parts": bare}
            )
