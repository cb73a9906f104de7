"""AbortMultipartUpload."""

from __future__ import annotations

from twisted.internet.defer import DeferredList, ensureDeferred

from tests.operations.uploads import (
    LARGE,
    PART,
    UNKNOWN_UPLOAD,
    ObjectTestCase,
    Response,
    complete_document,
    doomed_ids,
)


class AbortMultipartUploadTests(ObjectTestCase):
    """AbortMultipartUpload."""

    async def abort(self, upload_id: str, target: str = "/bucket/key") -> Response:
        """Abort an upload."""
        return await self.ask("DELETE", f"{target}?uploadId={upload_id}")

    async def test_aborted(self) -> None:
        """The upload is gone and the blobs of its parts are doomed."""
        upload_id = await self.begin()
        await self.part(upload_id, 1, LARGE)
        await self.part(upload_id, 2, LARGE)
        response = await self.abort(upload_id)
        self.assertEqual((response.status, response.body), (204, b""))
        doomed = await self.look(doomed_ids)
        self.assertEqual(len(doomed), 2)
        response = await self.ask("GET", "/bucket?uploads")
        self.assertEqual(response.texts("Upload/UploadId"), [])
        await self.refused(self.abort(upload_id), 404, "NoSuchUpload")

    async def test_missing(self) -> None:
        """There must be such an upload, of that key."""
        response = await self.refused(self.abort(UNKNOWN_UPLOAD), 404, "NoSuchUpload")
        self.assertEqual(response.text("UploadId"), UNKNOWN_UPLOAD)
        upload_id = await self.begin()
        asked = self.abort(upload_id, "/bucket/other")
        await self.refused(asked, 404, "NoSuchUpload")
        asked = self.abort(upload_id, "/absent/key")
        await self.refused(asked, 404, "NoSuchBucket")

    async def test_initiated(self) -> None:
        """An upload of another time than its client means is not aborted; one of that time is, and one that is gone was."""
        upload_id = await self.begin()
        target = f"/bucket/key?uploadId={upload_id}"
        for time in ("Wed, 18 Nov 2026 11:06:39 GMT", "Wed, 18 Nov 2026 11:06:41 GMT"):
            asked = self.ask("DELETE", target, x_amz_if_match_initiated_time=time)
            response = await self.refused(asked, 412, "PreconditionFailed")
            self.assertEqual(
                response.text("Condition"), "x-amz-if-match-initiated-time"
            )
            self.assertEqual((await self.ask("GET", target)).status, 200)
        asked = self.ask("DELETE", target, x_amz_if_match_initiated_time="x")
        await self.refused(asked, 400, "InvalidArgument")
        for _ in range(2):
            response = await self.ask(
                "DELETE",
                target,
                x_amz_if_match_initiated_time="Wed, 18 Nov 2026 11:06:40 GMT",
            )
            self.assertEqual((response.status, response.body), (204, b""))
        self.assertEqual((await self.ask("GET", target)).status, 404)

    async def test_completed(self) -> None:
        """A completed upload cannot be aborted; the object stays."""
        upload_id = await self.begin()
        etag = await self.part(upload_id, 1, PART)
        await self.complete(upload_id, [(1, etag)])
        await self.refused(self.abort(upload_id), 404, "NoSuchUpload")
        self.assertEqual((await self.get()).body, PART)

    async def test_race_with_complete(self) -> None:
        """Of a Complete and an Abort at once, one wins and the other finds no upload."""
        for first in ("complete", "abort"):
            upload_id = await self.begin()
            etag = await self.part(upload_id, 1, PART)
            target = f"/bucket/key?uploadId={upload_id}"
            document = complete_document([(1, etag)])
            both = [("POST", document), ("DELETE", b"")]
            if first == "abort":
                both.reverse()
            asked = [
                ensureDeferred(self.ask(method, target, body)) for method, body in both
            ]
            statuses = [answer.status for _, answer in await DeferredList(asked)]
            self.assertIn(sorted(statuses), ([200, 404], [204, 404]))
