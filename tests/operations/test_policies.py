"""Policies of buckets, enforced: what each operation asks, and the conditions that hang on the request."""

from __future__ import annotations

from typing import Any

from tests.operations.policies import PolicyTestCase
from tests.operations.rights import DOOMED, TAGS
from tests.operations.support import checked
from tests.operations.uploads import complete_document
from tests.unit.s3.policy.documents import statement

BUCKET = "arn:aws:s3:::bucket"
KEYS = BUCKET + "/*"
BOTH = [BUCKET, KEYS]


class GrantTests(PolicyTestCase):
    """What a bucket's policy grants."""

    async def test_each_action(self) -> None:
        """An action that is granted on the resources of a bucket opens its operations, and no other."""
        part = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        upload = f"/bucket/key?uploadId={self.upload_id}"
        completed = complete_document([(1, self.etag)])
        asked: dict[str, list[tuple[str, str, bytes]]] = {
            "s3:ListBucket": [
                ("GET", "/bucket", b""),
                ("GET", "/bucket?list-type=2", b""),
                ("HEAD", "/bucket", b""),
            ],
            "s3:ListBucketVersions": [("GET", "/bucket?versions", b"")],
            "s3:ListBucketMultipartUploads": [("GET", "/bucket?uploads", b"")],
            "s3:ListMultipartUploadParts": [("GET", upload, b"")],
            "s3:GetBucketLocation": [("GET", "/bucket?location", b"")],
            "s3:GetObject": [("GET", "/bucket/key", b""), ("HEAD", "/bucket/key", b"")],
            "s3:GetObjectTagging": [("GET", "/bucket/key?tagging", b"")],
            "s3:PutObjectTagging": [("PUT", "/bucket/key?tagging", TAGS)],
            "s3:DeleteObjectTagging": [("DELETE", "/bucket/key?tagging", b"")],
            "s3:PutObject": [
                ("PUT", "/bucket/new", b"x"),
                ("POST", "/bucket/new?uploads", b""),
                ("PUT", part, b"x"),
                ("POST", upload, completed),
            ],
            "s3:AbortMultipartUpload": [("DELETE", upload, b"")],
            "s3:DeleteObject": [("DELETE", "/bucket/key", b"")],
            "s3:GetBucketPolicy": [("GET", "/bucket?policy", b"")],
        }
        for action in asked:
            await self.have_policy(statement("Allow", action, BOTH, "other"))
            before, _ = self.holds()
            for each, requests in asked.items():
                for method, target, body in requests:
                    check = self.check_may if each == action else self.check_may_not
                    await check("other", method, target, body, **checked(body))
                    metadata: Any = self.client.gateway.metadata
                    metadata.restore(before)

    async def test_resources(self) -> None:
        """A grant is of the keys that it names."""
        await self.have_policy(
            statement("Allow", "s3:*Object", f"{BUCKET}/home/${{aws:username}}/*", "*")
        )
        await self.put(b"x", "/bucket/home/other/a")
        await self.check_may("other", "GET", "/bucket/home/other/a")
        await self.check_may("other", "PUT", "/bucket/home/other/b/c")
        for target in ("/bucket/home/other", "/bucket/key", "/bucket/home/somebody/a"):
            await self.check_may_not("other", "PUT", target)
        await self.check_may_not("somebody", "GET", "/bucket/home/other/a")

    async def test_nothing_there(self) -> None:
        """Who may read keys but not list them is not told which there are not."""
        reading = statement("Allow", "s3:GetObject", KEYS, "other")
        listing = statement("Allow", "s3:ListBucket", BUCKET, "other")
        await self.have_policy(reading)
        await self.check_may_not("other", "GET", "/bucket/none")
        await self.have_policy(reading, listing)
        self.assertEqual(
            await self.ask_as("other", "GET", "/bucket/none"), (404, "NoSuchKey")
        )

    async def test_denied(self) -> None:
        """What is denied is denied to all, the owner and administrators included, but for the policy itself."""
        boss = await self.issue("boss")
        await self.grant("user:other:a")
        await self.have_policy(statement("Deny", "s3:GetObject", KEYS, "*"))
        for who in ("testuser", boss, "other"):
            await self.check_may_not(who, "GET")
            await self.check_may(who, "GET", "/bucket")
        await self.check_may("testuser", "DELETE", "/bucket?policy")
        await self.check_may("other", "GET")

    async def test_versions(self) -> None:
        """A version that is named is asked about by the action of its own."""
        await self.have_policy(statement("Allow", "s3:GetObject", KEYS, "other"))
        await self.check_may("other", "GET")
        await self.check_may_not("other", "GET", "/bucket/key?versionId=null")
        await self.have_policy(statement("Allow", "s3:GetObjectVersion", KEYS, "other"))
        await self.check_may_not("other", "GET")
        await self.check_may("other", "GET", "/bucket/key?versionId=null")

    async def test_delete_many(self) -> None:
        """DeleteObjects is granted and denied key by key."""
        given = statement("Allow", "s3:DeleteObject", f"{BUCKET}/key", "other")
        await self.put(b"x", "/bucket/kept")
        await self.have_policy(given)
        doomed = DOOMED.replace(
            b"</Delete>", b"<Object><Key>kept</Key></Object></Delete>"
        )
        response = await self.client.as_user("other").request(
            "POST", "/bucket?delete", checked(doomed), doomed
        )
        self.assertEqual(response.status, 200)
        self.assertEqual(response.texts("Deleted/Key"), ["key"])
        self.assertEqual(response.texts("Error/Key"), ["kept"])
        self.assertEqual(response.texts("Error/Code"), ["AccessDenied"])
        await self.check_may("testuser", "GET", "/bucket/kept")

    async def test_count_of_tags(self) -> None:
        """Who may read an object, and not its tags, is not told how many there are."""
        sent = {"x-amz-tagging": "a=b"}
        await self.client.request("PUT", "/bucket/key", sent, b"x")
        actions, name = ["s3:GetObject"], "x-amz-tagging-count"
        for shown in (None, "1"):
            await self.have_policy(statement("Allow", actions, KEYS, "other"))
            for method in ("GET", "HEAD"):
                other = self.client.as_user("other")
                response = await other.request(method, "/bucket/key")
                self.assertEqual(response.status, 200)
                self.assertEqual(response.headers.get(name), shown)
            actions.append("s3:GetObjectTagging")
        response = await self.client.request("GET", "/bucket/key")
        self.assertEqual(response.headers[name], "1")

    async def test_link(self) -> None:
        """Through a link the policy of the bucket behind it decides, by the names of that."""
        await self.have_policy(statement("Allow", "s3:GetObject", KEYS, "other"))
        await self.link("link", "bucket", "world::r")
        await self.check_may("other", "GET", "/link/key")
        await self.check_may_not("other", "PUT", "/link/key")
        await self.link("shut", "bucket")
        await self.check_may_not("other", "GET", "/shut/key")


