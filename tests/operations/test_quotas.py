"""Quotas: what is used is counted to the byte, and what does not fit is refused before any byte is kept."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Coroutine
from hashlib import md5
from typing import Any

from tests.operations.past import PastTestCase, Use
from tests.operations.support import Response
from tests.operations.uploads import LARGE, PART

FULL = 100
"""The space quota of most tests, in bytes."""


class QuotaTestCase(PastTestCase):
    """A bucket with a quota."""

    async def refused_for_quota(self, asked: Coroutine[Any, Any, Response]) -> None:
        """Assert that a request is refused for a quota, and that nothing comes of it."""
        before = (await self.used(), dict(self.client.gateway.blobs.default.data))
        await self.refused(asked, 403, "QuotaExceeded")
        self.assertEqual((await self.used()), before[0])

    async def limited_by(self, what: str, **quotas: int) -> None:
        """Give quotas to the bucket or to its volume, and to nothing else."""
        none = {"quota_bytes": -1, "quota_names": -1}
        await self.change("bucket", **{**none, **(quotas if what == "bucket" else {})})
        await self.change_volume(**{**none, **(quotas if what == "volume" else {})})

    async def empty(self) -> None:
        """Remove all objects."""
        for key in (await self.ask("GET", "/bucket")).texts("Contents/Key"):
            await self.ask("DELETE", f"/bucket/{key}")


class SpaceTests(QuotaTestCase):
    """The space quota of a bucket, and that of its volume: each says the same of the one bucket there is."""

    what: str

    async def by_either(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Tell a story under a bucket's quota of a hundred bytes, then under a volume's."""
        for self.what in ("bucket", "volume"):
            await self.limited_by(self.what, quota_bytes=FULL)
            await story()
            await self.limited_by("nothing")
            await self.empty()

    async def test_border(self) -> None:
        """A quota can be used up to the last byte; what is empty fits always."""

        async def story() -> None:
            await self.put(b"a" * 60, "/bucket/a")
            await self.put(b"b" * 40, "/bucket/b")
            await self.refused_for_quota(self.ask("PUT", "/bucket/c", b"c"))
            await self.put(b"", "/bucket/c")
            self.assertEqual(await self.used(), Use(100, 3, 100, 1))

        await self.by_either(story)

    async def test_overwriting(self) -> None:
        """What is replaced makes room for what replaces it, and for no more."""

        async def story() -> None:
            await self.put(b"a" * 60, "/bucket/a")
            await self.put(b"b" * 40, "/bucket/b")
            await self.refused_for_quota(self.ask("PUT", "/bucket/a", b"a" * 61))
            await self.put(b"A" * 60, "/bucket/a")
            await self.put(b"a" * 59, "/bucket/a")
            await self.put(b"b" * 41, "/bucket/b")
            await self.refused_for_quota(self.ask("PUT", "/bucket/b", b"b" * 42))
            self.assertEqual(await self.used(), Use(100, 2, 100, 1))

        await self.by_either(story)

    async def test_over(self) -> None:
        """Above a quota that was lowered, what shrinks is taken, and what grows is not."""

        async def story() -> None:
            await self.limited_by("nothing")
            await self.put(b"a" * 200, "/bucket/a")
            await self.limited_by(self.what, quota_bytes=FULL)
            await self.refused_for_quota(self.ask("PUT", "/bucket/a", b"a" * 201))
            await self.put(b"a" * 199, "/bucket/a")
            await self.refused_for_quota(self.ask("PUT", "/bucket/b", b"b"))
            response = await self.ask("PUT", "/bucket/a?tagging", TAGS, **checked(TAGS))
            self.assertEqual(response.status, 200)

        await self.by_either(story)

    async def test_deleting(self) -> None:
        """What is removed makes room, one by one or many at once."""

        async def story() -> None:
            await self.put(b"a" * 60, "/bucket/a")
            await self.put(b"b" * 40, "/bucket/b")
            await self.ask("DELETE", "/bucket/a")
            self.assertEqual(await self.used(), Use(40, 1, 40, 1))
            await self.put(b"c" * 60, "/bucket/c")
            document = b"<Delete><Object><Key>b</Key></Object><Object><Key>c</Key></Object></Delete>"
            response = await self.ask(
                "POST", "/bucket?delete", document, **checked(document)
            )
            self.assertEqual(response.texts("Deleted/Key"), ["b", "c"])
            self.assertEqual(await self.used(), Use(0, 0, 0, 1))
            await self.put(b"d" * 100, "/bucket/d")

        await self.by_either(story)

    async def test_copying(self) -> None:
        """A copy costs what its source has bytes, also one onto itself or over another."""

        async def story() -> None:
            await self.put(b"a" * 50, "/bucket/a")
            copied = await self.ask("PUT", "/bucket/b", x_amz_copy_source="/bucket/a")
            self.assertEqual(copied.status, 200)
            self.assertEqual(await self.used(), Use(100, 2, 100, 1))
            copy = self.ask("PUT", "/bucket/c", x_amz_copy_source="/bucket/a")
            await self.refused_for_quota(copy)
            for target in ("/bucket/a", "/bucket/b"):
                again = await self.ask(
                    "PUT",
                    target,
                    x_amz_copy_source="/bucket/a",
                    x_amz_metadata_directive="REPLACE",
                )
                self.assertEqual(again.status, 200)
            self.assertEqual(await self.used(), Use(100, 2, 100, 1))

        await self.by_either(story)

    async def test_parts(self) -> None:
        """Parts count from when they are there until their upload ends; a part replaces the one of its number."""

        async def story() -> None:
            upload = await self.begin()
            asked = f"/bucket/key?partNumber=2&uploadId={upload}"
            await self.part(upload, 1, b"a" * 60)
            await self.part(upload, 2, b"b" * 40)
            self.assertEqual(await self.used(), Use(100, 0, 100, 1))
            await self.refused_for_quota(self.ask("PUT", asked, b"b" * 41))
            await self.refused_for_quota(self.ask("PUT", "/bucket/other", b"x"))
            await self.part(upload, 1, b"a" * 59)
            await self.part(upload, 2, b"b" * 41)
            await self.refused_for_quota(self.ask("PUT", "/bucket/other", b"x"))
            await self.ask("DELETE", f"/bucket/key?uploadId={upload}")
            self.assertEqual(await self.used(), Use(0, 0, 0, 1))
            await self.put(b"x" * 100, "/bucket/other")

        await self.by_either(story)

    async def test_copied_parts(self) -> None:
        """A part that is copied counts as one that is sent, and what does not fit is not read first."""

        async def story() -> None:
            await self.put(b"a" * 50, "/bucket/a")
            upload = await self.begin()
            asked = f"/bucket/key?partNumber=1&uploadId={upload}"
            for bytes_ in ("bytes=0-9", "bytes=0-48"):
                part = await self.ask(
                    "PUT",
                    asked,
                    x_amz_copy_source="/bucket/a",
                    x_amz_copy_source_range=bytes_,
                )
                self.assertEqual(part.status, 200, part.body)
            self.assertEqual(await self.used(), Use(99, 1, 99, 1))
            asked = f"/bucket/key?partNumber=2&uploadId={upload}"
            blobs = dict(self.client.gateway.blobs.default.data)
            copy = self.ask("PUT", asked, x_amz_copy_source="/bucket/a")
            await self.refused_for_quota(copy)
            self.assertEqual(dict(self.client.gateway.blobs.default.data), blobs)
            await self.ask("DELETE", f"/bucket/key?uploadId={upload}")

        await self.by_either(story)

    async def test_completing(self) -> None:
        """A Complete is never refused for bytes that its parts already count, even where the quota was lowered."""

        async def story() -> None:
            await self.limited_by("bucket", quota_bytes=2 * len(PART))
            upload = await self.begin("/bucket/key")
            etags = [(n, await self.part(upload, n, PART)) for n in (1, 2)]
            for what in ("bucket", "volume"):
                await self.limited_by(what, quota_bytes=FULL)
                self.assertEqual((await self.used()).bytes, 2 * len(PART))
            # The second part is not listed, and so it is gone.
            completed = await self.complete(upload, etags[:1])
            self.assertEqual(completed.status, 200, completed.body)
            size = len(PART)
            self.assertEqual(await self.used(), Use(size, 1, size, 1))
            again = await self.complete(upload, etags[:1])
            self.assertEqual(again.status, 200)
            self.assertEqual(await self.used(), Use(size, 1, size, 1))

        await self.by_either(story)

    async def test_completing_over(self) -> None:
        """A Complete that replaces an object frees it."""
        await self.put(b"a" * 60, "/bucket/key")
        await self.upload(b"b" * 40, target="/bucket/key")
        self.assertEqual(await self.used(), Use(40, 1, 40, 1))

    async def test_bucket_goes(self) -> None:
        """A bucket that goes with uploads in it frees what their parts took of its volume's quota."""
        await self.limited_by("volume", quota_bytes=FULL)
        await self.ask("PUT", "/second")
        upload = await self.begin("/second/key")
        await self.part(upload, 1, b"a" * 100, "/second/key")
        await self.refused_for_quota(self.ask("PUT", "/bucket/b", b"b"))
        self.assertEqual((await self.ask("DELETE", "/second")).status, 204)
        self.assertEqual(await self.used(), Use(0, 0, 0, 1))
        await self.put(b"b" * 100, "/bucket/b")

    async def test_volume_of_two(self) -> None:
        """A volume's quota is for all its buckets together."""
        await self.limited_by("volume", quota_bytes=FULL)
        await self.ask("PUT", "/second")
        await self.put(b"a" * 60, "/bucket/a")
        await self.put(b"b" * 40, "/second/b")
        await self.refused_for_quota(self.ask("PUT", "/second/c", b"c"))
        self.assertEqual((await self.used("second")).volume_bytes, 100)


TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"


def checked(document: bytes) -> dict[str, str]:
    """The header that documents need."""
    digest = md5(document, usedforsecurity=False).digest()
    return {"content_md5": b64encode(digest).decode()}


class NameTests(QuotaTestCase):
    """The namespace quotas: of a bucket, its keys; of a volume, its buckets and links."""

    async def test_keys(self) -> None:
        """A key more is refused at the border, however it comes; one that is there can be written again."""
        await self.limited_by("bucket", quota_names=2)
        await self.put(b"a", "/bucket/a")
        upload = await self.begin("/bucket/c")
        etag = await self.part(upload, 1, b"c", "/bucket/c")
        await self.put(b"b", "/bucket/b")
        await self.refused_for_quota(self.ask("PUT", "/bucket/c", b""))
        copy = self.ask("PUT", "/bucket/c", x_amz_copy_source="/bucket/a")
        await self.refused_for_quota(copy)
        done = [(1, etag)]
        await self.refused_for_quota(self.complete(upload, done, "/bucket/c"))
        await self.put(b"bb" * 100, "/bucket/b")
        await self.ask("DELETE", "/bucket/a")
        completed = await self.complete(upload, done, "/bucket/c")
        self.assertEqual(completed.status, 200)
        self.assertEqual((await self.used()).names, 2)

    async def test_buckets(self) -> None:
        """A bucket more is refused at the border of the volume's quota; links count too, and what goes makes room."""
        await self.limited_by("volume", quota_names=2)
        await self.link("link", "bucket")
        await self.refused_for_quota(self.ask("PUT", "/second"))
        there = await self.ask("PUT", "/bucket")
        self.assertEqual(there.status, 200)
        self.assertEqual((await self.ask("DELETE", "/link")).status, 204)
        self.assertEqual((await self.ask("PUT", "/second")).status, 200)
        self.assertEqual((await self.used()).volume_names, 2)

    async def test_nothing_more(self) -> None:
        """The quota of a volume's buckets is none of their keys."""
        await self.limited_by("volume", quota_names=1)
        for key in "abc":
            await self.put(b"x", f"/bucket/{key}")
        self.assertEqual((await self.used()).names, 3)


