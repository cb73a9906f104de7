"""Tests of :mod:`ozgate.auth.identities.narrow`: what a narrowed key may do, asked of the policy that it has."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from ozgate.auth.identities.narrow import narrowed
from ozgate.s3.policy.language import Effect, Query, parse_identity_policy, who

LISTED = (
    ("s3:GetObject", "b", "p/k"),
    ("s3:GetObject", "b", "q"),
    ("s3:GetObject", "c", "p/k"),
    ("s3:PutObject", "b", "p/k"),
    ("s3:PutObject", "b", "q"),
    ("s3:DeleteObject", "b", "p/k"),
    ("s3:ListBucket", "b", ""),
    ("s3:ListBucket", "c", ""),
    ("s3:GetBucketLocation", "b", ""),
    ("s3:PutBucketPolicy", "b", ""),
    ("s3:ListAllMyBuckets", "", ""),
)


ALICE = who(("alice",))


def query(action: str, bucket: str, key: str, prefix: str | None = None) -> Query:
    """What is asked.

    :param prefix: what a listing asks for; ``None``: it asks for none.
    """
    resource = (
        f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket or '*'}"
    )
    known = {} if prefix is None else {"s3:prefix": [prefix]}
    return Query(ALICE, action, resource, known.get)


def allowed(document: str, prefix: str | None = None) -> set[int]:
    """Which of :data:`LISTED` a document allows.

    :param prefix: what a listing asks for.
    """
    policy = parse_identity_policy(document.encode())
    return {
        number
        for number, (action, bucket, key) in enumerate(LISTED)
        if policy.judge(query(action, bucket, key, prefix)) is Effect.ALLOW
    }


class NarrowTests(SynchronousTestCase):
    """Limits, made of what is said on a command line."""

    def test_bucket(self) -> None:
        """A key of a bucket does there what its user may, and nothing elsewhere."""
        self.assertEqual(allowed(narrowed("b")), {0, 1, 3, 4, 5, 6, 8, 9})

    def test_read(self) -> None:
        """A key that reads changes nothing."""
        self.assertEqual(allowed(narrowed("b", read=True)), {0, 1, 6, 8})
        self.assertEqual(allowed(narrowed(read=True)), {0, 1, 2, 6, 7, 8, 10})

    def test_write(self) -> None:
        """A key that writes reads nothing, lists nothing and changes no settings."""
        self.assertEqual(allowed(narrowed("b", write=True)), {3, 4, 5, 8})
        self.assertEqual(allowed(narrowed(write=True)), {3, 4, 5})

    def test_both(self) -> None:
        """One that does both does no more than that."""
        both = narrowed("b", read=True, write=True)
        self.assertEqual(allowed(both), {0, 1, 3, 4, 5, 6, 8})

    def test_prefix(self) -> None:
        """A key of a prefix sees and lists only what begins so."""
        for flags, found in (
            ({}, {0, 3, 5, 8}),
            ({"read": True}, {0, 8}),
            ({"write": True}, {3, 5, 8}),
        ):
            document = narrowed("b", "p/", **flags)
            self.assertEqual(allowed(document), found)
            lists = set() if flags == {"write": True} else {6}
            self.assertEqual(allowed(document, "p/"), found | lists)
            self.assertEqual(allowed(document, "p/deeper"), found | lists)
            self.assertEqual(allowed(document, "p"), found)

    def test_literal(self) -> None:
        """What would be a wildcard or a variable in a pattern stands for itself in a prefix."""
        document = narrowed("b", 'a*?${aws:username}"\\é/')
        policy = parse_identity_policy(document.encode())
        for key, effect in (
            ('a*?${aws:username}"\\é/k', Effect.ALLOW),
            ('axx${aws:username}"\\é/k', None),
            ('a*?alice"\\é/k', None),
        ):
            asked = query("s3:GetObject", "b", key)
            self.assertIs(policy.judge(asked), effect, key)
