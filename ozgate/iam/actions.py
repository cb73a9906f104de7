"""The table: the actions of IAM and STS that there are, one row each. Any other is answered as AWS answers what it does not know.

A test holds it against botocore's models: names, parameters, and whether there is a result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..s3.row import Gate
from .perform import (
    accesskeys,
    groups,
    holding,
    never,
    policies,
    sessions,
    users,
    webidentity,
)
from .row import Row, Service
from .shown import PAGES

if TYPE_CHECKING:
    from .answers import Value
    from .asked import QueryCall

STS: Final = Service.STS
FILTERED: Final = f"PathPrefix {PAGES}"


def act(
    name: str,
    perform: Callable[[QueryCall], Awaitable[Mapping[str, Value]]],
    on: str | None,
    takes: str,
    *,
    silent: bool = False,
    changes: bool = False,
    service: Service = Service.IAM,
    gate: Gate = Gate.SIGNED,
) -> Row:
    """Write a row; see :class:`Row`.

    :param takes: the parameters that it takes, with blanks between.
    :param silent: whether its answer has no result.
    """
    return Row(
        name,
        service,
        perform,
        frozenset(takes.split()),
        on,
        not silent,
        changes,
        gate,
    )


# fmt: off
_ROWS: Final = (
    # STS
    act("GetCallerIdentity", sessions.get_caller_identity, None, "", service=STS),
    act("GetSessionToken", sessions.get_session_token, None, "DurationSeconds", service=STS),
    act("AssumeRole", sessions.assume_role, None, "RoleArn RoleSessionName Policy DurationSeconds", service=STS),
    act("AssumeRoleWithWebIdentity", webidentity.assume_role_with_web_identity, None,
        "RoleArn RoleSessionName WebIdentityToken Policy DurationSeconds", service=STS, gate=Gate.TOKEN),
    # Users
    act("CreateUser", users.create_user, "user", "UserName Path Tags", changes=True),
    act("GetUser", users.get_user, "user", "UserName"),
    act("ListUsers", users.list_users, "", FILTERED),
    act("UpdateUser", users.update_user, "user", "UserName NewUserName NewPath", silent=True),
    act("DeleteUser", users.delete_user, "user", "UserName", silent=True),
    act("TagUser", users.tag_user, "user", "UserName Tags", silent=True, changes=True),
    act("UntagUser", users.untag_user, "user", "UserName TagKeys", silent=True),
    act("ListUserTags", users.list_user_tags, "user", f"UserName {PAGES}"),
    # Keys
    act("CreateAccessKey", accesskeys.create_access_key, "user", "UserName", changes=True),
    act("ListAccessKeys", accesskeys.list_access_keys, "user", f"UserName {PAGES}"),
    act("UpdateAccessKey", accesskeys.update_access_key, "user", "UserName AccessKeyId Status", silent=True),
    act("DeleteAccessKey", accesskeys.delete_access_key, "user", "UserName AccessKeyId", silent=True),
    act("GetAccessKeyLastUsed", accesskeys.get_access_key_last_used, "", "AccessKeyId"),
    # Groups
    act("CreateGroup", groups.create_group, "group", "GroupName Path", changes=True),
    act("GetGroup", groups.get_group, "group", f"GroupName {PAGES}"),
    act("ListGroups", groups.list_groups, "", FILTERED),
    act("UpdateGroup", groups.update_group, "group", "GroupName NewGroupName NewPath", silent=True),
    act("DeleteGroup", groups.delete_group, "group", "GroupName", silent=True),
    act("AddUserToGroup", groups.add_user_to_group, "group", "GroupName UserName", silent=True, changes=True),
    act("RemoveUserFromGroup", groups.remove_user_from_group, "group", "GroupName UserName", silent=True),
    act("ListGroupsForUser", groups.list_groups_for_user, "user", f"UserName {PAGES}"),
    # Policies with a name
    act("CreatePolicy", policies.create_policy, "policy", "PolicyName Path PolicyDocument Description Tags", changes=True),
    act("GetPolicy", policies.get_policy, "policy", "PolicyArn"),
    act("ListPolicies", policies.list_policies, "", f"Scope OnlyAttached PolicyUsageFilter {FILTERED}"),
    act("DeletePolicy", policies.delete_policy, "policy", "PolicyArn", silent=True),
    act("CreatePolicyVersion", policies.create_policy_version, "policy", "PolicyArn PolicyDocument SetAsDefault", changes=True),
    act("GetPolicyVersion", policies.get_policy_version, "policy", "PolicyArn VersionId"),
    act("ListPolicyVersions", policies.list_policy_versions, "policy", f"PolicyArn {PAGES}"),
    act("DeletePolicyVersion", policies.delete_policy_version, "policy", "PolicyArn VersionId", silent=True),
    act("SetDefaultPolicyVersion", policies.set_default_policy_version, "policy", "PolicyArn VersionId", silent=True),
    act("TagPolicy", policies.tag_policy, "policy", "PolicyArn Tags", silent=True, changes=True),
    act("UntagPolicy", policies.untag_policy, "policy", "PolicyArn TagKeys", silent=True),
    act("ListPolicyTags", policies.list_policy_tags, "policy", f"PolicyArn {PAGES}"),
    act("ListEntitiesForPolicy", policies.list_entities_for_policy, "policy",
        f"PolicyArn EntityFilter PolicyUsageFilter {FILTERED}"),
    # Policies of users and groups
    act("AttachUserPolicy", holding.attach_user_policy, "user", "UserName PolicyArn", silent=True, changes=True),
    act("DetachUserPolicy", holding.detach_user_policy, "user", "UserName PolicyArn", silent=True),
    act("ListAttachedUserPolicies", holding.list_attached_user_policies, "user", f"UserName {FILTERED}"),
    act("PutUserPolicy", holding.put_user_policy, "user", "UserName PolicyName PolicyDocument", silent=True, changes=True),
    act("GetUserPolicy", holding.get_user_policy, "user", "UserName PolicyName"),
    act("DeleteUserPolicy", holding.delete_user_policy, "user", "UserName PolicyName", silent=True),
    act("ListUserPolicies", holding.list_user_policies, "user", f"UserName {PAGES}"),
    act("AttachGroupPolicy", holding.attach_group_policy, "group", "GroupName PolicyArn", silent=True, changes=True),
    act("DetachGroupPolicy", holding.detach_group_policy, "group", "GroupName PolicyArn", silent=True),
    act("ListAttachedGroupPolicies", holding.list_attached_group_policies, "group", f"GroupName {FILTERED}"),
    act("PutGroupPolicy", holding.put_group_policy, "group", "GroupName PolicyName PolicyDocument", silent=True, changes=True),
    act("GetGroupPolicy", holding.get_group_policy, "group", "GroupName PolicyName"),
    act("DeleteGroupPolicy", holding.delete_group_policy, "group", "GroupName PolicyName", silent=True),
    act("ListGroupPolicies", holding.list_group_policies, "group", f"GroupName {PAGES}"),
    # What nobody has
    act("ListMFADevices", never.none_of("MFADevices"), "user", f"UserName {PAGES}"),
    act("ListSSHPublicKeys", never.none_of("SSHPublicKeys"), "user", f"UserName {PAGES}"),
    act("ListSigningCertificates", never.none_of("Certificates"), "user", f"UserName {PAGES}"),
    act("ListServiceSpecificCredentials", never.none_of("ServiceSpecificCredentials"), "user",
        f"UserName ServiceName AllUsers {PAGES}"),
    act("ListVirtualMFADevices", never.none_of("VirtualMFADevices"), "", f"AssignmentStatus {PAGES}"),
    act("ListAccountAliases", never.none_of("AccountAliases"), "", PAGES),
    act("ListRoles", never.none_of("Roles"), "", FILTERED),
    act("GetLoginProfile", never.login_profile, "user", "UserName"),
    act("DeleteLoginProfile", never.login_profile, "user", "UserName", silent=True),
    act("GetRole", never.role, "", "RoleName"),
)
# fmt: on

ACTIONS: Final[Mapping[tuple[Service, str], Row]] = {
    (row.service, row.name): row for row in _ROWS
}
"""Each row by its service and name."""
