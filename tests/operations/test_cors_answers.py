"""What lets pages of other origins read answers: to preflights, to what follows them, and to whatever goes wrong."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet.defer import Deferred, fail

from ozgate.errors import Unavailable
from ozgate.s3.origins import rules_of
from tests.operations.support import Response
from tests.operations.test_bucket_cors import ANYBODY, FULL, CorsTestCase, rule
from tests.operations.uploads import etag_of

A = "https://a.example"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
OF_A = {
    "access-control-allow-origin": A,
    "access-control-allow-methods": "PUT, GET",
    "access-control-expose-headers": "ETag, x-amz-version-id",
    "access-control-max-age": "3000",
    "access-control-allow-credentials": "true",
    "vary": VARY,
}
"""What the first rule says to the first origin."""


def said(response: Response) -> dict[str, str]:
    """The headers of an answer that speak to a browser."""
    return {
        name: value
        for name, value in response.headers.items()
        if name.startswith("access-control-") or name == "vary"
    }


class CorsAnswersTestCase(CorsTestCase):
    """A bucket with two rules, and an object in it."""

    async def _open(self) -> None:
        await super()._open()
        await self.keep(FULL, ANYBODY)
        await self.client.request("PUT", "/bucket/key", body=b"0123456789")

    async def preflight(
        self, target: str = "/bucket/key", origin: str = A, **headers: str
    ) -> Response:
        """Ask as a browser does; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"origin": origin, **named}
        return await self.client.request("OPTIONS", target, sent, signed=False)


class PreflightTests(CorsAnswersTestCase):
    """Preflights that rules decide."""

    async def test_allowed(self) -> None:
        """A page is told what it may do, of a key that is there or not, and of the bucket."""
        for target in ("/bucket/key", "/bucket/absent", "/bucket", "/bucket/k?acl"):
            response = await self.preflight(target, access_control_request_method="PUT")
            self.assertEqual((response.status, response.body), (200, b""))
            self.assertEqual(said(response), OF_A)
            self.assertEqual(response.headers["content-length"], "0")

    async def test_headers(self) -> None:
        """Headers that the page wants to send are told in lower case, in its order; capitals do not matter, nor white space."""
        for sent in ("X-Amz-Date, content-TYPE", "x-amz-date,content-type,"):
            response = await self.preflight(
                access_control_request_method="PUT", access_control_request_headers=sent
            )
            self.assertEqual(
                said(response),
                {**OF_A, "access-control-allow-headers": "x-amz-date, content-type"},
            )

    async def test_many_headers(self) -> None:
        """Who asks about as many headers as a request may have, of rules with as many as they may, costs little; of more, no browser asks."""
        patterns = [f"<AllowedHeader>b{i}*</AllowedHeader>" for i in range(900)]
        last = "<AllowedHeader>*</AllowedHeader>"
        await self.keep(
            ANYBODY.replace("</CORSRule>", "".join(patterns) + last + "</CORSRule>")
        )
        names = ",".join(f"a{i}" for i in range(500))
        began = time.process_time()
        for sent, status in (
            (names, 200),
            (f"{names},more", 403),
            (",".join("a" * 5000), 200),
        ):
            response = await self.preflight(
                access_control_request_method="GET", access_control_request_headers=sent
            )
            self.assertEqual(response.status, status)
        self.assertLess(time.process_time() - began, 1.5)

    async def test_anybody(self) -> None:
        """A rule for everybody is answered to everybody alike, and lets no page send its user's credentials."""
        response = await self.preflight(
            origin="null", access_control_request_method="GET"
        )
        self.assertEqual(
            said(response),
            {
                "access-control-allow-origin": "*",
                "access-control-allow-methods": "GET",
                "vary": VARY,
            },
        )

    async def test_wildcard(self) -> None:
        """A ``*`` in an origin is anything, nothing too, and the rest has to match at both ends, capitals included."""
        await self.keep(rule("PUT", "http://*.b.example"))
        for origin, status in (
            ("http://x.b.example", 200),
            ("http://x.y.b.example", 200),
            ("http://.b.example", 200),
            ("http://b.example", 403),
            ("https://x.b.example", 403),
            ("http://x.b.example:80", 403),
            ("http://x.b.example.evil.example", 403),
            ("HTTP://X.B.EXAMPLE", 403),
        ):
            response = await self.preflight(
                origin=origin, access_control_request_method="PUT"
            )
            self.assertEqual(response.status, status, origin)
            if status == 200:
                allowed = response.headers["access-control-allow-origin"]
                self.assertEqual(allowed, origin)

    async def test_not_allowed(self) -> None:
        """Another origin, method or header than the rules have is refused, with no header of theirs."""
        for target, kind, origin, headers in (
            ("/bucket/key", "OBJECT", "https://evil.example", {}),
            ("/bucket", "BUCKET", "https://evil.example", {}),
            ("/bucket/key", "OBJECT", A, {"access_control_request_headers": "range"}),
            ("/bucket/key", "OBJECT", "https://ü.example", {}),
        ):
            asked = self.preflight(
                target, origin, access_control_request_method="PUT", **headers
            )
            response = await self.refused(asked, 403, "AccessForbidden")
            self.assertIn(
                "This CORS request is not allowed.", response.text("Message") or ""
            )
            self.assertEqual(response.text("Method"), "PUT")
            self.assertEqual(response.text("ResourceType"), kind)
            self.assertEqual(said(response), {})
        asked = self.preflight(access_control_request_method="DELETE")
        await self.refused(asked, 403, "AccessForbidden")

    async def test_no_method(self) -> None:
        """Without a method it is no preflight."""
        response = await self.refused(self.preflight(), 400, "BadRequest")
        message = "Invalid Access-Control-Request-Method: null"
        self.assertEqual(response.text("Message"), message)

    async def test_links(self) -> None:
        """Through links the real bucket's rules hold; where they lead nowhere there are none."""
        await self.link("link", "bucket")
        await self.link("dangling", "nothing")
        response = await self.preflight(
            "/link/key", access_control_request_method="PUT"
        )
        self.assertEqual(said(response), OF_A)
        asked = self.preflight("/dangling/key", access_control_request_method="PUT")
        response = await self.refused(asked, 403, "AccessForbidden")
        self.assertIn("not enabled", response.text("Message") or "")

    async def test_virtual_host(self) -> None:
        """The bucket may be in the host's name."""
        self.client = self.client.with_settings(domain_names=("s3.example",))
        response = await self.preflight(
            "/key", host="bucket.s3.example", access_control_request_method="PUT"
        )
        self.assertEqual(said(response), OF_A)


