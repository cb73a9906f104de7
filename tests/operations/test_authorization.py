"""Who may do what: every operation that is built, asked by everybody who may or may not."""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from hashlib import md5
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, ensureDeferred

from ozgate.auth.accounts import Accounts
from ozgate.auth.administrators import Administrators
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from ozgate.s3.app import make_site
from ozgate.s3.operations import OPERATIONS, Body, Gate, Operation
from ozgate.testing.inmemory import in_memory_agent
from ozgate.testing.metadata_base import ask
from ozgate.values import RIGHTS, Acl
from ozgate.wire.target import Scope
from tests.operations.past import VOLUME, PastTestCase
from tests.operations.support import SECRETS
from tests.operations.test_bucket_configuration import ABSENT
from tests.operations.test_table import target_of
from tests.operations.uploads import (
    LARGE,
    SMALL,
    UNKNOWN_UPLOAD,
    complete_document,
    dashed,
    etag_of,
)

OK = (200, None)
SIGNED = "whoever signed"
"""Nothing is asked of the bucket."""

NEEDS: dict[str, str] = {
    # Each of these rights on the bucket is enough by itself; "" where one alone never is.
    "ListBuckets": SIGNED,
    "CreateBucket": SIGNED,  # CREATE on the volume, which everyone has there
    "HeadBucket": "READ LIST",
    "GetBucketLocation": "READ LIST",
    "DeleteBucket": "",  # DELETE, and WRITE on the volume
    "ListObjects": "LIST",
    "ListObjectsV2": "LIST",
    "ListObjectVersions": "LIST",
    "ListMultipartUploads": "LIST",
    "GetObject": "READ",
    "HeadObject": "READ",
    "GetObjectAttributes": "READ",
    "GetObjectTagging": "READ",
    "PutObject": "WRITE",
    "PutObjectTagging": "WRITE",
    "DeleteObjectTagging": "WRITE",
    "CopyObject": "",  # WRITE, and READ on the source's bucket
    "DeleteObject": "DELETE",
    "DeleteObjects": "DELETE",
    "CreateMultipartUpload": "WRITE",
    "UploadPart": "WRITE",
    "UploadPartCopy": "",  # as CopyObject
    "ListParts": "LIST WRITE",
    "CompleteMultipartUpload": "WRITE",
    "AbortMultipartUpload": "WRITE",
    "GetBucketAcl": "READ_ACL",
    "GetBucketPolicy": "READ_ACL",
    "GetBucketPolicyStatus": "READ_ACL",
    "GetBucketVersioning": "READ",
    "GetBucketCors": "READ",
    "GetBucketEncryption": "READ",
    "GetBucketTagging": "READ",
    "GetBucketLogging": "READ",
    "GetBucketReplication": "READ",
    "GetBucketWebsite": "READ",
    "GetBucketOwnershipControls": "READ",
    "GetBucketAccelerateConfiguration": "READ",
    "GetBucketRequestPayment": "READ",
    "GetBucketNotificationConfiguration": "READ",
    "GetBucketLifecycleConfiguration": "READ",
    "GetObjectLockConfiguration": "READ",
    "GetPublicAccessBlock": "READ",
    "GetBucketAnalyticsConfiguration": "READ",
    "ListBucketAnalyticsConfigurations": "READ",
    "GetBucketInventoryConfiguration": "READ",
    "ListBucketInventoryConfigurations": "READ",
    "GetBucketMetricsConfiguration": "READ",
    "ListBucketMetricsConfigurations": "READ",
    "GetBucketIntelligentTieringConfiguration": "READ",
    "ListBucketIntelligentTieringConfigurations": "READ",
}

VERSIONED = frozenset(
    """
    GetObject HeadObject GetObjectAttributes DeleteObject
    GetObjectTagging PutObjectTagging DeleteObjectTagging
    """.split()
)
"""Operations that may name a version."""

BUILT = [
    row
    for row in OPERATIONS
    if row.perform is not None and row.gate is not Gate.PREFLIGHT
]
"""Preflights have a file of their own, :mod:`tests.operations.test_preflight`: nobody is asked who it is."""

TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>c</Value></Tag></TagSet></Tagging>"
DOOMED = b"<Delete><Object><Key>key</Key></Object></Delete>"


