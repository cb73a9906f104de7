"""The gates, over the wire: who is told what of a request that no row answers, or another row than its header says."""

from __future__ import annotations

from urllib.parse import urlsplit

from ozgate.auth.presign import presign
from tests.operations.support import (
    REGION,
    SECRETS,
    URL,
    OperationTestCase,
    Response,
)
from tests.operations.test_table import last_line

FORM = {"content-type": "multipart/form-data; boundary=x"}
UNRESOLVED = (
    ("DELETE", "/", 405, "MethodNotAllowed"),
    ("PATCH", "/bucket/key", 405, "MethodNotAllowed"),
    ("POST", "/bucket?acl", 405, "MethodNotAllowed"),
    ("GET", "/bucket?acl&policy", 400, "InvalidArgument"),
    ("GET", "/bucket/key?versions", 400, "InvalidRequest"),
    ("GET", "/bucket?frobnicate", 501, "NotImplemented"),
)
"""Requests that no row answers, and why."""


class UnresolvedTests(OperationTestCase):
    """Requests that no row answers."""

    async def test_signed(self) -> None:
        """Whoever signed is told why, and is in the audit log."""
        for method, target, status, code in UNRESOLVED:
            await self.refused(self.client.request(method, target), status, code)
            self.assertIn("| user=testuser |", last_line(self.client.audit_log))
            self.assertIn("| op=UNKNOWN ", last_line(self.client.audit_log))

    async def test_not_signed(self) -> None:
        """Nobody else is: not whoever did not sign, nor whoever did with another's key, nor with none that is known."""
        for method, target, _, _ in UNRESOLVED:
            for headers in ({}, FORM):
                asked = self.client.request(method, target, headers, signed=False)
                await self.refused(asked, 403, "AccessDenied")
            for access_id, code in (
                ("other", "SignatureDoesNotMatch"),
                ("nobody", "InvalidAccessKeyId"),
            ):
                headers = self.client._sign(method, target, {})
                value = headers["authorization"]
                headers["authorization"] = value.replace("testuser", access_id)
                asked = self.client.request(method, target, headers, signed=False)
                await self.refused(asked, 403, code)


class FormTests(OperationTestCase):
    """Uploads by a browser's form; what is in them has a file of its own, ``test_post_object``."""

    async def test_form(self) -> None:
        """A form needs no signature but those in its fields: one without any is told what it lacks."""
        asked = self.client.request("POST", "/bucket", FORM, b"--x--", signed=False)
        await self.refused(asked, 400, "InvalidArgument")
        self.assertIn("| op=POST_OBJECT ", last_line(self.client.audit_log))

    async def test_no_form(self) -> None:
        """What is no form must be signed, and what is signed is no form."""
        for headers in ({}, {"content-type": "text/plain"}):
            asked = self.client.request("POST", "/bucket", headers, b"x", signed=False)
            await self.refused(asked, 403, "AccessDenied")
        asked = self.client.request("POST", "/bucket", FORM, b"x")
        await self.refused(asked, 400, "InvalidArgument")


class PresignedTests(OperationTestCase):
    """Headers that a presigned URL carries in its query choose the operation, too."""

    async def put(self, target: str) -> Response:
        """Use a URL that is presigned for putting; the query may say anything besides."""
        path, _, query = target.partition("?")
        pairs = dict(pair.split("=") for pair in query.split("&"))
        now = self.clock.seconds()
        secret = SECRETS["testuser"]
        url = presign("PUT", URL + path, "testuser", secret, REGION, 60, now, pairs)
        signed = urlsplit(url)
        return await self.client.request(
            "PUT", f"{signed.path}?{signed.query}", signed=False
        )

    async def test_copy(self) -> None:
        """A source in the query of a presigned URL makes it a copy; in that of a signed request it is ignored."""
        await self.client.request("PUT", "/bucket/source", body=b"bytes")
        for name in ("x-amz-copy-source", "X-Amz-Copy-Source"):
            response = await self.put(f"/bucket/{name}?{name}=bucket/source")
            self.assertEqual(
                (response.status, response.xml().tag), (200, "CopyObjectResult")
            )
            copied = await self.client.request("GET", f"/bucket/{name}")
            self.assertEqual(copied.body, b"bytes")
            response = await self.client.request(
                "PUT", f"/bucket/put?{name}=bucket/source", body=b"others"
            )
            self.assertEqual((response.status, response.body), (200, b""))
            put = await self.client.request("GET", "/bucket/put")
            self.assertEqual(put.body, b"others")
