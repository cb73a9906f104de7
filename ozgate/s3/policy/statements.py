"""Documents of policies, read strictly.

Where something is wrong, the first thing that is names the reason, in AWS's words: S3's for a bucket's policy, IAM's for an identity's.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; S3 User Guide, "Bucket policies for Amazon S3" (20 KB); the reasons are
those that S3 and IAM answer, as their users quote them in public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .actions import ACTIONS, BUCKET, OBJECT, matching
from .conditions import read_conditions
from .elements import Condition, Effect, Presence, Resources, Statement
from .malformed import Malformed
from .patterns import Patterns, may_be, may_begin
from .principals import Principals, read_principals
from .strictjson import BROKEN, NOT_JSON, parsed
from .wildcards import Part, Wild, has_variable, read

__all__ = ["read_document"]

_SYNTAX = "Invalid policy syntax."
_NO_RESOURCE = "Policy has invalid resource"
_NO_ACTION = "Policy has invalid action"
_MISMATCH = "Action does not apply to any resource(s) in statement"
_PREFIX = "arn:aws:s3:::"

_IAMS = {
    NOT_JSON: BROKEN,
    BROKEN: BROKEN,
    _NO_ACTION: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    "Policy has an invalid condition key": "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    "Missing required field Action": "Policy statement must contain actions.",
    "Missing required field Resource": "Policy statement must contain resources.",
}
"""What IAM says where S3 has other words; of all else it says that the syntax is wrong."""

_VERSIONS = {"2008-10-17": False, "2012-10-17": True}
"""The language's versions, and whether each has policy variables."""


Read = tuple[Statement, frozenset[str]]
"""A statement, and the actions of :data:`.actions.ACTIONS` that it is about."""


def read_document(document: bytes, bucket: str | None) -> tuple[Read, ...]:
    """Read the policy of a bucket or an identity.

    :param bucket: the one whose policy it is; ``None``: an identity's.
    :return: its statements, as they are written, each with its actions.
    :raises Malformed: it is none.
    """
    if bucket is not None:
        return _read(document, bucket)
    try:
        return _read(document, None)
    except _Iams:
        raise
    except Malformed as error:
        reason = _IAMS.get(error.reason, "Syntax errors in policy.")
        raise Malformed(reason) from None


class _Iams(Malformed):
    """Said by IAM alone."""


def _read(document: bytes, bucket: str | None) -> tuple[Read, ...]:
    members = parsed(document)
    _only(members, ("Version", "Id", "Statement"))
    version = members.get("Version", "2008-10-17")
    if type(version) is not str or version not in _VERSIONS:
        raise Malformed("The policy must contain a valid version string")
    if type(members.get("Id", "")) is not str:
        raise Malformed(_SYNTAX)
    if "Statement" not in members:
        raise Malformed("Missing required field Statement")
    listed = members["Statement"]
    listed = listed if isinstance(listed, list) else [listed]
    if not listed:
        raise Malformed("Could not parse the policy: Statement is empty!")
    room = _Room()
    statements = tuple(
        _Statement(each, bucket, _VERSIONS[version], room).read() for each in listed
    )
    ids = [each.sid for each, _ in statements if each.sid]
    if len(set(ids)) != len(ids):
        raise _Iams("Statement IDs (SID) in a single policy must be unique.")
    return statements


