"""Policies of buckets: PutBucketPolicy, GetBucketPolicy, DeleteBucketPolicy, GetBucketPolicyStatus.

Source: Amazon S3 API Reference, the pages of these names; Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from ...errors import AccessDenied, MalformedPolicy, NoSuchBucketPolicy
from ..configuration.bucketpolicy import KIND, policy_of
from ..configuration.publicaccess import blocks_of
from ..documents import document, element
from ..policy.decide import would_shut_out
from ..policy.language import Malformed, Policy, parse_bucket_policy
from ..policy.somebody import is_somebody
from ..receive import document as receive_document
from ..reply import Reply, xml_reply
from .configuration import keep_document, kept_document, remove

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked
    from ..call import Call

_CONFIRM: Final = "x-amz-confirm-remove-self-bucket-access"


async def put_bucket_policy(call: Call) -> Reply:
    """Have a bucket's policy be another.

    :raises MalformedPolicy: it is none, or of another bucket, or names a principal that is nobody.
    :raises AccessDenied: it is public, and the bucket blocks such; or it would keep whoever puts it, or the bucket's owner, from changing it, and
        nobody has confirmed that.
    """
    data = await receive_document(call)
    settings = call.gateway.settings
    configured = frozenset((*settings.administrators, settings.access_key)) - {""}
    await call.read_authorized(_check, data, configured)
    await call.write_whole(_put, data)
    return Reply(204)


async def get_bucket_policy(call: Call) -> Reply:
    """Show the policy, as it was put."""
    data = await call.read_authorized(kept_document, KIND)
    if data is None:
        raise NoSuchBucketPolicy(BucketName=call.bucket_name)
    return Reply(200, [("Content-Type", "application/json")], data)


async def delete_bucket_policy(call: Call) -> Reply:
    """Remove the policy; where there is none nothing happens."""
    return await remove(call, KIND)


async def get_bucket_policy_status(call: Call) -> Reply:
    """Say whether the policy is public."""
    policy = await call.read_authorized(_policy)
    if policy is None:
        raise NoSuchBucketPolicy(BucketName=call.bucket_name)
    return xml_reply(document("PolicyStatus", element("IsPublic", policy.is_public)))


def _check(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    data: bytes,
    configured: frozenset[str],
) -> None:
    """Make sure that everybody whom a policy names is somebody, apart from the write: that may take a while.

    :param configured: users whom the configuration names.
    """
    known = partial(is_somebody, tx, asked, bucket, configured)
    try:
        parse_bucket_policy(data, bucket.name).check_principals(known)
    except Malformed as error:
        raise MalformedPolicy(error.reason) from None


def _put(tx: IMetadataTransaction, asked: Asked, bucket: Bucket, data: bytes) -> None:
    try:
        policy = parse_bucket_policy(data, bucket.name)
    except Malformed as error:
        # A link leads to another bucket by now.
        raise MalformedPolicy(error.reason) from None
    if policy.is_public and blocks_of(tx, bucket, asked.is_closed).block_public_policy:
        raise AccessDenied(
            "Public policies are blocked by the BlockPublicPolicy block public access setting."
        )
    is_confirmed = (asked.headers.get(_CONFIRM) or "").lower() == "true"
    if not is_confirmed and would_shut_out(tx, asked, bucket, policy):
        raise AccessDenied(
            f"The policy would keep whoever puts it, or the bucket's owner, from changing it: the header {_CONFIRM} confirms that."
        )
    keep_document(tx, asked, bucket, KIND, data)


def _policy(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> Policy | None:
    return policy_of(tx, bucket)
