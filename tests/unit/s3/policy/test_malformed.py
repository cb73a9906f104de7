"""What is no policy, and what is said of it: the words of S3 for buckets, of IAM for identities."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.policy.language import (
    Malformed,
    parse_bucket_policy,
    parse_identity_policy,
)

NOT_JSON = "Policies must be valid JSON and the first byte must be '{'"
BROKEN = "This policy contains invalid Json"
SYNTAX = "Invalid policy syntax."
PRINCIPAL = "Invalid principal in policy"
ACTION = "Policy has invalid action"
RESOURCE = "Policy has invalid resource"
MISMATCH = "Action does not apply to any resource(s) in statement"
KEY = "Policy has an invalid condition key"
NO_COMBINATION = (
    "Conditions do not apply to combination of actions and resources in statement"
)
ADDRESS = "Invalid IP address in Conditions"
TOO_LARGE = "Normalized policy document exceeds the maximum allowed size of 20480 bytes"

ARN = "arn:aws:s3:::bucket"
GONE = object()
"""Stands for an element that is not there."""


def document(**elements: Any) -> bytes:
    """A bucket's policy of one statement, with elements changed."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{ARN}/*",
        **elements,
    }
    return of({k: v for k, v in statement.items() if v is not GONE})


def of(statement: Any, **members: Any) -> bytes:
    """A policy of a statement, or of several."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": statement, **members}
    ).encode()


class Checks(SynchronousTestCase):
    """What both kinds of tests do."""

    def refused(self, reason: str, data: bytes, identity: bool = False) -> None:
        """Make sure that a document is refused for a reason."""
        with self.assertRaises(Malformed) as caught:
            if identity:
                parse_identity_policy(data)
            else:
                parse_bucket_policy(data, "bucket")
        self.assertEqual(caught.exception.reason, reason, data)

    def taken(self, data: bytes) -> None:
        """Make sure that a document is one of a bucket."""
        try:
            parse_bucket_policy(data, "bucket")
        except Malformed as error:
            self.fail(f"{error.reason}: {data!r}")


class DocumentTests(Checks):
    """The document as a whole."""

    def test_no_json(self) -> None:
        """It is an object of JSON, and nothing is before it."""
        for data in (b"", b"[]", b" {}", b"null", b"\xef\xbb\xbf{}", b"<a/>"):
            self.refused(NOT_JSON, data)
        for data in (b"{", b"{}x", b"{'a': 1}", b'{"a": NaN}', b'{"a": "\xff"}'):
            self.refused(BROKEN, data)
        self.refused(BROKEN, b'{"a": "\\ud800"}')
        self.refused(BROKEN, b'{"a":' * 5000 + b"1" + b"}" * 5000)
        self.refused(BROKEN, b'{"Version": "2012-10-17", "Version": "2012-10-17"}')
        twice = document().replace(b'"Effect"', b'"Effect": "Deny", "Effect"')
        self.refused(BROKEN, twice)

    def test_members(self) -> None:
        """Version, Id, Statement, and nothing else."""
        whole = json.loads(document())["Statement"]
        version = "The policy must contain a valid version string"
        for value in ("2012-10-18", "", 1, None, ["2012-10-17"]):
            self.refused(version, of(whole, Version=value))
        self.refused(SYNTAX, of(whole, Id=1))
        self.refused("Unknown field statements", of(whole, statements=whole))
        self.refused("Unknown field Foo", of({**whole, "Foo": 1}))
        self.refused("Missing required field Statement", b'{"Version":"2012-10-17"}')
        self.refused("Could not parse the policy: Statement is empty!", of([]))
        for value in ("a", [1], [[whole]], None):
            self.refused(SYNTAX, of(value))
        self.taken(of([whole], Id="a", Version="2008-10-17"))
        self.taken(json.dumps({"Statement": whole}).encode())

    def test_ids(self) -> None:
        """The ids of statements are texts, and each is there once."""
        whole = json.loads(document())["Statement"]
        self.taken(of([{**whole, "Sid": "a"}, {**whole, "Sid": "A"}, whole, whole]))
        self.refused(
            "Statement IDs (SID) in a single policy must be unique.",
            of([{**whole, "Sid": "a"}, {**whole, "Sid": "a"}]),
        )
        self.refused(SYNTAX, document(Sid=1))

    def test_size(self) -> None:
        """20 KB, white space aside."""
        room = 20480 - len(
            json.dumps(json.loads(document(Sid="")), separators=(",", ":"))
        )
        self.taken(document(Sid="a" * room))
        self.taken(document(Sid="a" * room).replace(b": ", b":" + b" " * 3000))
        self.refused(TOO_LARGE, document(Sid="a" * (room + 1)))
        self.refused(TOO_LARGE, document().replace(b": ", b":" + b" " * 30000))

    @given(st.binary(max_size=60))
    def test_anything(self, data: bytes) -> None:
        """Whatever is sent is a policy or malformed."""
        for text in (data, b"{" + data, b'{"Statement":' + data + b"}"):
            with self.assertRaises(Malformed):
                parse_bucket_policy(text, "bucket")


class ElementTests(Checks):
    """The elements of a statement."""

    def test_missing(self) -> None:
        """What has to be there."""
        for name in ("Effect", "Principal", "Action", "Resource"):
            self.refused(f"Missing required field {name}", document(**{name: GONE}))
        for name in ("Action", "Resource"):
            self.refused(f"Missing required field {name}", document(**{name: []}))

    def test_both(self) -> None:
        """An element and its opposite do not go together."""
        for name, value in (("Principal", "*"), ("Action", "*"), ("Resource", ARN)):
            self.refused(SYNTAX, document(**{f"Not{name}": value}))

    def test_effects(self) -> None:
        """Two effects, as they are written."""
        for value in ("allow", "DENY", "", "hello"):
            self.refused(f"Invalid effect: {value}", document(Effect=value))
        for value in (1, True, {}, ["Allow"]):
            self.refused(SYNTAX, document(Effect=value))

    def test_types(self) -> None:
        """Texts, or lists of them."""
        for value in (1, None, {}, True, [1], [["s3:GetObject"]], ["s3:GetObject", 1]):
            self.refused(SYNTAX, document(Action=value))
            self.refused(SYNTAX, document(Resource=value))
        for value in ("a", [], None, {"StringEquals": "a"}, {"StringEquals": []}):
            self.refused(SYNTAX, document(Condition=value))

    def test_principals(self) -> None:
        """Somebody has to be named, in a form that names somebody."""
        for value in (
            *("", "alice", "arn:aws:iam:::user/alice", [], ["*"], {}, None, 1),
            *({"AWS": []}, {"AWS": 1}, {"AWS": ["*", 1]}, {"aws": "*"}, {"AWS": {}}),
            *({"Everybody": "*"}, {"CanonicalUser": "*"}, {"Service": "*"}),
            {"CanonicalUser": "0" * 63},
            {"Service": "example.com"},
            {"Federated": ""},
        ):
            self.refused(PRINCIPAL, document(Principal=value))
        for name in (
            *("alice", "", "12345678901", "arn:aws:iam:::user/", "arn:aws:iam::1:root"),
            *("arn:aws:iam:::user/*", "arn:aws:iam:::user/a?", "arn:aws:iam::*:root"),
            *("arn:aws:iam:::group/g", "arn:aws:s3:::bucket", "arn:aws:iam:::alice"),
            *("arn:aws:iam:us-east-1::user/a", "arn:aws:sts:::assumed-role/r"),
        ):
            self.refused(PRINCIPAL, document(Principal={"AWS": name}))
            self.refused(PRINCIPAL, document(Principal={"AWS": ["*", name]}))
        for name in (
            *("*", "123456789012", "arn:aws:iam::123456789012:root"),
            *("arn:aws:iam:::user/a/b@C", "arn:aws:iam:::root", "arn:aws:iam:::role/r"),
            *("arn:aws:sts::123456789012:assumed-role/r/s",),
        ):
            self.taken(document(Principal={"AWS": name}))
        self.taken(document(Principal={"CanonicalUser": ["0" * 64]}))
        self.taken(document(Principal={"Service": "cloudtrail.amazonaws.com"}))

    def test_all_but(self) -> None:
        """NotPrincipal goes with a denial only."""
        name = {"AWS": "arn:aws:iam:::user/alice"}
        self.refused(PRINCIPAL, document(Principal=GONE, NotPrincipal=name))
        self.taken(document(Principal=GONE, NotPrincipal=name, Effect="Deny"))

    def test_actions(self) -> None:
        """Actions are those of S3, in any case; a pattern has to mean one."""
        for name in (
            *("", "GetObject", "s3", "s3:", "s3:GetObjekt", "s3:Nothing*", "iam:*"),
            *("s3::GetObject", "s3:GetObject ", "s3express:CreateSession", ":a"),
        ):
            self.refused(ACTION, document(Action=name))
            self.refused(ACTION, document(Action=["s3:GetObject", name]))
            self.refused(ACTION, document(Action=GONE, NotAction=name))
        for name in ("*", "s3:*", "S3:GETOBJECT", "s3:get*", "s?:*Object", "s3*:*"):
            self.taken(document(Action=name))

    def test_resources(self) -> None:
        """Resources are of the bucket."""
        for name in (
            *("", "*", "bucket", "bucket/*", "arn:aws:s3:::", "arn:aws:s3:::other/*"),
            *("arn:aws:s3:::bucket2/*", "arn:aws:s3:::bucke", "arn:aws:sqs:::bucket/*"),
            *("arn:aws:s3:us-east-1::bucket/*", "ARN:aws:s3:::bucket/*", f"{ARN}/${{a"),
            *("arn:aws:s3:::Bucket/*", "arn:aws:s3:::b?cke/*"),
        ):
            self.refused(RESOURCE, document(Resource=name))
            self.refused(RESOURCE, document(Resource=[f"{ARN}/*", name]))
            self.refused(RESOURCE, document(Resource=GONE, NotResource=name))
        for name in (f"{ARN}/a", f"{ARN}*", "arn:aws:s3:::*", "arn:aws:s3:::b*/a?"):
            self.taken(document(Resource=name))

    def test_applicable(self) -> None:
        """Each action is done on one of the resources."""
        for actions, resources in (
            ("s3:GetObject", ARN),
            ("s3:ListBucket", f"{ARN}/*"),
            (["s3:GetObject", "s3:ListBucket"], f"{ARN}/*"),
            (["s3:GetObject", "s3:ListBucket"], ARN),
            ("s3:ListAllMyBuckets", f"{ARN}*"),
            ("s3:List*Versions", f"{ARN}/*"),
            ("s3:CreateAccessPoint", f"{ARN}*"),
        ):
            self.refused(MISMATCH, document(Action=actions, Resource=resources))
        for actions, resources in (
            (["s3:GetObject", "s3:ListBucket"], f"{ARN}*"),
            (["s3:GetObject", "s3:ListBucket"], [ARN, f"{ARN}/*"]),
            ("s3:Get*", ARN),
            ("s3:*", f"{ARN}/*"),
        ):
            self.taken(document(Action=actions, Resource=resources))
        self.taken(document(Action=GONE, NotAction="s3:ListBucket"))
        self.taken(document(Resource=GONE, NotResource=ARN))


class ConditionTests(Checks):
    """The element Condition."""

    def refused_condition(
        self, reason: str, operator: str, key: str, value: Any, **elements: Any
    ) -> None:
        """Make sure that a condition is refused for a reason."""
        self.refused(reason, document(Condition={operator: {key: value}}, **elements))

    def taken_condition(
        self, operator: str, key: str, value: Any, **elements: Any
    ) -> None:
        """Make sure that a condition is one."""
        self.taken(document(Condition={operator: {key: value}}, **elements))

    def test_operators(self) -> None:
        """Operators are those of the manual, as they are written there."""
        for name in (
            *("StringEqual", "stringEquals", "", "NullIfExists", "ForAllValues:Null"),
            *("ForAllValues", "ForSomeValues:StringEquals", "StringEqualsIfExistsX"),
            *("ForAnyValue:ForAllValues:StringEquals", "IfExists", "NotBool"),
        ):
            reason = f"Invalid Condition type : {name}"
            self.refused_condition(reason, name, "aws:Referer", "a")

    def test_keys(self) -> None:
        """Keys are S3's, or the global ones, whatever their case."""
        for key in (
            *("", "prefix", "s3:", ":a", "s3:nothing", "ec2:Region", "s3:x-acl"),
            *("s3:ExistingObjectTag", "s3:ExistingObjectTag/", "s3:prefix/a"),
        ):
            self.refused_condition(KEY, "StringEquals", key, "a")
            self.refused_condition(KEY, "Null", key, "true")
        for key in (
            *("aws:SourceIp", "AWS:anything", "S3:TLSversion", "s3:authType"),
            *("s3:ExistingObjectTag/a/b", "aws:PrincipalTag/a"),
        ):
            operator = "IpAddress" if "Ip" in key else "StringEquals"
            self.taken_condition(operator, key, "10.0.0.1")

    def test_combinations(self) -> None:
        """A key of S3 comes with each of the actions that is named, and with one at least of those that a pattern means."""
        for key, actions in (
            ("s3:prefix", "s3:GetObject"),
            ("s3:prefix", ["s3:GetObject", "s3:Get*"]),
            ("s3:x-amz-acl", ["s3:GetObject", "s3:PutObject"]),
            ("s3:x-amz-copy-source", ["s3:GetObjectVersion", "s3:PutObject"]),
            ("s3:ExistingObjectTag/a", "s3:PutObject"),
            ("s3:ExistingObjectTag/a", "s3:DeleteObject"),
            ("s3:ExistingObjectTag/a", "s3:PutObjectRetention"),
            ("s3:RequestObjectTag/a", ["s3:PutObjectAcl", "s3:PutObjectTagging"]),
            ("s3:RequestObjectTagKeys", "s3:GetObject"),
            ("s3:VersionId", "s3:PutObject"),
        ):
            self.refused_condition(
                NO_COMBINATION, "StringEquals", key, "a", Action=actions
            )
        for key, actions in (
            ("s3:x-amz-acl", ["s3:PutObject", "s3:PutObjectAcl"]),
            ("s3:x-amz-acl", "s3:*"),
            ("s3:x-amz-acl", ["s3:Put*", "s3:PutObject"]),
            ("s3:ExistingObjectTag/a", ["s3:GetObject", "s3:GetObjectAttributes"]),
            ("s3:RequestObjectTag/a", "s3:PutObject"),
            ("s3:VersionId", "s3:GetObjectVersion"),
            ("s3:TlsVersion", "s3:DeleteObject"),
            ("s3:object-lock-mode", "s3:PutObjectRetention"),
        ):
            self.taken_condition("StringEquals", key, "a", Action=actions)
        self.taken_condition("StringEquals", "s3:prefix", "a", Action="s3:*")
        for key in ("s3:prefix", "s3:delimiter", "s3:max-keys"):
            self.taken_condition(
                *("StringEquals", key, "a"),
                Action=["s3:ListBucket", "s3:ListBucketVersions"],
                Resource=ARN,
            )

    def test_addresses(self) -> None:
        """Addresses are addresses, or ranges of them."""
        for value in (
            *("123", "", "10.0.0.0/33", "10.0.0", "10.0.0.0/255.0.0.0", "::/129"),
            *("localhost", "10.0.0.0/8 ", "fe80::1%eth0", "10.0.0.1/", "${aws:a}"),
        ):
            for operator in ("IpAddress", "NotIpAddressIfExists"):
                self.refused_condition(ADDRESS, operator, "aws:SourceIp", value)
                self.refused_condition(
                    ADDRESS, operator, "aws:SourceIp", ["10.0.0.1", value]
                )

    def test_values(self) -> None:
        """What an operator compares is of its kind."""
        for operator, key, value in (
            ("NumericEquals", "aws:Number", "a"),
            ("NumericLessThan", "aws:Number", "1e5"),
            ("NumericLessThan", "aws:Number", "${aws:Number}"),
            ("NumericLessThan", "aws:Number", "٣"),
            ("DateLessThan", "aws:CurrentTime", "tomorrow"),
            ("DateLessThan", "aws:CurrentTime", "2020-02-30"),
            ("DateLessThan", "aws:CurrentTime", "2020-01-01T25:00:00Z"),
            ("DateNotEquals", "aws:CurrentTime", ""),
            ("Bool", "aws:SecureTransport", "yes"),
            ("Null", "aws:TokenIssueTime", "yes"),
            ("BinaryEquals", "aws:Bytes", "YQ"),
            ("StringEquals", "aws:Referer", "${a"),
        ):
            reason = f"Invalid value in Conditions for operator {operator}"
            self.refused_condition(reason, operator, key, value)
        for value in ([], {}, None, [["a"]], [None]):
            self.refused_condition(SYNTAX, "StringEquals", "aws:Referer", value)


