"""Websites as visitors see them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail

from ozgate.errors import Damaged, Unavailable
from tests.operations.support import checked
from tests.operations.test_bucket_cors import ANYBODY
from tests.operations.test_bucket_cors import rules as cors
from tests.operations.test_bucket_website import (
    ALL,
    ERROR,
    INDEX,
    SHORT,
    routing,
    rules,
)
from tests.operations.test_table import last_line
from tests.operations.uploads import LARGE, etag_of
from tests.operations.websites import DOMAIN, HOST, WebsiteTestCase

HTML = "text/html; charset=utf-8"
PAGE = b"<h1>hello</h1>"


class PageTests(WebsiteTestCase):
    """Objects and indexes."""

    async def _open(self) -> None:
        await super()._open()
        await self.make(INDEX)
        await self.open_to_all("s3:GetObject")
        await self.add("index.html", PAGE, content_type="text/html")
        await self.add("docs/index.html", b"docs", content_type="text/html")
        await self.add("large", LARGE)
        await self.add("a%20b%2Bc", b"odd")

    async def test_shown(self) -> None:
        """An object is shown with its type, by its key; a folder by its index. The query means nothing."""
        for target, body in (
            ("/", PAGE),
            ("/index.html", PAGE),
            ("/docs/", b"docs"),
            ("/docs/?versionId=x&response-content-type=text/x&acl", b"docs"),
            ("/large", LARGE),
            ("/a%20b+c", b"odd"),
            (f"http://{HOST}/docs/", b"docs"),
        ):
            shown = self.visit(target)
            self.assertEqual((shown.status, shown.body), (200, body), target)
            self.assertEqual(shown.headers["etag"], etag_of(body))
        self.assertEqual(self.visit("/").headers["content-type"], "text/html")

    async def test_head(self) -> None:
        """HEAD has the headers alone."""
        shown = self.visit("/docs/", "HEAD")
        self.assertEqual((shown.status, shown.body), (200, b""))
        self.assertEqual(shown.headers["content-length"], "4")
        missing = self.visit("/none", "HEAD")
        self.assertEqual((missing.status, missing.body), (403, b""))
        self.assertEqual(missing.headers["x-amz-error-code"], "AccessDenied")

    async def test_conditions(self) -> None:
        """Conditions and ranges are S3's."""
        for headers, status, body in (
            ({"if_none_match": etag_of(PAGE)}, 304, b""),
            ({"if_match": etag_of(PAGE)}, 200, PAGE),
            ({"range": "bytes=4-8"}, 206, b"hello"),
        ):
            shown = self.visit("/", **headers)
            self.assertEqual((shown.status, shown.body), (status, body), headers)
        for headers, status, code in (
            ({"if_match": '"x"'}, 412, "PreconditionFailed"),
            ({"range": "bytes=99-"}, 416, "InvalidRange"),
        ):
            shown = self.visit("/", **headers)
            self.assertEqual(shown.status, status)
            self.assertEqual(shown.headers["x-amz-error-code"], code)

    async def test_hosts(self) -> None:
        """The bucket is the first label of a host below a domain, or the whole of another host, whatever its capitals and port."""
        await self.client.request("PUT", "/www.example.com")
        body = b"<WebsiteConfiguration>" + SHORT.encode() + b"</WebsiteConfiguration>"
        target = "/www.example.com?website"
        await self.client.request("PUT", target, checked(body), body)
        for host in ("www.example.com", "WWW.example.com:8080", "www.example.com."):
            shown = self.visit("/x", host=host)
            self.assertEqual(shown.headers["location"], "http://a.example/x", host)
        for host in (HOST, f"BUCKET.{DOMAIN}:80"):
            self.assertEqual(self.visit("/", host=host).body, PAGE)
        for host, status, code in (
            (DOMAIN, 404, "NoSuchBucket"),
            (f"absent.{DOMAIN}", 404, "NoSuchBucket"),
            (f"www.example.com.{DOMAIN}", 301, ""),
            ("127.0.0.1:8080", 400, "InvalidBucketName"),
            ("[::1]:8080", 400, "InvalidBucketName"),
        ):
            shown = self.visit("/", host=host)
            self.assertEqual(shown.status, status, host)
            self.assertEqual(shown.headers.get("x-amz-error-code", ""), code)

    async def test_no_website(self) -> None:
        """A bucket that is no website says so."""
        await self.client.request("DELETE", "/bucket?website")
        shown = self.visit("/")
        self.assertEqual(shown.status, 404)
        self.assertIn(b"<li>Code: NoSuchWebsiteConfiguration</li>", shown.body)
        self.assertIn(b"<li>BucketName: bucket</li>", shown.body)

    async def test_links(self) -> None:
        """A link is the website of its bucket, to nobody: whoever has no key follows none."""
        await self.link("link", "bucket", "world::r", "anonymous::r")
        shown = self.visit("/", host=f"link.{DOMAIN}")
        self.assertEqual((shown.status, shown.body.count(b"AccessDenied")), (403, 1))
        await self.link("dangling", "nothing")
        shown = self.visit("/", host=f"dangling.{DOMAIN}")
        self.assertEqual(shown.headers["x-amz-error-code"], "NoSuchBucket")
        await self.make(ALL)
        where = "https://www.example.com/x"
        self.assertEqual(self.sent_to("/x", host=f"link.{DOMAIN}"), (301, where))

    async def test_requester_pays(self) -> None:
        """A bucket whose requesters pay has no visitors, who could not say that they know."""
        payer = b"<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"
        target = "/bucket?requestPayment"
        put = await self.client.request("PUT", target, checked(payer), payer)
        self.assertEqual(put.status, 200)
        for headers in ({}, {"x_amz_request_payer": "requester"}):
            shown = self.visit("/", **headers)
            self.assertEqual(shown.headers["x-amz-error-code"], "AccessDenied")
            self.assertEqual(shown.status, 403)

    async def test_methods(self) -> None:
        """A website is only read."""
        for method in ("PUT", "POST", "DELETE", "OPTIONS", "PATCH"):
            shown = self.visit("/index.html", method)
            self.assertEqual(shown.status, 405, method)
            self.assertEqual(shown.headers["allow"], "HEAD, GET")
            self.assertIn(b"<li>Code: MethodNotAllowed</li>", shown.body)
            self.assertIn(f"<li>Method: {method}</li>".encode(), shown.body)
        self.assertEqual(self.visit("/").body, PAGE)

    async def test_folder(self) -> None:
        """Who asks for a folder without its slash is sent to the folder; the query is lost, as on S3."""
        shown = self.visit("/docs?a=b")
        self.assertEqual((shown.status, shown.headers["location"]), (302, "/docs/"))
        self.assertEqual(shown.headers["x-amz-error-code"], "Found")
        self.assertIn(b"<li>Message: Resource Found</li>", shown.body)
        await self.add("%C3%BC%20x/index.html")
        self.assertEqual(self.sent_to("/%c3%bc%20x"), (302, "/%C3%BC%20x/"))

    async def test_folder_of_another_host(self) -> None:
        """No path that begins with two slashes is sent to: browsers take what follows for a host."""
        await self.add("/evil.example/index.html")
        self.assertEqual(self.sent_to("//evil.example"), (302, "/%2Fevil.example/"))
        self.assertEqual(self.visit("/%2Fevil.example/").status, 200)

    async def test_nobody(self) -> None:
        """Whatever a visitor sends, nobody is asked: a signature means nothing, nor does what an owner may read."""
        await self.open_to_all()
        signed = self.client._sign("GET", "/docs/", {})
        sent = {name.replace("-", "_"): value for name, value in signed.items()}
        sent.pop("host", None)
        shown = self.visit("/docs/", **sent)
        self.assertEqual(shown.status, 403)
        self.assertEqual(shown.headers["x-amz-error-code"], "AccessDenied")

    async def test_cors(self) -> None:
        """The rules of the bucket for pages of other origins hold, on errors too."""
        body = cors(ANYBODY)
        await self.client.request("PUT", "/bucket?cors", checked(body), body)
        for target in ("/", "/none"):
            shown = self.visit(target, origin="https://a.example")
            self.assertEqual(shown.headers["access-control-allow-origin"], "*")

    async def test_logged(self) -> None:
        """Visits are in both logs, and counted."""
        self.visit("/docs/")
        self.assertIn("| op=GET_KEY ", last_line(self.client.audit_log))
        self.assertIn("ret=SUCCESS", last_line(self.client.audit_log))
        self.assertIn("GET /docs/", last_line(self.client.access_log))
        self.visit("/none")
        self.assertIn("ret=FAILURE", last_line(self.client.audit_log))
        self.assertEqual(self.client.gateway.tally.in_flight, 0)

    async def test_too_many(self) -> None:
        """One request too many is told so, in HTML."""
        gateway = self.client.gateway
        gateway.tally.in_flight = gateway.settings.limit_requests
        shown = self.visit("/")
        gateway.tally.in_flight = 0
        self.assertEqual(shown.status, 503)
        self.assertEqual(shown.headers["x-amz-error-code"], "SlowDown")

    async def test_malformed(self) -> None:
        """So is what is no address."""
        for target in ("/%ff", "/" + "k" * 1025):
            self.assertEqual(self.visit(target).status, 400)