def _only(members: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in members:
        if name not in known:
            raise Malformed(f"Unknown field {name[:100]}")


class _Room:
    """How many more wildcards a document may have of those that take long: AWS names no such bound, and nobody gets near these."""

    def __init__(self) -> None:
        self.actions = 500
        self.costly = 20

    def take_actions(self, patterns: list[str]) -> None:
        """Count patterns of actions: each is held against all that there are."""
        self.actions -= sum("*" in each or "?" in each for each in patterns)
        self._take(sum("?" in each for each in patterns))

    def take_templates(self, templates: Iterable[tuple[Part, ...]]) -> None:
        """Count patterns with variables: their automaton is made anew for each request."""
        self._take(sum(Wild.ONE in parts for parts in templates))

    def _take(self, costly: int) -> None:
        self.costly -= costly
        if self.actions < 0 or self.costly < 0:
            raise Malformed("Policy has too many wildcards")


class _Statement:
    """A statement while it is read."""

    def __init__(
        self, members: Any, bucket: str | None, variables: bool, room: _Room
    ) -> None:
        if not isinstance(members, dict):
            raise Malformed(_SYNTAX)
        self.members = members
        self.bucket = bucket
        self.variables = variables
        self.room = room

    def read(self) -> Read:
        """All of it."""
        members = self.members
        _only(members, _ELEMENTS)
        sid = members.get("Sid", "")
        if type(sid) is not str:
            raise Malformed(_SYNTAX)
        effect = self._effect()
        principals, but = self._principals(effect)
        patterns, other_actions = self._strings("Action")
        self._check_actions(patterns)
        written, other_resources = self._strings("Resource")
        resources = [self._resource(text) for text in written]
        self.room.take_templates(each for each in resources if has_variable(each))
        meant = [matching(each) for each in patterns]
        about = frozenset().union(*meant)
        if self.bucket is not None and not other_actions and not other_resources:
            self._check_applicable(meant, resources)
        conditions = self._conditions(effect, None if other_actions else meant)
        statement = Statement(
            sid=sid,
            effect=effect,
            principals=principals,
            but=but,
            actions=Patterns(
                read(each.lower(), wild=True, variables=False) for each in patterns
            ),
            other_actions=other_actions,
            resources=_compiled(resources, other_resources, effect),
            conditions=conditions,
        )
        return statement, frozenset(ACTIONS) - about if other_actions else about

    def _effect(self) -> Effect:
        written = self.members.get("Effect")
        if written is None:
            raise Malformed("Missing required field Effect")
        if type(written) is not str:
            raise Malformed(_SYNTAX)
        if written not in ("Allow", "Deny"):
            raise Malformed(f"Invalid effect: {written[:100]}")
        return Effect(written)

    def _one_of(self, name: str) -> tuple[Any, bool]:
        """An element or its opposite, and whether it is that."""
        found = [each for each in (name, f"Not{name}") if each in self.members]
        if not found:
            raise Malformed(f"Missing required field {name}")
        if len(found) > 1:
            raise Malformed(_SYNTAX)
        return self.members[found[0]], found[0] != name

    def _principals(self, effect: Effect) -> tuple[Principals | None, bool]:
        if self.bucket is None:
            if "Principal" in self.members or "NotPrincipal" in self.members:
                raise _Iams("Policy document should not specify a principal.")
            return None, False
        written, but = self._one_of("Principal")
        principals = read_principals(written)
        if but and effect is Effect.ALLOW:
            # "You must use the NotPrincipal element with "Effect":"Deny"."
            raise Malformed("Invalid principal in policy")
        return principals, but

    def _strings(self, name: str) -> tuple[list[str], bool]:
        written, other = self._one_of(name)
        listed = written if isinstance(written, list) else [written]
        if not listed:
            raise Malformed(f"Missing required field {name}")
        if not all(type(each) is str for each in listed):
            raise Malformed(_SYNTAX)
        return listed, other

    def _check_actions(self, patterns: list[str]) -> None:
        self.room.take_actions(patterns)
        for pattern in patterns:
            vendor, colon, name = pattern.partition(":")
            if pattern == "*":
                continue
            if not vendor or not colon or not name or ":" in name:
                raise Malformed(_NO_ACTION)
            if self.bucket is not None and not _in_a_bucket(pattern):
                raise Malformed(_NO_ACTION)

    def _resource(self, text: str) -> tuple[Part, ...]:
        try:
            parts = read(text, wild=True, variables=self.variables)
        except ValueError:
            raise Malformed(_NO_RESOURCE) from None
        if self.bucket is None:
            if text != "*" and not (text.startswith("arn:") and text.count(":") >= 5):
                raise _Iams(f'Resource {text[:100]} must be in ARN format or "*".')
        elif not text.startswith(_PREFIX) or not _kinds(parts, self.bucket):
            raise Malformed(_NO_RESOURCE)
        return parts

    def _check_applicable(
        self, meant: list[frozenset[str]], resources: list[tuple[Part, ...]]
    ) -> None:
        bucket = self.bucket or ""
        kinds = {kind for parts in resources for kind in _kinds(parts, bucket)}
        for actions in meant:
            if not any(ACTIONS[action] in kinds for action in actions):
                raise Malformed(_MISMATCH)

    def _conditions(
        self, effect: Effect, meant: list[frozenset[str]] | None
    ) -> tuple[Condition | Presence, ...]:
        written = self.members.get("Condition", {})
        if not isinstance(written, dict):
            raise Malformed(_SYNTAX)
        about = meant if self.bucket is not None else None
        conditions = read_conditions(written, effect, about, self.variables)
        for each in conditions:
            if isinstance(each, Condition):
                self.room.take_templates(each.templates)
        return conditions


_OBJECTS = frozenset((OBJECT,))
_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
)


def _in_a_bucket(pattern: str) -> bool:
    return any(action.startswith("s3:") for action in matching(pattern))


def _kinds(parts: tuple[Part, ...], bucket: str) -> frozenset[str]:
    """What of a bucket a pattern may mean: it, its objects, or nothing."""
    first = parts[0]
    if isinstance(first, str) and first.startswith(f"{_PREFIX}{bucket}/"):
        return _OBJECTS
    kinds = set()
    if may_be(parts, f"{_PREFIX}{bucket}"):
        kinds.add(BUCKET)
    if may_begin(parts, f"{_PREFIX}{bucket}/"):
        kinds.add(OBJECT)
    return frozenset(kinds)


def _compiled(
    resources: list[tuple[Part, ...]], negated: bool, effect: Effect
) -> Resources:
    templates = tuple(parts for parts in resources if has_variable(parts))
    fixed = Patterns(parts for parts in resources if not has_variable(parts))
    return Resources(
        negated=negated,
        fixed=fixed,
        templates=templates,
        strict=negated and effect is Effect.ALLOW,
        plain=None if negated or templates else fixed,
    )
