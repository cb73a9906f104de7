"""What a caller may do to volumes and buckets: Ozone's rights, asked of the evaluator that S3 asks."""

from __future__ import annotations

from ...s3.policy.evaluator import may, may_remove
from ...values import Bucket, Principal, Volume
from ..caller import Caller
from ..errors import access_denied


def principal_of(caller: Caller) -> Principal:
    """The caller, as the evaluator knows people.

    :raises AdminError: who calls is not known, or may be taken for another.
    """
    if not caller.user:
        raise access_denied("who asks is not known")
    if caller.is_namesake and not caller.is_admin:
        raise access_denied(
            f"{caller.user} is the name of the configured access key, too, and what belongs to that is not this user's"
        )
    return Principal(
        caller.user,
        is_admin=caller.is_admin,
        short_name=caller.short_name,
        groups=caller.groups,
    )


def authorize_caller(principal: Principal, right: str, thing: Bucket | Volume) -> None:
    """Make sure that somebody has a right on something; a part of interactions.

    :raises AdminError: ``PERMISSION_DENIED``.
    """
    if not may(principal, right, thing):
        kind = "bucket" if isinstance(thing, Bucket) else "volume"
        raise access_denied(
            f"User {principal.user} doesn't have {right} permission to access {kind} {thing.name}"
        )


def authorize_caller_to_remove(
    principal: Principal, bucket: Bucket, volume: Volume
) -> None:
    """Make sure that somebody may remove a bucket or link of a volume; a part of interactions.

    :raises AdminError: ``PERMISSION_DENIED``.
    """
    if not may_remove(principal, bucket, volume):
        raise access_denied(
            f"User {principal.user} doesn't have DELETE permission to access bucket {bucket.name}, or WRITE permission to access volume {volume.name}"
        )
