"""PutBucketAccelerateConfiguration, GetBucketAccelerateConfiguration."""

from __future__ import annotations

from tests.operations.support import OperationTestCase, Response, checked


class AccelerationTests(OperationTestCase):
    """Transfer acceleration, which there is none of."""

    async def put(self, inside: str) -> Response:
        """Send a document."""
        body = f"<AccelerateConfiguration>{inside}</AccelerateConfiguration>".encode()
        return await self.client.request(
            "PUT", "/bucket?accelerate", checked(body), body
        )

    async def shown(self) -> list[str]:
        """The state that is shown."""
        response = await self.client.request("GET", "/bucket?accelerate")
        self.assertEqual(response.xml().tag, "AccelerateConfiguration")
        return response.texts("Status")

    async def test_suspended(self) -> None:
        """It can be suspended, and is shown so; nothing is shown before."""
        self.assertEqual(await self.shown(), [])
        self.assertEqual((await self.put("<Status>Suspended</Status>")).status, 200)
        self.assertEqual(await self.shown(), ["Suspended"])

    async def test_enabled(self) -> None:
        """It cannot be enabled, for nothing would be faster; nothing changes."""
        await self.refused(self.put("<Status>Enabled</Status>"), 501, "NotImplemented")
        self.assertEqual(await self.shown(), [])

    async def test_malformed(self) -> None:
        """Any other document is refused."""
        for inside in ("", "<Status>On</Status>", "<Other/>", "<Status/>"):
            await self.refused(self.put(inside), 400, "MalformedXML")
