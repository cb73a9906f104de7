"""Visitors of websites: the site that serves them, in memory, and what it shows."""

from __future__ import annotations

from http.client import HTTPResponse

from ozgate.s3.website.serving import make_website_site
from ozgate.testing.inmemory import settle, talk
from tests.operations.support import Response, _joined, _Said, checked
from tests.operations.test_bucket_website import WebsiteDocumentTestCase
from tests.unit.s3.policy.documents import document, statement

DOMAIN = "web.example"
HOST = f"bucket.{DOMAIN}"


class WebsiteTestCase(WebsiteDocumentTestCase):
    """The bucket, and a site that serves it."""

    async def _open(self) -> None:
        await super()._open()
        self.client = self.client.with_settings(website_domains=(DOMAIN,))
        client = self.client
        logs = client.access_log, client.audit_log
        self.site = make_website_site(self.clock, client.gateway, *logs)

    async def open_to_all(self, *actions: str) -> None:
        """Have everybody do these in the bucket, and nothing else; only by who is asked to, as there are no blocks."""
        gone = await self.client.request("DELETE", "/bucket?publicAccessBlock")
        self.assertEqual(gone.status, 204, gone)
        bucket = "arn:aws:s3:::bucket"
        allowed = statement("Allow", list(actions), [bucket, f"{bucket}/*"], "*")
        body = document(allowed)
        target = "/bucket?policy"
        if actions:
            put = await self.client.request("PUT", target, checked(body), body)
        else:
            put = await self.client.request("DELETE", target)
        self.assertEqual(put.status, 204, put)

    async def add(self, key: str, body: bytes = b"", **headers: str) -> None:
        """Put an object; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        put = await self.client.request("PUT", f"/bucket/{key}", named, body)
        self.assertEqual(put.status, 200, put)

    def visit(
        self, target: str, method: str = "GET", host: str = HOST, **headers: str
    ) -> Response:
        """What a visitor is shown."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        talked = talk(self.site, self.clock, head)
        settle(self.clock)
        said = _Said(self.successResultOf(talked))
        answer = HTTPResponse(said, method=method)  # type: ignore[arg-type]
        answer.begin()
        shown = Response(answer.status, _joined(answer.getheaders()), answer.read())
        self.assertNotIn(b"<?xml", shown.body)
        self.assertNotIn("xml", shown.headers.get("content-type", ""))
        self.assertIn("x-amz-request-id", shown.headers)
        return shown

    def sent_to(self, target: str, **headers: str) -> tuple[int, str]:
        """The status and the place that a visitor is sent to."""
        shown = self.visit(target, **headers)
        return shown.status, shown.headers["location"]
