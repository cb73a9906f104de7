"""Browsers' forms for a bucket of another system."""

from __future__ import annotations

from hashlib import md5

from tests.operations.abroad import ForeignTestCase
from tests.operations.forms import FormTestCase, form
from tests.operations.uploads import LARGE


class FormTests(FormTestCase, ForeignTestCase):
    """PostObject."""

    async def test_both_sizes(self) -> None:
        """A small file and a large one become keys, with what the fields say."""
        for key, data in (("small", b"content"), ("large", LARGE), ("none", b"")):
            fields = self.signed([("key", key), ("x-amz-meta-color", "blue")])
            posted = await self.post(form(fields, data))
            self.assertEqual(posted.status, 204, posted.body)
            kept = self.there()[key]
            self.assertEqual(kept.data, data)
            self.assertEqual(
                kept.shown.etag, md5(data, usedforsecurity=False).hexdigest()
            )
            self.assertEqual(kept.shown.metadata["color"], "blue")

    async def test_bounds(self) -> None:
        """A file that the policy does not let is not kept."""
        for data, code in ((LARGE, "EntityTooLarge"), (b"", "EntityTooSmall")):
            conditions = [["eq", "$key", "k"], ["content-length-range", 1, 9]]
            fields = self.signed([("key", "k")], conditions)
            await self.refused(self.post(form(fields, data)), 400, code)
        self.assertEqual(self.there(), {})

    async def test_not_signed(self) -> None:
        """A form that nobody signed stores nothing."""
        for data in (b"content", LARGE):
            asked = self.post(form([("key", "k")], data))
            await self.refused(asked, 403, "AccessDenied")
        self.assertEqual(self.there(), {})

    async def test_wrong_checksum(self) -> None:
        """A file that is not what its form says is not kept."""
        for data in (b"content", LARGE):
            said = ("x-amz-checksum-crc32", "AAAAAA==")
            fields = self.signed([("key", "k"), said])
            await self.refused(self.post(form(fields, data)), 400, "BadDigest")
        self.assertEqual(self.there(), {})