class IdentityTests(Checks):
    """Policies of identities: IAM's words."""

    def test_reasons(self) -> None:
        """What IAM says."""
        plain: dict[str, Any] = {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "*",
        }
        vendor = (
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        )
        for change, reason in (
            ({"Principal": "*"}, "Policy document should not specify a principal."),
            ({"NotPrincipal": "*"}, "Policy document should not specify a principal."),
            ({"Action": "GetObject"}, vendor),
            ({"Action": []}, "Policy statement must contain actions."),
            ({"Resource": []}, "Policy statement must contain resources."),
            ({"Resource": "b"}, 'Resource b must be in ARN format or "*".'),
            ({"Effect": "allow"}, "Syntax errors in policy."),
            ({"Condition": {"Nothing": {"aws:a": "b"}}}, "Syntax errors in policy."),
            ({"Condition": {"StringEquals": {"a": "b"}}}, vendor),
            ({"Foo": 1}, "Syntax errors in policy."),
        ):
            self.refused(reason, of({**plain, **change}), identity=True)
        self.refused(BROKEN, b"[]", identity=True)
        self.refused(BROKEN, b"{", identity=True)
        self.refused("Syntax errors in policy.", b"{}", identity=True)

    def test_taken(self) -> None:
        """Any vendor's actions, any resource, any condition."""
        parse_identity_policy(
            of(
                {
                    "Effect": "Allow",
                    "Action": ["sts:AssumeRole", "*", "s3:Unheard", "a:b*"],
                    "Resource": ["*", "arn:aws:iam::1:role/${aws:username}"],
                    "Condition": {"StringEquals": {"ec2:Region": "a", "s3:x": "b"}},
                }
            )
        )
