"""What is no policy, and what is said of it: the words of S3 for buckets, of IAM for identities."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ozgate.s3.policy.language import (
    Malformed,
    parse_bucket_policy,
    parse_identity_policy,
)
from tests.unit.s3.policy.refusing import (
    ACTION,
    ARN,
    BROKEN,
    GONE,
    MISMATCH,
    NOT_JSON,
    PRINCIPAL,
    RESOURCE,
    SYNTAX,
    TOO_LARGE,
    Checks,
    document,
    of,
)


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

    def test_wildcards(self) -> None:
        """Of wildcards that take long there are not too many, in all statements together."""
        reason = "Policy has too many wildcards"
        self.taken(document(Action=["s3:Get*"] * 500))
        self.refused(reason, document(Action=["s3:Get*"] * 501))
        self.taken(document(Action=["s3:Ge?Object"] * 20))
        self.refused(reason, document(Action=["s3:Ge?Object"] * 21))
        key = f"{ARN}/${{aws:username}}?"
        self.taken(document(Resource=[key] * 20))
        self.taken(document(Resource=[f"{ARN}/?"] * 300))
        self.refused(reason, document(Resource=[key] * 21))
        whole = json.loads(document(Resource=[key] * 15))["Statement"]
        self.refused(reason, of([whole, whole]))
        like = {"StringLike": {"aws:Referer": ["${aws:username}?"] * 21}}
        self.refused(reason, document(Condition=like))

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