class ErrorTests(WebsiteTestCase):
    """What is shown where something goes wrong."""

    async def test_page(self) -> None:
        """Without a page of its own a website shows S3's: 404 to who may know what is not there, else 403."""
        await self.make(INDEX)
        await self.open_to_all("s3:GetObject", "s3:ListBucket")
        shown = self.visit("/a%3Cb%3E/")
        self.assertEqual(shown.status, 404)
        self.assertEqual(shown.headers["content-type"], HTML)
        self.assertEqual(shown.headers["x-amz-error-code"], "NoSuchKey")
        self.assertEqual(
            shown.headers["x-amz-error-message"], "The specified key does not exist."
        )
        key = "a<b>/index.html"
        self.assertEqual(shown.headers["x-amz-error-detail-key"], key)
        request_id = shown.headers["x-amz-request-id"]
        self.assertEqual(
            shown.body.decode(),
            "<html>\n<head><title>404 Not Found</title></head>\n<body>\n<h1>404 Not Found</h1>\n<ul>\n"
            "<li>Code: NoSuchKey</li>\n<li>Message: The specified key does not exist.</li>\n"
            "<li>Key: a&lt;b&gt;/index.html</li>\n"
            f"<li>RequestId: {request_id}</li>\n<li>HostId: {request_id}</li>\n</ul>\n<hr/>\n</body>\n</html>\n",
        )
        await self.open_to_all()
        self.assertEqual(self.visit("/x").headers["x-amz-error-code"], "AccessDenied")

    async def test_own_page(self) -> None:
        """A page of its own is shown with the error's status and headers, whole, whatever was asked of the object."""
        await self.make(ERROR, INDEX)
        await self.open_to_all("s3:GetObject")
        await self.add("errors/404.html", PAGE, content_type="text/html")
        for headers in ({}, {"range": "bytes=0-1"}, {"if_none_match": etag_of(PAGE)}):
            shown = self.visit("/none", **headers)
            self.assertEqual((shown.status, shown.body), (403, PAGE), headers)
            self.assertEqual(shown.headers["x-amz-error-code"], "AccessDenied")
            self.assertEqual(shown.headers["content-type"], "text/html")
        await self.add("errors/404.html", LARGE)
        self.assertEqual(self.visit("/none").body, LARGE)
        shown = self.visit("/none", "HEAD")
        self.assertEqual((shown.status, shown.body), (403, b""))

    async def test_own_page_missing(self) -> None:
        """Where that cannot be shown S3's page says so."""
        await self.make(ERROR, INDEX)
        await self.open_to_all("s3:GetObject", "s3:ListBucket")
        shown = self.visit("/none")
        self.assertEqual(shown.status, 404)
        self.assertIn(
            b"<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n<li>Code: NoSuchKey</li>",
            shown.body,
        )
        self.assertIn(b"<li>Key: errors/404.html</li>", shown.body)

    async def test_failures(self) -> None:
        """What fails in the stores is S3's page, whatever page the website has, and logged."""
        await self.make(ERROR, INDEX)
        await self.open_to_all("s3:GetObject")
        metadata: Any = self.client.gateway.metadata
        read = metadata.read
        for error, status in ((Unavailable("no"), 503), (Damaged("no"), 500)):

            def failing(
                interaction: Any, *values: Any, error: Exception = error
            ) -> Deferred[Any]:
                if interaction.__name__ == "in_authorized_bucket":
                    return fail(error)
                found: Deferred[Any] = read(interaction, *values)
                return found

            self.patch(metadata, "read", failing)
            shown = self.visit("/x")
            self.assertEqual(
                (shown.status, shown.headers["content-type"]), (status, HTML)
            )
            await self.make(INDEX, rules(routing(str(status), HostName="b.example")))
            self.assertEqual(self.sent_to("/x")[1], "http://b.example/x")


