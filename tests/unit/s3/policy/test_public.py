"""Whether a policy is public: AWS's rule, case by case."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.s3.policy.test_language import policy

ALICE = {"AWS": "arn:aws:iam::123456789012:user/alice"}


def under(operator: str, key: str, *values: str) -> dict[str, Any]:
    """A statement with one condition."""
    return {"Condition": {operator: {key: list(values)}}}


class PublicTests(SynchronousTestCase):
    """Policies that are."""

    def assert_public(self, public: bool, *statements: dict[str, Any]) -> None:
        """Whether the policy of some statements is public."""
        self.assertIs(policy(*statements).is_public, public, statements)

    def test_principals(self) -> None:
        """Everybody is public, in both spellings and in any company; somebody, and the account, is not."""
        self.assert_public(True, {"Principal": "*"})
        self.assert_public(True, {"Principal": {"AWS": "*"}})
        self.assert_public(True, {"Principal": {"AWS": ["*", *ALICE.values()]}})
        self.assert_public(True, {"Principal": ALICE}, {"Principal": "*"})
        self.assert_public(False, {"Principal": ALICE})
        self.assert_public(False, {"Principal": {"AWS": "123456789012"}})
        self.assert_public(False, {"Principal": {"CanonicalUser": "0" * 64}})

    def test_denials(self) -> None:
        """A denial makes nothing public, and nothing less so."""
        self.assert_public(False, {"Effect": "Deny"})
        self.assert_public(True, {"Effect": "Deny"}, {})
        self.assert_public(
            False, {"Effect": "Deny", "NotPrincipal": ALICE}, {"Principal": ALICE}
        )

    def test_addresses(self) -> None:
        """Addresses fix who is meant, unless they are too many."""
        narrow = ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::ffff:192.0.2.0/120")
        for value in narrow:
            self.assert_public(False, under("IpAddress", "aws:SourceIp", value))
        self.assert_public(False, under("IpAddress", "AWS:sourceIP", *narrow))
        for value in ("0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/7", "2001::/31", "::/0"):
            self.assert_public(True, under("IpAddress", "aws:SourceIp", value))
            self.assert_public(
                True, under("IpAddress", "aws:SourceIp", "192.0.2.7", value)
            )
        self.assert_public(True, under("NotIpAddress", "aws:SourceIp", "192.0.2.7"))
        self.assert_public(True, under("IpAddressIfExists", "aws:SourceIp", "10.1.1.1"))
        self.assert_public(True, under("StringEquals", "aws:SourceIp", "10.1.1.1"))

    def test_fixed_values(self) -> None:
        """A fixed value of a key that says who asks is not public; a wildcard, a variable, and what holds without the key is."""
        arn = "arn:aws:iam::123456789012:role/reader"
        self.assert_public(False, under("ArnLike", "aws:PrincipalArn", arn))
        self.assert_public(False, under("StringLike", "aws:SourceVpce", "vpce-1"))
        self.assert_public(
            False, under("ForAnyValue:StringEquals", "aws:SourceAccount", "1")
        )
        self.assert_public(True, under("ArnLike", "aws:PrincipalArn", arn[:-1] + "*"))
        self.assert_public(True, under("StringLike", "aws:userid", "AROLEID:*"))
        self.assert_public(True, under("StringEquals", "aws:userid", "${aws:userid}"))
        self.assert_public(True, under("StringNotEquals", "aws:SourceVpc", "vpc-1"))
        self.assert_public(
            True, under("StringEqualsIfExists", "aws:SourceVpc", "vpc-1")
        )
        self.assert_public(
            True, under("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1")
        )
        self.assert_public(True, under("Null", "aws:SourceVpc", "false"))

    def test_other_conditions(self) -> None:
        """Conditions on anything else leave a policy public."""
        self.assert_public(True, under("StringEquals", "aws:Referer", "http://a/"))
        self.assert_public(True, under("Bool", "aws:SecureTransport", "true"))
        self.assert_public(
            False,
            {
                "Condition": {
                    "StringEquals": {"aws:Referer": "a"},
                    "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
                }
            },
        )
