"""The element ``Condition``, read strictly.

Sources: IAM User Guide, "IAM JSON policy elements: Condition", "Condition operators", "Multivalued context keys"; Service Authorization Reference, "Condition keys for Amazon S3".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .actions import accepts
from .elements import Condition, Effect, Presence
from .malformed import Malformed
from .operators import OPERATORS, Operator, Parts, malformed
from .principals import PRINCIPAL_ARN, without_account
from .wildcards import Part, Wild, condition_key, has_variable, read

__all__ = ["read_conditions"]

_SYNTAX = "Invalid policy syntax."
_NAME = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?")


def read_conditions(
    written: Mapping[str, Any],
    effect: Effect,
    about: Sequence[frozenset[str]] | None,
    variables: bool,
) -> tuple[Condition | Presence, ...]:
    """Read the element.

    :param written: operator → condition key → value or list of values.
    :param about: of each pattern of actions of a statement of a bucket's policy, the actions that it means; ``None``: any
        condition key will do, as in an identity's.
    :param variables: whether there are policy variables.
    :raises Malformed: an operator, a key or a value is none, or a key does not come with the actions.
    """
    found: list[Condition | Presence] = []
    for name, keys in written.items():
        match = _NAME.fullmatch(name)
        if match is None or (match[2] != "Null" and match[2] not in OPERATORS):
            raise Malformed(f"Invalid Condition type : {name[:100]}")
        if match[2] == "Null" and (match[1] or match[3]):
            raise Malformed(f"Invalid Condition type : {name[:100]}")
        if not isinstance(keys, dict):
            raise Malformed(_SYNTAX)
        for key, values in keys.items():
            looked_up = condition_key(key)
            _check_key(looked_up, about)
            texts = _texts(values)
            if match[2] == "Null":
                found.append(_presence(looked_up, texts))
            else:
                found.append(_condition(match, looked_up, texts, effect, variables))
    return tuple(found)


def _check_key(key: str, about: Sequence[frozenset[str]] | None) -> None:
    vendor, colon, name = key.partition(":")
    if not vendor or not colon or not name:
        raise Malformed("Policy has an invalid condition key")
    if vendor == "aws":
        return
    accepted = accepts(key) if vendor == "s3" else None
    if about is None:
        return
    if accepted is None:
        raise Malformed("Policy has an invalid condition key")
    for actions in about:
        if accepted and accepted.isdisjoint(actions):
            raise Malformed(
                "Conditions do not apply to combination of actions and resources in statement"
            )


def _texts(values: Any) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    texts = []
    for each in listed:
        if isinstance(each, bool):
            texts.append("true" if each else "false")
        elif isinstance(each, str):
            texts.append(str(each))
        else:
            raise Malformed(_SYNTAX)
    if not texts:
        raise Malformed(_SYNTAX)
    return tuple(texts)


def _presence(key: str, texts: Iterable[str]) -> Presence:
    wanted = {text.lower() for text in texts}
    if not wanted <= {"true", "false"}:
        raise malformed("Null")
    return Presence(key, frozenset(text == "true" for text in wanted))


def _condition(
    match: re.Match[str],
    key: str,
    texts: tuple[str, ...],
    effect: Effect,
    variables: bool,
) -> Condition:
    operator: Operator = OPERATORS[match[2]]
    every = None if match[1] is None else match[1] == "ForAllValues"
    fixed: list[Parts] = []
    templates: list[tuple[Part, ...]] = []
    try:
        for text in texts:
            if key == PRINCIPAL_ARN:
                text = without_account(text)
            parts = read(
                text, wild=operator.wild, variables=variables and operator.variables
            )
            if has_variable(parts):
                templates.append(parts)
            else:
                fixed.append(tuple(p for p in parts if isinstance(p, str | Wild)))
        test = operator.make(fixed)
    except ValueError:
        raise malformed(match[2]) from None
    if every is None:
        missing = operator.negated
    else:
        missing = every
    return Condition(
        key=key,
        name=match[0],
        values=texts,
        operator=operator,
        negated=operator.negated,
        is_simple=not templates and key != PRINCIPAL_ARN,
        every=every,
        missing=missing or match[3] is not None,
        test=test,
        templates=tuple(templates),
        strict=operator.negated and effect is Effect.ALLOW,
    )
