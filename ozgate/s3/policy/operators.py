"""Condition operators: whether a value that a request has is one of those that a condition names.

Each is a maker of tests: from the values of a policy, read once, to a function of one value of a request. What is negated is the whole, in
:mod:`.elements`, so that there is no operator that negates. A value of a request that is not of the operator's kind, such as a number that
is none, is no match.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import operator
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from ...immutable import frozen
from .malformed import Malformed
from .patterns import Patterns
from .wildcards import Wild

__all__ = ["OPERATORS", "Operator", "Parts"]

Parts = tuple[str | Wild, ...]
"""A value of a policy without variables: text, in which an operator may have wildcards."""
Test = Callable[[str], bool]
Maker = Callable[[Sequence[Parts]], Test]

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_CIDR = re.compile(r"[0-9a-fA-F:.]{2,45}(?:/[0-9]{1,3})?")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


@frozen
class Operator:
    """An operator.

    :ivar make: from a policy's values to the test.
    :ivar negated: whether it holds where the test does not.
    :ivar wild: whether ``*`` and ``?`` in its values are wildcards.
    :ivar variables: whether its values may have policy variables.
    """

    make: Maker
    negated: bool = False
    wild: bool = False
    variables: bool = False


def _texts(values: Sequence[Parts]) -> list[str]:
    return ["".join(p for p in parts if isinstance(p, str)) for parts in values]


def _equal(values: Sequence[Parts]) -> Test:
    return frozenset(_texts(values)).__contains__


def _equal_in_any_case(values: Sequence[Parts]) -> Test:
    wanted = frozenset(text.casefold() for text in _texts(values))
    return lambda value: value.casefold() in wanted


def _like(values: Sequence[Parts]) -> Test:
    return Patterns(values).match


def _arn_like(values: Sequence[Parts]) -> Test:
    """Each of an ARN's six parts is matched by itself: a star crosses no colon but those of the last part. A star alone is any ARN."""
    if (Wild.MANY,) in values:
        return lambda value: True
    return Patterns(values, in_arns=True).match


def _each(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Maker:
    """An operator over values of a kind.

    :param read: a value of it, of a policy or of a request; raises :class:`ValueError` for what is none.
    :param compare: the request's with the policy's.
    """

    def make(values: Sequence[Parts]) -> Test:
        wanted = [read(text) for text in _texts(values)]

        def test(value: str) -> bool:
            try:
                found = read(value)
            except ValueError:
                return False
            for each in wanted:
                if compare(found, each):
                    return True
            return False

        return test

    return make


@lru_cache(1024)
def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


@lru_cache(1024)
def _date(text: str) -> Decimal:
    """Seconds since 1970: of a date of ISO 8601, whose time zone is UTC where it has none, or as such."""
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    read = datetime.fromisoformat(text)
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    since = read - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86400 + since.seconds + Decimal(since.microseconds) / 1000000


_BOOLEANS = {"true": True, "false": False}


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _binary(text: str) -> bytes:
    if not _BASE64.fullmatch(text):
        raise ValueError(text)
    return b64decode(text, validate=True)


def network(text: str) -> tuple[int, int, int]:
    """A range of addresses: version, the first, how many bits of it are fixed. One of IPv4 in the clothes of IPv6 is of IPv4.

    :raises ValueError: it is none.
    """
    if not _CIDR.fullmatch(text):
        raise ValueError(text)
    read = ip_network(text, strict=False)
    if isinstance(read, IPv6Network) and read.prefixlen >= 96:
        mapped = read.network_address.ipv4_mapped
        if mapped is not None:
            return 4, int(mapped), read.prefixlen - 96
    return read.version, int(read.network_address), read.prefixlen


@lru_cache(1024)
def _address(text: str) -> tuple[int, int, int]:
    """An address: version, how many bits it has, and the address. One of IPv4 in the clothes of IPv6 is of IPv4."""
    found: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    return found.version, found.max_prefixlen, int(found)


def _in_networks(values: Sequence[Parts]) -> Test:
    wanted = [network(text) for text in _texts(values)]

    def test(value: str) -> bool:
        try:
            version, bits, number = _address(value)
        except ValueError:
            return False
        for other, first, fixed in wanted:
            if version == other and (number ^ first) >> bits - fixed == 0:
                return True
        return False

    return test


def _ordered(name: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    """The operators over an order."""
    comparisons = {
        "Equals": operator.eq,
        "LessThan": operator.lt,
        "LessThanEquals": operator.le,
        "GreaterThan": operator.gt,
        "GreaterThanEquals": operator.ge,
    }
    found = {
        f"{name}{ending}": Operator(_each(read, compare))
        for ending, compare in comparisons.items()
    }
    equals = _each(read, operator.eq)
    return {**found, f"{name}NotEquals": Operator(equals, negated=True)}


def _pair(
    name: str, negated: str, make: Maker, *, wild: bool = False, variables: bool = True
) -> dict[str, Operator]:
    return {
        name: Operator(make, False, wild, variables),
        negated: Operator(make, True, wild, variables),
    }


OPERATORS: Mapping[str, Operator] = {
    **_pair("StringEquals", "StringNotEquals", _equal),
    **_pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equal_in_any_case),
    **_pair("StringLike", "StringNotLike", _like, wild=True),
    **_pair("ArnEquals", "ArnNotEquals", _arn_like, wild=True),
    **_pair("ArnLike", "ArnNotLike", _arn_like, wild=True),
    **_pair("IpAddress", "NotIpAddress", _in_networks, variables=False),
    **_ordered("Numeric", _number),
    **_ordered("Date", _date),
    "Bool": Operator(_each(_boolean, operator.eq)),
    "BinaryEquals": Operator(_each(_binary, operator.eq)),
}
"""Each operator but ``Null``, without what stands before and behind its name."""


def malformed(name: str) -> Malformed:
    """What is said of a value that an operator cannot read."""
    if name in ("IpAddress", "NotIpAddress"):
        return Malformed("Invalid IP address in Conditions")
    return Malformed(f"Invalid value in Conditions for operator {name}")