def target_query(name: str) -> str:
    """The query of an operation's target."""
    (row,) = (row for row in BUILT if row.name == name)
    return target_of(row).partition("?")[2]


def suffices(row: Operation, right: str) -> bool:
    """Whether one right on the bucket is enough for an operation."""
    needs = NEEDS[row.name]
    if needs == SIGNED or (right == "ALL" and row.name != "DeleteBucket"):
        return True
    return right in needs.split()


@frozen
class Asked:
    """A request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class AuthorizationTestCase(PastTestCase):
    """A bucket of ``testuser`` with an object, its tags and an upload, and an empty one; keys of several users."""

    def setUp(self) -> Deferred[None]:
        """Fill the bucket, and issue keys."""
        return super().setUp().addCallback(lambda _: ensureDeferred(self._fill()))

    async def _fill(self) -> None:
        gateway = self.client.gateway
        gateway.administrators = Administrators(
            evolve(gateway.settings, administrators=("boss",)),
            Accounts(
                gateway.run_in_thread,
                self.clock,
                lambda name: frozenset(("staff",) if name == "other" else ()),
                seconds=self.clock.seconds,
            ),
            realm="EXAMPLE.COM",
        )
        await self.add_bucket("empty")
        await self.put(LARGE, x_amz_tagging="a=b")
        self.upload_id = await self.begin()
        self.etag = await self.part(self.upload_id, 1, SMALL)
        self.secrets = MetadataSecretStore(gateway.metadata, MasterKey(b"k" * 32))

    async def issue(self, user: str, key: str = "", ttl: float | None = None) -> str:
        """Issue a key, which the client can sign with; its access id."""
        access_id, secret = await self.secrets.issue(user, key, ttl)
        SECRETS[access_id] = secret
        self.addCleanup(SECRETS.pop, access_id)
        return access_id

    def request_for(self, row: Operation, **headers: str) -> Asked:
        """A valid request for an operation: the owner's is done."""
        target = target_of(row, self.upload_id)
        target = {"CreateBucket": "/fresh", "DeleteBucket": "/empty"}.get(
            row.name, target
        )
        sent = dashed(headers)
        body = b"" if row.body is not Body.STREAM else b"y" * 40
        if row.copy_source:
            sent["x-amz-copy-source"] = "/bucket/key"
            if row.name == "CopyObject":
                sent["x-amz-metadata-directive"] = "REPLACE"
        if row.body is Body.DOCUMENT and row.name != "CreateBucket":
            body = {
                "PutObjectTagging": TAGS,
                "DeleteObjects": DOOMED,
                "CompleteMultipartUpload": complete_document([(1, self.etag)]),
            }[row.name]
            digest = md5(body, usedforsecurity=False).digest()
            sent["content-md5"] = b64encode(digest).decode()
        if row.name == "GetObjectAttributes":
            sent["x-amz-object-attributes"] = "ETag"
        return Asked(row.method, target, sent, body)

    async def send(
        self, asked: Asked, who: str | None = "testuser"
    ) -> tuple[int, str | None]:
        """Status and S3 code of the answer; ``who`` is an access id, or ``None`` for nobody."""
        response = await self.client.as_user(who or "").request(
            asked.method,
            asked.target,
            asked.headers,
            asked.body,
            signed=who is not None,
        )
        failed = response.status >= 400 and response.body
        return response.status, response.code if failed else None

    def holds(self) -> tuple[Any, dict[str, bytes]]:
        """All that is stored."""
        gateway: Any = self.client.gateway
        return gateway.metadata.snapshot(), dict(gateway.blobs.default.data)

    async def check_granted(self, asked: Asked, who: str, expected: Any) -> None:
        """Assert that a request is done as for the owner, then undo it."""
        before, _ = self.holds()
        self.assertEqual(await self.send(asked, who), expected, (asked, who))
        metadata: Any = self.client.gateway.metadata
        metadata.restore(before)

    async def check_refused(
        self, asked: Asked, who: str | None, code: str = "AccessDenied"
    ) -> None:
        """Assert that a request is refused, and that nothing changes."""
        before = self.holds()
        found = await self.send(asked, who)
        said = None if asked.method == "HEAD" else code
        self.assertEqual(found, (403, said), (asked, who))
        self.assertEqual(self.holds(), before, asked)

    async def outcomes(self) -> dict[str, tuple[int, str | None]]:
        """What each operation answers to the owner."""
        found = {}
        before, _ = self.holds()
        for row in BUILT:
            found[row.name] = await self.send(self.request_for(row))
            metadata: Any = self.client.gateway.metadata
            metadata.restore(before)
        return found