class AnswersTests(CorsAnswersTestCase):
    """Answers to requests of pages."""

    async def ask(
        self,
        method: str,
        target: str = "/bucket/key",
        status: int = 200,
        signed: bool = True,
        **headers: str,
    ) -> dict[str, str]:
        """Send a request of the first origin; what its answer says to browsers."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        response = await self.client.request(
            method, target, {"origin": A, **sent}, signed=signed
        )
        self.assertEqual(response.status, status, (method, target, response))
        return said(response)

    async def test_answers(self) -> None:
        """Every answer has the headers, errors too, whatever was decided and where."""
        etag = etag_of(b"0123456789")
        for method, target, status, headers in (
            ("GET", "/bucket/key", 200, {}),
            ("GET", "/bucket", 200, {}),
            ("PUT", "/bucket/other", 200, {}),
            ("GET", "/bucket/key", 206, {"range": "bytes=1-2"}),
            ("GET", "/bucket/key", 416, {"range": "bytes=99-"}),
            ("GET", "/bucket/key", 304, {"if_none_match": etag}),
            ("GET", "/bucket/key", 412, {"if_match": '"x"'}),
            ("GET", "/bucket/absent", 404, {}),
            ("GET", "/bucket?acl&policy", 400, {}),
            ("PUT", "/bucket?frobnicate", 501, {}),
        ):
            self.assertEqual(await self.ask(method, target, status, **headers), OF_A)
        for target in ("/bucket/key", "/bucket/absent"):
            self.assertEqual(await self.ask("GET", target, 403, signed=False), OF_A)

    async def test_failure(self) -> None:
        """An answer that nobody expected has them as well."""
        metadata: Any = self.client.gateway.metadata
        read = metadata.read

        def failing(interaction: Any, *values: Any) -> Deferred[Any]:
            if interaction is rules_of:
                found: Deferred[Any] = read(interaction, *values)
                return found
            return fail(Unavailable("no"))

        self.patch(metadata, "read", failing)
        self.assertEqual(await self.ask("GET", status=503), OF_A)

    async def test_rules_unreadable(self) -> None:
        """Where the rules cannot be read the answer is there, and no page reads it."""
        metadata: Any = self.client.gateway.metadata
        read = metadata.read

        def failing(interaction: Any, *values: Any) -> Deferred[Any]:
            if interaction is rules_of:
                return fail(Unavailable("no"))
            found: Deferred[Any] = read(interaction, *values)
            return found

        self.patch(metadata, "read", failing)
        self.assertEqual(await self.ask("GET"), {})

    async def test_nothing_to_say(self) -> None:
        """No header of the kind is sent to a page that no rule allows, to whom no page is, nor of a bucket that has no rules."""
        self.assertEqual(await self.ask("GET", origin="https://x.example"), {
            "access-control-allow-origin": "*",
            "access-control-allow-methods": "GET",
            "vary": VARY,
        })  # fmt: skip
        self.assertEqual(await self.ask("PUT", origin="https://x.example"), {})
        self.assertEqual(await self.ask("DELETE", status=204), {})
        response = await self.client.request("GET", "/bucket")
        self.assertEqual(said(response), {})
        await self.client.request("PUT", "/plain")
        self.assertEqual(await self.ask("GET", "/plain"), {})
        self.assertEqual(await self.ask("GET", "/absent", 404), {})
        self.assertEqual(await self.ask("GET", "/"), {})

    async def test_asked_as_preflight(self) -> None:
        """A request that names a method and headers as preflights do is judged by those."""
        self.assertEqual(
            await self.ask("GET", access_control_request_method="PUT"), OF_A
        )
        self.assertEqual(
            await self.ask("GET", access_control_request_headers="range"), {}
        )
        self.assertEqual(
            await self.ask("GET", access_control_request_headers="x-amz-a"),
            {**OF_A, "access-control-allow-headers": "x-amz-a"},
        )

    async def test_removed(self) -> None:
        """The removal of the rules, and of the bucket, is told by the rules that were."""
        await self.keep(rule("DELETE", A))
        for target in ("/bucket/key", "/bucket"):
            found = await self.ask("DELETE", target, 204)
            self.assertEqual(found["access-control-allow-origin"], A)

    async def test_link(self) -> None:
        """Through a link the real bucket's rules hold, also for whom the link does not let through."""
        await self.link("link", "bucket")
        self.assertEqual(await self.ask("GET", "/link/key"), OF_A)
        self.client = self.client.as_user("other")
        self.assertEqual(await self.ask("GET", "/link/key", 403), OF_A)
