"""GetBucketRequestPayment."""

from __future__ import annotations

from tests.operations.support import OperationTestCase


class RequestPaymentTests(OperationTestCase):
    """Who pays for requests."""

    async def test_owner(self) -> None:
        """The owner pays where the bucket says nothing."""
        response = await self.client.request("GET", "/bucket?requestPayment")
        self.assertEqual(response.xml().tag, "RequestPaymentConfiguration")
        self.assertEqual(response.texts("Payer"), ["BucketOwner"])
