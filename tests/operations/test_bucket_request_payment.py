"""PutBucketRequestPayment, GetBucketRequestPayment, and what is asked of whoever pays."""

from __future__ import annotations

from tests.operations.past import PastTestCase
from tests.operations.support import Response, checked

PAYS = {"x-amz-request-payer": "requester"}


class RequestPaymentTests(PastTestCase):
    """Who pays for requests."""

    async def set_payer(self, payer: str) -> Response:
        """Say who pays."""
        name = "RequestPaymentConfiguration"
        body = f"<{name}><Payer>{payer}</Payer></{name}>".encode()
        return await self.client.request(
            "PUT", "/bucket?requestPayment", checked(body), body
        )

    async def payer(self) -> list[str]:
        """Who is shown."""
        response = await self.client.request("GET", "/bucket?requestPayment")
        self.assertEqual(response.xml().tag, "RequestPaymentConfiguration")
        return response.texts("Payer")

    async def test_owner(self) -> None:
        """The owner pays until the bucket says otherwise, and again after."""
        self.assertEqual(await self.payer(), ["BucketOwner"])
        for payer in ("Requester", "BucketOwner"):
            self.assertEqual((await self.set_payer(payer)).status, 200)
            self.assertEqual(await self.payer(), [payer])
        await self.refused(self.set_payer("Nobody"), 400, "MalformedXML")

    async def test_enforced(self) -> None:
        """Others than the owner say that they pay, or are refused; the answer says that they do."""
        await self.grant("user:other:rwld")
        await self.put(b"content")
        other = self.client.as_user("other")
        body = b"<Delete><Object><Key>x</Key></Object></Delete>"
        requests: tuple[tuple[str, str, dict[str, str], bytes], ...] = (
            ("GET", "/bucket/key", {}, b""),
            ("HEAD", "/bucket/key", {}, b""),
            ("GET", "/bucket", {}, b""),
            ("PUT", "/bucket/x", {}, b"y"),
            ("PUT", "/bucket/y", {"x-amz-copy-source": "/bucket/key"}, b""),
            ("POST", "/bucket?delete", checked(body), body),
        )
        for method, target, headers, sent in requests:
            answer = await other.request(method, target, headers, sent)
            self.assertEqual(answer.status, 200, target)
            self.assertNotIn("x-amz-request-charged", answer.headers)
        await self.set_payer("Requester")
        for method, target, headers, sent in requests:
            answer = await other.request(method, target, headers, sent)
            self.assertEqual(answer.status, 403, target)
            nobody = {"x-amz-request-payer": "owner"}
            answer = await other.request(method, target, {**headers, **nobody}, sent)
            self.assertEqual(answer.status, 403, target)
            answer = await other.request(method, target, {**headers, **PAYS}, sent)
            self.assertEqual(answer.status, 200, target)
            self.assertEqual(answer.headers["x-amz-request-charged"], "requester")
            answer = await self.client.request(method, target, headers, sent)
            self.assertEqual(answer.status, 200, target)
            self.assertNotIn("x-amz-request-charged", answer.headers)

    async def test_source(self) -> None:
        """Whoever copies from such a bucket pays too."""
        await self.put(b"content")
        await self.grant("user:other:r")
        await self.set_payer("Requester")
        other = self.client.as_user("other")
        await other.request("PUT", "/others")
        copy = {"x-amz-copy-source": "/bucket/key"}
        await self.refused(
            other.request("PUT", "/others/key", copy), 403, "AccessDenied"
        )
        answer = await other.request("PUT", "/others/key", {**copy, **PAYS})
        self.assertEqual(answer.status, 200)

    async def test_through_link(self) -> None:
        """A link leads to such a bucket as to any."""
        await self.put(b"content")
        await self.grant("user:other:r")
        await self.link("link", "bucket", "world::r")
        await self.set_payer("Requester")
        other = self.client.as_user("other")
        await self.refused(other.request("GET", "/link/key"), 403, "AccessDenied")
        answer = await other.request("GET", "/link/key", PAYS)
        self.assertEqual(answer.headers["x-amz-request-charged"], "requester")
