"""What the tests of S3's access control lists share: buckets where lists count, and lists as clients send and see them."""

from __future__ import annotations

from twisted.internet.defer import Deferred, ensureDeferred

from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.grants import ALL_USERS
from tests.operations.past import VOLUME, PastTestCase
from tests.operations.support import Client, Response, checked
from tests.operations.uploads import dashed

XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
OPEN = b"<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>"
OWNER = canonical_id("testuser")
OTHER = canonical_id("other")
FULL = ("testuser", "FULL_CONTROL")
EVERYBODY_READS = (ALL_USERS, "READ")


def grant(who: str, permission: str, kind: str = "") -> str:
    """An element ``Grant``: of a group, where it is a URI, of a user by id else."""
    group = who.startswith("http")
    kind = kind or ("Group" if group else "CanonicalUser")
    element = "URI" if group else "ID"
    return (
        '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:type="{kind}"><{element}>{who}</{element}></Grantee>'
        f"<Permission>{permission}</Permission></Grant>"
    )


def policy(*grants: str, owner: str = OWNER) -> bytes:
    """A document ``AccessControlPolicy``."""
    return (
        f"<AccessControlPolicy><Owner><ID>{owner}</ID></Owner>"
        f"<AccessControlList>{''.join(grants)}</AccessControlList></AccessControlPolicy>"
    ).encode()


class GrantingTestCase(PastTestCase):
    """A bucket of ``testuser`` where lists count, which blocks nothing; ``other`` is known, for he has a bucket."""

    ownership = "ObjectWriter"

    def setUp(self) -> Deferred[None]:
        """Have lists count."""
        return super().setUp().addCallback(lambda _: ensureDeferred(self._begin()))

    async def _begin(self) -> None:
        self.other = self.client.as_user("other")
        await self.add_bucket("others", VOLUME, "other")
        await self.own(self.ownership)
        await self.blocks(OPEN)

    async def own(self, ownership: str, path: str = "/bucket") -> Response:
        """Say who owns what is written to a bucket."""
        body = f"<OwnershipControls><Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule></OwnershipControls>".encode()
        return await self.client.request(
            "PUT", f"{path}?ownershipControls", checked(body), body
        )

    async def blocks(self, body: bytes) -> None:
        """Say what is blocked."""
        response = await self.client.request(
            "PUT", "/bucket?publicAccessBlock", checked(body), body
        )
        self.assertEqual(response.status, 200)

    async def give(
        self,
        target: str = "/bucket?acl",
        body: bytes = b"",
        who: Client | None = None,
        **headers: str,
    ) -> Response:
        """Put a list."""
        sent = dashed(headers)
        return await (who or self.client).request("PUT", target, sent, body)

    async def given(
        self, target: str = "/bucket?acl", who: Client | None = None
    ) -> list[tuple[str, str]]:
        """The list that is shown: names of users, or URIs of groups, with their permissions."""
        response = await (who or self.client).request("GET", target)
        self.assertEqual(response.status, 200, response.body)
        return shown(response)

    async def write(self, key: str = "key", who: Client | None = None, **h: str) -> int:
        """Put an object; the status of the answer."""
        asked = (who or self.client).request("PUT", f"/bucket/{key}", dashed(h), b"x")
        return (await asked).status

    async def status(
        self, method: str, target: str, who: Client | None, body: bytes = b""
    ) -> int:
        """What somebody is answered; ``None`` for who does not sign."""
        client = self.client if who is None else who
        response = await client.request(
            method, target, {}, body, signed=who is not None
        )
        return response.status


def shown(response: Response) -> list[tuple[str, str]]:
    """The list of a document; each user's id is that of the name shown beside it."""
    found = []
    for each in response.xml().iterfind("AccessControlList/Grant"):
        grantee = each.find("Grantee")
        assert grantee is not None
        uri = grantee.findtext("URI")
        name = grantee.findtext("DisplayName")
        if uri is None:
            assert grantee.get(XSI) == "CanonicalUser"
            assert grantee.findtext("ID") == canonical_id(name or "")
        else:
            assert grantee.get(XSI) == "Group"
        found.append((uri or name or "", each.findtext("Permission") or ""))
    return found
