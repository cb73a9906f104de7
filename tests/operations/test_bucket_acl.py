"""PutBucketAcl and GetBucketAcl: S3's access control list of a bucket."""

from __future__ import annotations

from ozgate.s3.policy.grants import ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY
from tests.operations.granting import (
    EVERYBODY_READS,
    FULL,
    OPEN,
    OTHER,
    OWNER,
    GrantingTestCase,
    grant,
    policy,
)
from tests.operations.past import PastTestCase
from tests.operations.support import checked
from tests.operations.test_outbox import listen

QUERY = "/bucket?acl"
CLOSED = b"<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
IGNORED = b"<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>"
MINE = grant(OWNER, "FULL_CONTROL")


class EnforcedTests(PastTestCase):
    """A bucket whose owner owns all that is in it, as a new one."""

    async def test_shown(self) -> None:
        """The owner has all, and is named by name and id; nobody else is in the list."""
        response = await self.client.request("GET", QUERY)
        self.assertEqual(response.status, 200)
        self.assertEqual(response.text("Owner/ID"), OWNER)
        self.assertEqual(response.text("Owner/DisplayName"), "testuser")
        self.assertEqual(response.texts(".//Permission"), ["FULL_CONTROL"])
        self.assertEqual(response.texts(".//Grantee/ID"), [OWNER])
        self.assertEqual(response.names(), ["Owner", "AccessControlList"])

    async def test_not_supported(self) -> None:
        """No list is taken, not even the one that there is, as Terraform's users know; who may not is told nothing of that."""
        for headers, body in (
            ({"x-amz-acl": "public-read"}, b""),
            ({"x-amz-acl": "private"}, b""),
            ({"x-amz-grant-read": f'uri="{ALL_USERS}"'}, b""),
            ({}, policy(MINE)),
        ):
            asked = self.client.request("PUT", QUERY, headers, body)
            response = await self.refused(asked, 400, "AccessControlListNotSupported")
            self.assertEqual(response.text("Message"), "The bucket does not allow ACLs")
            asked = self.client.as_user("other").request("PUT", QUERY, headers, body)
            await self.refused(asked, 403, "AccessDenied")

    async def test_ozones(self) -> None:
        """Ozone's list is another, which is not shown here, and goes on to count."""
        await self.grant("user:other:xl")
        other = self.client.as_user("other")
        response = await other.request("GET", QUERY)
        self.assertEqual(response.texts(".//Grantee/DisplayName"), ["testuser"])
        self.assertEqual((await other.request("GET", "/bucket")).status, 200)