class BesidesTests(PolicyTestCase):
    """What a request asks besides its own action."""

    async def test_headers(self) -> None:
        """Tags, lists and locks that come with a write are asked for, of whom a policy speaks; Ozone's lists give them as before."""
        put = statement("Allow", "s3:PutObject", KEYS, "other")
        for name, value, action in (
            ("x_amz_tagging", "a=b", "s3:PutObjectTagging"),
            ("x_amz_acl", "bucket-owner-full-control", "s3:PutObjectAcl"),
        ):
            for method, target in (
                ("PUT", "/bucket/new"),
                ("POST", "/bucket/new?uploads"),
            ):
                await self.have_policy(put)
                await self.check_may("other", method, target)
                await self.check_may_not("other", method, target, **{name: value})
                besides = statement("Allow", action, KEYS, "other")
                await self.have_policy(put, besides)
                await self.check_may("other", method, target, **{name: value})
                await self.have_policy(statement("Allow", "s3:*", KEYS, "somebody"))
                await self.grant("user:other:w")
                await self.check_may("other", method, target, **{name: value})
                await self.grant()

    async def test_attributes(self) -> None:
        """GetObjectAttributes asks for reading the object, too."""
        asked = ("other", "GET", "/bucket/key?attributes")
        wanted = {"x_amz_object_attributes": "ETag"}
        for action, other in (
            ("s3:GetObject", "s3:GetObjectAttributes"),
            ("s3:GetObjectAttributes", "s3:GetObject"),
        ):
            await self.have_policy(statement("Allow", action, KEYS, "other"))
            await self.check_may_not(*asked, **wanted)
            await self.have_policy(statement("Allow", [action, other], KEYS, "other"))
            await self.check_may(*asked, **wanted)

    async def test_copy(self) -> None:
        """A copy asks for reading its source, and where that has tags, for them, and for giving them."""
        rights = {
            "s3:PutObject": f"{BUCKET}/copy",
            "s3:GetObject": f"{BUCKET}/key",
            "s3:GetObjectTagging": f"{BUCKET}/key",
            "s3:PutObjectTagging": f"{BUCKET}/copy",
        }
        every = [
            statement("Allow", action, resource, "other")
            for action, resource in rights.items()
        ]
        copying = ("other", "PUT", "/bucket/copy", b"")
        source = {"x_amz_copy_source": "/bucket/key"}
        await self.have_policy(*every)
        await self.check_may(*copying, **source)
        for at in range(len(every)):
            await self.have_policy(*every[:at], *every[at + 1 :])
            await self.check_may_not(*copying, **source)
        replaced = {**source, "x_amz_tagging_directive": "REPLACE"}
        await self.have_policy(*every[:2])
        await self.check_may(*copying, **replaced)
        await self.client.request("DELETE", "/bucket/key?tagging")
        await self.check_may(*copying, **source)


