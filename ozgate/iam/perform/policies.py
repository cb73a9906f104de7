"""Actions of IAM on policies that have a name. Of each there is one version, the newest. Source: IAM API Reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...auth.identities import policies
from ...auth.identities.canned import CANNED
from ...auth.identities.groups import all_groups, find_group
from ...auth.identities.users import all_users, find_user
from ...errors.iam import (
    DeleteConflict,
    NoSuchEntity,
    NotImplemented,
    ValidationError,
)
from ..arns import policy_name
from ..shown import (
    check_path,
    is_listed,
    page_of,
    read_document,
    read_tags,
    shown_policy,
    shown_tags,
    shown_version,
    version_id,
)

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Group, ManagedPolicy, User
    from ..answers import Value
    from ..asked import QueryCall

_SCOPES = {"All": (True, True), "AWS": (True, False), "Local": (False, True)}
"""Whether canned policies are listed, and whether those that were made."""


def _counted(tx: IMetadataTransaction, name: str) -> tuple[ManagedPolicy, int]:
    """A policy, and to how many it is attached."""
    policy, holders = policies.find_policy(tx, name), policies.holders_of(tx, name)
    return policy, len(holders.users) + len(holders.groups)


def _all_counted(
    tx: IMetadataTransaction, canned: bool, made: bool
) -> Sequence[tuple[ManagedPolicy, int]]:
    """Policies by name, and to how many each is attached."""
    found = [policies.find_policy(tx, name) for name in CANNED] if canned else []
    if made:
        found += policies.all_policies(tx)
    counts = dict.fromkeys((policy.name for policy in found), 0)
    attached = [user.policies for user in all_users(tx)]
    attached += [group.policies for group in all_groups(tx)]
    for names in attached:
        for name in names & counts.keys():
            counts[name] += 1
    found.sort(key=lambda policy: policy.name)
    return [(policy, counts[policy.name]) for policy in found]


def _holders(
    tx: IMetadataTransaction, name: str
) -> tuple[Sequence[User], Sequence[Group]]:
    policies.find_policy(tx, name)
    found = policies.holders_of(tx, name)
    users = [find_user(tx, each) for each in found.users]
    return users, [find_group(tx, each) for each in found.groups]


def _named(call: QueryCall) -> str:
    return policy_name(call.form.text("PolicyArn", 20, 2048))


async def _version(call: QueryCall) -> ManagedPolicy:
    """The policy that is named, whose version is the one that is named.

    :raises NoSuchEntity: there is no such policy, or version.
    """
    policy = await call.read(policies.find_policy, _named(call))
    wanted = call.form.text("VersionId")
    if wanted != version_id(policy):
        raise NoSuchEntity(
            f"Policy {policy.name} version {wanted} does not exist or is not attachable."
        )
    return policy


async def create_policy(call: QueryCall) -> Mapping[str, Value]:
    """Make a policy."""
    form = call.form
    check_path(form)
    policy = await call.write(
        policies.create_policy,
        form.text("PolicyName"),
        read_document(form),
        form.text("Description", 0, 1000) if "Description" in form.names() else "",
        read_tags(form),
    )
    return {"Policy": shown_policy(policy, 0, in_full=True)}


async def get_policy(call: QueryCall) -> Mapping[str, Value]:
    """Show a policy without its document."""
    policy, attached = await call.read(_counted, _named(call))
    return {"Policy": shown_policy(policy, attached, in_full=True)}


async def list_policies(call: QueryCall) -> Mapping[str, Value]:
    """List policies, in pages."""
    form = call.form
    scope = _SCOPES.get(form.get("Scope", "All"))
    if scope is None:
        raise ValidationError("Scope is none of All, AWS and Local.")
    usage = form.get("PolicyUsageFilter", "PermissionsPolicy")
    wanted = is_listed(form) and usage == "PermissionsPolicy"
    found = await call.read(_all_counted, *scope) if wanted else []
    if form.flag("OnlyAttached"):
        found = [each for each in found if each[1]]
    page, end = page_of(form, found, lambda each: each[0].name)
    return {"Policies": [shown_policy(*each) for each in page], **end}


async def delete_policy(call: QueryCall) -> Mapping[str, Value]:
    """Remove a policy that is attached to nobody."""
    await call.write(policies.delete_policy, _named(call))
    return {}


async def get_policy_version(call: QueryCall) -> Mapping[str, Value]:
    """Show the document of a policy."""
    policy = await _version(call)
    return {"PolicyVersion": shown_version(policy, with_document=True)}


async def list_policy_versions(call: QueryCall) -> Mapping[str, Value]:
    """List the one version of a policy."""
    policy = await call.read(policies.find_policy, _named(call))
    page, end = page_of(call.form, [policy], version_id)
    return {"Versions": [shown_version(each) for each in page], **end}


async def create_policy_version(call: QueryCall) -> Mapping[str, Value]:
    """Write a policy anew. It must count at once: of what does not nothing is kept."""
    document = read_document(call.form)
    if not call.form.flag("SetAsDefault"):
        raise NotImplemented(
            "A version that is not the default one is not implemented: say SetAsDefault."
        )
    policy = await call.write(policies.replace_policy, _named(call), document)
    return {"PolicyVersion": shown_version(policy)}


async def delete_policy_version(call: QueryCall) -> Mapping[str, Value]:
    """Remove a version, which is refused: there is none but the default one."""
    await _version(call)
    raise DeleteConflict("Cannot delete the default version of a policy.")


async def set_default_policy_version(call: QueryCall) -> Mapping[str, Value]:
    """Have a version count: the one that there is does."""
    await _version(call)
    return {}


async def tag_policy(call: QueryCall) -> Mapping[str, Value]:
    """Give a policy tags."""
    await call.write(policies.tag_policy, _named(call), read_tags(call.form))
    return {}


async def untag_policy(call: QueryCall) -> Mapping[str, Value]:
    """Take tags from a policy."""
    keys = tuple(call.form.members("TagKeys"))
    await call.write(policies.untag_policy, _named(call), keys)
    return {}


async def list_policy_tags(call: QueryCall) -> Mapping[str, Value]:
    """List the tags of a policy, in pages."""
    policy = await call.read(policies.find_policy, _named(call))
    page, end = page_of(call.form, sorted(policy.tags.items()), lambda each: each[0])
    return {"Tags": shown_tags(dict(page)), **end}


async def list_entities_for_policy(call: QueryCall) -> Mapping[str, Value]:
    """List whom a policy is attached to."""
    form = call.form
    users, groups = await call.read(_holders, _named(call))
    kind = form.get("EntityFilter")
    usage = form.get("PolicyUsageFilter", "PermissionsPolicy")
    if not is_listed(form) or usage != "PermissionsPolicy":
        kind = "none"
    shown_users = [{"UserName": each.name, "UserId": each.id} for each in users]
    shown_groups = [{"GroupName": each.name, "GroupId": each.id} for each in groups]
    return {
        "PolicyGroups": shown_groups if kind in ("", "Group") else [],
        "PolicyUsers": shown_users if kind in ("", "User") else [],
        "PolicyRoles": [],
        "IsTruncated": False,
    }
