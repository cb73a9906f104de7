"""CopyObject."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import DeferredList, ensureDeferred

from ozgate.interfaces import IMetadataTransaction
from ozgate.testing.metadata_needs import claim_whole
from ozgate.values import Bucket
from tests.operations.uploads import (
    LARGE,
    PART,
    SMALL,
    ObjectTestCase,
    Response,
    checksum_of,
    etag_of,
    multipart_etag_of,
)


class CopyObjectTests(ObjectTestCase):
    """CopyObject."""

    async def copy(
        self,
        source: str = "/bucket/key",
        target: str = "/bucket/copy",
        **headers: str,
    ) -> Response:
        """Copy an object."""
        return await self.ask("PUT", target, x_amz_copy_source=source, **headers)

    async def test_answer(self) -> None:
        """The answer has the time, the ETag and the checksum of the copy."""
        await self.put(x_amz_checksum_sha1=checksum_of("SHA1", SMALL))
        response = await self.copy()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.xml().tag, "CopyObjectResult")
        self.assertEqual(
            response.names(), ["LastModified", "ETag", "ChecksumType", "ChecksumSHA1"]
        )
        self.assertEqual(response.text("ETag"), etag_of(SMALL))
        self.assertEqual(response.text("LastModified"), "2026-11-18T11:06:40.000Z")
        self.assertNotIn("x-amz-copy-source-version-id", response.headers)

    async def test_no_bytes_moved(self) -> None:
        """A copy names the blobs of its source, and outlives it."""
        for body in (b"", SMALL, LARGE):
            await self.put(body)
            count = len(self.client.gateway.blobs.default.data)
            await self.copy()
            self.assertEqual(len(self.client.gateway.blobs.default.data), count)
            self.assertEqual(await self.blobs_named("copy"), await self.blobs_named())
            await self.ask("DELETE", "/bucket/key")
            self.assertEqual((await self.get("/bucket/copy")).body, body)

    async def test_source_forms(self) -> None:
        """A source may start with a slash, be encoded, hold a plus, and name its version."""
        await self.put(target="/bucket/a%20b%2B%C3%BC/c")
        for source in (
            "bucket/a%20b%2B%C3%BC/c",
            "/bucket/a%20b%2B%C3%BC/c",
            "/bucket/a%20b%2B%C3%BC%2Fc",
            "%2Fbucket%2Fa%20b%2B%C3%BC%2Fc",
            "/bucket/a%20b%2B%C3%BC/c?versionId=null",
        ):
            self.assertEqual((await self.copy(source)).status, 200, source)

    async def test_bad_sources(self) -> None:
        """A source must name a bucket, a key, and a version that can be one."""
        await self.put()
        for source, status, code in (
            ("", 400, "InvalidArgument"),
            ("bucket", 400, "InvalidArgument"),
            ("/bucket/", 400, "InvalidArgument"),
            ("/bucket/%GG", 400, "InvalidArgument"),
            ("/bucket/key?versionId=", 400, "InvalidArgument"),
            ("/bucket/key?versionId=x", 400, "InvalidArgument"),
            (f"/bucket/key?versionId={'a' * 32}", 404, "NoSuchVersion"),
            ("/bucket/absent", 404, "NoSuchKey"),
            ("/absent/key", 404, "NoSuchBucket"),
        ):
            await self.refused(self.copy(source), status, code)
        await self.refused(self.copy(target="/absent/key"), 404, "NoSuchBucket")

    async def test_delete_marker(self) -> None:
        """A delete marker cannot be copied, by its name or by its id."""
        await self.add_objects("key", is_delete_marker=True)
        await self.refused(self.copy(), 404, "NoSuchKey")
        asked = self.copy("/bucket/key?versionId=null")
        await self.refused(asked, 400, "InvalidRequest")

    async def test_metadata_copied(self) -> None:
        """By default headers, metadata and tags are the source's; class and redirect are not."""
        await self.put(
            content_type="text/plain",
            x_amz_meta_a="1",
            x_amz_tagging="t=1",
            x_amz_storage_class="GLACIER_IR",
            x_amz_website_redirect_location="/x",
        )
        await self.copy(content_type="image/png", x_amz_meta_a="2", x_amz_tagging="u=1")
        headers = (await self.get("/bucket/copy")).headers
        self.assertEqual(headers["content-type"], "text/plain")
        self.assertEqual(headers["x-amz-meta-a"], "1")
        self.assertNotIn("x-amz-storage-class", headers)
        self.assertNotIn("x-amz-website-redirect-location", headers)
        tagged = await self.get("/bucket/copy?tagging")
        self.assertEqual(tagged.texts("TagSet/Tag/Key"), ["t"])

    async def test_metadata_replaced(self) -> None:
        """With REPLACE headers and metadata are the request's, and tags with theirs."""
        await self.put(
            content_type="text/plain",
            cache_control="no-store",
            x_amz_meta_a="1",
            x_amz_tagging="t=1",
        )
        await self.copy(
            x_amz_metadata_directive="REPLACE",
            x_amz_tagging_directive="REPLACE",
            x_amz_meta_b="2",
            x_amz_storage_class="STANDARD_IA",
            x_amz_website_redirect_location="/x",
        )
        headers = (await self.get("/bucket/copy")).headers
        self.assertEqual(headers["content-type"], "binary/octet-stream")
        self.assertNotIn("cache-control", headers)
        self.assertNotIn("x-amz-meta-a", headers)
        self.assertEqual(headers["x-amz-meta-b"], "2")
        self.assertEqual(headers["x-amz-storage-class"], "STANDARD_IA")
        self.assertEqual(headers["x-amz-website-redirect-location"], "/x")
        self.assertNotIn("x-amz-tagging-count", headers)

    async def test_bad_directives(self) -> None:
        """Directives are COPY or REPLACE, in capitals."""
        await self.put()
        for header in ("x_amz_metadata_directive", "x_amz_tagging_directive"):
            asked = self.copy(**{header: "replace"})
            await self.refused(asked, 400, "InvalidArgument")

    async def test_bad_tags(self) -> None:
        """Tags of its own that are no query string are refused."""
        await self.put()
        for tags in ("=", "=v", "k=%zz"):
            asked = self.copy(x_amz_tagging=tags, x_amz_tagging_directive="REPLACE")
            await self.refused(asked, 400, "InvalidArgument")

    async def test_onto_itself(self) -> None:
        """A copy onto itself must change something."""
        await self.put(LARGE, x_amz_meta_a="1")
        response = await self.refused(
            self.copy(target="/bucket/key"), 400, "InvalidRequest"
        )
        self.assertIn(
            "to itself without changing the object's metadata",
            response.text("Message") or "",
        )
        for headers in (
            {"x_amz_storage_class": "STANDARD"},
            {"x_amz_website_redirect_location": "/x"},
            {"x_amz_metadata_directive": "REPLACE", "x_amz_meta_b": "2"},
        ):
            response = await self.copy(target="/bucket/key", **headers)
            self.assertEqual(response.status, 200, headers)
        got = await self.get()
        self.assertEqual(got.body, LARGE)
        self.assertEqual(got.headers["x-amz-meta-b"], "2")
        self.assertNotIn("x-amz-meta-a", got.headers)

    async def test_source_conditions(self) -> None:
        """Conditions on the source are always 412 when they fail, and the answer names them as S3 spells them."""
        await self.put()
        prefix = "x-amz-copy-source-"
        for name, value, status in (
            ("if-match", etag_of(SMALL), 200),
            ("if-match", '"other"', 412),
            ("if-none-match", etag_of(SMALL), 412),
            ("if-none-match", '"other"', 200),
            ("if-modified-since", "Wed, 18 Nov 2026 11:06:40 GMT", 412),
            ("if-unmodified-since", "Wed, 18 Nov 2026 11:06:39 GMT", 412),
        ):
            response = await self.copy(**{prefix + name: value})
            self.assertEqual(response.status, status, (name, value))
            if status == 412:
                self.assertEqual(
                    response.text("Condition"), f"x-amz-copy-source-{name.title()}"
                )

    async def test_target_conditions(self) -> None:
        """If-None-Match and If-Match are about what the copy would replace."""
        await self.put()
        self.assertEqual((await self.copy(if_none_match="*")).status, 200)
        await self.refused(self.copy(if_none_match="*"), 412, "PreconditionFailed")
        self.assertEqual((await self.copy(if_match=etag_of(SMALL))).status, 200)
        await self.refused(self.copy(if_match='"other"'), 412, "PreconditionFailed")

    async def test_racing_creators(self) -> None:
        """Of many copies that create a key at once, exactly one succeeds."""
        await self.put()
        requests = [ensureDeferred(self.copy(if_none_match="*")) for _ in range(5)]
        statuses = [answer.status for _, answer in await DeferredList(requests)]
        self.assertEqual(sorted(statuses), [200] + [412] * 4)

    async def test_multipart_source(self) -> None:
        """The copy of a multipart object keeps its ETag, checksum and parts."""
        await self.upload(PART, LARGE)
        response = await self.copy()
        self.assertEqual(response.text("ETag"), multipart_etag_of(PART, LARGE))
        self.assertEqual(
            response.text("ChecksumCRC64NVME"), checksum_of("CRC64NVME", PART + LARGE)
        )
        part = await self.get("/bucket/copy?partNumber=2")
        self.assertEqual(part.body, LARGE)
        self.assertEqual((await self.get("/bucket/copy")).body, PART + LARGE)

    async def test_other_checksum(self) -> None:
        """A checksum the source has not is computed from its bytes, in the row or in blobs."""
        for body in (b"", SMALL, LARGE):
            await self.put(body)
            response = await self.copy(x_amz_checksum_algorithm="SHA256")
            self.assertEqual(
                response.text("ChecksumSHA256"), checksum_of("SHA256", body)
            )
            self.assertEqual(response.text("ChecksumType"), "FULL_OBJECT")
            self.assert_no_reader()
        await self.upload(PART, LARGE)
        response = await self.copy(x_amz_checksum_algorithm="crc32")
        self.assertEqual(
            response.text("ChecksumCRC32"), checksum_of("CRC32", PART + LARGE)
        )
        asked = self.copy(x_amz_checksum_algorithm="CRC16")
        await self.refused(asked, 400, "InvalidRequest")

    async def test_composite_source(self) -> None:
        """A checksum that is asked for is of the whole object, also where the source has one of its parts."""
        upload_id = await self.begin(x_amz_checksum_algorithm="SHA1")
        value = checksum_of("SHA1", SMALL)
        etag = await self.part(upload_id, 1, SMALL, x_amz_checksum_sha1=value)
        made = await self.complete(upload_id, [(1, etag)], checksums=[{"SHA1": value}])
        self.assertEqual(made.text("ChecksumType"), "COMPOSITE")
        response = await self.copy()
        self.assertEqual(response.text("ChecksumType"), "COMPOSITE")
        response = await self.copy(x_amz_checksum_algorithm="SHA1")
        self.assertEqual(response.text("ChecksumType"), "FULL_OBJECT")
        self.assertEqual(response.text("ChecksumSHA1"), value)

    async def test_combined(self) -> None:
        """A composite CRC becomes that of the whole object, as S3's copies have it: no byte is read for it."""
        bodies = (PART, SMALL)
        for algorithm in ("CRC32", "CRC32C"):
            upload_id = await self.begin(x_amz_checksum_algorithm=algorithm)
            values = [checksum_of(algorithm, body) for body in bodies]
            header = f"x-amz-checksum-{algorithm.lower()}"
            parts = [
                (n, await self.part(upload_id, n, body, **{header: values[n - 1]}))
                for n, body in enumerate(bodies, 1)
            ]
            checksums = [{algorithm: value} for value in values]
            await self.complete(upload_id, parts, checksums=checksums)
            whole = checksum_of(algorithm, PART + SMALL)
            (blob, *_) = await self.blobs_named()
            for asked in ({}, {"x-amz-checksum-algorithm": algorithm}):
                response = await self.copy(**asked)
                self.assertEqual(response.text("ChecksumType"), "FULL_OBJECT")
                self.assertEqual(response.text(f"Checksum{algorithm}"), whole)
            got = await self.get("/bucket/copy", x_amz_checksum_mode="ENABLED")
            self.assertEqual(got.headers[header], whole)
            self.assertEqual(got.headers["x-amz-checksum-type"], "FULL_OBJECT")
            await self.client.gateway.blobs.default.delete(blob)
            self.assertEqual((await self.copy()).text(f"Checksum{algorithm}"), whole)

    async def test_lost_parts(self) -> None:
        """Of an object whose parts are not known any more, for their rows were damaged and removed, no checksum is made up."""
        upload_id = await self.begin(x_amz_checksum_algorithm="CRC32")
        values = [checksum_of("CRC32", body) for body in (PART, SMALL)]
        parts = [
            (n, await self.part(upload_id, n, body, x_amz_checksum_crc32=values[n - 1]))
            for n, body in enumerate((PART, SMALL), 1)
        ]
        checksums = [{"CRC32": value} for value in values]
        made = await self.complete(upload_id, parts, checksums=checksums)
        for left in (1, 0):
            await self.client.gateway.metadata.write(_lose_parts, left)
            response = await self.copy()
            for name in ("ChecksumCRC32", "ChecksumType"):
                self.assertEqual(response.text(name), made.text(name), left)
            response = await self.copy(x_amz_checksum_algorithm="CRC32")
            whole = checksum_of("CRC32", PART + SMALL)
            self.assertEqual(response.text("ChecksumCRC32"), whole, left)
            self.assertEqual((await self.get("/bucket/copy")).body, PART + SMALL)

    async def test_known_to_blobs(self) -> None:
        """The CRC64NVME of an object that states another checksum is had from its blobs', its MD5 is its ETag: no byte is read."""
        await self.put(LARGE, x_amz_checksum_crc32=checksum_of("CRC32", LARGE))
        (blob,) = await self.blobs_named()
        await self.client.gateway.blobs.default.delete(blob)
        for name in ("CRC64NVME", "MD5"):
            response = await self.copy(x_amz_checksum_algorithm=name)
            self.assertEqual(response.text(f"Checksum{name}"), checksum_of(name, LARGE))
            self.assertEqual(response.text("ChecksumType"), "FULL_OBJECT")

    async def test_parts_known(self) -> None:
        """The parts of an object, and those of its copies, are known with their ETags and where they start."""
        await self.upload(PART, SMALL)
        await self.copy()
        await self.copy(x_amz_checksum_algorithm="SHA1")
        wanted = [(1, 0, etag_of(PART)), (2, len(PART), etag_of(SMALL))]
        for key in ("key", "copy"):
            parts = await self.look(_parts_of, key)
            found = [(part.number, part.start, f'"{part.etag}"') for part in parts]
            self.assertEqual(found, wanted, key)

    async def test_damaged_source(self) -> None:
        """Bytes that are gone make no checksum, and no copy."""
        await self.put(LARGE)
        (blob,) = await self.blobs_named()
        await self.client.gateway.blobs.default.delete(blob)
        asked = self.copy(x_amz_checksum_algorithm="SHA1")
        await self.refused(asked, 500, "InternalError")
        self.assertEqual(self.client.gateway.tally.damaged, {"blob": 1})
        await self.refused(self.get("/bucket/copy"), 404, "NoSuchKey")
        self.assert_no_reader()

    async def test_too_large(self) -> None:
        """A source of more than 5 GiB is refused."""
        await self.add_objects("key", size=(5 << 30) + 1)
        response = await self.refused(self.copy(), 400, "InvalidRequest")
        self.assertEqual(
            response.text("Message"),
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        )

    async def test_between_buckets(self) -> None:
        """A copy may go to another bucket."""
        await self.ask("PUT", "/second")
        await self.put(LARGE)
        await self.copy(target="/second/key")
        self.assertEqual((await self.get("/second/key")).body, LARGE)

    async def test_expected_owners(self) -> None:
        """Both buckets' owners can be stated, and must be so."""
        await self.put()
        asked = self.copy(x_amz_source_expected_bucket_owner="other")
        await self.refused(asked, 403, "AccessDenied")
        asked = self.copy(x_amz_expected_bucket_owner="other")
        await self.refused(asked, 403, "AccessDenied")

    async def test_refused_headers(self) -> None:
        """What is not built is refused."""
        await self.put()
        asked = self.copy(x_amz_server_side_encryption="aws:kms")
        await self.refused(asked, 501, "NotImplemented")
        asked = self.copy(
            x_amz_copy_source_server_side_encryption_customer_algorithm="AES256"
        )
        await self.refused(asked, 400, "InvalidRequest")


def _parts_of(tx: IMetadataTransaction, bucket: Bucket, key: str) -> Any:
    version = tx.latest(bucket, key)
    assert version is not None
    return tx.object_parts(bucket, version, 0, 9)


def _lose_parts(tx: IMetadataTransaction, left: int) -> None:
    """Forget the parts of an object but for a few."""
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    claim_whole(tx, bucket)
    version = tx.latest(bucket, "key")
    assert version is not None
    content = tx.content(bucket, version)
    parts = tx.object_parts(bucket, version, 0, left) if left else ()
    tx.remove_version(bucket, version)
    tx.add_version(bucket, version, content, parts)
