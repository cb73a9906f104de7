"""What is believed of who asks: what the server knows by itself, and nothing that was sent (E40, E41)."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from ozgate.s3.operations import OPERATIONS, Operation
from ozgate.s3.policy import decide
from ozgate.s3.policy.versionactions import action_on
from ozgate.wire.target import Scope
from tests.attack.requests import Draft, content_md5
from tests.attack.support import AttackTestCase, Outcome
from tests.operations.past import VOLUME
from tests.operations.rights import DOOMED, NEEDS, SIGNED, VERSIONED
from tests.operations.support import SECRETS

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


COUNTING = ("GetObject", "HeadObject")
"""Operations that say how many tags an object has, to who may read them."""

Question = tuple[str, str, str, str]
"""Action, bucket or volume, key, version."""


class AskedTests(AttackTestCase):
    """What each operation asks of authorization."""

    def asked(self, draft: Draft) -> tuple[set[Question], Outcome]:
        """What is asked for a request, and what is answered to it; what it did is undone."""
        found = set()
        real = decide.decide

        def recorded(question: decide.Question) -> bool:
            thing, key = question.thing, question.key
            found.add((question.action, thing.name, key, question.version))
            return real(question)

        self.patch(decide, "decide", recorded)
        before = self.holds()
        outcome = self.send_sent(draft.signed())
        self.undo(before)
        return found, outcome

    def own(self, row: Operation) -> set[Question]:
        """What an operation asks before it does anything."""
        if row.name == "ListBuckets":
            return {(row.action, name, "", "") for name in ("bucket", "empty")}
        where = VOLUME if row.name == "CreateBucket" else "bucket"
        key = "key" if row.scope is Scope.OBJECT else ""
        return {(row.action, where, key, "")}

    def test_own_action(self) -> None:
        """Each operation that is built asks for its own action on its own resource, and a copy for reading its source (RustFS GHSA-mx42).

        There, UploadPartCopy did not ask for the source: whoever could write one bucket could read all.
        """
        for row, draft in self.drafts():
            if row.perform is None:
                continue
            expected = self.own(row)
            if row.copy_source:
                draft = draft.having(x_amz_copy_source="/empty/key")
                expected.add(("s3:GetObject", "empty", "key", ""))
                # It is not there, which only those are told who may list.
                expected.add(("s3:ListBucket", "empty", "", ""))
            if row.name == "DeleteObjects":
                expected.add((row.action, "bucket", "key", ""))
            if row.name == "GetObjectAttributes":
                # AWS asks for both.
                expected.add(("s3:GetObject", "bucket", "key", ""))
            if row.name in COUNTING:
                expected.add(("s3:GetObjectTagging", "bucket", "key", ""))
            found, _ = self.asked(draft)
            self.assertEqual(found, expected, row.name)

    def test_stranger(self) -> None:
        """Somebody without rights is asked for exactly that, and refused: nothing is asked, or done, after a no."""
        for row, draft in self.drafts():
            if row.perform is None or NEEDS[row.name] == SIGNED:
                continue
            stranger = evolve(draft, access_id="other", secret=SECRETS["other"])
            found, outcome = self.asked(stranger)
            self.assertEqual(found, self.own(row), row.name)
            self.assertEqual(outcome, (403, "AccessDenied"), row.name)

    def test_versions(self) -> None:
        """Where a version is named, the action on it is asked for, of the source of a copy too."""
        null = ("versionId", "null")
        for row, draft in self.drafts():
            if row.name not in VERSIONED:
                continue
            found, _ = self.asked(evolve(draft, query=(*draft.query, null)))
            expected = {(action_on(row.action, "null"), "bucket", "key", "null")}
            if row.name == "GetObjectAttributes":
                expected.add(("s3:GetObjectVersion", "bucket", "key", "null"))
            if row.name in COUNTING:
                expected.add(("s3:GetObjectVersionTagging", "bucket", "key", "null"))
            self.assertEqual(found, expected, row.name)
        copy = self.draft_of("CopyObject")
        found, _ = self.asked(
            copy.having(x_amz_copy_source="/empty/key?versionId=null")
        )
        self.assertIn(("s3:GetObjectVersion", "empty", "key", "null"), found)
        doomed = DOOMED.replace(b"</Key>", b"</Key><VersionId>null</VersionId>")
        draft = evolve(self.draft_of("DeleteObjects"), body=doomed)
        found, _ = self.asked(draft.having(content_md5=content_md5(doomed)))
        self.assertIn(("s3:DeleteObjectVersion", "bucket", "key", "null"), found)

    def test_comparing(self) -> None:
        """A condition on an ETag, a size or a time asks for reading the object, too, of each key."""
        reading = ("s3:GetObject", "bucket", "key", "")
        for name in ("PutObject", "DeleteObject", "CompleteMultipartUpload"):
            found, _ = self.asked(self.draft_of(name).having(if_match="x"))
            self.assertIn(reading, found, name)
        time = "2026-01-01T00:00:00Z"
        for name, text in (("size", "1"), ("last_modified_time", time)):
            draft = self.draft_of("DeleteObject")
            found, _ = self.asked(draft.having(**{f"x_amz_if_match_{name}": text}))
            self.assertIn(reading, found, name)
        for name, text in (("ETag", "x"), ("Size", "1"), ("LastModifiedTime", time)):
            condition = f"</Key><{name}>{text}</{name}>"
            doomed = DOOMED.replace(b"</Key>", condition.encode())
            draft = evolve(self.draft_of("DeleteObjects"), body=doomed)
            found, _ = self.asked(draft.having(content_md5=content_md5(doomed)))
            self.assertIn(reading, found, name)

    def test_nothing_there(self) -> None:
        """Who asks for a key that is not there is asked for listing the bucket, before being told so."""
        for name in ("GetObject", "HeadObject"):
            found, outcome = self.asked(evolve(self.draft_of(name), path="/bucket/no"))
            self.assertIn(("s3:ListBucket", "bucket", "", ""), found)
            self.assertEqual(outcome, (404, "NoSuchKey"))

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
