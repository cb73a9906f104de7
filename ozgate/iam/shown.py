"""Users, groups, policies and keys as IAM's answers have them, and lists in pages.

Source: IAM API Reference, "User", "Group", "Policy", "PolicyVersion", "AccessKeyMetadata"; paths are always ``/`` here.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

from ..auth.signedtimes import iso
from ..errors.iam import (
    MalformedPolicyDocument,
    NotImplemented,
    ValidationError,
)
from ..s3.policy.language import Malformed, parse_identity_policy
from .arns import arn_of

if TYPE_CHECKING:
    from ..values import Group, ManagedPolicy, Secret, User
    from .answers import Value
    from .form import Form

T = TypeVar("T")

PAGES: Final = "MaxItems Marker"
"""The parameters of every list."""


def date(ms: int) -> str:
    """A time, in milliseconds since the epoch."""
    return iso(ms // 1000)


def shown_user(user: User, *, with_tags: bool = False) -> dict[str, Value]:
    """A user."""
    shown: dict[str, Value] = {
        "Path": "/",
        "UserName": user.name,
        "UserId": user.id,
        "Arn": arn_of("user", user.name),
        "CreateDate": date(user.created),
    }
    if with_tags and user.tags:
        shown["Tags"] = shown_tags(user.tags)
    return shown


def shown_group(group: Group) -> dict[str, Value]:
    """A group."""
    return {
        "Path": "/",
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": arn_of("group", group.name),
        "CreateDate": date(group.created),
    }


def shown_policy(
    policy: ManagedPolicy, attached: int, *, in_full: bool = False
) -> dict[str, Value]:
    """A policy without its document.

    :param attached: to how many users and groups it is.
    :param in_full: with what lists leave out.
    """
    shown: dict[str, Value] = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": arn_of("policy", policy.name),
        "Path": "/",
        "DefaultVersionId": version_id(policy),
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": date(policy.created),
        "UpdateDate": date(policy.updated),
    }
    if in_full and policy.description:
        shown["Description"] = policy.description
    if in_full and policy.tags:
        shown["Tags"] = shown_tags(policy.tags)
    return shown


def version_id(policy: ManagedPolicy) -> str:
    """The id of the one version of a policy that there is."""
    return f"v{policy.version}"


def shown_version(
    policy: ManagedPolicy, *, with_document: bool = False
) -> dict[str, Value]:
    """That version."""
    shown: dict[str, Value] = {
        "VersionId": version_id(policy),
        "IsDefaultVersion": True,
        "CreateDate": date(policy.updated),
    }
    if with_document:
        shown["Document"] = shown_document(policy.document)
    return shown


def shown_key(row: Secret, now: int) -> dict[str, Value]:
    """A key, without its secret."""
    is_over = row.expires is not None and row.expires <= now
    return {
        "UserName": row.user,
        "AccessKeyId": row.access_id,
        "Status": "Inactive" if row.is_disabled or is_over else "Active",
        "CreateDate": date(row.created),
    }


def shown_tags(tags: Mapping[str, str]) -> Sequence[Mapping[str, Value]]:
    """Tags, by name."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def shown_document(document: str) -> str:
    """The document of a policy, percent-encoded (RFC 3986), as IAM shows it."""
    return quote(document, safe="")


# What requests say


def read_document(form: Form) -> str:
    """The document of a policy.

    :raises MalformedPolicyDocument: it is none.
    """
    document = form.text("PolicyDocument", 1, 131072)
    try:
        parse_identity_policy(document.encode())
    except Malformed as error:
        raise MalformedPolicyDocument(error.reason) from None
    return document


def read_tags(form: Form) -> dict[str, str]:
    """The tags that are given.

    :raises ValidationError: there are too many, or one is too long.
    """
    tags = form.pairs("Tags", "Key", "Value")
    if len(tags) > 50 or any(
        not 1 <= len(key) <= 128 or len(value) > 256 for key, value in tags.items()
    ):
        raise ValidationError(
            "Tags are 50 at most, their keys have 1 to 128 characters and their values up to 256."
        )
    return tags


def check_path(form: Form, name: str = "Path") -> None:
    """Refuse a path: there are none here, and it would be part of what something is called.

    :raises NotImplemented: there is one.
    """
    if form.get(name, "/") != "/":
        raise NotImplemented("Paths other than / are not implemented.")


def is_listed(form: Form) -> bool:
    """Whether what is to be listed has the path that everything has."""
    return form.get("PathPrefix", "/") == "/"


def page_of(
    form: Form, items: Sequence[T], name: Callable[[T], str]
) -> tuple[list[T], dict[str, Value]]:
    """A page of a list that is here as a whole.

    :param items: in the order of their names.
    :return: the page, and what the answer says besides of where the next one begins.
    """
    after, most = page_from(form)
    later = [each for each in items if name(each) > after]
    return later[:most], page_end(later, most, name)


def page_from(form: Form) -> tuple[str, int]:
    """After which name a page begins, and how many it has at most.

    :raises ValidationError: the marker is none that was given.
    """
    marker = form.get("Marker")
    most = form.number("MaxItems", 100, 1, 1000)
    try:
        return b64decode(marker.encode(), b"-_", validate=True).decode(), most
    except (BadBase64, ValueError):
        raise ValidationError("Invalid Marker.") from None


def page_end(
    later: Sequence[T], most: int, name: Callable[[T], str]
) -> dict[str, Value]:
    """What the answer says of where the next page begins.

    :param later: what the page is the beginning of: one more than it has at least, where there is one.
    """
    if len(later) <= most:
        return {"IsTruncated": False}
    marker = urlsafe_b64encode(name(later[most - 1]).encode()).decode()
    return {"IsTruncated": True, "Marker": marker}
