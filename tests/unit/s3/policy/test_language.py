"""Policies judge queries: the documents of AWS's manuals, and what each element does."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.operations import OPERATIONS
from ozgate.s3.policy.actions import ACTIONS
from ozgate.s3.policy.language import (
    Effect,
    Malformed,
    Policy,
    Query,
    Who,
    parse_bucket_policy,
    parse_identity_policy,
    who,
)
from tests.running import ROOT

ALICE = who(("alice",))
KERBEROS = who(("testuser/scm@EXAMPLE.COM", "testuser"))
NOBODY = who(())
BUCKET = "arn:aws:s3:::bucket"
KEY = "arn:aws:s3:::bucket/home/alice/a"


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    """The policy of the bucket named bucket; what a statement lacks is there."""
    full = [
        {"Effect": "Allow", "Principal": "*"}
        | ({} if "NotAction" in each else {"Action": "s3:GetObject"})
        | ({} if "NotResource" in each else {"Resource": f"{BUCKET}/*"})
        | each
        for each in statements
    ]
    for each in full:
        if "NotPrincipal" in each:
            del each["Principal"]
    document = json.dumps({"Version": version, "Statement": full}).encode()
    return parse_bucket_policy(document, "bucket")


def asked(
    caller: Who = ALICE,
    action: str = "s3:GetObject",
    resource: str = KEY,
    **keys: str | tuple[str, ...],
) -> Query:
    """A query; condition keys are written with two underscores for a colon."""
    known = {
        name.replace("__", ":", 1): (value,) if isinstance(value, str) else value
        for name, value in keys.items()
    }
    return Query(caller, action, resource, known.get)


class DocumentTests(SynchronousTestCase):
    """docs/policies.md."""

    def test_examples(self) -> None:
        """The examples are policies, and do what is said of them."""
        text = (ROOT / "docs" / "policies.md").read_text("utf-8")
        bucket = text.partition("<<'END'\n")[2].partition("\nEND\n")[0]
        found = parse_bucket_policy(bucket.encode(), "photos")
        self.assertTrue(found.is_public)
        self.assertEqual(found.named, {"user/alice"})
        home = text.partition("```json\n")[2].partition("\n```\n")[0]
        own = parse_identity_policy(home.encode())
        resource = "arn:aws:s3:::home/alice/a"
        query = asked(resource=resource, aws__username="alice")
        self.assertIs(own.judge(query), Effect.ALLOW)
        self.assertIsNone(own.judge(asked(resource=resource, aws__username="bob")))


class ActionTests(SynchronousTestCase):
    """The table of actions."""

    def test_operations(self) -> None:
        """Whatever an operation asks for can be named in a policy."""
        for row in OPERATIONS:
            if row.action:
                self.assertIn(row.action, ACTIONS)


class JudgingTests(SynchronousTestCase):
    """What a document says."""

    def test_denial_first(self) -> None:
        """An explicit denial beats what is allowed, wherever it is written; silence is neither."""
        allow, deny = {"Effect": "Allow"}, {"Effect": "Deny"}
        self.assertIs(policy(allow).judge(asked()), Effect.ALLOW)
        self.assertIs(policy(allow, deny).judge(asked()), Effect.DENY)
        self.assertIs(policy(deny, allow).judge(asked()), Effect.DENY)
        self.assertIsNone(policy(allow).judge(asked(action="s3:PutObject")))

    def test_principals(self) -> None:
        """Users are named with any account or none, by canonical ids, Kerberos names too."""
        for name in (
            "arn:aws:iam:::user/testuser/scm@EXAMPLE.COM",
            "arn:aws:iam::123456789012:user/testuser",
        ):
            found = policy({"Principal": {"AWS": ["arn:aws:iam:::user/bob", name]}})
            self.assertIs(found.judge(asked(KERBEROS)), Effect.ALLOW)
            self.assertIsNone(found.judge(asked(ALICE)))
            self.assertIsNone(found.judge(asked(NOBODY)))

    def test_identity(self) -> None:
        """The policy of an identity is about whoever has it."""
        document = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "s3:*",
                "Resource": "arn:aws:s3:::*/home/${aws:username}/*",
            },
        }
        found = parse_identity_policy(json.dumps(document).encode())
        self.assertIs(found.judge(asked(aws__username="alice")), Effect.ALLOW)
        self.assertIsNone(found.judge(asked(aws__username="bob")))
        self.assertIsNone(found.judge(asked()))

    def test_no_policy(self) -> None:
        """What is no policy is refused, and says why."""
        error = self.assertRaises(Malformed, parse_bucket_policy, b"[]", "bucket")
        self.assertEqual(
            error.reason,
            "Policies must be valid JSON and the first byte must be '{'",
        )
