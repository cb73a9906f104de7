"""PutObject."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5, sha256

from twisted.internet.defer import DeferredList, ensureDeferred

from ozgate.s3.bodymemory import STREAMED, STREAMED_LARGE
from ozgate.wire.limits import Account
from tests.operations.uploads import (
    LARGE,
    SMALL,
    ObjectTestCase,
    checksum_of,
    doomed_ids,
    etag_of,
)


class PutObjectTests(ObjectTestCase):
    """PutObject."""

    async def test_answer(self) -> None:
        """The answer has the MD5 as ETag and a CRC64NVME that nobody asked for, and no body."""
        response = await self.ask("PUT", "/bucket/key", SMALL)
        self.assertEqual((response.status, response.body), (200, b""))
        self.assertEqual(response.headers["etag"], etag_of(SMALL))
        self.assertEqual(
            response.headers["x-amz-checksum-crc64nvme"],
            checksum_of("CRC64NVME", SMALL),
        )
        self.assertEqual(response.headers["x-amz-checksum-type"], "FULL_OBJECT")
        self.assertNotIn("x-amz-version-id", response.headers)

    async def test_sizes(self) -> None:
        """Objects of every size come back as they were: in the row, at its limit, in a blob, empty."""
        limit = self.client.gateway.blobs.default.inline_below
        for size in (0, 1, limit, limit + 1, len(LARGE)):
            body = LARGE[:size]
            await self.put(body)
            response = await self.get()
            self.assertEqual(response.body, body)
            self.assertEqual(response.headers["content-length"], str(size))
            self.assertEqual(len(await self.blobs_named()), int(size > limit))

    async def test_memory(self) -> None:
        """A large body may take more memory at once, where there is plenty."""
        memory, taken = self.client.gateway.memory, []

        def account(announced: int | None, most: int, here: int) -> Account:
            taken.append(most)
            return Account(memory, most - here, here)

        self.patch(memory, "account", account)
        body = bytes(STREAMED_LARGE + 1)
        await self.put(body)
        await self.put(body[1:])
        memory.most, memory.held = 1000 * len(body), 250 * len(body)
        await self.put(body)
        self.assertEqual(taken, [STREAMED_LARGE, STREAMED, STREAMED])
        self.assertEqual(memory.held, 250 * len(body))

    async def test_replaced(self) -> None:
        """A second PUT replaces the first, whose blob is doomed, and there is one version still."""
        await self.put(LARGE)
        (blob,) = await self.blobs_named()
        await self.put(SMALL)
        self.assertEqual((await self.get()).body, SMALL)
        doomed = await self.look(doomed_ids)
        self.assertEqual(doomed, [blob])
        listed = await self.ask("GET", "/bucket?versions")
        self.assertEqual(len(listed.texts("Version/Key")), 1)

    async def test_headers_kept(self) -> None:
        """Headers, metadata, tags and storage class come back with the object."""
        await self.put(
            content_type="text/plain",
            cache_control="max-age=1",
            content_encoding="aws-chunked,gzip",
            x_amz_meta_one="1",
            x_amz_tagging="a=b&c=d",
            x_amz_storage_class="STANDARD_IA",
        )
        headers = (await self.get()).headers
        self.assertEqual(headers["content-type"], "text/plain")
        self.assertEqual(headers["cache-control"], "max-age=1")
        self.assertEqual(headers["content-encoding"], "gzip")
        self.assertEqual(headers["x-amz-meta-one"], "1")
        self.assertEqual(headers["x-amz-tagging-count"], "2")
        self.assertEqual(headers["x-amz-storage-class"], "STANDARD_IA")

    async def test_no_bucket(self) -> None:
        """There must be a bucket; the body is not asked for."""
        await self.refused(self.ask("PUT", "/absent/key", SMALL), 404, "NoSuchBucket")

    async def test_nothing_left_of_refused(self) -> None:
        """A body with a wrong digest leaves neither an object nor a blob under way."""
        wrong = b64encode(md5(b"other").digest()).decode()
        for body in (SMALL, LARGE):
            await self.refused(
                self.ask("PUT", "/bucket/key", body, content_md5=wrong),
                400,
                "BadDigest",
            )
        await self.refused(self.get(), 404, "NoSuchKey")
        self.assertEqual(self.client.gateway.blobs.default.sinks, set())

    async def test_checksums(self) -> None:
        """A checksum the client sends is verified, kept and shown, in each algorithm."""
        for name in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
            header = f"x-amz-checksum-{name.lower()}"
            for body in (SMALL, LARGE):
                value = checksum_of(name, body)
                response = await self.put(body, **{header: value})
                self.assertEqual(response.headers[header], value)
                shown = await self.get(x_amz_checksum_mode="ENABLED")
                self.assertEqual(shown.headers[header], value)
                await self.refused(
                    self.ask("PUT", "/bucket/key", body + b"!", **{header: value}),
                    400,
                    "BadDigest",
                )

    async def test_if_none_match(self) -> None:
        """If-None-Match: * creates, and never replaces."""
        await self.put(b"one", if_none_match="*")
        await self.refused(
            self.ask("PUT", "/bucket/key", b"two", if_none_match="*"),
            412,
            "PreconditionFailed",
        )
        self.assertEqual((await self.get()).body, b"one")

    async def test_if_match(self) -> None:
        """If-Match replaces just what it names, and is 404 where nothing is."""
        await self.refused(
            self.ask("PUT", "/bucket/key", b"one", if_match=etag_of(b"one")),
            404,
            "NoSuchKey",
        )
        await self.put(b"one")
        await self.put(b"two", if_match=etag_of(b"one"))
        await self.refused(
            self.ask("PUT", "/bucket/key", b"three", if_match=etag_of(b"one")),
            412,
            "PreconditionFailed",
        )

    async def test_condition_asked_early(self) -> None:
        """A condition that fails already costs the client no body."""
        await self.put()
        wrong = b64encode(md5(b"other").digest()).decode()
        # The digest of the body would be found wrong, were the body taken.
        await self.refused(
            self.ask("PUT", "/bucket/key", LARGE, if_none_match="*", content_md5=wrong),
            412,
            "PreconditionFailed",
        )
        await self.refused(
            self.ask("PUT", "/bucket/key", if_none_match='"x"'), 501, "NotImplemented"
        )

    async def test_racing_creators(self) -> None:
        """Of many that create a key at once, exactly one succeeds."""
        requests = [
            ensureDeferred(
                self.ask("PUT", "/bucket/key", b"%d" % number, if_none_match="*")
            )
            for number in range(10)
        ]
        answers = [answer for _, answer in await DeferredList(requests)]
        statuses = [answer.status for answer in answers]
        self.assertEqual(sorted(statuses), [200] + [412] * 9)
        winner = statuses.index(200)
        self.assertEqual((await self.get()).body, b"%d" % winner)

    async def test_refused_headers(self) -> None:
        """What is not built is refused, and nothing is stored."""
        for headers, status, code in (
            ({"x-amz-server-side-encryption": "AES256"}, 501, "NotImplemented"),
            ({"x-amz-acl": "public-read"}, 400, "AccessControlListNotSupported"),
            ({"x-amz-object-lock-legal-hold": "ON"}, 400, "InvalidRequest"),
            ({"x-amz-object-lock-mode": "GOVERNANCE"}, 400, "InvalidArgument"),
            ({"x-amz-object-lock-event-hold": "ON"}, 501, "NotImplemented"),
            ({"x-amz-storage-class": "COLD"}, 400, "InvalidStorageClass"),
            ({"x-amz-write-offset-bytes": "0"}, 501, "NotImplemented"),
            ({"x-amz-meta-a": "v" * 2048}, 400, "MetadataTooLarge"),
            ({"x-amz-tagging": "a=1&a=2"}, 400, "InvalidArgument"),
            ({"x-amz-tagging": "="}, 400, "InvalidArgument"),
            ({"x-amz-tagging": "k=%zz"}, 400, "InvalidArgument"),
        ):
            asked = self.client.request("PUT", "/bucket/key", headers, SMALL)
            await self.refused(asked, status, code)
        await self.refused(self.get(), 404, "NoSuchKey")

    async def test_too_large(self) -> None:
        """A body beyond the limit is refused by its length alone."""
        response = await self.client.with_settings(max_object=10).request(
            "PUT", "/bucket/key", None, b"12345678901"
        )
        self.assertEqual((response.status, response.code), (400, "EntityTooLarge"))

    async def test_no_length(self) -> None:
        """A body of unknown length is refused."""
        asked = self.client.request("PUT", "/bucket/key", None, SMALL, length=None)
        await self.refused(asked, 411, "MissingContentLength")

    async def test_less_than_declared(self) -> None:
        """A body that ends before its declared length is refused, and nothing of it is stored."""
        for body in (b"", SMALL, LARGE):
            asked = self.client.request(
                "PUT", "/bucket/key", None, body, length=len(body) + 1
            )
            await self.refused(asked, 400, "IncompleteBody")
        await self.refused(self.get(), 404, "NoSuchKey")
        self.assertEqual(self.client.gateway.blobs.default.data, {})

    async def test_more_than_declared(self) -> None:
        """What comes after the declared length is no part of the object."""
        asked = self.client.request("PUT", "/bucket/key", None, SMALL, length=5)
        self.assertEqual((await asked).status, 200)
        self.assertEqual((await self.get()).body, SMALL[:5])

    async def test_signed_payload(self) -> None:
        """The SHA-256 that the signature covers is that of the body, or nothing is stored."""
        for body in (SMALL, LARGE):
            wrong = sha256(b"other").hexdigest()
            response = await self.refused(
                self.ask("PUT", "/bucket/key", body, x_amz_content_sha256=wrong),
                400,
                "XAmzContentSHA256Mismatch",
            )
            right = sha256(body).hexdigest()
            self.assertEqual(response.text("S3ComputedContentSHA256"), right)
            await self.refused(self.get(), 404, "NoSuchKey")
            await self.put(body, x_amz_content_sha256=right)
            self.assertEqual((await self.get()).body, body)
            await self.ask("DELETE", "/bucket/key")
