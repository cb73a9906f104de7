"""Conditions: each that S3's model has is looked at, and one that an operation does not take stops what would change things."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from hashlib import md5

from attrs import evolve

from ozgate.s3.operations import Operation, Scope
from ozgate.s3.times import http_date
from tests.operations.rights import BUILT, Asked, AuthorizationTestCase
from tests.unit.s3.test_operations import MODEL, members

EARLIER = http_date(1_700_000_000_000)
"""Before all that the tests make."""
NOW = http_date(1_795_000_000_000)
"""When they make it."""

UNMET = {
    "if-match": '"other"',
    "if-none-match": "*",
    "if-modified-since": NOW,
    "if-unmodified-since": EARLIER,
    "x-amz-if-match-size": "1",
    "x-amz-if-match-last-modified-time": EARLIER,
    "x-amz-if-match-initiated-time": EARLIER,
}
"""Conditional headers, each with a value that what is there does not meet."""

LENIENT = {"CreateBucket", "CreateMultipartUpload", "UploadPart", "UploadPartCopy"}
"""What is built and writes, but replaces no object: clients send the condition of an object with its parts, too."""


def _sets(row: Operation) -> bool:
    """Whether a row is about a document or state of a bucket, which has no validator to compare."""
    return row.scope is Scope.BUCKET and bool(row.names) and row.method != "POST"


def conditional(row: Operation) -> Iterator[str]:
    """The conditional headers that the model gives an operation, in lower case."""
    for member in members(row.name).values():
        name = str(member.get("locationName", "")).lower()
        if member.get("location") == "header" and "if-" in name:
            yield name


class ConditionalTests(AuthorizationTestCase):
    """Every operation that is built, under conditions that do not hold."""

    def asked(self, row: Operation, name: str, value: str) -> Asked:
        """A request that is done but for one header."""
        asked = self.request_for(row)
        if row.name == "CopyObject":
            asked = evolve(asked, target="/bucket/key")
        return evolve(asked, headers={**asked.headers, name: value})

    async def test_unmet(self) -> None:
        """Each condition of the model stops its operation when it does not hold, and nothing changes."""
        looked_at = 0
        before = self.holds()
        for row in BUILT:
            for name in conditional(row):
                value = UNMET[name.removeprefix("x-amz-copy-source-")]
                status, _ = await self.send(self.asked(row, name, value))
                expected = (304, 412) if row.method in ("GET", "HEAD") else (412,)
                self.assertIn(status, expected, (row.name, name))
                self.assertEqual(self.holds(), before, (row.name, name))
                looked_at += 1
        self.assertGreater(looked_at, 20)

    async def test_unmet_in_documents(self) -> None:
        """So does each that a document has for one object of many."""
        identifier = MODEL["shapes"]["ObjectIdentifier"]["members"]
        values = {"ETag": "other", "Size": "1", "LastModifiedTime": EARLIER}
        self.assertEqual(set(identifier) - {"Key", "VersionId"}, set(values))
        before = self.holds()
        for name, value in values.items():
            body = f"<Delete><Object><Key>key</Key><{name}>{value}</{name}></Object></Delete>".encode()
            digest = md5(body, usedforsecurity=False).digest()
            response = await self.ask(
                "POST",
                "/bucket?delete",
                body,
                content_md5=b64encode(digest).decode(),
            )
            self.assertEqual(response.text("Error/Code"), "PreconditionFailed", name)
            self.assertEqual(self.holds(), before, name)

    async def test_not_taken(self) -> None:
        """A condition that a destructive operation does not take is 501, whatever its value, and nothing changes."""
        before = self.holds()
        for row in BUILT:
            if row.conditions is None:
                continue
            strange = {"x-amz-if-of-tomorrow", "x-amz-copy-source-if-match"}
            for name in {*UNMET, *strange} - row.conditions:
                for value in (UNMET.get(name, "x"), ""):
                    found = await self.send(self.asked(row, name, value))
                    self.assertEqual(found, (501, "NotImplemented"), (row.name, name))
                    self.assertEqual(self.holds(), before, (row.name, name))
        response = await self.ask("DELETE", "/bucket/key", if_none_match="*")
        self.assertEqual(response.text("Header"), "If-None-Match")

    def test_table(self) -> None:
        """Every row that changes what is there says which conditions it takes: those of the model."""
        for row in BUILT:
            if row.method in ("GET", "HEAD") or row.name in LENIENT or _sets(row):
                self.assertIsNone(row.conditions, row.name)
            else:
                self.assertEqual(row.conditions, set(conditional(row)), row.name)
