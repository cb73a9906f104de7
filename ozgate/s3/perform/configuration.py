"""The configuration of a bucket that has none: S3's exact "not configured" answers.

Clients and Terraform probe all of these. Each answer is given only when the bucket is there.
Source: Amazon S3 API Reference, the page of each operation, and AWS's defaults for a new bucket. One
differs on purpose: AWS shows SSE-S3 for every bucket; here nothing is encrypted, so nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ...errors import (
    NoSuchBucketPolicy,
    NoSuchConfiguration,
    NoSuchCORSConfiguration,
    NoSuchLifecycleConfiguration,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchTagSet,
    NoSuchWebsiteConfiguration,
    ObjectLockConfigurationNotFoundError,
    ReplicationConfigurationNotFoundError,
    S3Error,
    ServerSideEncryptionConfigurationNotFoundError,
)
from ...interfaces import IMetadataTransaction
from ...values import Bucket
from ..asked import Asked
from ..call import Call
from ..documents import document, element
from ..owners import canonical_id, owner_element
from ..receive import check_entry
from ..reply import Reply, xml_reply

_Perform = Callable[[Call], Awaitable[Reply]]


def _owner(tx: IMetadataTransaction, asked: Asked, bucket: Bucket) -> str:
    return bucket.owner


def _absent(error: type[S3Error]) -> _Perform:
    """An operation that answers an error about the bucket."""

    async def perform(call: Call) -> Reply:
        await call.read_authorized(check_entry)
        raise error(BucketName=call.bucket_name)

    return perform


def _shows(root: str, *children: str) -> _Perform:
    """An operation that answers a fixed document."""
    answer = document(root, *children)

    async def perform(call: Call) -> Reply:
        await call.read_authorized(check_entry)
        return xml_reply(answer)

    return perform


async def get_bucket_acl(call: Call) -> Reply:
    """Show that the owner has full control, and nobody else any."""
    owner = await call.read_authorized(_owner)
    grantee = (
        '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
        f"{element('ID', canonical_id(owner))}{element('DisplayName', owner)}</Grantee>"
    )
    grant = f"<Grant>{grantee}<Permission>FULL_CONTROL</Permission></Grant>"
    return xml_reply(
        document(
            "AccessControlPolicy",
            owner_element(owner),
            f"<AccessControlList>{grant}</AccessControlList>",
        )
    )


_NONE_LISTED = element("IsTruncated", False)
_ENFORCED = "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"

get_bucket_accelerate_configuration = _shows("AccelerateConfiguration")
get_bucket_logging = _shows("BucketLoggingStatus")
get_bucket_notification_configuration = _shows("NotificationConfiguration")
get_bucket_ownership_controls = _shows("OwnershipControls", _ENFORCED)
get_bucket_request_payment = _shows(
    "RequestPaymentConfiguration", element("Payer", "BucketOwner")
)
get_bucket_versioning = _shows("VersioningConfiguration")

get_bucket_cors = _absent(NoSuchCORSConfiguration)
get_bucket_encryption = _absent(ServerSideEncryptionConfigurationNotFoundError)
get_bucket_lifecycle_configuration = _absent(NoSuchLifecycleConfiguration)
get_bucket_policy = _absent(NoSuchBucketPolicy)
get_bucket_policy_status = _absent(NoSuchBucketPolicy)
get_bucket_replication = _absent(ReplicationConfigurationNotFoundError)
get_bucket_tagging = _absent(NoSuchTagSet)
get_bucket_website = _absent(NoSuchWebsiteConfiguration)
get_object_lock_configuration = _absent(ObjectLockConfigurationNotFoundError)
get_public_access_block = _absent(NoSuchPublicAccessBlockConfiguration)

get_bucket_analytics_configuration = _absent(NoSuchConfiguration)
get_bucket_intelligent_tiering_configuration = _absent(NoSuchConfiguration)
get_bucket_inventory_configuration = _absent(NoSuchConfiguration)
get_bucket_metrics_configuration = _absent(NoSuchConfiguration)

list_bucket_analytics_configurations = _shows(
    "ListBucketAnalyticsConfigurationResult", _NONE_LISTED
)
list_bucket_intelligent_tiering_configurations = _shows(
    "ListBucketIntelligentTieringConfigurationsOutput", _NONE_LISTED
)
list_bucket_inventory_configurations = _shows(
    "ListInventoryConfigurationsResult", _NONE_LISTED
)
list_bucket_metrics_configurations = _shows(
    "ListMetricsConfigurationsResult", _NONE_LISTED
)
