"""PutObjectAcl and GetObjectAcl, and the lists and owners that objects get when they are written."""

from __future__ import annotations

from ozgate.interfaces import IMetadataTransaction
from ozgate.s3.policy.grants import ALL_USERS
from ozgate.values import ObjectVersion
from tests.operations.granting import (
    EVERYBODY_READS,
    FULL,
    OTHER,
    OWNER,
    GrantingTestCase,
    grant,
    policy,
)
from tests.operations.past import PastTestCase
from tests.operations.support import Client, checked
from tests.operations.test_bucket_acl import CLOSED, IGNORED
from tests.operations.uploads import complete_document, dashed

QUERY = "/bucket/key?acl"
THEIRS = ("other", "FULL_CONTROL")
TO_ALL = "bucket-owner-full-control"


def kept(tx: IMetadataTransaction, key: str) -> ObjectVersion | None:
    """The row of a key's latest version; an interaction."""
    bucket = tx.bucket("s3v", "bucket")
    assert bucket is not None
    found: ObjectVersion | None = tx.latest(bucket, key)
    return found


class EnforcedTests(PastTestCase):
    """Where the bucket's owner owns all that is in it."""

    async def write(self, **headers: str) -> tuple[int, str | None]:
        """Put an object; status and code of the answer."""
        sent = dashed(headers)
        response = await self.client.request("PUT", "/bucket/key", sent, b"x")
        return response.status, response.code if response.body else None

    async def test_written(self) -> None:
        """Lists that say what is so anyway are taken and not kept; others are not supported, and unknown ones are errors."""
        for name in ("private", TO_ALL):
            self.assertEqual(await self.write(x_amz_acl=name), (200, None))
        full = f"id={OWNER}"
        found = await self.write(x_amz_grant_full_control=full)
        self.assertEqual(found, (200, None))
        version = await self.client.gateway.metadata.read(kept, "key")
        assert version is not None
        self.assertEqual((version.owner, version.more), ("testuser", {}))
        unsupported = (400, "AccessControlListNotSupported")
        for name in ("public-read", "aws-exec-read", "bucket-owner-read"):
            self.assertEqual(await self.write(x_amz_acl=name), unsupported)
        self.assertEqual(await self.write(x_amz_grant_read=full), unsupported)
        found = await self.write(x_amz_acl="log-delivery-write")
        self.assertEqual(found, (400, "InvalidArgument"))

    async def test_shown(self) -> None:
        """The bucket's owner has all, whoever wrote it."""
        await self.grant("user:other:wx")
        other = self.client.as_user("other")
        await other.request("PUT", "/bucket/key", {}, b"x")
        response = await self.client.request("GET", QUERY)
        self.assertEqual(response.status, 200)
        self.assertEqual(response.text("Owner/ID"), OWNER)
        self.assertEqual(response.texts(".//Grantee/ID"), [OWNER])
        self.assertEqual(response.texts(".//Permission"), ["FULL_CONTROL"])

    async def test_put(self) -> None:
        """The list that there is is taken where its name or its document says it; no other is."""
        await self.put(b"x")
        mine = policy(grant(OWNER, "FULL_CONTROL"))
        for headers, body in (({"x-amz-acl": TO_ALL}, b""), ({}, mine)):
            response = await self.client.request("PUT", QUERY, headers, body)
            self.assertEqual(response.status, 200)
        for headers, body in (
            ({"x-amz-acl": "private"}, b""),
            ({"x-amz-acl": "public-read"}, b""),
            ({"x-amz-grant-read": f"id={OWNER}"}, b""),
            ({}, policy(grant(OWNER, "READ"))),
        ):
            asked = self.client.request("PUT", QUERY, headers, body)
            await self.refused(asked, 400, "AccessControlListNotSupported")


