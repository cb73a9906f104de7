"""Tests of :mod:`ozgate.s3.policy.facts`: the values of condition keys."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.policy.facts import Facts
from ozgate.s3.times import exact_timestamp
from ozgate.values import ANONYMOUS, Bucket, ObjectVersion, Principal
from tests.unit.s3.policy.asking import NOW, Rows, asked

ALICE = Principal("AKALICE", "alice@EXAMPLE.COM", short_name="alice")
DAY = 86_400
BUCKET = Bucket("s3v", "bucket", "owner", 0)


def version(**tags: str) -> ObjectVersion:
    """A version with tags."""
    return ObjectVersion("key", 1, 0, owner="owner", tags=tags)


class FactsTests(SynchronousTestCase):
    """Condition keys."""

    def facts(
        self,
        operation: str = "GetObject",
        target: str = "/bucket/key",
        headers: dict[str, str] | None = None,
        *,
        who: Principal = ALICE,
        action: str = "",
        key: str = "key",
        version: str = "",
        rows: Rows | None = None,
        **members: Any,
    ) -> Facts:
        """What is known of a request."""
        request = asked(who, operation, target, headers, **members)
        tx: Any = rows or Rows()
        return Facts(tx, request, action or request.action, BUCKET, key, version)

    def check(self, facts: Facts, **expected: str | None) -> None:
        """Assert values; keys are written with two underscores for a colon, and one for a dash."""
        for name, value in expected.items():
            key = name.replace("__", ":").replace("_", "-")
            found = facts.get(key)
            self.assertEqual(found, None if value is None else (value,), key)

    def test_global(self) -> None:
        """Keys that all requests have, of AWS's services."""
        facts = self.facts(
            headers={"user-agent": "aws-cli", "referer": "http://a/b"},
            is_secure=True,
            peer="::ffff:192.0.2.1",
            tls_version="1.3",
        )
        self.check(
            facts,
            aws__securetransport="true",
            aws__sourceip="192.0.2.1",
            aws__useragent="aws-cli",
            aws__referer="http://a/b",
            aws__currenttime="2026-11-18T11:06:40.000Z",
            aws__epochtime=str(NOW // 1000),
            aws__username="alice@EXAMPLE.COM",
            aws__userid="alice@EXAMPLE.COM",
            aws__principaltype="User",
            aws__principalarn="arn:aws:iam:::user/alice@EXAMPLE.COM",
            aws__requestedregion="us-east-1",
            aws__viaawsservice="false",
            aws__sourcevpc=None,
            aws__principalorgid=None,
            s3__tlsversion="1.3",
            s3__nothing=None,
            other__thing=None,
        )

    def test_absent(self) -> None:
        """What a request does not have has no value, rather than an empty one."""
        self.check(
            self.facts(peer="2001:db8::1"),
            aws__securetransport="false",
            aws__sourceip="2001:db8::1",
            aws__useragent=None,
            aws__referer=None,
            s3__tlsversion=None,
            s3__prefix=None,
            s3__versionid=None,
        )
        self.check(self.facts(), aws__sourceip=None)

    def test_anonymous(self) -> None:
        """Whoever did not sign has no name, and signed in no way."""
        self.check(
            self.facts(who=ANONYMOUS, headers={"x-amz-date": "20261118T000000Z"}),
            aws__username=None,
            aws__principalarn=None,
            aws__principalaccount=None,
            aws__userid="anonymous",
            aws__principaltype="Anonymous",
            s3__authtype=None,
            s3__signatureversion=None,
            s3__signatureage=None,
        )

    def test_session(self) -> None:
        """When a session began, which has no second factor; a key of its own is no session."""
        keys = {"aws__tokenissuetime": None, "aws__multifactorauthpresent": None}
        self.check(self.facts(), **keys)
        session = evolve(ALICE, issued=NOW, session="viewer")
        self.check(
            self.facts(who=session),
            aws__tokenissuetime="2026-11-18T11:06:40.000Z",
            aws__multifactorauthpresent="false",
            aws__userid="alice@EXAMPLE.COM:viewer",
            aws__principaltype="AssumedRole",
        )

    def test_signature(self) -> None:
        """How it was signed, and how long ago, in milliseconds."""
        signed = {
            "authorization": "AWS4-HMAC-SHA256 x",
            "x-amz-date": "20261118T110630Z",
        }
        self.check(
            self.facts(headers=signed),
            s3__authtype="REST-HEADER",
            s3__signatureversion="AWS4-HMAC-SHA256",
            s3__signatureage="10000",
        )
        younger = "/bucket/key?X-Amz-Date=20261118T110640Z"
        self.check(self.facts(target=younger, headers=signed), s3__signatureage="10000")
        target = "/bucket/key?X-Amz-Date=20261118T110540Z&X-Amz-Signature=x"
        self.check(
            self.facts(target=target),
            s3__authtype="REST-QUERY-STRING",
            s3__signatureversion="AWS4-HMAC-SHA256",
            s3__signatureage="60000",
        )
        target = "/bucket/key?AWSAccessKeyId=a&Expires=1&Signature=x"
        self.check(
            self.facts(target=target),
            s3__authtype="REST-QUERY-STRING",
            s3__signatureversion="AWS",
            s3__signatureage=None,
        )
        form = {"x-amz-date": "20261118T110630Z"}
        self.check(
            self.facts("PutObject", headers=form),
            s3__authtype="POST",
            s3__signatureversion="AWS4-HMAC-SHA256",
            s3__signatureage="10000",
        )
        self.check(
            self.facts("PutObject"),
            s3__authtype="POST",
            s3__signatureversion="AWS",
            s3__signatureage=None,
        )

    def test_lists(self) -> None:
        """What a list is asked for is known where the list itself is asked about, of each kind."""
        query = "prefix=home/&delimiter=/&max-keys=5"
        for operation, extra in (
            ("ListObjects", ""),
            ("ListObjectsV2", "&list-type=2"),
            ("ListObjectVersions", "&versions"),
            ("ListMultipartUploads", "&uploads"),
        ):
            facts = self.facts(operation, f"/bucket?{query}{extra}", key="")
            self.check(facts, s3__prefix="home/", s3__delimiter="/", s3__max_keys="5")
        # Whether a key that is not there may be said to be none.
        facts = self.facts("GetObject", "/bucket/key?prefix=x", action="s3:ListBucket")
        self.check(facts, s3__prefix=None)
        self.check(self.facts("ListObjects", "/bucket?prefix=", key=""), s3__prefix="")

    def test_headers(self) -> None:
        """Headers are known of the actions that they are for."""
        sent = {
            "x-amz-acl": "public-read",
            "x-amz-storage-class": "GLACIER",
            "x-amz-metadata-directive": "COPY",
            "x-amz-copy-source": "/source/a%20b/c?versionId=null",
            "x-amz-object-lock-mode": "GOVERNANCE",
            "if-none-match": "*",
            "x-amz-other": "x",
        }
        self.check(
            self.facts("CopyObject", headers=sent),
            s3__x_amz_acl="public-read",
            s3__x_amz_storage_class="GLACIER",
            s3__x_amz_metadata_directive="COPY",
            s3__x_amz_copy_source="source/a b/c",
            s3__object_lock_mode="GOVERNANCE",
            s3__if_none_match="*",
            s3__x_amz_other=None,
            s3__objectcreationoperation="true",
        )
        self.check(
            self.facts("CopyObject", headers=sent, action="s3:GetObject"),
            s3__x_amz_acl=None,
            s3__x_amz_copy_source=None,
            s3__if_none_match=None,
            s3__objectcreationoperation=None,
        )
        self.check(self.facts("UploadPart"), s3__objectcreationoperation="false")

    def test_locks(self) -> None:
        """Of a lock, the headers of a write speak, or the document about it; its days count once they have begun."""
        until = "x-amz-object-lock-retain-until-date"
        for seconds, days in (
            (-DAY, "0"),
            (0, "0"),
            (1, "1"),
            (DAY, "1"),
            (DAY + 1, "2"),
        ):
            text = exact_timestamp(NOW + seconds * 1000)
            for facts in (
                self.facts("PutObject", headers={until: text}),
                self.facts(
                    "PutObjectRetention",
                    stated=(("s3:object-lock-retain-until-date", text),),
                ),
            ):
                self.check(
                    facts,
                    s3__object_lock_retain_until_date=text,
                    s3__object_lock_remaining_retention_days=days,
                )
        facts = self.facts("PutObject", headers={until: "2100-01-01T00:00:00Z\xa0"})
        self.check(facts, s3__object_lock_retain_until_date="2100-01-01T00:00:00Z")
        for headers in ({}, {until: "tomorrow"}):
            facts = self.facts("PutObject", headers=headers)
            self.check(facts, s3__object_lock_remaining_retention_days=None)
        facts = self.facts("GetObject", headers={until: "2100-01-01T00:00:00Z"})
        self.check(facts, s3__object_lock_remaining_retention_days=None)

    def test_tags_of_request(self) -> None:
        """Tags that come in a header or in a document; a header that cannot be read has none."""
        facts = self.facts("PutObject", headers={"x-amz-tagging": "a=b&C=d%20e"})
        self.assertEqual(facts.get("s3:requestobjecttag/C"), ("d e",))
        self.assertIsNone(facts.get("s3:requestobjecttag/c"))
        self.assertEqual(facts.get("s3:requestobjecttagkeys"), ("a", "C"))
        stated = (("s3:requestobjecttag/a", "b"), ("s3:requestobjecttag/C", "d"))
        facts = self.facts("PutObjectTagging", stated=stated)
        self.assertEqual(facts.get("s3:requestobjecttag/C"), ("d",))
        self.assertEqual(facts.get("s3:requestobjecttagkeys"), ("a", "C"))
        facts = self.facts("PutObject", headers={"x-amz-tagging": "a=b&a=c"})
        self.assertIsNone(facts.get("s3:requestobjecttag/a"))
        self.assertIsNone(facts.get("s3:requestobjecttagkeys"))
        facts = self.facts("GetObject", headers={"x-amz-tagging": "a=b"})
        self.assertIsNone(facts.get("s3:requestobjecttag/a"))
        self.assertIsNone(facts.get("s3:requestobjecttagkeys"))

    def test_tags_of_object(self) -> None:
        """Tags of the version that is meant are read when a policy asks for them, once."""
        rows = Rows(
            versions={("key", ""): version(a="new"), ("key", "1"): version(a="old")}
        )
        facts = self.facts(rows=rows)
        self.assertEqual(rows.read, [])
        self.assertEqual(facts.get("s3:existingobjecttag/a"), ("new",))
        self.assertIsNone(facts.get("s3:existingobjecttag/b"))
        self.assertEqual(rows.read, ["key"])
        old = self.facts(rows=rows, version="1", action="s3:GetObjectVersion")
        self.assertEqual(old.get("s3:existingobjecttag/a"), ("old",))
        self.assertEqual(old.get("s3:versionid"), ("1",))
        absent = self.facts(rows=rows, key="other")
        self.assertIsNone(absent.get("s3:existingobjecttag/a"))
        # S3 does not look at what is about to be replaced or removed.
        for operation in ("PutObject", "DeleteObject"):
            facts = self.facts(operation, rows=rows)
            self.assertIsNone(facts.get("s3:existingobjecttag/a"))

    def test_forged(self) -> None:
        """No header speaks for what is no header's: for access points, or for what the body says, which may be nothing."""
        forged = {
            "dataaccesspointaccount": "111122223333",
            "accesspointnetworkorigin": "VPC",
            "resourceaccount": "1",
            "locationconstraint": "eu-west-1",
            "object-lock-mode": "GOVERNANCE",
        }
        keys = {f"s3__{name.replace('-', '_')}": None for name in forged}
        for operation in ("GetObject", "PutObject", "CreateBucket"):
            facts = self.facts(operation, headers=forged)
            self.check(facts, **keys | {"s3__resourceaccount": "000000000000"})
        sent = {
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-legal-hold": "ON",
            "x-amz-object-lock-retain-until-date": "2100-01-01T00:00:00Z",
            "x-amz-tagging": "class=public",
        }
        for operation in ("PutObjectRetention", "PutObjectLegalHold"):
            self.check(
                self.facts(operation, headers=sent),
                s3__object_lock_mode=None,
                s3__object_lock_legal_hold=None,
                s3__object_lock_retain_until_date=None,
                s3__object_lock_remaining_retention_days=None,
            )
        # No tags in the document; and a copy that keeps those of its source.
        for operation in ("PutObjectTagging", "CopyObject"):
            facts = self.facts(operation, headers=sent)
            self.assertIsNone(facts.get("s3:requestobjecttag/class"))
            self.assertIsNone(facts.get("s3:requestobjecttagkeys"))
        replacing = {**sent, "x-amz-tagging-directive": "REPLACE"}
        facts = self.facts("CopyObject", headers=replacing)
        self.assertEqual(facts.get("s3:requestobjecttag/class"), ("public",))

    def test_copy_source(self) -> None:
        """Where a copy comes from is what the copy reads, however that is written."""
        for written, expected in (
            ("source/a+b", "source/a b"),
            ("%2Fsource%2Fa%2Bb", "source/a+b"),
            ("source//a?versionId=x", "source//a"),
            ("//source/a", None),
            ("source/%zz", None),
        ):
            facts = self.facts("CopyObject", headers={"x-amz-copy-source": written})
            self.check(facts, s3__x_amz_copy_source=expected)

    def test_stated(self) -> None:
        """What a body says is known by the names of condition keys."""
        stated = (("s3:locationconstraint", "eu-west-1"),)
        facts = self.facts("CreateBucket", "/bucket", key="", stated=stated)
        self.check(facts, s3__locationconstraint="eu-west-1")