class MatrixTests(AuthorizationTestCase):
    """Every operation, by everybody."""

    def test_complete(self) -> None:
        """Each operation that is built says here what it needs."""
        self.assertEqual({row.name for row in BUILT}, NEEDS.keys())

    async def test_owner(self) -> None:
        """The owner of a bucket may do everything, with any of his keys; so may an administrator."""
        expected = await self.outcomes()
        for name, outcome in expected.items():
            absent = (404, ABSENT.get(target_query(name)))
            self.assertIn(outcome, [(200, None), (204, None), absent], name)
        for who in (
            await self.issue("testuser", "ci"),
            await self.issue("boss"),
            await self.issue("boss", "ci"),
        ):
            for row in BUILT:
                await self.check_granted(self.request_for(row), who, expected[row.name])

    async def test_strangers(self) -> None:
        """Somebody whom nothing is granted is refused all, but for making buckets and listing those there are."""
        expected = await self.outcomes()
        for row in BUILT:
            asked = self.request_for(row)
            if NEEDS[row.name] == SIGNED:
                await self.check_granted(asked, "other", expected[row.name])
            else:
                await self.check_refused(asked, "other")

    async def test_each_right(self) -> None:
        """Each right opens what the table says, whether a user, a group or the world has it, and nothing else."""
        expected = await self.outcomes()
        for letter, right in RIGHTS.items():
            for entry in ("user:other", "group:staff", "world:"):
                for bucket in ("bucket", "empty"):
                    await self.grant(f"{entry}:{letter}", bucket=bucket)
                for row in BUILT:
                    asked = self.request_for(row)
                    if suffices(row, right):
                        await self.check_granted(asked, "other", expected[row.name])
                    else:
                        await self.check_refused(asked, "other")

    async def test_entries_of_others(self) -> None:
        """What is granted to others is of no use."""
        others = ("user:somebody:a", "group:other:a", "anonymous::a", "user:staff:a")
        for bucket in ("bucket", "empty"):
            await self.grant(*others, bucket=bucket)
        for row in BUILT:
            if NEEDS[row.name] != SIGNED:
                await self.check_refused(self.request_for(row), "other")

    async def test_nobody(self) -> None:
        """Without a signature everything is refused, even where all is granted to everyone (Ceph CVE-2016-7031).

        There, a list for all who had signed in was one for anybody.
        """
        for bucket in ("bucket", "empty"):
            await self.grant("world::a", "anonymous::a", bucket=bucket)
        for row in BUILT:
            await self.check_refused(self.request_for(row), None)

    async def test_keys_that_were(self) -> None:
        """A key that was revoked, or has expired, is none on the very next request, be its user the owner (Ozone CVE-2021-36372).

        There, tokens for blocks were good for longer than the right that they were given for.
        """
        revoked = await self.issue("testuser", "revoked")
        expired = await self.issue("testuser", "expired", ttl=60)
        for who in (revoked, expired):
            self.assertEqual(
                (await self.send(Asked("GET", "/bucket", {}, b""), who)), (200, None)
            )
        await self.secrets.revoke(revoked)
        self.clock.advance(60)
        for row in BUILT:
            for who in (revoked, expired):
                await self.check_refused(
                    self.request_for(row), who, "InvalidAccessKeyId"
                )

    async def test_keys_that_end_meanwhile(self) -> None:
        """A key that is revoked or replaced, or expires, while a large body comes, stores nothing by it."""
        blobs: Any = self.client.gateway.blobs.default
        create, then = blobs.create, []

        def create_then(*arguments: Any) -> Any:
            for ends in then:
                ends()
            return create(*arguments)

        self.patch(blobs, "create", create_then)
        part = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        for number, target in enumerate(("/bucket/key", part)):
            revoked, replaced, expired, kept = [
                await self.issue("testuser", f"{name}{number}", ttl)
                for name, ttl in (("a", None), ("b", None), ("c", 60.0), ("d", None))
            ]
            for who, ends, found in (
                (revoked, lambda who: self.secrets.revoke(who), 403),
                (replaced, lambda who: self.secrets.set(who, "another"), 403),
                (expired, lambda who: self.clock.advance(60), 403),
                (kept, lambda who: None, 200),
            ):
                before = self.holds()[1]
                then[:] = [partial(ends, who)]
                status, code = await self.send(
                    Asked("PUT", target, {}, bytes(200_000)), who
                )
                self.assertEqual(status, found, (who, target, code))
                if status != 200:
                    self.assertEqual(code, "InvalidAccessKeyId")
                    self.assertEqual(self.holds()[1], before)

    async def test_expected_owner(self) -> None:
        """Where the client expects another owner, even the owner is refused."""
        expected = await self.outcomes()
        wrong = {"x_amz_expected_bucket_owner": "other"}
        right = {"x_amz_expected_bucket_owner": "testuser"}
        for row in BUILT:
            if NEEDS[row.name] == SIGNED:
                continue
            await self.check_refused(self.request_for(row, **wrong), "testuser")
            asked = self.request_for(row, **right)
            await self.check_granted(asked, "testuser", expected[row.name])
            if row.copy_source:
                wrong_source = {"x_amz_source_expected_bucket_owner": "other"}
                asked = self.request_for(row, **wrong_source)
                await self.check_refused(asked, "testuser")

    async def test_without_security(self) -> None:
        """While security is off, whoever it is may do everything."""
        expected = await self.outcomes()
        client = self.client
        client.site = make_site(
            self.clock, client.gateway, None, client.access_log, client.audit_log
        )
        client._agent = in_memory_agent(client.site, self.clock)
        for row in BUILT:
            asked = self.request_for(row)
            await self.check_granted(asked, "other", expected[row.name])


