"""CORS preflights of buckets without rules; :mod:`tests.operations.test_cors_answers` has those that rules decide."""

from __future__ import annotations

from tests.operations.support import OperationTestCase, Response
from tests.operations.test_table import last_line

ORIGIN = "https://a.example"


class PreflightTests(OperationTestCase):
    """OPTIONS, as browsers send it, where no bucket has a CORS configuration, so that all are refused."""

    async def ask(self, target: str, signed: bool = False, **headers: str) -> Response:
        """Send a preflight; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request("OPTIONS", target, named, signed=signed)

    async def test_refused(self) -> None:
        """A preflight is told that CORS is not enabled, signed or not, for whatever it is, of buckets that are not there too."""
        for target in (
            "/bucket",
            "/bucket/key",
            "/absent",
            "/bucket?acl",
            "/bucket/key?partNumber=1&uploadId=x",
            "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x",
        ):
            for signed in (False, True):
                if signed and "X-Amz" in target:
                    continue
                response = await self.refused(
                    self.ask(
                        target,
                        signed,
                        origin=ORIGIN,
                        access_control_request_method="PUT",
                    ),
                    403,
                    "AccessForbidden",
                )
                self.assertEqual(
                    response.text("Message"),
                    "CORSResponse: CORS is not enabled for this bucket.",
                )
                self.assertEqual(response.text("Method"), "PUT")
                self.assertEqual(response.text("ResourceType"), "BUCKET")
                self.assertNotIn(ORIGIN, str(response))

    async def test_service(self) -> None:
        """The service is no bucket."""
        response = await self.refused(self.ask("/", origin="x"), 403, "AccessForbidden")
        self.assertEqual(response.text("Message"), "CORSResponse: Bucket not found")
        self.assertEqual(response.text("Method"), "OPTIONS")

    async def test_no_origin(self) -> None:
        """Without an origin it is no preflight."""
        for target in ("/", "/bucket", "/bucket/key"):
            response = await self.refused(
                self.ask(target, access_control_request_method="GET"), 400, "BadRequest"
            )
            self.assertEqual(
                response.text("Message"),
                "Insufficient information. Origin request header needed.",
            )

    async def test_methods(self) -> None:
        """Only methods that S3 has can be asked for, in capitals."""
        for method in ("get", "TRACE", "<x>"):
            response = await self.refused(
                self.ask(
                    "/bucket", origin=ORIGIN, access_control_request_method=method
                ),
                400,
                "BadRequest",
            )
            self.assertEqual(
                response.text("Message"),
                f"Invalid Access-Control-Request-Method: {method}",
            )
        response = await self.ask("/bucket", origin=ORIGIN)
        self.assertEqual(response.text("Method"), "OPTIONS")

    async def test_logged(self) -> None:
        """The audit log names what was asked."""
        await self.ask("/bucket/key", origin=ORIGIN)
        self.assertIn("| op=OPTIONS_OBJECT ", last_line(self.client.audit_log))
