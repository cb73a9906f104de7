"""Condition operators, a table for each: what a policy says, what the request has, whether it holds."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from ozgate.s3.policy.language import Effect
from tests.unit.s3.policy.test_language import asked, policy

ABSENT = None


class Checks(SynchronousTestCase):
    """One condition at a time."""

    def check(
        self,
        operator: str,
        key: str,
        *table: tuple[Any, str | tuple[str, ...] | None, bool],
        effect: str = "Allow",
    ) -> None:
        """Make sure of each row: the policy's value or values, the request's, whether the condition holds."""
        for wanted, had, holds in table:
            condition = {operator: {key: wanted}}
            found = policy(
                {
                    "Condition": condition,
                    "Effect": effect,
                    "Action": "s3:ListBucket",
                    "Resource": "arn:aws:s3:::bucket",
                }
            )
            keys = {} if had is None else {key.replace(":", "__").lower(): had}
            query = asked(
                action="s3:ListBucket", resource="arn:aws:s3:::bucket", **keys
            )
            said = found.judge(query)
            self.assertIs(said, Effect(effect) if holds else None, (condition, had))


class OperatorTests(Checks):
    """Each operator."""

    def test_strings(self) -> None:
        """Equality is exact, wildcards are text; several values are alternatives."""
        self.check(
            *("StringEquals", "s3:prefix"),
            ("a", "a", True),
            ("a", "A", False),
            ("a*", "ab", False),
            ("a*", "a*", True),
            (["a", "b"], "b", True),
            (["a", "b"], "c", False),
            ("", "", True),
            ("a", ABSENT, False),
        )
        self.check(
            *("StringNotEquals", "s3:prefix"),
            ("a", "a", False),
            ("a", "b", True),
            (["a", "b"], "b", False),
            (["a", "b"], "c", True),
            ("a", ABSENT, True),
        )
        self.check(
            *("StringEqualsIgnoreCase", "s3:prefix"),
            ("aB", "Ab", True),
            ("a", "b", False),
            ("a", ABSENT, False),
        )
        self.check(
            *("StringNotEqualsIgnoreCase", "s3:prefix"),
            ("aB", "Ab", False),
            ("a", ABSENT, True),
        )

    def test_patterns(self) -> None:
        """Like has wildcards."""
        self.check(
            *("StringLike", "s3:prefix"),
            ("home/*", "home/a/b", True),
            ("home/?", "home/ab", False),
            (["x", "h*"], "home", True),
            ("*", "", True),
            ("*", ABSENT, False),
        )
        self.check(
            *("StringNotLike", "s3:prefix"),
            ("home/*", "home/a", False),
            (["a*", "b*"], "c", True),
            ("*", ABSENT, True),
        )

    def test_numbers(self) -> None:
        """Numbers are compared as such; what is none is no match, and not the same."""
        for operator, below, same, above in (
            ("NumericEquals", False, True, False),
            ("NumericNotEquals", True, False, True),
            ("NumericLessThan", True, False, False),
            ("NumericLessThanEquals", True, True, False),
            ("NumericGreaterThan", False, False, True),
            ("NumericGreaterThanEquals", False, True, True),
        ):
            negated = operator == "NumericNotEquals"
            self.check(
                *(operator, "s3:max-keys"),
                ("10", "9", below),
                (10, "10", same),
                ("10", "10.0", same),
                ("10", "1000000000000000000000000000001", above),
                ("10", "x", negated),
                ("10", "1e9", negated),
                ("10", ABSENT, negated),
            )

    def test_dates(self) -> None:
        """Dates of ISO 8601 and seconds are one order."""
        for operator, below, same, above in (
            ("DateEquals", False, True, False),
            ("DateNotEquals", True, False, True),
            ("DateLessThan", True, False, False),
            ("DateLessThanEquals", True, True, False),
            ("DateGreaterThan", False, False, True),
            ("DateGreaterThanEquals", False, True, True),
        ):
            negated = operator == "DateNotEquals"
            self.check(
                *(operator, "aws:CurrentTime"),
                ("2020-01-01T00:00:00Z", "2019-12-31T23:59:59.999Z", below),
                ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", same),
                ("2020-01-01T01:00:00+01:00", "2020-01-01T00:00:00Z", same),
                ("2020-01-01", "1577836800", same),
                (1577836800, "2020-01-01T00:00:00Z", same),
                ("2020-01-01T00:00Z", "2020-01-02", above),
                ("2020-01-01", "soon", negated),
                ("2020-01-01", ABSENT, negated),
            )

    def test_booleans(self) -> None:
        """True and false, as JSON has them or as text."""
        self.check(
            *("Bool", "aws:SecureTransport"),
            ("true", "true", True),
            (True, "true", True),
            ("True", "true", True),
            (False, "false", True),
            ("false", "true", False),
            (["true", "false"], "true", True),
            ("false", ABSENT, False),
        )

    def test_binary(self) -> None:
        """Bytes, in base64."""
        self.check(
            *("BinaryEquals", "aws:Bytes"),
            ("YQ==", "YQ==", True),
            ("YQ==", "YR==", True),
            ("YQ==", "Yg==", False),
            ("YQ==", "!", False),
            ("YQ==", ABSENT, False),
        )

    def test_addresses(self) -> None:
        """Addresses of both versions are in ranges; one of IPv4 is the same in the clothes of IPv6."""
        rows = (
            ("203.0.113.0/24", "203.0.113.7", True),
            ("203.0.113.0/24", "203.0.114.7", False),
            ("203.0.113.9/24", "203.0.113.7", True),
            ("203.0.113.7", "203.0.113.7", True),
            ("0.0.0.0/0", "203.0.113.7", True),
            ("0.0.0.0/0", "2001:db8::1", False),
            ("::/0", "203.0.113.7", False),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
            ("2001:db8::/64", "2001:db8:0:1::1", False),
            ("203.0.113.0/24", "::ffff:203.0.113.7", True),
            ("::ffff:203.0.113.0/120", "203.0.113.7", True),
            (["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.7", True),
            ("203.0.113.0/24", "unknown", False),
        )
        self.check("IpAddress", "aws:SourceIp", *rows, ("0.0.0.0/0", ABSENT, False))
        self.check(
            "NotIpAddress",
            "aws:SourceIp",
            *((wanted, had, not holds) for wanted, had, holds in rows),
            ("0.0.0.0/0", ABSENT, True),
        )

    def test_arns(self) -> None:
        """Names of things are matched part by part."""
        rows = (
            (
                "arn:aws:iam::123456789012:role/*",
                "arn:aws:iam::123456789012:role/a/b",
                True,
            ),
            ("arn:aws:*:::*", "arn:aws:iam::1:user/a", False),
            ("arn:aws:iam:*:*:user/?", "arn:aws:iam::1:user/a", True),
            ("arn:aws:s*", "arn:aws:sns:::a", False),
            ("arn:aws:sts:::assumed-role/*", "arn:aws:sts:::assumed-role/r/a:b", True),
            ("*", "anything", True),
        )
        for operator in ("ArnEquals", "ArnLike"):
            self.check(operator, "aws:SourceArn", *rows, ("*", ABSENT, False))
        negated = [(wanted, had, not holds) for wanted, had, holds in rows]
        for operator in ("ArnNotEquals", "ArnNotLike"):
            self.check(operator, "aws:SourceArn", *negated, ("*", ABSENT, True))

    def test_any_account(self) -> None:
        """The number of the account in the caller's own name means nothing, under any operator."""
        had = "arn:aws:iam::000000000000:user/alice"
        wanted = "arn:aws:iam::123456789012:user/alice"
        for operator in ("ArnEquals", "ArnLike", "StringEquals", "StringLike"):
            for names in ((wanted, had), (had, wanted), (wanted, wanted)):
                self.check(operator, "aws:PrincipalArn", (*names, True))
            self.check(operator, "aws:SourceArn", (wanted, had, False))
            self.check(operator, "aws:PrincipalArn", (wanted[:-1], had, False))

    def test_presence(self) -> None:
        """Null asks whether the key is there; a key without values is not."""
        self.check(
            *("Null", "s3:prefix"),
            ("true", ABSENT, True),
            (True, (), True),
            ("true", "", False),
            ("false", "", True),
            ("false", ABSENT, False),
            (["true", "false"], "a", True),
        )

    def test_if_exists(self) -> None:
        """What is missing is no hindrance; what is there is compared."""
        for operator in ("StringEquals", "StringNotEquals", "ForAnyValue:StringEquals"):
            self.check(f"{operator}IfExists", "s3:prefix", ("a", ABSENT, True))
        self.check("StringEqualsIfExists", "s3:prefix", ("a", "b", False))
        self.check("NumericLessThanIfExists", "s3:max-keys", ("5", "7", False))
        self.check("BoolIfExists", "aws:SecureTransport", ("true", "false", False))


