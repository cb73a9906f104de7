"""Policies judged the slow, plain way: straight from the JSON, a sentence of AWS's manuals at a time.

It shares no code with what it is held against. Sources: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements", "Condition operators", "Multivalued context keys",
"Variables and tags". What the manuals leave open: a variable without a value is no value at all, and where something is negated in a statement that allows, the statement is silent.
"""

from __future__ import annotations

import base64
import datetime
import fractions
import hashlib
import ipaddress
import re
from typing import Any

from attrs import frozen


@frozen
class Request:
    """A request: the names of its user (none: not signed), whether the user speaks for the account, and its values, each key as AWS writes it."""

    names: tuple[str, ...]
    root: bool
    action: str
    resource: str
    keys: dict[str, list[str]]


class NoValue(Exception):
    """A variable has none."""


def judge(document: dict[str, Any], request: Request) -> str | None:
    """Deny, Allow or nothing."""
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    variables = document.get("Version") == "2012-10-17"
    effects = set()
    for statement in statements:
        if applies(statement, request, variables):
            effects.add(statement["Effect"])
    if "Deny" in effects:
        return "Deny"
    return "Allow" if effects else None


def applies(statement: dict[str, Any], request: Request, variables: bool) -> bool:
    """Whether all elements of a statement match."""
    allows = statement["Effect"] == "Allow"
    if "Principal" in statement:
        if not principal_matches(statement["Principal"], request, not allows):
            return False
    if "NotPrincipal" in statement:
        if principal_matches(statement["NotPrincipal"], request, False):
            return False
    if "Action" in statement:
        if not action_matches(statement["Action"], request):
            return False
    elif action_matches(statement["NotAction"], request):
        return False
    try:
        if "Resource" in statement:
            if not resource_matches(statement["Resource"], request, variables, False):
                return False
        elif resource_matches(statement["NotResource"], request, variables, allows):
            return False
        return all(
            condition_holds(operator, key, listed(values), request, variables, allows)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    except NoValue:
        return False


def listed(value: Any) -> list[Any]:
    """One value may stand for a list of one."""
    return value if isinstance(value, list) else [value]


def principal_matches(written: Any, request: Request, whole_account: bool) -> bool:
    """Whether an element names whoever asks."""
    if written == "*":
        return True
    for name in listed(written.get("AWS", [])):
        if name == "*":
            return True
        if re.match(r"^(\d{12}|arn:aws:iam::\d*:root)$", name):
            if request.root or (whole_account and request.names):
                return True
        for user in request.names:
            if re.sub(r"\d{12}", "", name, count=1) == f"arn:aws:iam:::user/{user}":
                return True
    ids = [hashlib.sha256(user.encode()).hexdigest() for user in request.names]
    return any(name in ids for name in listed(written.get("CanonicalUser", [])))


def action_matches(patterns: Any, request: Request) -> bool:
    """Whether one of the patterns is the action."""
    return any(
        glob(tokens(pattern.lower(), None), request.action.lower())
        for pattern in listed(patterns)
    )


def resource_matches(
    patterns: Any, request: Request, variables: bool, all_needed: bool
) -> bool:
    """Whether one of the patterns is the resource."""
    found = []
    for pattern in listed(patterns):
        try:
            read = tokens(pattern, request if variables else None)
        except NoValue:
            if all_needed:
                raise
            continue
        found.append(glob(read, request.resource))
    return any(found)


def tokens(pattern: str, request: Request | None, wild: bool = True) -> list[str]:
    """A pattern as a list of characters, ``**`` and ``??`` for wildcards; variables are filled in where there is a request."""
    found: list[str] = []
    while pattern:
        match = re.match(r"\$\{([^},]+?)\s*(,\s*'([^']*)'\s*)?\}", pattern)
        if request is not None and match:
            found += variable(match[1].strip(), match[3], request)
            pattern = pattern[match.end() :]
            continue
        first, pattern = pattern[0], pattern[1:]
        found.append(first * 2 if wild and first in "*?" else first)
    return found


def variable(name: str, default: str | None, request: Request) -> str:
    """What a variable stands for."""
    if name in ("*", "?", "$"):
        return name
    values = values_of(name, request)
    if len(values) == 1:
        return values[0]
    if not values and default is not None:
        return default
    raise NoValue


def values_of(name: str, request: Request) -> list[str]:
    """What a request has for a condition key; names know no case, but those of tags."""
    for key, values in request.keys.items():
        family, _, tag = key.partition("/")
        if name.partition("/")[0].lower() == family.lower():
            if name.partition("/")[2] == tag:
                return values
    return []


def glob(pattern: list[str], text: str) -> bool:
    """Whether a pattern is a text: a table of which beginnings of one are which of the other."""
    row = [True] + [False] * len(text)
    for token in pattern:
        after = [False] * (len(text) + 1)
        for place in range(len(text) + 1):
            if token == "**":
                after[place] = row[place] or (place > 0 and after[place - 1])
            elif place > 0 and token in ("??", text[place - 1]):
                after[place] = row[place - 1]
        row = after
    return row[-1]


def condition_holds(
    operator: str,
    key: str,
    wanted: list[Any],
    request: Request,
    variables: bool,
    allows: bool,
) -> bool:
    """Whether a request meets a condition."""
    texts = [str(w).lower() if isinstance(w, bool) else str(w) for w in wanted]
    found = values_of(key, request)
    if operator == "Null":
        return any((text.lower() == "true") == (not found) for text in texts)
    for_all = operator.startswith("ForAllValues:")
    for_any = operator.startswith("ForAnyValue:")
    operator = operator.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    negated = "Not" in operator
    operator = operator.replace("Not", "", 1)
    if not found:
        return if_exists or for_all or (negated and not for_any)

    def meant(value: str) -> bool:
        hits = []
        for text in texts:
            try:
                hits.append(compare(operator, text, value, request, variables, key))
            except NoValue:
                if negated and allows:
                    raise
        return any(hits)

    hits = [meant(value) for value in found]
    if negated:
        hits = [not hit for hit in hits]
    if for_all:
        return all(hits)
    if for_any:
        return any(hits)
    return all(hits) if negated else any(hits)


def compare(
    operator: str,
    wanted: str,
    value: str,
    request: Request,
    variables: bool,
    key: str,
) -> bool:
    """Whether one value of a request is one that is wanted."""
    if operator.startswith(("String", "Arn")):
        if key.lower() == "aws:principalarn":
            value = re.sub(r"::\d{12}:", ":::", value)
            wanted = re.sub(r"::\d{12}:", ":::", wanted)
        wild = operator not in ("StringEquals", "StringEqualsIgnoreCase")
        read = tokens(wanted, request if variables else None, wild)
        if operator == "StringEquals":
            return "".join(read) == value
        if operator == "StringEqualsIgnoreCase":
            return "".join(read).casefold() == value.casefold()
        if operator == "StringLike":
            return glob(read, value)
        return arn_matches(read, value)
    if operator == "IpAddress":
        network = ipaddress.ip_network(wanted, False)
        if network.version == 6 and network.prefixlen >= 96:
            old = network.network_address.ipv4_mapped
            if old is not None:
                network = ipaddress.ip_network((int(old), network.prefixlen - 96))
        try:
            return ipaddress.ip_address(value) in network
        except ValueError:
            return False
    if operator.startswith("Numeric"):
        return ordered(operator[7:], fractions.Fraction, value, wanted)
    if operator.startswith("Date"):
        return ordered(operator[4:], moment, value, wanted)
    if operator == "Bool":
        return value.lower() == wanted.lower()
    assert operator == "BinaryEquals"
    try:
        found = base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return found == base64.b64decode(wanted)


def arn_matches(pattern: list[str], arn: str) -> bool:
    """Part by part, of six."""
    if pattern == ["**"]:
        return True
    parts: list[list[str]] = [[]]
    for token in pattern:
        if token == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(token)
    split = arn.split(":", 5)
    return len(split) == len(parts) and all(map(glob, parts, split))


def ordered(comparison: str, read: Any, value: str, wanted: str) -> bool:
    """Compare what can be read."""
    try:
        found = read(value)
    except ValueError:
        return False
    limit = read(wanted)
    return {
        "Equals": found == limit,
        "LessThan": found < limit,
        "LessThanEquals": found <= limit,
        "GreaterThan": found > limit,
        "GreaterThanEquals": found >= limit,
    }[comparison]


def moment(text: str) -> fractions.Fraction:
    """A time, in seconds since 1970."""
    if re.match(r"^[+-]?[0-9.]+$", text):
        return fractions.Fraction(text)
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.UTC)
    return fractions.Fraction(when.timestamp())
