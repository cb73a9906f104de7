"""Who owns what is written to a bucket where lists count, and what its owner and the bucket's may do."""

from __future__ import annotations

from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.policy.grants import ALL_USERS
from ozgate.values import Claim, User
from tests.operations.forms import BOUNDARY, form
from tests.operations.granting import (
    EVERYBODY_READS,
    FULL,
    OTHER,
    OWNER,
    GrantingTestCase,
    policy,
)
from tests.operations.support import SECRETS, checked
from tests.operations.test_object_acl import QUERY, THEIRS, TO_ALL
from tests.operations.uploads import complete_document
from tests.unit.s3.policy.documents import document, statement

KEYS = "arn:aws:s3:::bucket/*"


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
        source = {"x-amz-copy-source": "/bucket/key"}
        asked = self.client.request("PUT", "/bucket/copy", source)
        await self.refused(asked, 403, "AccessDenied")
        upload_id = await self.begin()
        copied = f"/bucket/key?partNumber=1&uploadId={upload_id}"
        asked = self.client.request("PUT", copied, source)
        await self.refused(asked, 403, "AccessDenied")
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

    async def test_tags(self) -> None:
        """Who may write by a list may not tag what he writes, by a header or a field: of that lists say nothing."""
        await self.give("/bucket?acl", x_amz_acl="public-read-write")
        tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        body = form([("key", "key"), ("tagging", tagging)])
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        asked = self.client.request("POST", "/bucket", kind, body, signed=False)
        await self.refused(asked, 403, "AccessDenied")
        for target in ("/bucket/key", "/bucket/key?uploads"):
            method = "POST" if target.endswith("uploads") else "PUT"
            sent = {"x-amz-tagging": "a=b"}
            asked = self.other.request(method, target, sent)
            await self.refused(asked, 403, "AccessDenied")
            response = await self.client.request(method, target, sent)
            self.assertEqual(response.status, 200)

    async def test_form(self) -> None:
        """What a form uploads has the list that its field asks for, where the bucket's lets in whoever sends it."""
        body = form([("key", "key"), ("acl", "public-read")])
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        for name, status in (("public-read", 403), ("public-read-write", 204)):
            await self.give("/bucket?acl", x_amz_acl=name)
            response = await self.client.request(
                "POST", "/bucket", kind, body, signed=False
            )
            self.assertEqual(response.status, status, response.body)
        self.assertEqual(await self.given(QUERY), [FULL, EVERYBODY_READS])
        self.assertEqual(await self.status("GET", "/bucket/key", None), 200)
        await self.give("/bucket?acl", x_amz_acl="private")
        await self.own("BucketOwnerEnforced")
        asked = self.client.request("POST", "/bucket", kind, body, signed=False)
        await self.refused(asked, 403, "AccessDenied")

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

    async def test_policies(self) -> None:
        """A bucket's policy gives nobody what another owns than its owner, and denies it to everybody; that of a user gives it to him, for an administrator wrote that."""
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        await self.write("mine")
        await self.write("theirs", self.other)
        await self.say("Allow")
        somebody = self.client.as_user("somebody")
        for key, status in (("mine", 200), ("theirs", 403)):
            for who in (somebody, None):
                found = await self.status("GET", f"/bucket/{key}", who)
                self.assertEqual(found, status, (key, who))
        metadata = self.client.gateway.metadata
        secrets = MetadataSecretStore(metadata, MasterKey(b"k" * 32))
        await metadata.write(_let, "reader")
        access_id, SECRETS["reader"] = await secrets.issue("reader")
        self.addCleanup(SECRETS.pop, access_id)
        reader = self.client.as_user("reader")
        self.assertEqual(await self.status("GET", "/bucket/theirs", reader), 200)
        await self.say("Deny")
        for who in (somebody, self.other, reader):
            self.assertEqual(await self.status("GET", "/bucket/theirs", who), 403)

    async def say(self, effect: str) -> None:
        """Put a policy on reading, for everybody."""
        body = document(statement(effect, "s3:GetObject", KEYS, "*"))
        response = await self.client.request(
            "PUT", "/bucket?policy", checked(body), body
        )
        self.assertEqual(response.status, 204, response.body)


def _let(tx: IMetadataTransaction, name: str) -> None:
    """Have a user read everything, by a policy of his own; an interaction."""
    tx.claim(Claim.user(name))
    reads = document(statement("Allow", "s3:GetObject", KEYS)).decode()
    tx.put_user(User(name, "id", 0, inline={"reads": reads}))
