"""How writes ask for locks, and reads show them."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256

from tests.operations.locks import (
    BYPASS,
    DAY,
    HOLD,
    MODE,
    UNTIL,
    LockTestCase,
    digested,
)
from tests.operations.uploads import complete_document

DEFAULT = "<Mode>COMPLIANCE</Mode><Days>1</Days>"


WRITES = (
    ("PUT", "/{}/key", {}),
    ("POST", "/{}/key?uploads", {}),
    ("PUT", "/{}/key", {"x-amz-copy-source": "/bucket/source"}),
)
"""What begins to write an object: verb, target, headers."""


class WriteTests(LockTestCase):
    """PutObject, CopyObject and CreateMultipartUpload."""

    async def begin(self, headers: dict[str, str]) -> str:
        """Begin an upload; its id."""
        response = await self.client.request("POST", "/locked/key?uploads", headers)
        self.assertEqual(response.status, 200, response.body)
        return response.text("UploadId") or ""

    async def complete(self, upload: str) -> str:
        """Send a part, and complete an upload; the id of the version."""
        target = f"/locked/key?uploadId={upload}"
        body = b"x" * 10
        part = await self.client.request(
            "PUT", f"{target}&partNumber=1", digested(body), body
        )
        self.assertEqual(part.status, 200, part.body)
        document = complete_document([(1, part.headers["etag"].strip('"'))])
        response = await self.client.request("POST", target, {}, document)
        self.assertEqual(response.status, 200, response.body)
        return response.headers["x-amz-version-id"]

    async def test_put(self) -> None:
        """An object is locked as its headers say, and a date may be said as exactly as one wants, or by the day."""
        for headers, shown in (
            (self.lock("GOVERNANCE", DAY), self.lock("GOVERNANCE", DAY)),
            (
                self.lock("COMPLIANCE", 1.25, "OFF"),
                self.lock("COMPLIANCE", 1.25, "OFF"),
            ),
            ({HOLD: "ON"}, {HOLD: "ON"}),
            (
                {MODE: "COMPLIANCE", UNTIL: "2100-01-01"},
                {MODE: "COMPLIANCE", UNTIL: "2100-01-01T00:00:00.000Z"},
            ),
            (
                {MODE: "COMPLIANCE", UNTIL: "2100-01-01T02:00:00.1234+02:00"},
                {MODE: "COMPLIANCE", UNTIL: "2100-01-01T00:00:00.123Z"},
            ),
        ):
            version = await self.put(headers=headers)
            self.assertEqual(await self.head("key", version), shown)
            got = await self.client.request("GET", "/locked/key")
            self.assertEqual(got.headers.items() & shown.items(), shown.items())

    async def test_copy(self) -> None:
        """A copy does not take the lock of its source over: it has its own, or the default."""
        locked = self.lock("COMPLIANCE", 5 * DAY, "ON")
        await self.put(headers=locked)
        source = {"x-amz-copy-source": "/locked/key"}
        for headers, shown in (
            ({}, {}),
            (self.lock("GOVERNANCE", DAY), self.lock("GOVERNANCE", DAY)),
        ):
            copied = await self.client.request("PUT", "/locked/copy", source | headers)
            self.assertEqual(copied.status, 200, copied.body)
            self.assertEqual(await self.head("copy"), shown)
        await self.configure(DEFAULT)
        copied = await self.client.request("PUT", "/locked/copy", source)
        self.assertEqual(await self.head("copy"), self.lock("COMPLIANCE", DAY))
        self.assertEqual(await self.head("key"), locked)
        plain = await self.client.request("PUT", "/bucket/copy", source)
        self.assertEqual(plain.status, 200)

    async def test_multipart(self) -> None:
        """An upload says at its beginning how its object is to be locked; the default counts from its end."""
        lock = self.lock("GOVERNANCE", DAY, "ON")
        upload = await self.begin(lock)
        self.clock.advance(10)
        self.assertEqual(await self.head("key", await self.complete(upload)), lock)
        upload = await self.begin({})
        self.clock.advance(10)
        await self.configure(DEFAULT)
        version = await self.complete(upload)
        self.assertEqual(await self.head("key", version), self.lock("COMPLIANCE", DAY))
        await self.assert_protected("key", version, BYPASS)

    async def test_upload_over(self) -> None:
        """What an upload asked for may be over when it is complete; the upload itself is not locked."""
        lock = self.lock("COMPLIANCE", 10)
        upload = await self.begin(lock)
        self.clock.advance(11)
        version = await self.complete(upload)
        self.assertEqual(await self.head("key", version), lock)
        self.assertEqual((await self.remove("key", version)).status, 204)
        upload = await self.begin(self.lock("COMPLIANCE", DAY, "ON"))
        aborted = await self.client.request("DELETE", f"/locked/key?uploadId={upload}")
        self.assertEqual(aborted.status, 204)

    async def test_bad_headers(self) -> None:
        """Headers in bad form are refused, with their name, before the bucket is looked at."""
        await self.put("source", bucket="bucket")
        day, both = (
            self.after(DAY),
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
        for headers, name, message in (
            ({MODE: "GOVERNANCE"}, UNTIL, both),
            ({UNTIL: day}, MODE, both),
            ({MODE: "abc", UNTIL: day}, MODE, "Unknown wormMode directive."),
            ({MODE: "governance", UNTIL: day}, MODE, "Unknown wormMode directive."),
            (
                {MODE: "GOVERNANCE", UNTIL: "abc"},
                UNTIL,
                "The retain until date must be provided in ISO 8601 format",
            ),
            (
                {MODE: "GOVERNANCE", UNTIL: self.after(0)},
                UNTIL,
                "The retain until date must be in the future!",
            ),
            ({HOLD: "wrong"}, HOLD, "Legal Hold must be either of 'ON' or 'OFF'"),
            ({HOLD: "on"}, HOLD, "Legal Hold must be either of 'ON' or 'OFF'"),
        ):
            for method, target, more in WRITES:
                for bucket in ("locked", "bucket"):
                    response = await self.refused(
                        self.client.request(
                            method, target.format(bucket), {**headers, **more}
                        ),
                        400,
                        "InvalidArgument",
                    )
                    self.assertEqual(response.text("Message"), message)
                    self.assertEqual(response.text("ArgumentName"), name)
                    self.assertEqual(response.text("ArgumentValue"), headers.get(name))
        missing = self.client.request("HEAD", "/locked/key")
        self.assertEqual((await missing).status, 404)

    async def test_no_object_lock(self) -> None:
        """In a bucket without object lock nothing is written that asks for a lock."""
        await self.put("source", bucket="bucket")
        for method, target, more in WRITES:
            for headers in (self.lock("GOVERNANCE", DAY), {HOLD: "OFF"}):
                response = await self.refused(
                    self.client.request(
                        method, target.format("bucket"), {**headers, **more}
                    ),
                    400,
                    "InvalidRequest",
                )
                self.assertEqual(
                    response.text("Message"),
                    "Bucket is missing Object Lock Configuration",
                )

    async def test_rights(self) -> None:
        """Who may write may not lock by that; who says nothing of locks gets the default."""
        somebody = self.client.as_user("somebody")
        await self.put("source", bucket="bucket")
        await self.grant("user:somebody:r")
        for method, target, more in WRITES:
            for headers in (self.lock("GOVERNANCE", DAY), {HOLD: "ON"}):
                sent = {**headers, **more, **digested(b"")}
                asked = somebody.request(method, target.format("locked"), sent)
                await self.refused(asked, 403, "AccessDenied")
        await self.configure(DEFAULT)
        put = await somebody.request("PUT", "/locked/key", digested(b""))
        self.assertEqual(put.status, 200)
        await self.assert_protected("key", put.headers["x-amz-version-id"])

    async def test_integrity(self) -> None:
        """What will be locked comes with a checksum; the SHA-256 of its signature is none."""
        body = b"body"
        message = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put {} requests with Object Lock parameters"
        checksum = {"x-amz-checksum-sha256": b64encode(sha256(body).digest()).decode()}
        signed = {"x-amz-content-sha256": sha256(body).hexdigest()}
        large = b"y" * 200_000
        upload = await self.begin({})
        locked_upload = await self.begin({HOLD: "ON"})
        for default in ("", DEFAULT):
            await self.configure(default)
            for headers in ({}, {HOLD: "ON"}, self.lock("GOVERNANCE", DAY)):
                for sent, content in (
                    (headers, body),
                    (headers | signed, body),
                    (headers, large),
                ):
                    put = await self.client.request("PUT", "/locked/key", sent, content)
                    if headers or default:
                        self.assertEqual(
                            (put.status, put.code), (400, "InvalidRequest")
                        )
                        self.assertEqual(put.text("Message"), message.format("Object"))
                    else:
                        self.assertEqual(put.status, 200)
                for stated in (checksum, digested(body)):
                    put = await self.client.request(
                        "PUT", "/locked/key", headers | stated, body
                    )
                    self.assertEqual(put.status, 200)
            for each, demanded in ((upload, bool(default)), (locked_upload, True)):
                target = f"/locked/key?uploadId={each}&partNumber=1"
                part = await self.client.request("PUT", target, {}, body)
                self.assertEqual(part.status, 400 if demanded else 200)
                if demanded:
                    self.assertEqual(part.text("Message"), message.format("Part"))
                part = await self.client.request("PUT", target, checksum, body)
                self.assertEqual(part.status, 200)

    async def test_read_rights(self) -> None:
        """A lock is shown to who may see it, and to nobody else who may read the object."""
        await self.put(headers=self.lock("GOVERNANCE", DAY, "ON"))
        self.assertEqual(len(await self.head("key", user="somebody")), 3)
        for denied, left in (
            ("s3:GetObjectRetention", {HOLD}),
            ("s3:GetObjectLegalHold", {MODE, UNTIL}),
        ):
            policy = {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Deny",
                    "Principal": {"AWS": "arn:aws:iam:::user/somebody"},
                    "Action": denied,
                    "Resource": "arn:aws:s3:::locked/*",
                },
            }
            put = await self.document("/locked?policy", json.dumps(policy))
            self.assertEqual(put.status, 204, put.body)
            self.assertEqual((await self.head("key", user="somebody")).keys(), left)
            self.assertEqual(len(await self.head("key")), 3)
