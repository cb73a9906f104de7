"""Every operation, by whoever has one permission of S3's lists on the bucket or on the object, and nothing else."""

from __future__ import annotations

from typing import Final

from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.grants import ALL_USERS, AUTHENTICATED_USERS, PERMISSIONS
from ozgate.s3.row import Gate
from tests.operations.granting import grant, policy
from tests.operations.past import VOLUME
from tests.operations.rights import BUILT, NEEDS, SIGNED, AuthorizationTestCase
from tests.operations.support import checked
from tests.operations.test_outbox import listen

BUCKET: Final = {
    "READ": "ListObjects ListObjectsV2 ListObjectVersions ListMultipartUploads HeadBucket",
    # What is in the bucket is another's: none of it can be deleted, and each key says so.
    "WRITE": "PutObject PostObject CreateMultipartUpload UploadPart CompleteMultipartUpload DeleteObjects",
    "READ_ACP": "GetBucketAcl",
    "WRITE_ACP": "PutBucketAcl",
}
OBJECT: Final = {
    "READ": "GetObject HeadObject",
    "WRITE": "",
    "READ_ACP": "GetObjectAcl",
    "WRITE_ACP": "PutObjectAcl",
}
"""Permission → the operations of the table that it opens: AWS's table of actions, written as what these ask."""

OPEN = b"<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>"
OTHER = canonical_id("other")


def opened(table: dict[str, str], permission: str) -> set[str]:
    """What a permission opens."""
    rows = table.values() if permission == "FULL_CONTROL" else [table[permission]]
    return {name for row in rows for name in row.split()}


class MatrixTests(AuthorizationTestCase):
    """The bucket is ``testuser``'s, and so is all that is in it."""

    async def _fill(self) -> None:
        await super()._fill()
        # So that he is known.
        await self.add_bucket("others", VOLUME, "other")
        await self.client.request(
            "PUT", "/bucket?publicAccessBlock", checked(OPEN), OPEN
        )

    async def give(self, target: str, who: str, permission: str) -> None:
        """Give one permission to somebody, and nothing else to anybody."""
        body = policy(grant(who, permission))
        response = await self.client.request("PUT", f"{target}?acl", {}, body)
        self.assertEqual(response.status, 200, response.body)

    async def check(self, opens: set[str], who: str | None, said: object) -> None:
        """Assert that somebody may do just those operations; whoever did not sign, those that are open to such."""
        expected = await self.outcomes()
        for row in BUILT:
            asked = self.request_for(row)
            if who is not None and NEEDS[row.name] == SIGNED:
                continue
            before, _ = self.holds()
            status, code = await self.send(asked, who)
            is_open = row.name in opens
            if who is None and row.gate not in (Gate.ANYBODY, Gate.FORM):
                is_open = False
            if is_open:
                self.assertEqual((status, code), expected[row.name], (said, row.name))
            elif row.gate is not Gate.PREFLIGHT:
                self.assertEqual(status, 403, (said, row.name, code))
            metadata = self.client.gateway.metadata
            metadata.restore(before)  # type: ignore[attr-defined]

    async def test_bucket(self) -> None:
        """A permission on the bucket opens what AWS's table says; on its objects it opens nothing that is read."""
        for permission in PERMISSIONS:
            await self.give("/bucket", OTHER, permission)
            opens = opened(BUCKET, permission)
            await self.check(opens, "other", permission)
            await self.check(set(), "somebody", permission)
            await self.check(set(), None, permission)

    async def test_object(self) -> None:
        """A permission on an object opens what AWS's table says of that object, and nothing of the bucket."""
        for permission in PERMISSIONS:
            await self.give("/bucket/key", OTHER, permission)
            opens = opened(OBJECT, permission)
            await self.check(opens, "other", permission)
            await self.check(set(), None, permission)

    async def test_everybody(self) -> None:
        """What is given to everybody, or to whoever signs, is theirs, while those grants are not ignored."""
        for group in (ALL_USERS, AUTHENTICATED_USERS):
            for target, table in (("/bucket", BUCKET), ("/bucket/key", OBJECT)):
                await self.give(target, group, "FULL_CONTROL")
                opens = opened(table, "FULL_CONTROL")
                await self.check(opens, "somebody", (group, target))
                anybody = opens if group == ALL_USERS else set()
                await self.check(anybody, None, (group, target))
                await self.give(target, canonical_id("testuser"), "FULL_CONTROL")

    async def test_off(self) -> None:
        """Where lists do not count they give nobody anything, whatever is kept of them."""
        for target in ("/bucket", "/bucket/key"):
            await self.give(target, ALL_USERS, "FULL_CONTROL")
        await listen(self, "ownership", None)
        await self.check(set(), "somebody", "off")
        await self.check(set(), None, "off")