class BucketAclTests(GrantingTestCase):
    """A bucket where lists count."""

    async def test_canned(self) -> None:
        """Each canned list is put, and shown as what it gives."""
        for name, given in (
            ("public-read", [EVERYBODY_READS]),
            ("public-read-write", [EVERYBODY_READS, (ALL_USERS, "WRITE")]),
            ("authenticated-read", [(AUTHENTICATED_USERS, "READ")]),
            (
                "log-delivery-write",
                [(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
            ),
            ("aws-exec-read", []),
            ("bucket-owner-read", []),
            ("bucket-owner-full-control", []),
            ("private", []),
        ):
            response = await self.give(x_amz_acl=name)
            self.assertEqual((response.status, response.body), (200, b""), name)
            self.assertEqual(await self.given(), [FULL, *given], name)

    async def test_headers(self) -> None:
        """Grants in headers are the whole list: of a user by id, and of groups; several in one header, with quotes or without."""
        response = await self.give(
            x_amz_grant_read=f'id="{OTHER}", uri={ALL_USERS}',
            x_amz_grant_full_control=f"id={OWNER}",
            x_amz_grant_write_acp=f'ID = "{OTHER}"',
            x_amz_grant_write=f'uri="{LOG_DELIVERY}"',
            x_amz_grant_read_acp=f'uri="{AUTHENTICATED_USERS}"',
        )
        self.assertEqual(response.status, 200, response.body)
        expected = [
            FULL,
            ("other", "READ"),
            EVERYBODY_READS,
            (AUTHENTICATED_USERS, "READ_ACP"),
            (LOG_DELIVERY, "WRITE"),
            ("other", "WRITE_ACP"),
        ]
        self.assertEqual(sorted(await self.given()), sorted(expected))

    async def test_document(self) -> None:
        """A document is the whole list; what is shown can be put again, with no checksum, as s3cmd does."""
        body = policy(MINE, grant(OTHER.upper(), "WRITE"), grant(ALL_USERS, "READ"))
        self.assertEqual((await self.give(body=body)).status, 200)
        expected = [FULL, ("other", "WRITE"), EVERYBODY_READS]
        self.assertEqual(await self.given(), expected)
        shown = await self.client.request("GET", QUERY)
        await self.give(x_amz_acl="private")
        again = await self.client.request("PUT", QUERY, checked(shown.body), shown.body)
        self.assertEqual(again.status, 200)
        self.assertEqual(await self.given(), expected)
        self.assertEqual((await self.give(body=policy())).status, 200)
        self.assertEqual(await self.given(), [])

    async def test_malformed(self) -> None:
        """Other documents have an error of their own, and change nothing."""
        await self.give(x_amz_acl="authenticated-read")
        no_type = MINE.replace(' xsi:type="CanonicalUser"', "")
        list_alone = (
            policy().decode().replace("<AccessControlList></AccessControlList>", "")
        )
        for body in (
            b"<Other/>",
            b"not xml",
            b"<AccessControlPolicy/>",
            list_alone.encode(),
            policy().replace(b"<Owner><ID>" + OWNER.encode() + b"</ID></Owner>", b""),
            policy().replace(b"<ID>" + OWNER.encode() + b"</ID>", b""),
            policy(no_type),
            policy(grant(OWNER, "FULL_CONTROL", "User")),
            policy(grant(OWNER, "FULL_CONTROL", "Group")),
            policy(grant(OWNER, "ALL")),
            policy("<Grant><Permission>READ</Permission></Grant>"),
            policy(MINE.replace("<Permission>FULL_CONTROL</Permission>", "")),
            policy(MINE + "<Odd/>"),
            policy(*[grant(ALL_USERS, "READ")] * 101),
        ):
            await self.refused(self.give(body=body), 400, "MalformedACLError")
        self.assertEqual(await self.given(), [FULL, (AUTHENTICATED_USERS, "READ")])
        hundred = policy(*[grant(ALL_USERS, "READ")] * 100)
        self.assertEqual((await self.give(body=hundred)).status, 200)

    async def test_nobody(self) -> None:
        """An id that nobody has, a group that is none, and an address are refused, each with AWS's words."""
        nobody = "0" * 64
        for asked, argument, value, message in (
            (self.give(body=policy(grant(nobody, "READ"))), "CanonicalUser/ID", nobody, "Invalid id"),
            (self.give(x_amz_grant_read=f"id={nobody}"), "id", nobody, "Invalid id"),
            (self.give(x_amz_grant_read="id=other"), "id", "other", "Invalid id"),
            (self.give(body=policy(grant("http://a/b", "READ"))), "Group/URI", "http://a/b", "Invalid group uri"),
            (self.give(x_amz_grant_read="uri=http://a/b"), "uri", "http://a/b", "Invalid group uri"),
            (self.give(x_amz_grant_read="x"), "x-amz-grant-read", "x", "Argument format not recognized"),
            (self.give(x_amz_grant_write=f'id="{OTHER}'), "x-amz-grant-write", f'id="{OTHER}', "Argument format not recognized"),
        ):  # fmt: skip
            response = await self.refused(asked, 400, "InvalidArgument")
            self.assertEqual(response.text("ArgumentName"), argument)
            self.assertEqual(response.text("ArgumentValue"), value)
            self.assertEqual(response.text("Message"), message)
        response = await self.refused(
            self.give(x_amz_acl="everybody"), 400, "InvalidArgument"
        )
        self.assertEqual(response.text("ArgumentName"), "x-amz-acl")
        address = grant("a@b.example", "READ", "AmazonCustomerByEmail")
        by_mail = policy(address.replace("ID>", "EmailAddress>"))
        for asked in (
            self.give(body=by_mail),
            self.give(x_amz_grant_read='emailAddress="a@b.example"'),
        ):
            await self.refused(asked, 400, "UnresolvableGrantByEmailAddress")
        self.assertEqual(await self.given(), [FULL])

    async def test_conflicts(self) -> None:
        """A list is said in one way, and is said."""
        both = {"x_amz_acl": "private", "x_amz_grant_read": f"id={OTHER}"}
        response = await self.refused(self.give(**both), 400, "InvalidRequest")
        self.assertEqual(
            response.text("Message"),
            "Specifying both Canned ACLs and Header Grants is not allowed",
        )
        twice = self.give(body=policy(MINE), x_amz_acl="private")
        await self.refused(twice, 400, "UnexpectedContent")
        twice = self.give(body=policy(MINE), x_amz_grant_read=f"id={OTHER}")
        await self.refused(twice, 400, "UnexpectedContent")
        response = await self.refused(self.give(), 400, "MissingSecurityHeader")
        self.assertEqual(response.text("MissingHeaderName"), "x-amz-acl")

    async def test_owner(self) -> None:
        """A document that names another owner is refused: he is not changed so."""
        for owner in (OTHER, "", "0" * 64):
            await self.refused(
                self.give(body=policy(MINE, owner=owner)), 403, "AccessDenied"
            )

    async def test_blocked(self) -> None:
        """A public list is refused where those are blocked, whichever way it is said; another is taken."""
        await self.blocks(CLOSED)
        for asked in (
            self.give(x_amz_acl="public-read"),
            self.give(x_amz_acl="authenticated-read"),
            self.give(x_amz_grant_write=f"uri={ALL_USERS}"),
            self.give(body=policy(MINE, grant(AUTHENTICATED_USERS, "READ_ACP"))),
        ):
            await self.refused(asked, 403, "AccessDenied")
        self.assertEqual(await self.given(), [FULL])
        self.assertEqual((await self.give(x_amz_grant_read=f"id={OTHER}")).status, 200)

    async def test_blocked_for_all(self) -> None:
        """So it is where the whole server blocks."""
        client = self.client.with_settings(block_public_access=True)
        await self.refused(
            self.give(who=client, x_amz_acl="public-read"), 403, "AccessDenied"
        )

    async def test_gives(self) -> None:
        """What each permission gives somebody on a bucket is what AWS's table says, and no more; nobody else has any of it."""
        await self.write("key")
        asks = {
            "READ": [("GET", "/bucket"), ("GET", "/bucket?versions"), ("GET", "/bucket?uploads"), ("HEAD", "/bucket")],
            "WRITE": [("PUT", "/bucket/new")],
            "READ_ACP": [("GET", QUERY)],
        }  # fmt: skip
        never = [("GET", "/bucket/key"), ("GET", "/bucket/key?acl"), ("DELETE", "/bucket/key"), ("GET", "/bucket?policy"), ("DELETE", "/bucket")]  # fmt: skip
        somebody = self.client.as_user("somebody")
        for permission in (*asks, "WRITE_ACP", "FULL_CONTROL"):
            await self.give(body=policy(grant(OTHER, permission)))
            for needed, requests in asks.items():
                expected = permission in (needed, "FULL_CONTROL")
                for method, target in requests:
                    status = await self.status(method, target, self.other)
                    self.assertEqual(status == 200, expected, (permission, target))
                    for who in (somebody, None):
                        self.assertEqual(await self.status(method, target, who), 403)
            for method, target in never:
                self.assertEqual(await self.status(method, target, self.other), 403)

    async def test_write_acp(self) -> None:
        """Whoever may change the list may, with WRITE_ACP, and does not become the owner; everybody may, if everybody has it."""
        await self.give(body=policy(grant(OTHER, "WRITE_ACP")))
        theirs = policy(grant(OTHER, "FULL_CONTROL"))
        response = await self.give(body=theirs, who=self.other)
        self.assertEqual(response.status, 200)
        self.assertEqual(await self.given(), [("other", "FULL_CONTROL")])
        shown = await self.client.request("GET", QUERY)
        self.assertEqual(shown.text("Owner/ID"), OWNER)
        await self.give(body=policy(grant(ALL_USERS, "WRITE_ACP")))
        self.assertEqual(await self.status("PUT", QUERY, None, policy()), 200)
        self.assertEqual(await self.status("PUT", QUERY, None, policy()), 403)

    async def test_nobody_changes(self) -> None:
        """Who did not sign changes the list where it gives everybody just that, unless public lists are ignored; else nothing of the body is asked for, or looked at."""
        own, public = policy(MINE), policy(MINE, grant(ALL_USERS, "WRITE_ACP"))
        for given, blocks, may in (
            (own, OPEN, False),
            (policy(MINE, grant(ALL_USERS, "WRITE")), OPEN, False),
            (policy(MINE, grant(AUTHENTICATED_USERS, "WRITE_ACP")), OPEN, False),
            (public, OPEN, True),
            (public, CLOSED, True),
            (public, IGNORED, False),
        ):
            await self.blocks(OPEN)
            await self.give(body=given)
            await self.blocks(blocks)
            await self.check_nobody(may)
        await self.blocks(OPEN)
        self.client = self.client.with_settings(block_public_access=True)
        await self.check_nobody(False)

    async def check_nobody(self, may: bool) -> None:
        """Assert whether who did not sign may change the list; what comes of that is undone."""
        before = await self.client.request("GET", QUERY)
        waiting = self.said(
            "PUT", QUERY, signed=False, content_length="1000", expect="100-continue"
        )
        self.assertEqual(b"100 Continue" in waiting, may)
        for body, code in ((b"<", "MalformedACLError"), (policy(MINE), None)):
            asked = self.client.request("PUT", QUERY, {}, body, signed=False)
            if not may:
                await self.refused(asked, 403, "AccessDenied")
            elif code is not None:
                await self.refused(asked, 400, code)
            else:
                self.assertEqual((await asked).status, 200)
        after = await self.client.request("GET", QUERY)
        self.assertEqual(after.body == before.body, not may)

    async def test_nobody_publishes(self) -> None:
        """Nor does who did not sign put a public list where those are blocked."""
        await self.give(body=policy(MINE, grant(ALL_USERS, "WRITE_ACP")))
        await self.blocks(CLOSED)
        for name in ("public-read", "public-read-write"):
            asked = self.client.request("PUT", QUERY, {"x-amz-acl": name}, signed=False)
            await self.refused(asked, 403, "AccessDenied")
        self.assertIn((ALL_USERS, "WRITE_ACP"), await self.given())

    async def test_owner_keeps_all(self) -> None:
        """An owner who gives himself nothing has all of it still."""
        await self.give(body=policy())
        self.assertEqual(await self.write("key"), 200)
        self.assertEqual(await self.status("GET", "/bucket", self.client), 200)
        self.assertEqual((await self.give(x_amz_acl="private")).status, 200)

    async def test_everybody(self) -> None:
        """Public is public: who did not sign reads and writes as the list says; an account is enough for the other group."""
        for name, lists, strangers in (
            ("public-read", 200, 200),
            ("authenticated-read", 200, 403),
            ("log-delivery-write", 403, 403),
        ):
            await self.give(x_amz_acl=name)
            self.assertEqual(await self.status("GET", "/bucket", self.other), lists)
            self.assertEqual(await self.status("GET", "/bucket", None), strangers)
            for who in (self.other, None):
                self.assertEqual(await self.status("PUT", "/bucket/new", who), 403)
                self.assertEqual(await self.status("GET", QUERY, who), 403)
        await self.give(x_amz_acl="public-read-write")
        for who in (self.other, None):
            self.assertEqual(await self.status("PUT", "/bucket/new", who), 200)

    async def test_ignored(self) -> None:
        """A public list gives nothing where those are ignored, and what it gives a user still."""
        await self.give(body=policy(grant(ALL_USERS, "READ"), grant(OTHER, "READ")))
        await self.blocks(IGNORED)
        somebody = self.client.as_user("somebody")
        for who, status in ((self.other, 200), (somebody, 403), (None, 403)):
            self.assertEqual(await self.status("GET", "/bucket", who), status)

    async def test_unreadable(self) -> None:
        """A list, or an ownership, that cannot be read gives nobody anything, and is not taken for another; its owner puts a new one."""
        for broken in (b"odd", b"[[1]]", b"\xff"):
            await listen(self, "acl", broken)
            for who in (self.other, None):
                self.assertEqual(await self.status("GET", "/bucket", who), 500)
            self.assertEqual(await self.status("GET", QUERY, self.client), 500)
            self.assertEqual((await self.give(x_amz_acl="public-read")).status, 200)
            self.assertEqual(await self.status("GET", "/bucket", None), 200)
            await listen(self, "ownership", broken)
            self.assertEqual(await self.write("new", self.other), 403)
            found = await self.write("new", x_amz_acl="bucket-owner-full-control")
            self.assertEqual(found, 200)
            query = "/bucket?ownershipControls"
            self.assertEqual(await self.status("GET", query, self.client), 500)
            self.assertEqual((await self.own("ObjectWriter")).status, 200)
        self.flushLoggedErrors()

    async def test_link(self) -> None:
        """Through a link it is the real bucket's list."""
        await self.link("link", "bucket", "user:other:r")
        self.assertEqual(
            (await self.give("/link?acl", x_amz_acl="public-read")).status, 200
        )
        self.assertEqual(await self.given(), [FULL, EVERYBODY_READS])
        self.assertEqual(await self.status("GET", "/link", self.other), 200)

    async def test_not_there(self) -> None:
        """A bucket that is not there has no list."""
        asked = self.give("/missing?acl", x_amz_acl="private")
        await self.refused(asked, 404, "NoSuchBucket")
        asked = self.client.request("GET", "/missing?acl")
        await self.refused(asked, 404, "NoSuchBucket")

    async def test_strangers(self) -> None:
        """Whoever may not change the list is told nothing of whom it names."""
        await self.refused(
            self.give(body=policy(grant("0" * 64, "READ")), who=self.other),
            403,
            "AccessDenied",
        )
