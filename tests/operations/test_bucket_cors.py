"""PutBucketCors, GetBucketCors, DeleteBucketCors."""

from __future__ import annotations

from tests.operations.past import PastTestCase
from tests.operations.support import Response, checked

FULL = (
    "<CORSRule><ID>one</ID><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>"
    "<AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example</AllowedOrigin>"
    "<AllowedOrigin>http://*.b.example</AllowedOrigin><ExposeHeader>ETag</ExposeHeader>"
    "<ExposeHeader>x-amz-version-id</ExposeHeader><MaxAgeSeconds>3000</MaxAgeSeconds></CORSRule>"
)
ANYBODY = "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"


def rules(*each: str) -> bytes:
    """A document ``CORSConfiguration``."""
    return f"<CORSConfiguration>{''.join(each)}</CORSConfiguration>".encode()


def rule(
    method: str = "GET",
    origin: str = "*",
    header: str = "",
    expose: str = "",
    more: str = "",
) -> str:
    """One rule; an element that is empty is left out."""
    pairs = (
        ("AllowedHeader", header),
        ("AllowedMethod", method),
        ("AllowedOrigin", origin),
        ("ExposeHeader", expose),
    )
    made = "".join(f"<{name}>{text}</{name}>" for name, text in pairs if text)
    return f"<CORSRule>{made}{more}</CORSRule>"


class CorsTestCase(PastTestCase):
    """Documents of the rules."""

    async def put(self, body: bytes, path: str = "/bucket") -> Response:
        """Send a document with its MD5."""
        return await self.client.request("PUT", f"{path}?cors", checked(body), body)

    async def keep(self, *each: str) -> None:
        """Have the bucket keep rules."""
        response = await self.put(rules(*each))
        self.assertEqual((response.status, response.body), (200, b""))

    async def shown(self, path: str = "/bucket") -> bytes:
        """The document that is shown, from its root on."""
        response = await self.client.request("GET", f"{path}?cors")
        self.assertEqual(response.status, 200)
        return response.body.partition(b'2006-03-01/">')[2]


class BucketCorsTests(CorsTestCase):
    """The rules of a bucket as they are kept."""

    async def test_life(self) -> None:
        """Rules are put, shown as they were sent, replaced and removed."""
        await self.keep(FULL, ANYBODY)
        self.assertEqual(
            await self.shown(), f"{FULL}{ANYBODY}</CORSConfiguration>".encode()
        )
        await self.keep(ANYBODY)
        self.assertEqual(await self.shown(), f"{ANYBODY}</CORSConfiguration>".encode())
        for _ in range(2):
            gone = await self.client.request("DELETE", "/bucket?cors")
            self.assertEqual((gone.status, gone.body), (204, b""))
        await self.refused(
            self.client.request("GET", "/bucket?cors"), 404, "NoSuchCORSConfiguration"
        )

    async def test_link(self) -> None:
        """Rules put through a link are the bucket's."""
        await self.link("link", "bucket")
        await self.put(rules(ANYBODY), "/link")
        self.assertEqual(await self.shown(), await self.shown("/link"))

    async def test_refused(self) -> None:
        """What no rule may say is refused in S3's words, and the rules stay."""
        await self.keep(ANYBODY)
        two = "can not have more than one wildcard."
        for text, message in (
            (rule("PATCH"), "Unsupported method is PATCH"),
            (rule("OPTIONS"), "Unsupported method is OPTIONS"),
            (rule("get"), "Unsupported method is get"),
            (rule("*"), "Unsupported method is *"),
            (
                "<CORSRule><AllowedMethod/><AllowedOrigin>*</AllowedOrigin></CORSRule>",
                "Unsupported method is ",
            ),
            (
                rule(origin="http://*.*.example"),
                f'AllowedOrigin "http://*.*.example" {two}',
            ),
            (rule(header="x-*-*"), f'AllowedHeader "x-*-*" {two}'),
            (rule(expose="x-*"), 'ExposeHeader "x-*" contains wildcard.'),
            (rule(expose="a&#10;b"), "is not a header"),
            (rule(more=f"<ID>{'i' * 256}</ID>"), "255 characters"),
            (rule() * 101, "allowed limit of 100 rules"),
        ):
            response = await self.refused(self.put(rules(text)), 400, "InvalidRequest")
            self.assertIn(message, response.text("Message") or "", text)
        self.assertIn(ANYBODY.encode(), await self.shown())

    async def test_bounds(self) -> None:
        """A hundred rules are taken, an id of 255 characters, and 64 KB; no more of any."""
        await self.keep(*[rule(more=f"<ID>{'ü' * 255}</ID>")] * 100)
        within = f"<AllowedOrigin>{'o' * 65_000}</AllowedOrigin>"
        await self.keep(rule(more=within))
        beyond = f"<AllowedOrigin>{'o' * 66_000}</AllowedOrigin>"
        await self.refused(
            self.put(rules(rule(more=beyond))), 400, "MaxMessageLengthExceeded"
        )

    async def test_malformed(self) -> None:
        """A document without rules, or with one that names no method or origin, is malformed."""
        for text in (
            "",
            "<CORSRule/>",
            rule(method=""),
            rule(origin=""),
            rule(more="<MaxAgeSeconds>soon</MaxAgeSeconds>"),
            rule(more="<MaxAgeSeconds>1</MaxAgeSeconds>" * 2),
            rule(more="<AllowedPath>x</AllowedPath>"),
        ):
            await self.refused(self.put(rules(text)), 400, "MalformedXML")
        await self.refused(self.put(b"<WebsiteConfiguration/>"), 400, "MalformedXML")
        await self.refused(
            self.client.request("PUT", "/bucket?cors", {}, rules(ANYBODY)),
            400,
            "InvalidRequest",
        )

    async def test_rights(self) -> None:
        """Another user changes no rules, nor sees them."""
        await self.keep(ANYBODY)
        other = self.client.as_user("other")
        body = rules(FULL)
        for asked in (
            other.request("PUT", "/bucket?cors", checked(body), body),
            other.request("DELETE", "/bucket?cors"),
            other.request("GET", "/bucket?cors"),
        ):
            await self.refused(asked, 403, "AccessDenied")
        self.assertIn(ANYBODY.encode(), await self.shown())
