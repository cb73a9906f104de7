"""PutBucketWebsite, GetBucketWebsite, DeleteBucketWebsite."""

from __future__ import annotations

from tests.operations.past import PastTestCase
from tests.operations.support import Response, checked

INDEX = "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>"
ERROR = "<ErrorDocument><Key>errors/404.html</Key></ErrorDocument>"
ALL = "<RedirectAllRequestsTo><HostName>www.example.com</HostName><Protocol>https</Protocol></RedirectAllRequestsTo>"
SHORT = "<RedirectAllRequestsTo><HostName>a.example</HostName></RedirectAllRequestsTo>"


def website(*each: str) -> bytes:
    """A document ``WebsiteConfiguration``."""
    return f"<WebsiteConfiguration>{''.join(each)}</WebsiteConfiguration>".encode()


def elements(**each: str | None) -> str:
    """An element for each keyword that is not ``None``."""
    pairs = [(name, text) for name, text in each.items() if text is not None]
    return "".join(f"<{name}>{text}</{name}>" for name, text in pairs)


def routing(
    error: str | None = None, prefix: str | None = None, **redirect: str | None
) -> str:
    """One rule; without a condition where it has none.

    :param redirect: elements of its redirect.
    """
    condition = elements(HttpErrorCodeReturnedEquals=error, KeyPrefixEquals=prefix)
    inner = f"<Condition>{condition}</Condition>" if condition else ""
    return (
        f"<RoutingRule>{inner}<Redirect>{elements(**redirect)}</Redirect></RoutingRule>"
    )


def rules(*each: str) -> str:
    """The element of all rules."""
    return f"<RoutingRules>{''.join(each)}</RoutingRules>"


TO_HOST = routing(prefix="old/", HostName="a.example")
FULL = INDEX + rules(
    TO_HOST,
    routing("404", "docs/", Protocol="https", ReplaceKeyPrefixWith="documents/"),
    routing("503", HttpRedirectCode="302", ReplaceKeyWith="busy.html"),
)


class WebsiteDocumentTestCase(PastTestCase):
    """Documents of websites."""

    async def put(self, body: bytes, path: str = "/bucket") -> Response:
        """Send a document with its MD5."""
        return await self.client.request("PUT", f"{path}?website", checked(body), body)

    async def make(self, *each: str) -> None:
        """Make a website of the bucket."""
        response = await self.put(website(*each))
        self.assertEqual((response.status, response.body), (200, b""), response)


class BucketWebsiteTests(WebsiteDocumentTestCase):
    """Websites as they are kept."""

    async def shown(self, path: str = "/bucket") -> str:
        """What the document that is shown has in it."""
        response = await self.client.request("GET", f"{path}?website")
        self.assertEqual(response.status, 200)
        inner = response.body.partition(b'2006-03-01/">')[2].decode()
        return inner.removesuffix("</WebsiteConfiguration>")

    async def test_life(self) -> None:
        """A website is put, shown as it was sent, replaced and removed."""
        for each in (ERROR + FULL, INDEX, ERROR + INDEX, ALL, SHORT):
            await self.make(each)
            self.assertEqual(await self.shown(), each)
        for _ in range(2):
            gone = await self.client.request("DELETE", "/bucket?website")
            self.assertEqual((gone.status, gone.body), (204, b""))
        await self.refused(
            self.client.request("GET", "/bucket?website"),
            404,
            "NoSuchWebsiteConfiguration",
        )

    async def test_link(self) -> None:
        """A website made through a link is the bucket's."""
        await self.link("link", "bucket")
        await self.put(website(INDEX), "/link")
        self.assertEqual(await self.shown(), await self.shown("/link"))

    async def test_arguments(self) -> None:
        """What is no website, or has an index that could be none, is refused in S3's words."""
        await self.make(ALL)
        for text, message in (
            ("", "A value for IndexDocument Suffix must be provided"),
            (ERROR, "A value for IndexDocument Suffix must be provided"),
            (INDEX.replace("index.html", ""), "Suffix is not well formed"),
            (INDEX.replace("index", "a/index"), "Suffix is not well formed"),
            (ALL + INDEX, "cannot be provided in conjunction"),
            (ALL + ERROR, "cannot be provided in conjunction"),
        ):
            response = await self.refused(
                self.put(website(text)), 400, "InvalidArgument"
            )
            self.assertIn(message, response.text("Message") or "", text)
        self.assertEqual(await self.shown(), ALL)

    async def test_requests(self) -> None:
        """So is a rule that says what none may."""
        for text, message in (
            (routing("302", HostName="a"), "error code (302) is not valid"),
            (routing("4O4", HostName="a"), "error code (4O4) is not valid"),
            (routing(HttpRedirectCode="300"), "redirect code (300) is not valid"),
            (routing(HttpRedirectCode="404"), "redirect code (404) is not valid"),
            (routing(Protocol="ftp"), "Invalid protocol"),
            (routing(HostName="a b"), "HostName is not well formed"),
            (routing(HostName="a&#10;b"), "HostName is not well formed"),
            (
                routing(ReplaceKeyWith="a", ReplaceKeyPrefixWith="b"),
                "ReplaceKeyPrefix or ReplaceKey but not both",
            ),
            (
                "<RoutingRule><Condition/><Redirect><HostName>a</HostName></Redirect></RoutingRule>",
                "Condition cannot be empty",
            ),
            (TO_HOST * 51, "51 routing rules provided"),
        ):
            document = website(INDEX, rules(text))
            response = await self.refused(self.put(document), 400, "InvalidRequest")
            self.assertIn(message, response.text("Message") or "", text)
        await self.refused(
            self.put(website(ALL.replace("https", "ftp"))), 400, "InvalidRequest"
        )

    async def test_malformed(self) -> None:
        """What is not of the document's form is malformed; fifty rules are taken, and 128 KB."""
        for text in (
            ALL.replace("www.example.com", ""),
            "<RedirectAllRequestsTo/>",
            INDEX * 2,
            INDEX + ERROR.replace("errors/404.html", ""),
            INDEX + rules("<RoutingRule/>"),
            INDEX + rules("<RoutingRule><Redirect/></RoutingRule>"),
            INDEX + TO_HOST,
            INDEX + "<RoutingRules/>",
            INDEX + "<Other/>",
        ):
            await self.refused(self.put(website(text)), 400, "MalformedXML")
        await self.make(INDEX, rules(TO_HOST * 50))
        await self.make(INDEX, rules(routing(ReplaceKeyWith="k" * 130_000)))
        large = website(INDEX, rules(routing(ReplaceKeyWith="k" * 132_000)))
        await self.refused(self.put(large), 400, "MaxMessageLengthExceeded")

    async def test_rights(self) -> None:
        """Another user makes and removes no website, nor sees it."""
        await self.make(INDEX)
        other = self.client.as_user("other")
        body = website(ALL)
        for asked in (
            other.request("PUT", "/bucket?website", checked(body), body),
            other.request("DELETE", "/bucket?website"),
            other.request("GET", "/bucket?website"),
        ):
            await self.refused(asked, 403, "AccessDenied")
        self.assertEqual(await self.shown(), INDEX)
