"""Links to a bucket, to any depth and to nowhere, and requests through them."""

from __future__ import annotations

from attrs import evolve

from tests.operations.rights import (
    BUILT,
    Asked,
    AuthorizationTestCase,
)

ABOUT_NAMES = ("ListBuckets", "CreateBucket", "DeleteBucket")
"""Operations that are about names, and follow no link."""
THROUGH = [row for row in BUILT if row.name not in ABOUT_NAMES]


class LinkTestCase(AuthorizationTestCase):
    """A chain ``one`` → ``two`` → ``deep/three`` → ``bucket``, links that lead nowhere, and the bucket of the tests above."""

    async def _fill(self) -> None:
        await super()._fill()
        await self.add_volume("deep")
        await self.link("three", "bucket", volume="deep")
        await self.link("two", "deep/three")
        await self.link("one", "two")
        await self.link("dangling", "nothing")
        await self.link("astray", "nowhere/bucket")
        await self.link("self", "self")
        await self.link("here", "there")
        await self.link("there", "here")
        await self.link("into", "here")

    def through(self, asked: Asked, link: str) -> Asked:
        """The same request through a link."""
        headers = dict(asked.headers)
        if "x-amz-copy-source" in headers:
            headers["x-amz-copy-source"] = f"/{link}/key"
        target = asked.target.replace("/bucket", f"/{link}", 1)
        return evolve(asked, target=target, headers=headers)