class ObjectAclTests(GrantingTestCase):
    """Where whoever writes an object owns it."""

    async def test_canned(self) -> None:
        """Each canned list can be put, and written with the object; it is shown as what it gives."""
        for name, given in (
            ("public-read", [EVERYBODY_READS]),
            ("public-read-write", [EVERYBODY_READS, (ALL_USERS, "WRITE")]),
            ("bucket-owner-read", []),
            (TO_ALL, []),
            ("aws-exec-read", []),
            ("private", []),
        ):
            await self.write("written", x_amz_acl=name)
            self.assertEqual(await self.given("/bucket/written?acl"), [FULL, *given])
            await self.write("key")
            self.assertEqual((await self.give(QUERY, x_amz_acl=name)).status, 200)
            self.assertEqual(await self.given(QUERY), [FULL, *given], name)
        asked = self.give(QUERY, x_amz_acl="log-delivery-write")
        await self.refused(asked, 400, "InvalidArgument")

    async def test_gives(self) -> None:
        """What each permission gives somebody on an object is what AWS's table says, and no more; nobody else has any of it."""
        await self.write("key")
        await self.write("key2")
        asks = {"READ": "/bucket/key", "READ_ACP": QUERY, "WRITE_ACP": ""}
        somebody = self.client.as_user("somebody")
        for permission in (*asks, "WRITE", "FULL_CONTROL"):
            given = policy(grant(OTHER, permission))
            self.assertEqual((await self.give(QUERY, given)).status, 200)
            for needed, target in asks.items():
                for who in (self.other, somebody, None):
                    expected = who is self.other and permission in (
                        needed,
                        "FULL_CONTROL",
                    )
                    if target:
                        status = await self.status("GET", target, who)
                    else:
                        status = await self.status("PUT", QUERY, who, given)
                    self.assertEqual(status == 200, expected, (permission, target, who))
            for method, target in (
                ("PUT", "/bucket/key"),
                ("DELETE", "/bucket/key"),
                ("GET", "/bucket"),
                ("GET", "/bucket/key2"),
                ("GET", "/bucket/key?tagging"),
            ):
                self.assertEqual(await self.status(method, target, self.other), 403)

    async def test_public(self) -> None:
        """A public object is everybody's to read, and what is beside it is not; nor can it be listed."""
        await self.write("key", x_amz_acl="public-read")
        await self.write("closed")
        for method in ("GET", "HEAD"):
            self.assertEqual(await self.status(method, "/bucket/key", None), 200)
            self.assertEqual(await self.status(method, "/bucket/closed", None), 403)
            self.assertEqual(await self.status(method, "/bucket/missing", None), 403)
        self.assertEqual(await self.status("GET", "/bucket", None), 403)
        await self.give("/bucket?acl", x_amz_acl="public-read")
        self.assertEqual(await self.status("GET", "/bucket", None), 200)
        self.assertEqual(await self.status("GET", "/bucket/closed", None), 403)
        self.assertEqual(await self.status("GET", "/bucket/missing", None), 404)

    async def test_ignored(self) -> None:
        """A public object is nobody's to read where public lists are ignored, though its list is shown."""
        await self.write("key", x_amz_acl="public-read")
        await self.blocks(IGNORED)
        self.assertEqual(await self.status("GET", "/bucket/key", None), 403)
        self.assertEqual(await self.status("GET", "/bucket/key", self.other), 403)
        self.assertEqual(await self.given(QUERY), [FULL, EVERYBODY_READS])

    async def test_blocked(self) -> None:
        """No object gets a public list where those are blocked, in whatever way it comes; nothing is written."""
        await self.write("source")
        upload_id = await self.begin(x_amz_acl="public-read")
        etag = await self.part(upload_id, 1, b"x")
        await self.blocks(CLOSED)
        acl = {"x-amz-acl": "public-read"}
        source = {"x-amz-copy-source": "/bucket/source"}
        done = complete_document([(1, etag)])
        for method, target, headers, body in (
            ("PUT", "/bucket/key", acl, b"x"),
            ("PUT", "/bucket/key", {"x-amz-grant-read": f"uri={ALL_USERS}"}, b"x"),
            ("PUT", "/bucket/key", {**acl, **source}, b""),
            ("POST", "/bucket/key?uploads", acl, b""),
            ("POST", f"/bucket/key?uploadId={upload_id}", {}, done),
            ("PUT", "/bucket/source?acl", acl, b""),
        ):
            asked = self.client.request(method, target, headers, body)
            await self.refused(asked, 403, "AccessDenied")
        self.assertEqual(await self.status("GET", "/bucket/key", self.client), 404)

    async def test_parts(self) -> None:
        """An upload is begun with its list: neither a part nor what completes it takes one, or tags, be it the one it was begun with; what was refused changes nothing."""
        await self.write("source")
        upload_id = await self.begin(x_amz_acl="public-read")
        etag = await self.part(upload_id, 1, b"x")
        part = f"/bucket/key?partNumber=1&uploadId={upload_id}"
        complete = ("POST", f"/bucket/key?uploadId={upload_id}")
        done, source = complete_document([(1, etag)]), "/bucket/source"
        for headers in (
            {"x-amz-acl": "public-read"},
            {"x-amz-acl": "private"},
            {"x-amz-grant-read": f"uri={ALL_USERS}"},
            {"x-amz-tagging": "a=b"},
        ):
            copying = {**headers, "x-amz-copy-source": source}
            for method, target, sent, body in (
                ("PUT", part, headers, b"other"),
                ("PUT", part, copying, b""),
                (*complete, headers, done),
            ):
                asked = self.client.request(method, target, sent, body)
                response = await self.refused(asked, 400, "InvalidArgument")
                self.assertIn(response.text("ArgumentName"), headers)
        response = await self.client.request(*complete, {}, done)
        self.assertEqual(response.status, 200)
        self.assertEqual(await self.given(QUERY), [FULL, EVERYBODY_READS])

    async def test_copied(self) -> None:
        """A copy has the list that is asked for, never its source's, and its writer owns it."""
        await self.write("key", x_amz_acl="public-read")
        await self.give("/bucket?acl", x_amz_grant_write=f"id={OTHER}")
        source = {"x-amz-copy-source": "/bucket/key"}
        await self.other.request("PUT", "/bucket/copy", source)
        self.assertEqual(await self.given("/bucket/copy?acl", self.other), [THEIRS])
        public = {**source, "x-amz-acl": "public-read"}
        await self.other.request("PUT", "/bucket/copy", public)
        given = await self.given("/bucket/copy?acl", self.other)
        self.assertEqual(given, [THEIRS, EVERYBODY_READS])

    async def test_right_to_say(self) -> None:
        """Who may write by Ozone's list may say who has what of that; by a policy, that needs s3:PutObjectAcl, too."""
        await self.grant("user:other:w")
        self.assertEqual(await self.write("key", self.other, x_amz_acl=TO_ALL), 200)
        await self.grant()
        actions = '"s3:PutObject"'
        for status in (403, 200):
            body = f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam:::user/other"}}, "Action": [{actions}], "Resource": "arn:aws:s3:::bucket/*"}}]}}'.encode()
            put = await self.client.request(
                "PUT", "/bucket?policy", checked(body), body
            )
            self.assertEqual(put.status, 204, put.body)
            self.assertEqual(await self.write("key", self.other), 200)
            for name in ("public-read", TO_ALL):
                found = await self.write("key", self.other, x_amz_acl=name)
                self.assertEqual(found, status)
            actions += ', "s3:PutObjectAcl"'

    async def test_versions(self) -> None:
        """Each version has a list of its own; the header says which one was meant."""
        body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        await self.client.request("PUT", "/bucket?versioning", checked(body), body)
        first = await self.put(b"1", x_amz_acl="public-read")
        await self.put(b"2")
        version_id = first.headers["x-amz-version-id"]
        old = f"{QUERY}&versionId={version_id}"
        self.assertEqual(await self.given(old), [FULL, EVERYBODY_READS])
        self.assertEqual(await self.given(QUERY), [FULL])
        target = f"/bucket/key?versionId={version_id}"
        self.assertEqual(await self.status("GET", target, None), 200)
        self.assertEqual(await self.status("GET", "/bucket/key", None), 403)
        response = await self.give(old, x_amz_acl="private")
        self.assertEqual(response.headers["x-amz-version-id"], version_id)
        self.assertEqual(await self.status("GET", target, None), 403)
        await self.client.request("DELETE", "/bucket/key")
        await self.refused(self.client.request("GET", QUERY), 404, "NoSuchKey")
        self.assertEqual(await self.given(old), [FULL])

    async def test_not_there(self) -> None:
        """What is not there has no list; who may not list the bucket is not told."""
        await self.refused(self.client.request("GET", QUERY), 404, "NoSuchKey")
        asked = self.give(QUERY, x_amz_acl="private")
        await self.refused(asked, 404, "NoSuchKey")
        for asked in (
            self.other.request("GET", QUERY),
            self.give(QUERY, who=self.other, x_amz_acl="private"),
        ):
            await self.refused(asked, 403, "AccessDenied")
        await self.write("key")
        for query, status, code in (
            ("odd", 400, "InvalidArgument"),
            ("0" * 32, 404, "NoSuchVersion"),
        ):
            asked = self.client.request("GET", f"{QUERY}&versionId={query}")
            await self.refused(asked, status, code)

    async def test_kept(self) -> None:
        """Nothing is kept of a list that its owner has anyway."""
        for headers in ({}, {"x_amz_acl": TO_ALL}, {"x_amz_acl": "private"}):
            await self.write("key", **headers)
            version = await self.client.gateway.metadata.read(kept, "key")
            assert version is not None
            self.assertEqual((version.owner, version.more), ("testuser", {}))

    async def test_body_is_not_taken(self) -> None:
        """A list that will not do is refused before the bytes come."""
        await self.own("BucketOwnerEnforced")
        said = self.said(
            "PUT",
            "/bucket/key",
            b"",
            {"x-amz-acl": "public-read"},
            content_length=str(100 << 20),
            expect="100-continue",
        )
        self.assertIn(b"AccessControlListNotSupported", said)
        self.assertNotIn(b"100 Continue", said)

    async def test_readers(self) -> None:
        """Tags and attributes are no part of what a list gives."""
        await self.write("key", x_amz_acl="public-read")
        for query in ("tagging", "attributes"):
            target = f"/bucket/key?{query}"
            self.assertEqual(await self.status("GET", target, self.other), 403)

    async def status(
        self, method: str, target: str, who: Client | None, body: bytes = b""
    ) -> int:
        """See :class:`GrantingTestCase`; attributes are asked for by header."""
        client = who or self.client
        headers = {"x-amz-object-attributes": "ETag"} if "attributes" in target else {}
        response = await client.request(
            method, target, headers, body, signed=who is not None
        )
        return response.status