class EarlyTests(QuotaTestCase):
    """What cannot fit is refused before its body is taken."""

    async def refused_early(self, target: str, **fields: str) -> None:
        """Assert that a PUT is refused for its quota by its head alone, and that no byte was taken."""
        said = self.said("PUT", target, b"", **fields)
        self.assertTrue(said.startswith(b"HTTP/1.1 403 "), said)
        self.assertIn(b"<Code>QuotaExceeded</Code>", said)
        self.assertEqual(self.client.gateway.blobs.default.data, {})

    async def test_objects(self) -> None:
        """By its length, and by the number of keys; a client that waits to be told to send is not told so."""
        waits = {"expect": "100-continue"}
        await self.limited_by("bucket", quota_bytes=FULL)
        await self.refused_early("/bucket/key", content_length="101", **waits)
        await self.refused_early("/bucket/key", content_length="99999")
        await self.limited_by("volume", quota_bytes=FULL)
        await self.refused_early("/bucket/key", content_length="99999")
        await self.limited_by("bucket", quota_names=0)
        await self.refused_early("/bucket/key", content_length="99999")
        await self.refused_early("/bucket/key", content_length="1", **waits)

    async def test_parts(self) -> None:
        """A part as well, whatever its length."""
        upload = await self.begin()
        target = f"/bucket/key?partNumber=1&uploadId={upload}"
        await self.limited_by("bucket", quota_bytes=FULL)
        await self.refused_early(target, content_length="101", expect="100-continue")
        await self.refused_early(target, content_length="101")

    async def test_in_chunks(self) -> None:
        """A body whose length only ``x-amz-decoded-content-length`` says."""
        await self.limited_by("bucket", quota_bytes=FULL)
        stated = {
            "x-amz-decoded-content-length": "101",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        }
        said = self.said("PUT", "/bucket/key", b"", stated, transfer_encoding="chunked")
        self.assertIn(b"<Code>QuotaExceeded</Code>", said)
        stated["x-amz-decoded-content-length"] = "9" * 5000
        answer = self.asked("PUT", "/bucket/key", LARGE, stated)
        self.assertEqual((answer.status, answer.code), (411, "MissingContentLength"))

    async def test_what_fits(self) -> None:
        """What just fits is asked for and taken."""
        await self.limited_by("bucket", quota_bytes=len(LARGE), quota_names=1)
        for _ in range(2):
            said = self.said("PUT", "/bucket/key", LARGE, expect="100-continue")
            self.assertIn(b"HTTP/1.1 200 ", said)
        self.assertEqual((await self.used()).bytes, len(LARGE))


