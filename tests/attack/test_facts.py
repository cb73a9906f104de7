"""What is believed of who asks: what the server knows by itself, and nothing that was sent (E40, E41)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from ozgate.s3 import entering
from ozgate.s3.operations import OPERATIONS
from ozgate.s3.perform import buckets
from ozgate.s3.policy import evaluator
from ozgate.s3.policy.rights import READ_OBJECT, rights_for
from tests.attack.requests import Draft
from tests.attack.support import AttackTestCase
from tests.operations.support import SECRETS
from tests.operations.test_authorization import NEEDS, SIGNED

CLAIMS = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "localhost",
    "x-forwarded-proto": "https",
    "x-forwarded-user": "testuser",
    "x-real-ip": "127.0.0.1",
    "x-client-ip": "127.0.0.1",
    "true-client-ip": "127.0.0.1",
    "cf-connecting-ip": "127.0.0.1",
    "forwarded": "for=127.0.0.1;proto=https;by=localhost",
    "via": "1.1 localhost",
    "x-remote-user": "testuser",
    "remote-user": "testuser",
    "x-authenticated-user": "testuser",
    "userid": "testuser",
    "username": "testuser",
    "principal": "testuser",
    "principaltype": "Account",
    "groups": "staff",
    "aws-sourceip": "127.0.0.1",
    "securetransport": "true",
    "x-minio-source-proxy-request": "true",
    "x-rustfs-internal": "true",
    "x-http-method-override": "DELETE",
    "x-http-method": "DELETE",
    "x-method-override": "DELETE",
    "x-original-url": "/bucket/key",
    "x-rewrite-url": "/bucket/key",
    "cookie": "user=testuser; admin=true; token=x",
    "origin": "http://localhost",
    "referer": "http://localhost/bucket",
}
"""Headers by which somebody, somewhere, has been believed to be another."""

CLAIMED = {
    "x-amz-principal": "testuser",
    "x-amz-user": "testuser",
    "x-amz-account-id": "testuser",
    "x-amz-source-ip": "127.0.0.1",
    "x-amz-request-payer": "requester",
    "x-amz-source-account": "testuser",
    "x-amz-source-arn": "arn:aws:s3:::bucket",
}
"""The same, of names that must be signed; whoever claims can sign them."""

QUERY = (
    ("aws:username", "testuser"),
    ("aws:SourceIp", "127.0.0.1"),
    ("userid", "testuser"),
    ("_method", "DELETE"),
    ("access_token", "x"),
)

CONFIGURED = frozenset(
    """
    Cors Encryption Tagging Replication OwnershipControls Lifecycle AnalyticsConfiguration InventoryConfiguration
    MetricsConfiguration IntelligentTieringConfiguration
    """.split()
)
"""Configurations that are deleted by who may put them."""

ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "ListDirectoryBuckets": "ListAllMyDirectoryBuckets",
    "HeadBucket": "ListBucket",
    "OptionsService": "",
    "OptionsBucket": "",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "HeadObject": "GetObject",
    "CopyObject": "PutObject",
    "PostObject": "PutObject",
    "OptionsObject": "",
    "SelectObjectContent": "GetObject",
    "RenameObject": "CreateSession",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
    "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
    "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
}
"""Actions that have other names than their operations. Source: Service Authorization Reference, "Actions … for Amazon S3"."""


class FactTests(AttackTestCase):
    """Requests with claims."""

    def claiming(self, draft: Draft) -> bytes:
        """A signed request that claims everything."""
        signed = evolve(
            draft,
            query=(*draft.query, *QUERY),
            headers={**draft.headers, **CLAIMED},
        ).signed()
        return evolve(signed, headers=(*signed.headers, *CLAIMS.items())).octets()

    def test_no_right(self) -> None:
        """Somebody without a right has none by what was sent, and whoever has one keeps it (RustFS GHSA-6r96, CVE-2026-21862).

        There, a header named like a condition's key set it, and an address was believed that the client had sent.
        """
        for row, draft in self.drafts():
            if row.perform is None or NEEDS[row.name] == SIGNED:
                continue
            expected = self.baseline(row, draft.signed())
            before = self.holds()
            stranger = evolve(draft, access_id="other", secret=SECRETS["other"])
            found = self.outcome(self.claiming(stranger))
            self.assertEqual(found, (403, "AccessDenied"), row.name)
            self.assertEqual(self.holds(), before, row.name)
            self.assertEqual(self.outcome(self.claiming(draft)), expected, row.name)
            self.undo(before)

    def test_nobody(self) -> None:
        """Without a signature nobody is anybody."""
        before = self.holds()
        for row, draft in self.drafts():
            sent = draft.signed().having("authorization", None)
            claiming = evolve(sent, headers=(*sent.headers, *CLAIMS.items()))
            found = self.outcome(claiming.octets())
            self.assertEqual(found, (403, "AccessDenied"), row.name)
        self.assertEqual(self.holds(), before)

    def test_address(self) -> None:
        """Logs have the address that the connection comes from, whatever a client says of another."""
        (row,) = (row for row in OPERATIONS if row.name == "GetObject")
        self.outcome(self.claiming(self.draft(row)))
        for log in (self.client.access_log, self.client.audit_log):
            line = Path(log.file.path).read_text().splitlines()[-1]
            self.assertIn("192.0.2.1", line)
            self.assertNotIn("127.0.0.1", line.partition("aws")[0])


class AskedTests(AttackTestCase):
    """What each operation asks of authorization."""

    def asked(self, draft: Draft) -> set[tuple[tuple[str, ...], str]]:
        """The rights that are asked for a request, each with the bucket; what it did is undone."""
        found = set()
        real = evaluator.authorize_any

        def authorize_any(principal: Any, rights: Any, thing: Any) -> None:
            found.add((tuple(rights), thing.name))
            real(principal, rights, thing)

        for module in (entering, buckets):
            self.patch(module, "authorize_any", authorize_any)
        before = self.holds()
        self.send_sent(draft.signed())
        self.undo(before)
        return found

    def test_own_action(self) -> None:
        """Each operation that is built asks for the rights of its own action on its bucket, and a copy for reading its source (RustFS GHSA-mx42).

        There, UploadPartCopy did not ask for the source: whoever could write one bucket could read all.
        """
        for row, draft in self.drafts():
            if row.perform is None or NEEDS[row.name] == SIGNED:
                continue
            if row.name == "DeleteBucket":
                # It asks for the bucket and the volume; see tests.operations.test_authorization.
                continue
            if row.copy_source:
                draft = draft.having(x_amz_copy_source="/empty/key")
            found = self.asked(draft)
            self.assertIn((rights_for(row.name, row.action), "bucket"), found, row.name)
            if row.copy_source:
                self.assertIn((READ_OBJECT, "empty"), found, row.name)
            self.assertEqual(len(found), 1 + row.copy_source, (row.name, found))

    def test_actions(self) -> None:
        """The action of each row is its operation's name, or the one that AWS documents."""
        for row in OPERATIONS:
            _, _, action = row.action.partition(":")
            if _plain(action) != _plain(row.name):
                self.assertEqual(ACTIONS.get(row.name), action, row.name)


def _plain(name: str) -> str:
    """A name without what actions leave out or spell otherwise: deleting a configuration is putting none."""
    if name.startswith("Delete") and name.removeprefix("DeleteBucket") in CONFIGURED:
        name = "Put" + name.removeprefix("Delete")
    plain = name.replace("Bucket", "").lower()
    return plain.removesuffix("s").removesuffix("configuration")
