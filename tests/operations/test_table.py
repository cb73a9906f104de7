"""Every row of the table, asked for over the wire: what is not built says so, and nobody gets in unsigned."""

from __future__ import annotations

import re
from pathlib import Path

from ozgate.s3.operations import OPERATIONS, Body, Gate, Operation
from ozgate.s3.perform import configuration
from ozgate.wire.accesslog import AccessLog, AuditLog
from ozgate.wire.target import Scope
from tests.operations.support import Response
from tests.operations.test_bucket_configuration import ABSENT, SHOWN
from tests.operations.uploads import LARGE, SMALL, ObjectTestCase

BUILT = [
    row
    for row in OPERATIONS
    if row.perform is not None and row.gate not in (Gate.PREFLIGHT, Gate.FORM)
]
"""Preflights and forms have files of their own, :mod:`tests.operations.test_preflight` and ``test_post_object``: those nobody signs, these are
signed in their fields.
"""
NOT_BUILT = [row for row in OPERATIONS if row.perform is None]
PATHS = {Scope.SERVICE: "/", Scope.BUCKET: "/bucket", Scope.OBJECT: "/bucket/key"}


def target_of(row: Operation, upload_id: str = "x") -> str:
    """The target of a request for an operation."""
    path, query = PATHS[row.scope], []
    values = {"annotationName": "x", "id": "x", "partNumber": "1"}
    values["uploadId"] = upload_id
    for wanted in row.names:
        if wanted.startswith("/"):
            path = wanted
        elif wanted in values:
            query.append(f"{wanted}={values[wanted]}")
        else:
            query.append(wanted)
    return path + ("?" + "&".join(query) if query else "")


def snake(name: str) -> str:
    """An operation's name in snake case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def last_line(log: AccessLog | AuditLog) -> str:
    """What was logged last."""
    return Path(log.file.path).read_text().splitlines()[-1]


class TableTestCase(ObjectTestCase):
    """Asks for rows of the table, against a bucket with an object, tags and an upload."""

    async def fill(self) -> None:
        """Put something of everything into the bucket."""
        await self.put(LARGE, x_amz_tagging="a=b", x_amz_meta_m="m")
        self.upload_id = await self.begin()
        await self.part(self.upload_id, 1, SMALL)

    async def state(self) -> list[object]:
        """Everything that can be seen, and all blobs."""
        seen: list[object] = [dict(self.client.gateway.blobs.default.data)]
        for target in (
            "/",
            "/bucket?versions",
            "/bucket?uploads",
            f"/bucket/key?uploadId={self.upload_id}",
            "/bucket/key?tagging",
            "/bucket/key",
        ):
            response = await self.ask("GET", target)
            self.assertEqual(response.status, 200, target)
            seen.append((response.own_headers, response.body))
        return seen

    async def ask_for(self, row: Operation, *, signed: bool) -> Response:
        """A request for an operation, with a body where it takes one."""
        headers = {"x-amz-copy-source": "/bucket/key"} if row.copy_source else {}
        if row.name == "GetObjectAttributes":
            headers["x-amz-object-attributes"] = "ETag"
        return await self.client.request(
            row.method,
            target_of(row, self.upload_id),
            headers,
            b"" if row.body is Body.NONE else b"<x/>",
            signed=signed,
        )


class TableTests(TableTestCase):
    """Rows of the table."""

    async def test_not_built(self) -> None:
        """A signed request for what is not built is NotImplemented, is logged as what it is, and changes nothing."""
        await self.fill()
        before = await self.state()
        for row in NOT_BUILT:
            response = await self.ask_for(row, signed=True)
            self.assertEqual((response.status, response.code), (501, "NotImplemented"))
            self.assertEqual(response.names()[:2], ["Code", "Message"])
            self.assertEqual(response.text("Resource"), PATHS[row.scope])
            accessed, audited = map(
                last_line, (self.client.access_log, self.client.audit_log)
            )
            request_id = response.headers["x-amz-request-id"]
            self.assertIn(f" {request_id} {row.name} ", accessed)
            self.assertIn(f"| user=testuser | ip=192.0.2.1 | op={row.audit} ", audited)
            self.assertEqual(await self.state(), before, row.name)

    async def test_unsigned(self) -> None:
        """An unsigned request for whatever operation is AccessDenied, and changes nothing. Preflights have rules of their own."""
        await self.fill()
        before = await self.state()
        for row in OPERATIONS:
            response = await self.ask_for(row, signed=False)
            preflight = row.method == "OPTIONS"
            self.assertEqual(response.status, 400 if preflight else 403, row.name)
            if preflight:
                self.assertEqual(response.code, "BadRequest")
            elif row.method == "HEAD":
                self.assertEqual(response.body, b"")
            else:
                self.assertEqual(response.code, "AccessDenied", row.name)
        self.assertEqual(await self.state(), before)

    async def test_built(self) -> None:
        """A signed request for what is built is never NotImplemented."""
        for row in BUILT:
            await self.client.request("PUT", "/bucket")
            await self.fill()
            response = await self.ask_for(row, signed=True)
            self.assertLess(response.status, 500, row.name)

    def test_files(self) -> None:
        """Each operation that is built has its file of tests: those of one document share it, those that only say that a bucket has none share one for all."""
        here = Path(__file__).parent
        for row in BUILT:
            assert row.perform is not None
            if row.perform.__module__ == configuration.__name__:
                query = target_of(row).partition("?")[2]
                tested = {*ABSENT, *SHOWN, "acl", "ownershipControls"}
                self.assertIn(query, tested, row.name)
            else:
                name = snake(row.name)
                # Such as test_bucket_tagging.py.
                shared = re.sub("^(get|put|delete)_(?=bucket|object|public)", "", name)
                tests = [here / f"test_{each}.py" for each in (name, shared)]
                self.assertTrue(any(each.exists() for each in tests), name)
