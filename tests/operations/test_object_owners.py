"""Who owns what is written to a bucket where lists count, and what its owner and the bucket's may do."""

from __future__ import annotations

from ozgate.s3.policy.grants import ALL_USERS
from tests.operations.granting import (
    EVERYBODY_READS,
    FULL,
    OTHER,
    OWNER,
    GrantingTestCase,
    policy,
)
from tests.operations.support import checked
from tests.operations.test_object_acl import QUERY, THEIRS, TO_ALL
from tests.operations.uploads import complete_document


class OwnerTests(GrantingTestCase):
    """Objects of the bucket's owner, and of others."""

    async def test_uploaded(self) -> None:
        """A multipart object has the list that its upload began with, and who began it owns it, whoever completes it."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        for headers, given in (
            ({}, [THEIRS]),
            ({"x-amz-acl": TO_ALL}, [THEIRS, FULL]),
            ({"x-amz-grant-read": f"uri={ALL_USERS}"}, [EVERYBODY_READS]),
        ):
            began = await self.other.request("POST", "/bucket/key?uploads", headers)
            upload_id = began.text("UploadId")
            query = f"uploadId={upload_id}"
            part = await self.other.request(
                "PUT", f"/bucket/key?partNumber=1&{query}", {}, b"x"
            )
            listed = await self.status("GET", f"/bucket/key?{query}", self.other)
            self.assertEqual(listed, 200)
            done = complete_document([(1, part.headers["etag"])])
            await self.client.request("POST", f"/bucket/key?{query}", {}, done)
            self.assertEqual(await self.given(QUERY, self.other), given)

    async def test_aborted(self) -> None:
        """Who may write to a bucket by its list may abort and list the uploads that he began, and no others."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        mine = f"/bucket/key?uploadId={await self.begin()}"
        began = await self.other.request("POST", "/bucket/key?uploads")
        theirs = f"/bucket/key?uploadId={began.text('UploadId')}"
        for target, read, gone in ((mine, 403, 403), (theirs, 200, 204)):
            self.assertEqual(await self.status("GET", target, self.other), read)
            self.assertEqual(await self.status("DELETE", target, self.other), gone)

    async def test_owner_and_bucket_owner(self) -> None:
        """An object's owner reads and changes its list, whatever it says; the bucket's owner does not even read it, but deletes it."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("key", self.other)
        for target in ("/bucket/key", QUERY):
            self.assertEqual(await self.status("GET", target, self.client), 403)
            self.assertEqual(await self.status("GET", target, self.other), 200)
        asked = self.give(QUERY, x_amz_acl="public-read")
        await self.refused(asked, 403, "AccessDenied")
        nothing = policy(owner=OTHER)
        self.assertEqual((await self.give(QUERY, nothing, self.other)).status, 200)
        self.assertEqual(await self.given(QUERY, self.other), [])
        self.assertEqual(await self.status("GET", "/bucket/key", self.other), 403)
        response = await self.give(QUERY, who=self.other, x_amz_acl=TO_ALL)
        self.assertEqual(response.status, 200)
        self.assertEqual(await self.given(QUERY), [THEIRS, FULL])
        self.assertEqual(await self.status("GET", "/bucket/key", self.client), 200)
        gone = await self.status("DELETE", "/bucket/key", self.client)
        self.assertEqual(gone, 204)

    async def test_boss(self) -> None:
        """What an administrator may do no list takes away."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("key", self.other)
        gateway = self.client.gateway
        administrators = type(gateway.administrators)
        gateway.administrators = administrators(
            self.client.with_settings(administrators=("somebody",)).gateway.settings,
            gateway.administrators._accounts,
        )
        boss = self.client.as_user("somebody")
        self.assertEqual(await self.status("GET", "/bucket/key", boss), 200)

    async def test_deletes(self) -> None:
        """Who may write to a bucket by its list deletes what he owns, and nothing else; overwriting is writing."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("mine")
        await self.write("theirs", self.other)
        self.assertEqual(await self.status("DELETE", "/bucket/mine", self.other), 403)
        body = b"<Delete><Object><Key>mine</Key></Object><Object><Key>theirs</Key></Object></Delete>"
        response = await self.other.request(
            "POST", "/bucket?delete", checked(body), body
        )
        self.assertEqual(response.texts("Deleted/Key"), ["theirs"])
        self.assertEqual(response.texts("Error/Code"), ["AccessDenied"])
        self.assertEqual(await self.write("mine", self.other), 200)
        self.assertEqual(await self.status("DELETE", "/bucket/mine", self.other), 204)

    async def test_unsigned(self) -> None:
        """What nobody signed is the bucket's owner's; nobody can take it away again without a signature."""
        await self.give("/bucket?acl", x_amz_acl="public-read-write")
        self.assertEqual(await self.status("PUT", "/bucket/key", None, b"x"), 200)
        self.assertEqual(await self.given(QUERY), [FULL])
        self.assertEqual(await self.status("GET", "/bucket/key", None), 403)
        self.assertEqual(await self.status("DELETE", "/bucket/key", None), 403)

    async def test_preferred(self) -> None:
        """Where the bucket's owner is preferred, he owns what is written with his canned list, and nothing else."""
        await self.own("BucketOwnerPreferred")
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("key", self.other, x_amz_acl=TO_ALL)
        self.assertEqual(await self.given(QUERY), [FULL])
        self.assertEqual(await self.status("GET", QUERY, self.other), 403)
        grants = {"x_amz_grant_full_control": f"id={OWNER}, id={OTHER}"}
        await self.write("key", self.other, **grants)
        self.assertEqual(await self.given(QUERY, self.other), [FULL, THEIRS])
        await self.write("key", self.other)
        self.assertEqual(await self.given(QUERY, self.other), [THEIRS])

    async def test_another_bucket_owner(self) -> None:
        """What is the bucket's owner's follows the bucket, where that is given to another; what others own does not."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("mine")
        await self.write("theirs", self.other)
        await self.change("bucket", owner="somebody", acls=())
        somebody = self.client.as_user("somebody")
        for key, status in (("mine", 200), ("theirs", 403)):
            target = f"/bucket/{key}"
            self.assertEqual(await self.status("GET", target, somebody), status)
            self.assertEqual(await self.status("GET", target, self.client), 403)
        given = await self.given("/bucket/mine?acl", somebody)
        self.assertEqual(given, [("somebody", "FULL_CONTROL")])

    async def test_owner_listed(self) -> None:
        """Listings show the owner of each object: the bucket's, while he owns all."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("a")
        await self.write("b", self.other)
        response = await self.client.request("GET", "/bucket")
        self.assertEqual(response.texts("Contents/Owner/ID"), [OWNER, OTHER])
        await self.give(x_amz_acl="private")
        await self.own("BucketOwnerEnforced")
        for query, path in (("", "Contents"), ("?versions", "Version")):
            response = await self.client.request("GET", f"/bucket{query}")
            self.assertEqual(response.texts(f"{path}/Owner/ID"), [OWNER, OWNER])