class QuantifierTests(Checks):
    """Keys with several values."""

    def test_all_values(self) -> None:
        """Each value has to be one that is wanted; of nothing, all are."""
        self.check(
            *("ForAllValues:StringEquals", "aws:TagKeys"),
            (["a", "b"], ("a", "b"), True),
            (["a", "b"], ("a",), True),
            (["a", "b"], ("a", "c"), False),
            ("a", ABSENT, True),
            ("a", (), True),
        )

    def test_all_values_negated(self) -> None:
        """Each value has to be none of those that are named."""
        self.check(
            *("ForAllValues:StringNotEquals", "aws:TagKeys"),
            (["a", "b"], ("c", "d"), True),
            (["a", "b"], ("c", "a"), False),
            (["a", "b"], ("a", "b"), False),
            ("a", ABSENT, True),
        )

    def test_any_value(self) -> None:
        """One value has to be one that is wanted; of nothing, none is."""
        self.check(
            *("ForAnyValue:StringLike", "aws:TagKeys"),
            (["a*", "b"], ("c", "ab"), True),
            (["a*", "b"], ("c", "d"), False),
            ("*", ABSENT, False),
        )

    def test_any_value_negated(self) -> None:
        """One value has to be none of those that are named; of nothing, none is."""
        self.check(
            *("ForAnyValue:StringNotEquals", "aws:TagKeys"),
            (["a", "b"], ("a", "c"), True),
            (["a", "b"], ("a", "b"), False),
            ("a", ABSENT, False),
        )

    def test_no_quantifier(self) -> None:
        """Without one, any value will do; where it is negated, none may be meant."""
        self.check("StringEquals", "aws:TagKeys", ("a", ("b", "a"), True))
        self.check("StringNotEquals", "aws:TagKeys", ("a", ("b", "a"), False))
        self.check("StringNotEquals", "aws:TagKeys", ("a", ("b", "c"), True))