class NothingSaidTests(AuthorizationTestCase):
    """Who may not is told nothing, and sends nothing."""

    async def test_what_is_there(self) -> None:
        """Whether a key, version or upload is there, a stranger is told the same: no."""
        for row in BUILT:
            if row.scope is not Scope.OBJECT:
                continue
            asked = self.request_for(row)
            nothing = asked.target.replace("/bucket/key", "/bucket/nothing")
            target = nothing.replace(self.upload_id, UNKNOWN_UPLOAD)
            await self.check_refused(evolve(asked, target=target), "other")
            if row.name in VERSIONED:
                mark = "&" if "?" in asked.target else "?"
                version = f"{asked.target}{mark}versionId={'v' * 32}"
                await self.check_refused(evolve(asked, target=version), "other")
            for name in ("if-match", "if-none-match", "if-unmodified-since"):
                headers = {**asked.headers, name: "*"}
                await self.check_refused(evolve(asked, headers=headers), "other")

    async def test_bodies(self) -> None:
        """A body is not asked for, nor waited for, where it is refused anyway."""
        self.client = self.client.as_user("other")
        await self.change_volume(acls=())
        before = self.holds()
        for row in BUILT:
            if row.body is Body.NONE:
                continue
            asked = self.request_for(row)
            for fields in (
                {"expect": "100-continue", "content-length": "5"},
                {"expect": "100-continue", "transfer-encoding": "chunked"},
                {"content-length": "1000000"},
                {"transfer-encoding": "chunked"},
            ):
                said = self.said(
                    asked.method, asked.target, b"", asked.headers, **fields
                )
                self.assertTrue(said.startswith(b"HTTP/1.1 403 "), (row, fields, said))
                self.assertIn(b"<Code>AccessDenied</Code>", said)
            self.assertEqual(self.holds(), before)

    async def test_missing_keys(self) -> None:
        """Who may read but not list is not told that there is no such key, as on AWS."""
        source = {"x-amz-copy-source": "/bucket/nothing"}
        upload = f"/bucket/key?partNumber=1&uploadId={self.upload_id}"
        asked = [
            Asked("GET", "/bucket/nothing", {}, b""),
            Asked("GET", f"/bucket/key?versionId={'v' * 32}", {}, b""),
            Asked("HEAD", "/bucket/nothing", {}, b""),
            Asked("GET", "/bucket/nothing?tagging", {}, b""),
            Asked(
                "GET",
                "/bucket/nothing?attributes",
                {"x-amz-object-attributes": "ETag"},
                b"",
            ),
            Asked("PUT", "/bucket/other", source, b""),
            Asked("PUT", upload, source, b""),
        ]
        await self.grant("user:other:rw")
        for each in asked:
            await self.check_refused(each, "other")
        await self.grant("user:other:rwl")
        for each in asked:
            status, _ = await self.send(each, "other")
            self.assertEqual(status, 404, each)

    async def test_comparing(self) -> None:
        """A condition on an ETag, a size or a time tells what an object is, and that it is there, so that it needs READ as well."""
        matching = {"if-match": etag_of(LARGE)}
        head = await self.ask("HEAD", "/bucket/key")
        modified = head.headers["last-modified"]
        document = (
            b"<Delete><Object><Key>key</Key><ETag>x</ETag></Object>"
            b"<Object><Key>key</Key><Size>1</Size></Object>"
            b"<Object><Key>key</Key><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime></Object>"
            b"<Object><Key>nothing</Key></Object></Delete>"
        )
        digest = md5(document, usedforsecurity=False).digest()
        checked = {"content-md5": b64encode(digest).decode()}
        upload = f"/bucket/key?uploadId={self.upload_id}"
        complete = complete_document([(1, self.etag)])
        asked = [
            Asked("PUT", "/bucket/key", matching, b"new"),
            Asked("POST", upload, matching, complete),
            Asked("DELETE", "/bucket/key", matching, b""),
            *(
                Asked("DELETE", "/bucket/key", {f"x-amz-if-match-{name}": text}, b"")
                for name, text in (
                    ("size", str(len(LARGE))),
                    ("last-modified-time", modified),
                )
            ),
        ]
        await self.grant("user:other:wdl")
        for each in asked:
            await self.check_refused(each, "other")
        many = await self.client.as_user("other").request(
            "POST", "/bucket?delete", checked, document
        )
        self.assertEqual(many.texts("Error/Code"), ["AccessDenied"] * 3)
        self.assertEqual(many.texts("Deleted/Key"), ["nothing"])
        await self.grant("user:other:wdr")
        for each in asked:
            before, _ = self.holds()
            status, _ = await self.send(each, "other")
            self.assertIn(status, (200, 204))
            metadata: Any = self.client.gateway.metadata
            metadata.restore(before)


