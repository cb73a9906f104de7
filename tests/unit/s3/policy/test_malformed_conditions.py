"""What is no condition of a policy, and what is said of it."""

from typing import Any

from tests.unit.s3.policy.refusing import (
    ADDRESS,
    ARN,
    KEY,
    NO_COMBINATION,
    SYNTAX,
    Checks,
    document,
)


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