class VariableTests(Checks):
    """Policy variables in conditions."""

    def test_no_value(self) -> None:
        """A variable without a value is like nothing. What is then not the same is denied, and not allowed."""
        row = ("${aws:username}", "a", False)
        self.check("StringEquals", "s3:prefix", row)
        self.check("StringEquals", "s3:prefix", row, effect="Deny")
        self.check("StringNotEquals", "s3:prefix", row)
        self.check("StringNotLike", "s3:prefix", ("${a:b}*", "a", True), effect="Deny")

    def test_own_value(self) -> None:
        """A condition may name its own key; what it has is no pattern."""
        self.check("StringLike", "s3:prefix", ("${s3:prefix}", "a*", True))
        self.check("StringEquals", "s3:prefix", (["x", "${S3:Prefix}"], "a", True))

    def test_two_versions(self) -> None:
        """The older version of the language has no variables."""
        statement = {
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::bucket",
            "Condition": {"StringEquals": {"s3:prefix": "${s3:prefix}"}},
        }
        query = asked(
            action="s3:ListBucket", resource="arn:aws:s3:::bucket", s3__prefix="a"
        )
        self.assertIs(policy(statement).judge(query), Effect.ALLOW)
        self.assertIsNone(policy(statement, version="2008-10-17").judge(query))
