"""What a policy is made of: statements, the resources and the conditions of each, compiled for being asked often.

Source: IAM User Guide, "IAM JSON policy elements", "Condition operators", "Single-valued vs. multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from attrs import evolve

from ...immutable import frozen
from .operators import Operator, Test
from .patterns import Patterns, match_one
from .principals import PRINCIPAL_ARN, Principals, Who, without_account
from .wildcards import Part, filled

__all__ = ["Condition", "Effect", "Query", "Resources", "Statement", "joined"]


class Effect(Enum):
    """What a statement does where it applies."""

    ALLOW = "Allow"
    DENY = "Deny"


@frozen(eq=False)
class Query:
    """What is asked of a policy.

    :ivar action: such as ``s3:GetObject``.
    :ivar resource: such as ``arn:aws:s3:::bucket/key``; for ``s3:ListAllMyBuckets``, ``arn:aws:s3:::*``, which a policy names by ``*``, too.
    :ivar key: what the request has for a condition key: its values, in order, or ``None``. Names are in lower case up to the first slash, and
        as the policy has them behind it: ``s3:prefix``, ``s3:existingobjecttag/Project``. It is called for those alone that a statement
        asks for which is about the principal, action and resource. Dates are ISO 8601's or seconds since 1970, booleans ``true`` and ``false``.
    """

    who: Who
    action: str
    resource: str
    key: Callable[[str], Sequence[str] | None]


@frozen(eq=False)
class Resources:
    """The element ``Resource`` or ``NotResource``.

    :ivar negated: it is ``NotResource``.
    :ivar fixed: those without policy variables.
    :ivar templates: those with policy variables.
    :ivar strict: where a variable has no value, nothing is another resource: of ``NotResource`` in a statement that allows.
    :ivar plain: those that are meant, where that does not hang on the request; ``None`` where :meth:`hold` has to be asked.
    """

    negated: bool
    fixed: Patterns
    templates: tuple[tuple[Part, ...], ...]
    strict: bool
    plain: Patterns | None

    def hold(self, query: Query) -> bool:
        """Whether the resource is meant."""
        resource = query.resource
        found = self.fixed.match(resource)
        if not found:
            for template in self.templates:
                parts = filled(template, query.key)
                if parts is None:
                    if self.strict:
                        return False
                elif match_one(parts, resource):
                    found = True
                    break
        return found is not self.negated


@frozen(eq=False)
class Condition:
    """One condition key under one operator.

    :ivar key: as it is looked up.
    :ivar name: the operator as it is written.
    :ivar values: as they are written.
    :ivar negated: the operator is.
    :ivar is_simple: a value of the request is held against :attr:`test` alone, as it is.
    :ivar every: ``ForAllValues``: each value of the request has to do; ``None``: neither that nor ``ForAnyValue`` is written.
    :ivar missing: whether it holds where the request has nothing for the key.
    :ivar test: of the values that do not hang on the request.
    :ivar templates: those that do.
    :ivar strict: where a variable has no value, it does not hold: negated, in a statement that allows.
    """

    key: str
    name: str
    values: tuple[str, ...]
    operator: Operator
    negated: bool
    is_simple: bool
    every: bool | None
    missing: bool
    test: Test
    templates: tuple[tuple[Part, ...], ...]
    strict: bool

    @property
    def said(self) -> object:
        """What two conditions of one policy have alike that say the same."""
        return self.name, self.key, self.values, self.strict

    def holds(self, query: Query) -> bool:
        """Whether the request meets it."""
        found = query.key(self.key)
        if not found:
            return self.missing
        if self.is_simple and len(found) == 1:
            return self.test(found[0]) is not self.negated
        return self._hold(query, found)

    def _hold(self, query: Query, found: Sequence[str]) -> bool:
        """Whether values of the request meet it."""
        if self.key == PRINCIPAL_ARN:
            found = [without_account(value) for value in found]
        negated = self.negated
        tests = [self.test]
        for template in self.templates:
            parts = filled(template, query.key)
            if parts is not None:
                tests.append(self.operator.make([parts]))
            elif self.strict:
                return False
        # Several values and no quantifier: what is negated holds where no value is meant.
        every = negated if self.every is None else self.every
        for value in found:
            meant = any(test(value) for test in tests)
            if (meant is not negated) is not every:
                return not every
        return every


@frozen(eq=False)
class Presence:
    """The operator ``Null``.

    :ivar wanted: ``True`` is in it where the key may be missing, ``False`` where it may be there.
    """

    key: str
    wanted: frozenset[bool]

    @property
    def said(self) -> object:
        """See :attr:`Condition.said`."""
        return self.key, self.wanted

    def holds(self, query: Query) -> bool:
        """Whether the request meets it."""
        return (not query.key(self.key)) in self.wanted


@frozen(eq=False)
class Statement:
    """One statement.

    :ivar sid: its id, ``""`` where it has none.
    :ivar principals: ``None`` in the policy of an identity, which is about whoever has it.
    :ivar but: ``principals`` are those that it spares: ``NotPrincipal``.
    :ivar actions: patterns in lower case.
    :ivar other_actions: they are those that it is not about: ``NotAction``.
    """

    sid: str
    effect: Effect
    principals: Principals | None
    but: bool
    actions: Patterns
    other_actions: bool
    resources: Resources
    conditions: tuple[Condition | Presence, ...]

    def is_about(self, action: str) -> bool:
        """Whether it speaks of an action."""
        return self.actions.match(action.lower()) is not self.other_actions

    @property
    def but_for_resources(self) -> object:
        """What two statements about an action have alike that differ in their resources at most; those of one that cannot be joined count."""
        conditions = tuple([each.said for each in self.conditions])
        own = self.resources if self.resources.plain is None else None
        return self.effect, self.principals, self.but, conditions, own

    def means(self, who: Who) -> bool:
        """Whether it is about somebody."""
        principals = self.principals
        if principals is None:
            return True
        if self.but:
            return not principals.name(who)
        if self.effect is Effect.ALLOW:
            return principals.name(who)
        return principals.reach(who)


def joined(alike: Sequence[Statement]) -> Statement:
    """Statements that differ in their resources alone, as one that is about all of these."""
    first, *others = alike
    if not others:
        return first
    fixed = Patterns(parts for each in alike for parts in each.resources.fixed.patterns)
    return evolve(first, resources=evolve(first.resources, fixed=fixed, plain=fixed))
