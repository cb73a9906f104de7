"""Whom a policy means."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.owners import canonical_id
from ozgate.s3.policy.language import Effect, Malformed, Query, Who, who
from tests.unit.s3.policy.test_language import asked, policy

ALICE, BOB = who(("alice",)), who(("bob",))
ROOT = who(("owner",), (), True)
NOBODY = who(())
SESSION = who(("alice",), ("assumed-role/reader/s", "role/reader"))
KERBEROS = who(("testuser/scm@EXAMPLE.COM", "testuser"))
A_USER = "arn:aws:iam::123456789012:user/"
ACCOUNT = {"AWS": "arn:aws:iam::123456789012:root"}


def reached(*callers: Who, **elements: Any) -> list[bool]:
    """For each caller, whether a statement applies."""
    found = policy(elements)
    return [found.judge(asked(caller)) is not None for caller in callers]


class PrincipalTests(SynchronousTestCase):
    """Principal and NotPrincipal."""

    def test_everyone(self) -> None:
        """A star is everybody, whoever did not sign included."""
        for written in ("*", {"AWS": "*"}, {"AWS": [A_USER + "bob", "*"]}):
            self.assertEqual(reached(ALICE, NOBODY, Principal=written), [True, True])

    def test_users(self) -> None:
        """Users by any of their names, in lists or alone."""
        for name in ("testuser/scm@EXAMPLE.COM", "testuser"):
            written = {"AWS": [A_USER + "bob", A_USER + name]}
            self.assertEqual(
                reached(KERBEROS, BOB, ALICE, NOBODY, Principal=written),
                [True, True, False, False],
            )
        written = {"AWS": "arn:aws:iam:::user/Alice"}
        self.assertEqual(reached(ALICE, Principal=written), [False])

    def test_canonical(self) -> None:
        """Users by the canonical id of any of their names."""
        written = {"CanonicalUser": canonical_id("testuser")}
        self.assertEqual(
            reached(KERBEROS, ALICE, NOBODY, Principal=written), [True, False, False]
        )

    def test_sessions(self) -> None:
        """A session by its role, by its own name, and by its user."""
        for name in ("iam:::role/reader", "sts::1234:assumed-role/reader/s"):
            written = {"AWS": "arn:aws:" + name.replace("1234", "1" * 12)}
            self.assertEqual(reached(SESSION, ALICE, Principal=written), [True, False])
        written = {"AWS": A_USER + "alice"}
        self.assertEqual(reached(SESSION, Principal=written), [True])

    def test_services(self) -> None:
        """No caller is a service."""
        written = {"Service": "cloudtrail.amazonaws.com"}
        self.assertEqual(
            reached(ALICE, ROOT, NOBODY, Principal=written), [False, False, False]
        )

    def test_account(self) -> None:
        """A grant to an account reaches who stands for it, a denial everybody in it, and nobody who did not sign."""
        for written in (ACCOUNT, {"AWS": "123456789012"}):
            self.assertEqual(
                reached(ALICE, ROOT, NOBODY, Principal=written), [False, True, False]
            )
            self.assertEqual(
                reached(ALICE, ROOT, NOBODY, Principal=written, Effect="Deny"),
                [True, True, False],
            )

    def test_all_but(self) -> None:
        """NotPrincipal spares those alone that it names: an account it names is who stands for it."""
        spared = {"AWS": [A_USER + "alice", *ACCOUNT.values()]}
        self.assertEqual(
            reached(ALICE, BOB, ROOT, NOBODY, NotPrincipal=spared, Effect="Deny"),
            [False, True, False, True],
        )

    def test_known(self) -> None:
        """Everybody who is named has to be somebody; services are nobody's."""
        ids = "0" * 64
        found = policy(
            {"Principal": {"AWS": [A_USER + "alice", "1" * 12], "CanonicalUser": ids}},
            {"Principal": {"Service": "sns.amazonaws.com"}},
            {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam:::role/r"}},
        )
        names = {"user/alice", f"canonical-user/{ids}", "role/r"}
        self.assertEqual(found.named, names | {"service/sns.amazonaws.com"})
        found.check_principals(names.__contains__)
        for name in names:
            with self.assertRaises(Malformed) as caught:
                found.check_principals((names - {name}).__contains__)
            self.assertEqual(caught.exception.reason, "Invalid principal in policy")


class ElementTests(SynchronousTestCase):
    """The elements that turn others round."""

    def test_other_actions(self) -> None:
        """NotAction is about all actions but those."""
        found = policy(
            {
                "NotAction": ["s3:getobject", "s3:Put*"],
                "Resource": "arn:aws:s3:::bucket*",
            }
        )
        for action, is_allowed in (
            ("s3:GetObject", False),
            ("s3:PutBucketPolicy", False),
            ("s3:DeleteObject", True),
        ):
            self.assertIs(
                found.judge(asked(action=action)) is Effect.ALLOW, is_allowed, action
            )

    def test_other_resources(self) -> None:
        """NotResource is about all resources but those; one that hangs on what is missing allows nothing, and denies."""
        key = "arn:aws:s3:::bucket/home/alice/a"
        for written, effect, applies in (
            (["arn:aws:s3:::bucket/home/bob/*"], "Allow", True),
            (["arn:aws:s3:::bucket/home/bob/*", key], "Allow", False),
            (["arn:aws:s3:::bucket/home/${aws:username}/*"], "Allow", False),
            (["arn:aws:s3:::bucket/home/${aws:username}/*"], "Deny", True),
            (["arn:aws:s3:::bucket/home/${aws:username, 'bob'}/*"], "Allow", True),
        ):
            found = policy({"NotResource": written, "Effect": effect})
            said = found.judge(asked(resource=key))
            self.assertIs(said is not None, applies, (written, effect))

    def test_several_conditions(self) -> None:
        """All operators and all keys have to hold."""
        found = policy(
            {
                "Condition": {
                    "StringEquals": {"aws:Referer": "a", "aws:UserAgent": "b"},
                    "Bool": {"aws:SecureTransport": "true"},
                }
            }
        )
        whole = {"referer": "a", "useragent": "b", "securetransport": "true"}
        named = {f"aws__{name}": value for name, value in whole.items()}
        self.assertIs(found.judge(asked(**named)), Effect.ALLOW)
        for name in named:
            self.assertIsNone(found.judge(asked(**{**named, name: "c"})))

    def test_asked_late(self) -> None:
        """A condition key is looked up only where the rest of a statement applies."""
        found = policy({"Condition": {"StringEquals": {"aws:Referer": "a"}}})
        looked: list[str] = []

        def look(name: str) -> None:
            looked.append(name)

        found.judge(Query(ALICE, "s3:PutObject", "arn:aws:s3:::bucket/a", look))
        found.judge(Query(ALICE, "s3:GetObject", "arn:aws:s3:::bucket", look))
        self.assertEqual(looked, [])
        found.judge(Query(ALICE, "s3:GetObject", "arn:aws:s3:::bucket/a", look))
        self.assertEqual(looked, ["aws:referer"])