class TwoBucketsTests(AuthorizationTestCase):
    """What is done in two buckets needs a right on each."""

    async def test_copies(self) -> None:
        """A copy needs READ on the bucket it comes from and WRITE on the one it goes to, and no more."""
        await self.add_bucket("source")
        await self.put(LARGE, "/source/key")
        headers = {"x-amz-copy-source": "/source/key"}
        upload = f"/bucket/key?partNumber=2&uploadId={self.upload_id}"
        for target in ("/bucket/copy", upload):
            asked = Asked("PUT", target, headers, b"")
            for source, destination in (
                ("r", ""),
                ("", "w"),
                ("w", "r"),
                ("wlcdxy", "wlcdxy"),
                ("rlcdxy", "rlcdxy"),
            ):
                await self._grant("source", source)
                await self._grant("bucket", destination)
                await self.check_refused(asked, "other")
            await self._grant("source", "r")
            await self._grant("bucket", "w")
            await self.check_granted(asked, "other", (200, None))

    async def _grant(self, bucket: str, letters: str) -> None:
        entries = (f"user:other:{letters}",) if letters else ()
        await self.grant(*entries, bucket=bucket)

    async def test_own_buckets(self) -> None:
        """Who owns one of the two may not for that reason do anything with the other."""
        await self.add_bucket("mine", VOLUME, "other")
        asked = Asked("PUT", "/mine/copy", {"x-amz-copy-source": "/bucket/key"}, b"")
        await self.check_refused(asked, "other")
        asked = Asked("PUT", "/bucket/copy", {"x-amz-copy-source": "/mine/key"}, b"")
        await self.check_refused(asked, "other")

    async def test_removing_buckets(self) -> None:
        """Who may remove keys may not remove the bucket, to make another of its name: that needs WRITE on the volume."""
        asked = Asked("DELETE", "/empty", {}, b"")
        await self.grant("user:other:a", bucket="empty")
        await self.check_refused(asked, "other")
        await self.change_volume(acls=(Acl.parse("user:other:w"),))
        await self.check_granted(asked, "other", (204, None))
        await self.grant("user:other:rwlcxy", bucket="empty")
        await self.check_refused(asked, "other")


