"""The finishing step: every answer passes it once, whatever became of its request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail

from ozgate.errors import NoSpace, S3Error, Unavailable, Uncertain
from ozgate.s3 import finish, pipeline
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.reply import Reply
from tests.operations.support import Response
from tests.operations.test_gates import UNRESOLVED
from tests.operations.test_table import TableTestCase, target_of
from tests.operations.uploads import LARGE, etag_of

MARK = "x-test-finished"


class FinishTests(TableTestCase):
    """Every row of the table, with every way of being answered."""

    async def _open(self) -> None:
        await super()._open()
        await self.fill()

        async def marked(
            gateway: Any, notes: Any, address: Any, answer: Reply | S3Error
        ) -> None:
            answer.headers.append((MARK, "once"))
            pending = finish.finish(gateway, notes, address, answer)
            if pending is not None:
                await pending

        self.patch(pipeline, "finish", marked)

    def check(self, response: Response, status: int | None, what: object) -> None:
        """Assert that an answer was finished, once.

        :param status: which it is to have; ``None`` where that does not matter.
        """
        self.assertEqual(response.headers.get(MARK), "once", (what, response))
        if status is not None:
            self.assertEqual(response.status, status, (what, response))

    async def test_every_row(self) -> None:
        """What each row answers is finished: to whoever signed, to whoever did not, and what is said of a wrong signature."""
        for row in OPERATIONS:
            for signed in (False, True):
                response = await self.ask_for(row, signed=signed)
                self.check(response, None, (row.name, signed))
            wrong = self.client._sign(row.method, "/elsewhere", {})
            target = target_of(row, self.upload_id)
            asked = self.client.request(row.method, target, wrong, signed=False)
            self.check(await asked, 400 if row.method == "OPTIONS" else 403, row.name)
            await self.client.request("PUT", "/bucket")
            await self.fill()

    async def test_no_row(self) -> None:
        """So is what is said where no row answers, or there is no address for one."""
        for method, target, status, _ in UNRESOLVED:
            for signed in (False, True):
                asked = self.client.request(method, target, signed=signed)
                self.check(await asked, status if signed else 403, target)
        for target in ("/B", "/bucket/%ff", "/bucket/" + "k" * 1025, "/bucket?%"):
            self.check(await self.ask("GET", target), 400, target)

    async def test_too_many(self) -> None:
        """So is the refusal of a request too many, which nobody has looked at."""
        client = self.client.with_settings(limit_requests=1)
        client.gateway.tally.in_flight = 1
        response = await client.request("GET", "/bucket")
        client.gateway.tally.in_flight = 0
        self.check(response, 503, "too many")

    async def test_objects(self) -> None:
        """So are bytes, a part of them, the head of them, and that they did not change."""
        for method, headers, status in (
            ("GET", {}, 200),
            ("HEAD", {}, 200),
            ("GET", {"range": "bytes=1-2"}, 206),
            ("GET", {"range": "bytes=999999-"}, 416),
            ("GET", {"if-none-match": etag_of(LARGE)}, 304),
            ("HEAD", {"if-none-match": etag_of(LARGE)}, 304),
            ("GET", {"if-match": '"x"'}, 412),
        ):
            response = await self.client.request(method, "/bucket/key", headers)
            self.check(response, status, (method, headers))

    async def test_failures(self) -> None:
        """So is what is said where something fails that is no error of S3's, and the region that cannot be read is left out."""
        metadata: Any = self.client.gateway.metadata
        for error, status in (
            (Unavailable("no"), 503),
            (Uncertain("no"), 500),
            (NoSpace("no"), 507),
            (ValueError("no"), 500),
        ):
            read = metadata.read

            def failing(*_: Any, error: Exception = error) -> Deferred[Any]:
                return fail(error)

            self.patch(metadata, "read", failing)
            self.check(await self.ask("GET", "/bucket"), status, error)
            metadata.read = read
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    async def test_region_unknown(self) -> None:
        """An error that would say where the bucket is says all the rest where that cannot be read."""
        metadata: Any = self.client.gateway.metadata
        read: Callable[..., Deferred[Any]] = metadata.read

        def failing(interaction: Any, *values: Any) -> Deferred[Any]:
            if interaction is finish._region:
                return fail(Unavailable("no"))
            return read(interaction, *values)

        self.patch(metadata, "read", failing)
        response = await self.client.request("HEAD", "/bucket", signed=False)
        self.check(response, 403, "HeadBucket")
        self.assertNotIn("x-amz-bucket-region", response.headers)