class ConditionTests(PolicyTestCase):
    """Conditions, of the request as it comes."""

    async def allow(self, action: str, operator: str, **keys: str | list[str]) -> None:
        """Grant an action under a condition; two underscores in a key stand for a colon, one for a dash."""
        named = {
            name.replace("__", ":").replace("_", "-"): value
            for name, value in keys.items()
        }
        await self.have_policy(
            statement("Allow", action, BOTH, "other", Condition={operator: named})
        )

    async def test_address(self) -> None:
        """Where it comes from, and how."""
        await self.allow("s3:GetObject", "IpAddress", aws__SourceIp="192.0.2.0/24")
        await self.check_may("other", "GET")
        await self.check_may("other", "GET", x_forwarded_for="198.51.100.1")
        await self.allow("s3:GetObject", "NotIpAddress", aws__SourceIp="192.0.2.1/32")
        await self.check_may_not("other", "GET", x_forwarded_for="198.51.100.1")
        await self.allow("s3:GetObject", "Bool", aws__SecureTransport="false")
        await self.check_may("other", "GET")
        await self.allow("s3:GetObject", "Bool", aws__SecureTransport="true")
        await self.check_may_not("other", "GET", x_forwarded_proto="https")

    async def test_headers(self) -> None:
        """What its headers say, and when it comes."""
        await self.allow(
            "s3:GetObject", "StringLike", aws__Referer="https://a.example/*"
        )
        await self.check_may("other", "GET", referer="https://a.example/x")
        await self.check_may_not("other", "GET", referer="https://b.example/")
        await self.check_may_not("other", "GET")
        await self.allow("s3:GetObject", "StringLike", aws__UserAgent="backup/*")
        await self.check_may("other", "GET", user_agent="backup/1")
        await self.check_may_not("other", "GET", user_agent="x")
        for operator, check in (
            ("DateLessThan", self.check_may),
            ("DateGreaterThan", self.check_may_not),
        ):
            await self.allow(
                "s3:GetObject", operator, aws__CurrentTime="2027-01-01T00:00:00Z"
            )
            await check("other", "GET")

    async def test_lists(self) -> None:
        """What is listed, in each kind of list."""
        for action, targets in (
            ("s3:ListBucket", ("/bucket?", "/bucket?list-type=2&")),
            ("s3:ListBucketVersions", ("/bucket?versions&",)),
        ):
            await self.allow(action, "StringEquals", s3__prefix="a/", s3__delimiter="/")
            for target in targets:
                await self.check_may("other", "GET", f"{target}prefix=a/&delimiter=/")
                for query in ("prefix=a/", "prefix=b/&delimiter=/", "delimiter=/"):
                    await self.check_may_not("other", "GET", target + query)
            await self.allow(action, "NumericLessThanEquals", s3__max_keys="10")
            for target in targets:
                await self.check_may("other", "GET", f"{target}max-keys=10")
                await self.check_may_not("other", "GET", f"{target}max-keys=11")

    async def test_writes(self) -> None:
        """How an object is written, in headers or in a presigned URL."""
        await self.allow(
            "s3:PutObject", "StringEquals", s3__x_amz_storage_class="GLACIER"
        )
        await self.check_may("other", "PUT", x_amz_storage_class="GLACIER")
        await self.check_may_not("other", "PUT")
        await self.allow(
            "s3:PutObject", "StringLike", s3__x_amz_copy_source="bucket/public/*"
        )
        await self.put(b"x", "/bucket/public/a")
        await self.grant("user:other:r")
        copying = ("other", "PUT", "/bucket/copy", b"")
        await self.check_may(*copying, x_amz_copy_source="/bucket/public/a")
        await self.check_may_not(*copying, x_amz_copy_source="/bucket/key")
        await self.check_may_not(*copying)

    async def test_tags(self) -> None:
        """Tags of the object that is there, and those of the request in its header or body."""
        keys = {"s3__ExistingObjectTag/a": "b"}
        await self.allow("s3:GetObject", "StringEquals", **keys)
        await self.check_may("other", "GET")
        await self.check_may("other", "HEAD")
        await self.put(b"x", "/bucket/untagged")
        await self.check_may_not("other", "GET", "/bucket/untagged")
        keys = {"s3__RequestObjectTag/a": "c"}
        tagging = ["s3:PutObject", "s3:PutObjectTagging"]
        await self.have_policy(
            statement(
                "Allow",
                tagging,
                KEYS,
                "other",
                Condition={"StringEquals": {"s3:RequestObjectTag/a": "c"}},
            )
        )
        await self.check_may("other", "PUT", x_amz_tagging="a=c")
        await self.check_may_not("other", "PUT", x_amz_tagging="a=b")
        asked = ("other", "PUT", "/bucket/key?tagging")
        await self.check_may(*asked, TAGS, **checked(TAGS))
        # What the body says is waited for.
        await self.check_may(*asked, TAGS, expect="100-continue", **checked(TAGS))
        others = TAGS.replace(b">c<", b">d<")
        await self.check_may_not(*asked, others, **checked(others))

    async def test_tags_per_key(self) -> None:
        """Of many keys each is judged by itself, and a copy's source by its own tags."""
        await self.put(b"x", "/bucket/untagged")
        await self.have_policy(
            statement("Allow", "s3:PutObject*", KEYS, "other"),
            statement(
                "Allow",
                ["s3:GetObject", "s3:GetObjectTagging"],
                KEYS,
                "other",
                Condition={"StringEquals": {"s3:ExistingObjectTag/a": "b"}},
            ),
        )
        copying = ("other", "PUT", "/bucket/copy", b"")
        await self.check_may(*copying, x_amz_copy_source="/bucket/key")
        await self.check_may_not(*copying, x_amz_copy_source="/bucket/untagged")

    async def test_signature(self) -> None:
        """How it was signed."""
        await self.allow("s3:GetObject", "StringEquals", s3__authType="REST-HEADER")
        await self.check_may("other", "GET")
        await self.allow(
            "s3:GetObject", "StringEquals", s3__authType="REST-QUERY-STRING"
        )
        await self.check_may_not("other", "GET")
        await self.allow("s3:GetObject", "NumericLessThan", s3__signatureAge="1000")
        await self.check_may("other", "GET")
