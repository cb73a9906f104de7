"""What each operation needs, a valid request for each, and what anybody who sends it is answered."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred, ensureDeferred

from ozgate.auth.accounts import Accounts
from ozgate.auth.administrators import Administrators
from ozgate.auth.sealing import MasterKey
from ozgate.auth.secretstore import MetadataSecretStore
from ozgate.s3.operations import OPERATIONS, Body, Gate, Operation
from tests.operations.granting import OWNER, grant, policy
from tests.operations.past import PastTestCase
from tests.operations.support import SECRETS, checked
from tests.operations.test_table import target_of
from tests.operations.uploads import LARGE, SMALL, complete_document, dashed

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
    "PutBucketPolicy": "",
    "DeleteBucketPolicy": "",
    "PutBucketAcl": "WRITE_ACL",
    "GetObjectAcl": "READ_ACL",
    "PutObjectAcl": "WRITE_ACL",
    "GetBucketPolicy": "READ_ACL",
    "GetBucketPolicyStatus": "READ_ACL",
    "GetBucketVersioning": "READ",
    "PutBucketVersioning": "",
    "GetBucketCors": "READ",
    "GetBucketEncryption": "READ",
    "GetBucketTagging": "READ",
    "PutBucketTagging": "",
    "DeleteBucketTagging": "",
    "PutBucketCors": "",
    "DeleteBucketCors": "",
    "PutBucketWebsite": "",
    "DeleteBucketWebsite": "",
    "GetBucketLogging": "READ",
    "GetBucketReplication": "READ",
    "GetBucketWebsite": "READ",
    "GetBucketOwnershipControls": "READ",
    "PutBucketOwnershipControls": "",
    "DeleteBucketOwnershipControls": "",
    "GetBucketAccelerateConfiguration": "READ",
    "PutBucketAccelerateConfiguration": "",
    "GetBucketRequestPayment": "READ",
    "PutBucketRequestPayment": "",
    "GetBucketNotificationConfiguration": "READ",
    "GetBucketLifecycleConfiguration": "READ",
    "GetObjectLockConfiguration": "READ",
    "PutObjectLockConfiguration": "",
    "GetObjectRetention": "READ",
    "PutObjectRetention": "",
    "GetObjectLegalHold": "READ",
    "PutObjectLegalHold": "",
    "GetPublicAccessBlock": "READ",
    "PutPublicAccessBlock": "",
    "DeletePublicAccessBlock": "",
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
    GetObjectRetention PutObjectRetention GetObjectLegalHold PutObjectLegalHold
    """.split()
)
"""Operations that may name a version."""

BUILT = [
    row
    for row in OPERATIONS
    if row.perform is not None and row.gate not in (Gate.PREFLIGHT, Gate.FORM)
]
"""Preflights and forms have files of their own, :mod:`tests.operations.test_preflight` and ``test_post_object``: those nobody signs, these are
signed in their fields.
"""

TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>c</Value></Tag></TagSet></Tagging>"
OPEN = b"<PublicAccessBlockConfiguration><BlockPublicAcls>false</BlockPublicAcls></PublicAccessBlockConfiguration>"
CORS = b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"
ENABLED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
POLICY = b'{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam:::user/testuser"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}]}'
OWNERSHIP = b"<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"
LIST = policy(grant(OWNER, "FULL_CONTROL"))
WEBSITE = b"<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>"
LOCKING = b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"
RETENTION = b"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2100-01-01T00:00:00Z</RetainUntilDate></Retention>"
HOLD = b"<LegalHold><Status>ON</Status></LegalHold>"
DOOMED = b"<Delete><Object><Key>key</Key></Object></Delete>"


DOCUMENTS = {
    "PutObjectTagging": TAGS,
    "DeleteObjects": DOOMED,
    "PutBucketTagging": TAGS,
    "PutBucketAccelerateConfiguration": b"<AccelerateConfiguration><Status>Suspended</Status></AccelerateConfiguration>",
    "PutBucketRequestPayment": b"<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>",
    "PutPublicAccessBlock": OPEN,
    "PutBucketPolicy": POLICY,
    "PutBucketCors": CORS,
    "PutBucketOwnershipControls": OWNERSHIP,
    "PutBucketAcl": LIST,
    "PutObjectAcl": LIST,
    "PutBucketVersioning": ENABLED,
    "PutBucketWebsite": WEBSITE,
    "PutObjectLockConfiguration": LOCKING,
    "PutObjectRetention": RETENTION,
    "PutObjectLegalHold": HOLD,
}
"""Operation → a document that it takes."""


UNLOCKED: dict[str, tuple[int, str | None]] = {
    "PutObjectLockConfiguration": (409, "InvalidBucketState"),
    "GetObjectRetention": (400, "InvalidRequest"),
    "PutObjectRetention": (400, "InvalidRequest"),
    "GetObjectLegalHold": (400, "InvalidRequest"),
    "PutObjectLegalHold": (400, "InvalidRequest"),
}
"""Operation → what is answered to whoever may do it, in a bucket without versions, and without object lock."""


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
        # S3's lists count, so that there are such to put: they give nobody anything.
        await self.client.request(
            "PUT", "/bucket?ownershipControls", checked(OWNERSHIP), OWNERSHIP
        )
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
            completed = complete_document([(1, self.etag)])
            body = DOCUMENTS.get(row.name, completed)
            sent |= checked(body)
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