class EntryTests(AuthorizationTestCase):
    """What entries of access control lists mean."""

    async def opens(self, *acls: str, who: str = "other") -> bool:
        """Whether a list lets somebody read."""
        await self.grant(*acls)
        return (await self.send(Asked("GET", "/bucket/key", {}, b""), who))[0] == 200

    async def test_scopes(self) -> None:
        """Entries for what is made inside are in force for the bucket itself as well, as in Ozone."""
        self.assertTrue(await self.opens("user:other:r[ACCESS]"))
        self.assertTrue(await self.opens("user:other:r[DEFAULT]"))

    async def test_none(self) -> None:
        """An entry with NONE gives nothing; it takes nothing from another entry."""
        self.assertFalse(await self.opens("user:other:n"))
        self.assertFalse(await self.opens("user:other:rn"))
        self.assertFalse(await self.opens("user:other:an"))
        self.assertTrue(await self.opens("user:other:n", "world::r"))

    async def test_short_names(self) -> None:
        """A Kerberos principal is meant by its short name as well, where auth_to_local makes one of it."""
        alice = await self.issue("alice@EXAMPLE.COM")
        stranger = await self.issue("alice@ELSEWHERE.COM")
        for name in ("alice", "alice@EXAMPLE.COM"):
            self.assertTrue(await self.opens(f"user:{name}:r", who=alice))
            self.assertFalse(await self.opens(f"user:{name}:r", who=stranger))
        self.assertFalse(await self.opens(who=alice))
        await self.change("bucket", owner="alice")
        self.assertTrue(await self.opens(who=alice))
        self.assertFalse(await self.opens(who=stranger))

    async def test_new_buckets(self) -> None:
        """A new bucket is its owner's; the volume's DEFAULT entries hold for it, others do not."""
        await self.change_volume(
            acls=tuple(
                map(Acl.parse, ("world::c", "user:other:rl[DEFAULT]", "group:x:a"))
            )
        )
        await self.ask("PUT", "/fresh")
        made = await self.client.gateway.metadata.read(ask, "bucket", (VOLUME, "fresh"))
        self.assertEqual(made.owner, "testuser")
        shown = [str(acl) for acl in made.acls]
        self.assertEqual(shown, ["user:testuser:a[ACCESS]", "user:other:rl[ACCESS]"])
        self.assertEqual(await self.send(Asked("GET", "/fresh", {}, b""), "other"), OK)

    async def test_making_buckets(self) -> None:
        """Making a bucket needs CREATE on the volume; where there is no volume, an administrator makes both."""
        boss = await self.issue("boss")
        asked = Asked("PUT", "/fresh", {}, b"")
        for acls in ((), ("world::rwldxy",), ("user:somebody:a",)):
            await self.change_volume(acls=tuple(map(Acl.parse, acls)))
            await self.check_refused(asked, "other")
            await self.check_granted(asked, boss, OK)
        await self.change_volume(acls=(Acl.parse("group:staff:c"),))
        await self.check_granted(asked, "other", OK)
        await self.change_volume(acls=(), owner="other")
        await self.check_granted(asked, "other", OK)
        self.client.gateway.settings = evolve(
            self.client.gateway.settings, volume_name="gone"
        )
        await self.check_refused(asked, "other")
        await self.check_granted(asked, boss, OK)

    async def test_shown(self) -> None:
        """ListBuckets shows what the caller may list or read: his own, and what was granted."""
        await self.add_bucket("mine", VOLUME, "other")
        for letter, right in RIGHTS.items():
            await self.grant(f"user:other:{letter}")
            listed = await self.client.as_user("other").request("GET", "/")
            shown = ["bucket"] if right in ("READ", "LIST", "ALL") else []
            self.assertEqual(listed.texts("Buckets/Bucket/Name"), [*shown, "mine"])
        boss = self.client.as_user(await self.issue("boss"))
        listed = await boss.request("GET", "/")
        names = ["bucket", "empty", "mine"]
        self.assertEqual(listed.texts("Buckets/Bucket/Name"), names)