class RedirectTests(WebsiteTestCase):
    """Where visitors are sent."""

    async def test_all(self) -> None:
        """A website may send everybody elsewhere, with path and query; without a protocol, by that of the request."""
        await self.make(ALL)
        where = "https://www.example.com/a%20b/?c=d"
        self.assertEqual(self.sent_to("/a%20b/?c=d"), (301, where))
        await self.make(SHORT)
        self.assertEqual(self.sent_to("/"), (301, "http://a.example/"))

    async def test_objects(self) -> None:
        """An object may send elsewhere, if it can be read; the page of an error too."""
        await self.make(ERROR, INDEX)
        await self.add("here", LARGE, x_amz_website_redirect_location="/there?x=%20")
        await self.add(
            "index.html", x_amz_website_redirect_location="https://b.example"
        )
        self.assertEqual(self.visit("/here").status, 403)
        await self.open_to_all("s3:GetObject")
        self.assertEqual(self.sent_to("/here"), (301, "/there?x=%20"))
        self.assertEqual(self.sent_to("/"), (301, "https://b.example"))
        self.assertEqual(self.visit("/here", "HEAD").status, 301)
        location = "http://b.example/sorry"
        await self.add("errors/404.html", x_amz_website_redirect_location=location)
        self.assertEqual(self.sent_to("/none"), (301, location))

    async def test_rules(self) -> None:
        """Rules replace what they say, and leave the rest; the first that holds counts."""
        await self.make(
            INDEX,
            rules(
                routing(prefix="docs/", ReplaceKeyPrefixWith="documents/"),
                routing(prefix="images/", ReplaceKeyWith="gone.html"),
                routing(prefix="old", HostName="old.example", HttpRedirectCode="307"),
                routing(prefix="x/", ReplaceKeyPrefixWith="", Protocol="https"),
                routing(prefix="resize", HostName="c.example", ReplaceKeyPrefixWith="f?key="),
                routing(prefix="docs/", HostName="never.example"),
            ),
        )  # fmt: skip
        for target, status, where in (
            ("/docs/a%20b?q=1", 301, f"http://{HOST}/documents/a%20b"),
            ("/images/1.png", 301, f"http://{HOST}/gone.html"),
            ("/older/%C3%BC", 307, "http://old.example/older/%C3%BC"),
            ("/x/y/z", 301, f"https://{HOST}/y/z"),
            ("/resize/a&b", 301, "http://c.example/f?key=%2Fa%26b"),
        ):
            self.assertEqual(self.sent_to(target), (status, where))

    async def test_no_condition(self) -> None:
        """A rule without a condition is for everything."""
        await self.make(INDEX, rules(routing(HostName="a.example")))
        self.assertEqual(self.sent_to("/x"), (301, "http://a.example/x"))

    async def test_errors(self) -> None:
        """A rule about an error holds where it is met, before the website's own page, and only then."""
        await self.make(
            ERROR,
            INDEX,
            rules(
                routing("404", "docs/", ReplaceKeyPrefixWith="archive/"),
                routing("403", HostName="b.example", HttpRedirectCode="302"),
            ),
        )
        await self.add("docs/here", b"here")
        await self.open_to_all("s3:GetObject", "s3:ListBucket")
        self.assertEqual(self.visit("/docs/here").body, b"here")
        where = f"http://{HOST}/archive/none"
        self.assertEqual(self.sent_to("/docs/none"), (301, where))
        self.assertEqual(self.visit("/none").status, 404)

    async def test_forbidden(self) -> None:
        """What nobody may read is an error like another."""
        await self.make(INDEX, rules(routing("403", HostName="b.example")))
        self.assertEqual(self.sent_to("/x"), (301, "http://b.example/x"))

    async def test_split(self) -> None:
        """No header is split by what was stored or asked."""
        await self.make(INDEX, rules(routing("403", ReplaceKeyWith="a&#10;b: c")))
        self.assertEqual(self.sent_to("/x"), (301, f"http://{HOST}/a%0Ab:%20c"))
        await self.make(INDEX)
        shown = self.visit("/a%0d%0aSet-Cookie:%20b")
        self.assertNotIn("set-cookie", shown.headers)
