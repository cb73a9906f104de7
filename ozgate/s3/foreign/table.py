"""Which operations are built for buckets of another system: the column ``foreign`` of the table of operations.

What reads a configuration that can have no place there says what AWS says of a bucket that has none, for clients look before they do anything else. What would put
one is not there: 501.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..perform import (
    acceleration,
    bucketpolicy,
    buckettags,
    configuration,
    cors,
    locking,
    ownershipcontrols,
    payment,
    publicaccess,
    versioning,
    website,
)
from . import (
    buckets,
    copies,
    forms,
    listings,
    reads,
    removals,
    traits,
    uploads,
    writes,
)
from .plain import as_plain

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply

FOREIGN: Final[Mapping[str, Callable[[Call], Awaitable[Reply]]]] = {
    "ListBuckets": buckets.list_buckets,
    "CreateBucket": buckets.create_bucket,
    "HeadBucket": buckets.head_bucket,
    "DeleteBucket": buckets.delete_bucket,
    "GetBucketLocation": buckets.get_bucket_location,
    "ListObjects": listings.list_objects,
    "ListObjectsV2": listings.list_objects_v2,
    "ListObjectVersions": listings.list_object_versions,
    "GetBucketAcl": buckets.get_bucket_acl,
    "GetObject": reads.get_object,
    "HeadObject": reads.head_object,
    "PutObject": writes.put_object,
    "DeleteObject": removals.delete_object,
    "DeleteObjects": removals.delete_objects,
    "CopyObject": copies.copy_object,
    "PostObject": forms.post_object,
    "GetObjectAcl": traits.get_object_acl,
    "GetObjectAttributes": traits.get_object_attributes,
    "GetObjectTagging": traits.get_object_tagging,
    "PutObjectTagging": traits.put_object_tagging,
    "DeleteObjectTagging": traits.delete_object_tagging,
    "CreateMultipartUpload": uploads.create_multipart_upload,
    "UploadPart": uploads.upload_part,
    "UploadPartCopy": copies.upload_part_copy,
    "CompleteMultipartUpload": uploads.complete_multipart_upload,
    "AbortMultipartUpload": uploads.abort_multipart_upload,
    "ListParts": uploads.list_parts,
    "ListMultipartUploads": uploads.list_multipart_uploads,
    # What has no place there
    **{
        name: as_plain(perform)
        for name, perform in {
            "GetBucketAccelerateConfiguration": acceleration.get_bucket_accelerate_configuration,
            "GetBucketAnalyticsConfiguration": configuration.get_bucket_analytics_configuration,
            "GetBucketCors": cors.get_bucket_cors,
            "GetBucketEncryption": configuration.get_bucket_encryption,
            "GetBucketIntelligentTieringConfiguration": configuration.get_bucket_intelligent_tiering_configuration,
            "GetBucketInventoryConfiguration": configuration.get_bucket_inventory_configuration,
            "GetBucketLifecycleConfiguration": configuration.get_bucket_lifecycle_configuration,
            "GetBucketLogging": configuration.get_bucket_logging,
            "GetBucketMetricsConfiguration": configuration.get_bucket_metrics_configuration,
            "GetBucketNotificationConfiguration": configuration.get_bucket_notification_configuration,
            "GetBucketOwnershipControls": ownershipcontrols.get_bucket_ownership_controls,
            "GetBucketPolicy": bucketpolicy.get_bucket_policy,
            "GetBucketPolicyStatus": bucketpolicy.get_bucket_policy_status,
            "GetBucketReplication": configuration.get_bucket_replication,
            "GetBucketRequestPayment": payment.get_bucket_request_payment,
            "GetBucketTagging": buckettags.get_bucket_tagging,
            "GetBucketVersioning": versioning.get_bucket_versioning,
            "GetBucketWebsite": website.get_bucket_website,
            "GetObjectLegalHold": locking.get_object_legal_hold,
            "GetObjectLockConfiguration": locking.get_object_lock_configuration,
            "GetObjectRetention": locking.get_object_retention,
            "GetPublicAccessBlock": publicaccess.get_public_access_block,
            "ListBucketAnalyticsConfigurations": configuration.list_bucket_analytics_configurations,
            "ListBucketIntelligentTieringConfigurations": configuration.list_bucket_intelligent_tiering_configurations,
            "ListBucketInventoryConfigurations": configuration.list_bucket_inventory_configurations,
            "ListBucketMetricsConfigurations": configuration.list_bucket_metrics_configurations,
        }.items()
    },
}
"""Name of an operation → what does it there."""
