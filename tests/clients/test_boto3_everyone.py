"""Every operation that is built, through boto3, on a secured service: its owner, another user, and whoever does not sign.

Each is asked for by the owner; by the two others, who are refused; by them when a policy grants the very actions that AWS wants for it,
which is enough; and when one grants everything but one of these, which never is. So whoever is granted one thing has got nothing else: what is
refused to somebody who may do all the rest, is refused to whoever may do less.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore import UNSIGNED
from botocore.exceptions import ClientError
from urllib3.filepost import encode_multipart_formdata

from ozgate.s3.operations import OPERATIONS
from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.grants import ALL_USERS
from tests.clients.asking import CASES, Case, filled
from tests.clients.botos import SharedTestCase, make_client, of_user, send
from tests.clients.test_boto3_acls import OPEN

REFUSED = ("AccessDenied", "403")
ELSEWHERE = {
    "CreateBucket": "test_making",
    "ListBuckets": "test_making",
    "OptionsBucket": "test_preflights",
    "OptionsObject": "test_preflights",
    "OptionsService": "test_preflights",
}
"""Operations that nothing is granted for in a bucket → the test below."""
KEPT = {
    "UploadId": "upload",
    "VersionId": "version",
    "ETag": "part",
    "ChecksumCRC32": "sum",
}
"""Members of answers to the owner → the names by which later requests tell them."""


class EveryoneTestCase(SharedTestCase):
    """Three clients, of whom ``owner`` makes buckets with object lock.

    :ivar values: what was answered to him since he made the last one.
    """

    maxDiff = None

    def setUp(self) -> None:
        """Have the three."""
        super().setUp()
        self.owner = of_user(self.server, "owner")
        self.other = of_user(self.server, "other")
        self.anybody = make_client(self.server.url, signature_version=UNSIGNED)
        self.made = 0

    def fresh(self, case: Case | None = None) -> None:
        """Another bucket of the owner's, after what a case comes after."""
        self.made += 1
        name = f"{self.id().rpartition('_')[2]}-{self.bucket.partition('-')[2]}"
        self.values = {"bucket": f"{name.partition('.')[0]}-{self.made}"}
        named = {"Bucket": self.values["bucket"]}
        self.owner.create_bucket(**named, ObjectLockEnabledForBucket=True)
        if case is not None:
            self.prepare(case)

    def prepare(self, case: Case) -> None:
        """Have the owner do what a case comes after."""
        for label in case.after:
            answer = self.ask(self.owner, CASES[label])
            assert not isinstance(answer, str), (case.label, label, answer)
            for member, name in KEPT.items():
                if member in answer:
                    self.values[name] = answer[member]

    def ask(self, client: Any, case: Case) -> dict[str, Any] | str:
        """Ask for something: the answer, or the code of the error."""
        named = filled({"Bucket": "$bucket", **case.asks}, self.values)
        if case.name == "PostObject":
            return self.post(client, named["Bucket"], named["Key"])
        try:
            answer: dict[str, Any] = client._make_api_call(case.name, named)
        except ClientError as error:
            found: Any = error.response
            return str(found["Error"]["Code"])
        if answer.get("Errors"):
            # Of DeleteObjects, which policies know key by key.
            return str(answer["Errors"][0]["Code"])
        return answer

    def post(self, client: Any, bucket: str, key: str) -> dict[str, Any] | str:
        """Send a form, signed or not."""
        fields = {"key": key}
        if client is not self.anybody:
            fields = client.generate_presigned_post(bucket, key)["fields"]
        body, kind = encode_multipart_formdata({**fields, "file": ("x", b"x")})
        host = urlsplit(self.server.url).netloc
        headers = {"Host": host, "Content-Type": kind}
        status, _, said = send(self.server.port, "POST", f"/{bucket}", headers, body)
        if status == 204:
            return {}
        return said.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()

    def grant(
        self, who: Any, actions: Iterable[str], member: str = "Action", **options: Any
    ) -> None:
        """Have the owner put a policy that allows somebody something, or all but something."""
        arn = f"arn:aws:s3:::{self.values['bucket']}"
        statement = {
            "Effect": "Allow",
            "Principal": who,
            member: list(actions),
            "Resource": [arn, f"{arn}/*"],
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        self.owner.put_bucket_policy(Bucket=self.values["bucket"], Policy=text)

    def open(self, **blocks: bool) -> None:
        """Have the owner block nothing, or little."""
        self.owner.put_public_access_block(
            Bucket=self.values["bucket"],
            PublicAccessBlockConfiguration={**OPEN, **blocks},
        )

    def outcome(self, client: Any, case: Case) -> str:
        """The code of the error that somebody is told, ``""`` for none, and for the one that the owner is told as well."""
        answer = self.ask(client, case)
        if not isinstance(answer, str) or answer == case.gives:
            return ""
        return "AccessDenied" if answer == "403" else answer


class EveryoneTests(EveryoneTestCase):
    """All of them."""

    def wrongs(self, check: Callable[[Case], Iterator[str]]) -> list[str]:
        """What is wrong with all cases, by a check."""
        return [
            f"{case.label}: {said}" for case in CASES.values() for said in check(case)
        ]

    def test_all_there(self) -> None:
        """What is built is in the table, or has a test below; and nothing else is."""
        built = {row.name for row in OPERATIONS if row.perform is not None}
        asked = {case.name for case in CASES.values()}
        self.assertEqual(asked | set(ELSEWHERE), built)
        self.assertEqual(asked & set(ELSEWHERE), set())
        for test in ELSEWHERE.values():
            self.assertTrue(hasattr(self, test))

    def test_owner(self) -> None:
        """The owner gets what there is."""

        def check(case: Case) -> Iterator[str]:
            self.fresh(case)
            answer = self.ask(self.owner, case)
            if isinstance(answer, str) or isinstance(case.gives, str):
                if answer != case.gives:
                    yield f"{answer}"
                return
            for member, value in filled(case.gives, self.values).items():
                if member not in answer or value not in (None, answer[member]):
                    yield f"{member} of {answer}"

        self.assertEqual(self.wrongs(check), [])

    def refused_to(self, client: Any, case: Case, granted: str) -> Iterator[str]:
        """What is wrong where somebody is not refused."""
        code = self.outcome(client, case)
        if code != "AccessDenied":
            who = "anybody" if client is self.anybody else "other"
            yield f"{code!r} to {who}, granted {granted}"

    def test_others(self) -> None:
        """Others are refused, until exactly the actions of an operation are granted to them; one less is not enough."""
        him = {"AWS": "arn:aws:iam::123456789012:user/other"}

        def check(case: Case) -> Iterator[str]:
            self.fresh(case)
            for client in (self.other, self.anybody):
                yield from self.refused_to(client, case, "nothing")
            self.open()
            for action in case.actions:
                self.grant("*", [action], "NotAction")
                for client in (self.other, self.anybody):
                    yield from self.refused_to(client, case, f"all but {action}")
            self.grant(him, case.actions)
            yield from self.refused_to(self.anybody, case, "nothing")
            if code := self.outcome(self.other, case):
                yield f"{code} to other, granted {case.actions}"

        self.assertEqual(self.wrongs(check), [])

    def test_anybody(self) -> None:
        """What is granted to everybody reaches whoever does not sign once nothing is blocked; and never, where AWS wants a signature."""

        def check(case: Case) -> Iterator[str]:
            self.fresh(case)
            self.open(RestrictPublicBuckets=True)
            self.grant("*", case.actions)
            yield from self.refused_to(self.anybody, case, "it, and blocked")
            self.open()
            if (code := self.outcome(self.anybody, case)) != case.anonymous:
                yield f"{code!r} to anybody, granted {case.actions}"

        self.assertEqual(self.wrongs(check), [])

    def test_preflights(self) -> None:
        """A preflight is answered by the rules, whoever a page says that it asks for."""
        self.fresh(CASES["GetBucketCors"])
        port, bucket = self.server.port, self.values["bucket"]
        for target, status in (
            ("/", 403),
            (f"/{bucket}", 200),
            (f"/{bucket}/key", 200),
        ):
            for asked in ({}, {"Authorization": "AWS4-HMAC-SHA256 nonsense"}):
                headers = {
                    "Origin": "https://a.example",
                    "Access-Control-Request-Method": "GET",
                    **asked,
                }
                found, _, _ = send(port, "OPTIONS", target, headers)
                self.assertEqual(found, status, target)

    def test_requesters_pay(self) -> None:
        """Where requesters pay, others have to say so besides, whatever is granted to them; whoever does not sign pays nothing."""
        self.fresh(CASES["GetObject"])
        named = {"Bucket": self.values["bucket"]}
        self.open()
        self.grant("*", ["s3:GetObject", "s3:GetBucketRequestPayment"])
        payer = {"Payer": "Requester"}
        self.owner.put_bucket_request_payment(
            **named, RequestPaymentConfiguration=payer
        )
        asked = {**named, "Key": "key"}
        self.assertNotIn("RequestCharged", self.owner.get_object(**asked))
        self.refused(403, "AccessDenied", self.other.get_object, **asked)
        asked["RequestPayer"] = "requester"
        found = self.other.get_object(**asked)
        self.assertEqual(found["RequestCharged"], "requester")
        self.refused(403, "AccessDenied", self.anybody.get_object, **asked)

    def test_making(self) -> None:
        """Whoever signs makes buckets, none of a name that is taken, and sees his own; whoever does not does neither."""
        self.fresh()
        mine, name = self.values["bucket"], f"{self.values['bucket']}-of-other"
        self.refused(
            *(409, "BucketAlreadyExists", self.other.create_bucket), Bucket=mine
        )
        self.other.create_bucket(Bucket=name)
        for client, sees, does_not in (
            (self.owner, mine, name),
            (self.other, name, mine),
        ):
            names = {row["Name"] for row in client.list_buckets()["Buckets"]}
            self.assertIn(sees, names)
            self.assertNotIn(does_not, names)
        create = self.anybody.create_bucket
        self.refused(403, "AccessDenied", create, Bucket=f"{name}-2")
        with self.assertRaises(ClientError) as caught:
            self.anybody.list_buckets()
        error: Any = caught.exception.response
        self.assertEqual(error["Error"]["Code"], "AccessDenied")


GIVEN = {
    # What a list gives on the bucket, or on the object.
    "bucket GrantRead": "HeadBucket, ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads",
    "bucket GrantWrite": "PutObject, PutObject: with a list, PostObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload",
    "bucket GrantReadACP": "GetBucketAcl",
    "bucket GrantWriteACP": "PutBucketAcl",
    "object GrantRead": "GetObject, GetObject: of a version, HeadObject, HeadObject: of a version",
    "object GrantReadACP": "GetObjectAcl, GetObjectAcl: of a version",
    "object GrantWriteACP": "PutObjectAcl, PutObjectAcl: of a version",
}
"""Source: Amazon S3 User Guide, "Access control list (ACL) overview", there "Mapping of ACL permissions and access policy permissions"."""


class ListTests(EveryoneTestCase):
    """What access control lists give."""

    def have(self, given: str, grantee: str) -> None:
        """A bucket with all that is asked for, and one list that gives somebody something."""
        kind, member = given.split()
        self.fresh(CASES["PutObjectAcl"])
        self.prepare(CASES["CompleteMultipartUpload"])
        self.open()
        named = filled({"Bucket": "$bucket"}, self.values)
        if kind == "bucket":
            self.owner.put_bucket_acl(**named, **{member: grantee})
        else:
            self.owner.put_object_acl(**named, Key="key", **{member: grantee})

    def test_given(self) -> None:
        """A list gives what AWS says, and nothing else, to a user and to everybody."""
        wrong = []
        him, everybody = f'id="{canonical_id("other")}"', f'uri="{ALL_USERS}"'
        for given, labels in GIVEN.items():
            for client, grantee in ((self.other, him), (self.anybody, everybody)):
                self.have(given, grantee)
                may = [CASES[label] for label in labels.split(", ")]
                if client is self.anybody:
                    may = [case for case in may if not case.anonymous]
                for case in CASES.values():
                    code = self.outcome(client, case)
                    expected = {"AccessDenied", case.anonymous or "AccessDenied"}
                    if case in may:
                        expected = {""}
                        self.have(given, grantee)
                    if code not in expected:
                        wrong.append((given, grantee, case.label, code))
        self.assertEqual(wrong, [])