class LinkTests(QuotaTestCase):
    """What is written through links is charged to the bucket and the volume that it ends up in."""

    async def test_charged(self) -> None:
        """To the source alone, whose quotas hold."""
        await self.add_volume("deep")
        await self.add_bucket("real", "deep")
        await self.link("link", "deep/real")
        await self.limited_by("volume", quota_bytes=0)
        await self.change("real", "deep", quota_bytes=60)
        await self.put(b"a" * 60, "/link/a")
        self.assertEqual(await self.used("real", "deep"), Use(60, 1, 60, 1))
        self.assertEqual((await self.used()).volume_bytes, 0)
        await self.refused(self.ask("PUT", "/link/b", b"b"), 403, "QuotaExceeded")
        await self.change("real", "deep", quota_bytes=-1)
        await self.change_volume("deep", quota_bytes=61)
        await self.put(b"b", "/link/b")
        await self.refused(self.ask("PUT", "/link/c", b"c"), 403, "QuotaExceeded")
        upload = await self.begin("/link/c")
        part = f"/link/c?partNumber=1&uploadId={upload}"
        await self.refused(self.ask("PUT", part, b"c"), 403, "QuotaExceeded")

    async def test_quota_of_a_link(self) -> None:
        """A link has no quota of its own, whatever its row says."""
        await self.link("link", "bucket")
        await self.change("link", quota_bytes=0, quota_names=0)
        await self.put(b"a", "/link/a")
