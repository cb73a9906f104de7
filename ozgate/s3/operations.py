"""The table: every operation of S3's service model, one row each.

A row says everything about an operation but its behavior; the coroutines for buckets of another system are in :mod:`ozgate.s3.foreign.table`. The router (:mod:`ozgate.s3.resolve`), the
gate, the pipeline and the audit log all read it. Rows without a coroutine answer 501
``NotImplemented``. Source: Amazon S3 API Reference, "Actions"; the actions of authorization are those of the Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3". A test
holds the table against botocore's model.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from ..wire.target import Scope
from .foreign.table import FOREIGN
from .perform import (
    acceleration,
    acls,
    bucketpolicy,
    buckets,
    buckettags,
    configuration,
    copying,
    cors,
    deleting,
    form,
    listing,
    locking,
    multipart,
    ownershipcontrols,
    payment,
    preflight,
    publicaccess,
    reading,
    tagging,
    versioning,
    website,
    writing,
)
from .row import Body, Gate, Operation

if TYPE_CHECKING:
    from .call import Call
    from .reply import Reply

__all__ = ["ALIASES", "OPERATIONS", "Body", "Gate", "Operation", "Scope"]

DELETE, GET, HEAD, OPTIONS = "DELETE", "GET", "HEAD", "OPTIONS"
POST, PUT = "POST", "PUT"
SERVICE, BUCKET, OBJECT = Scope.SERVICE, Scope.BUCKET, Scope.OBJECT
TAGS = "if-match if-none-match"
SOURCE_CONDITIONS = "x-amz-copy-source-if-match x-amz-copy-source-if-none-match x-amz-copy-source-if-modified-since x-amz-copy-source-if-unmodified-since"
DOCUMENT, STREAM = Body.DOCUMENT, Body.STREAM
PREFLIGHT = Gate.PREFLIGHT

_FOR_ANYBODY: Final = frozenset(
    """
    AbortMultipartUpload CompleteMultipartUpload DeleteObject DeleteObjects DeleteObjectTagging GetBucketAcl GetBucketCors GetBucketLocation
    GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold
    GetObjectRetention GetObjectTagging HeadBucket HeadObject ListMultipartUploads ListObjects ListObjectsV2 ListObjectVersions ListParts
    PutBucketAcl PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging UploadPart
    """.split()
)
"""What may be granted to whoever did not sign, once it is built. Copies and beginning an upload may not, as on AWS; nor may what changes a bucket, but for its access control list, which lists speak of."""

ALIASES: Final[Mapping[str, str]] = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
}
"""Deprecated operations of the model: requests that their successors' rows answer."""


def op(
    name: str,
    method: str,
    scope: Scope,
    names: str,
    perform: Callable[[Call], Awaitable[Reply]] | None,
    action: str,
    body: Body = Body.NONE,
    *,
    copy_source: bool = False,
    checked: bool = False,
    audit: str = "",
    conditions: str | None = None,
    gate: Gate | None = None,
) -> Operation:
    """Write a row; see :class:`Operation`.

    :param names: the query names that must be there, with blanks between.
    :param checked: whether a checksum is required.
    :param audit: what Ozone calls it, where that is not the name in capitals.
    :param conditions: the conditional headers it takes, with blanks between.
    :param gate: how it is found out who asks; ``None``: as the others are.
    """
    if gate is None:
        may_be_granted = perform is not None and name in _FOR_ANYBODY
        gate = Gate.ANYBODY if may_be_granted else Gate.SIGNED
    return Operation(
        name,
        method,
        scope,
        tuple(names.split()),
        perform,
        action,
        body,
        copy_source,
        checked,
        audit or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(),
        None if conditions is None else frozenset(conditions.split()),
        gate,
        FOREIGN.get(name),
    )


# The formatter would make ten lines of each row.
# fmt: off
OPERATIONS: Final[tuple[Operation, ...]] = (
    # The service
    op("ListBuckets", GET, SERVICE, "",
       buckets.list_buckets, "s3:ListAllMyBuckets", audit="LIST_S3_BUCKETS"),
    op("ListDirectoryBuckets", GET, SERVICE, "max-directory-buckets",
       None, "s3express:ListAllMyDirectoryBuckets"),
    op("WriteGetObjectResponse", POST, SERVICE, "/WriteGetObjectResponse",
       None, "s3-object-lambda:WriteGetObjectResponse", STREAM),
    op("OptionsService", OPTIONS, SERVICE, "", preflight.options_service, "", gate=PREFLIGHT),
    # Buckets
    op("CreateBucket", PUT, BUCKET, "",
       buckets.create_bucket, "s3:CreateBucket", DOCUMENT),
    op("HeadBucket", HEAD, BUCKET, "", buckets.head_bucket, "s3:ListBucket"),
    op("DeleteBucket", DELETE, BUCKET, "",
       buckets.delete_bucket, "s3:DeleteBucket", conditions=""),
    op("GetBucketLocation", GET, BUCKET, "location",
       buckets.get_bucket_location, "s3:GetBucketLocation"),
    op("CreateSession", GET, BUCKET, "session", None, "s3express:CreateSession"),
    op("OptionsBucket", OPTIONS, BUCKET, "", preflight.options_bucket, "", gate=PREFLIGHT),
    # Listing
    op("ListObjects", GET, BUCKET, "",
       listing.list_objects, "s3:ListBucket", audit="GET_BUCKET"),
    op("ListObjectsV2", GET, BUCKET, "list-type=2",
       listing.list_objects_v2, "s3:ListBucket", audit="GET_BUCKET"),
    op("ListObjectVersions", GET, BUCKET, "versions",
       listing.list_object_versions, "s3:ListBucketVersions"),
    # Objects
    op("GetObject", GET, OBJECT, "",
       reading.get_object, "s3:GetObject", audit="GET_KEY"),
    op("HeadObject", HEAD, OBJECT, "",
       reading.head_object, "s3:GetObject", audit="HEAD_KEY"),
    op("GetObjectAttributes", GET, OBJECT, "attributes",
       reading.get_object_attributes, "s3:GetObjectAttributes"),
    op("PutObject", PUT, OBJECT, "",
       writing.put_object, "s3:PutObject", STREAM, audit="CREATE_KEY", conditions=TAGS),
    op("CopyObject", PUT, OBJECT, "",
       copying.copy_object, "s3:PutObject", copy_source=True, conditions=f"{TAGS} {SOURCE_CONDITIONS}"),
    op("DeleteObject", DELETE, OBJECT, "",
       deleting.delete_object, "s3:DeleteObject", audit="DELETE_KEY",
       conditions="if-match x-amz-if-match-last-modified-time x-amz-if-match-size"),
    op("DeleteObjects", POST, BUCKET, "delete",
       deleting.delete_objects, "s3:DeleteObject", DOCUMENT, checked=True, audit="MULTI_DELETE", conditions=""),
    op("GetObjectTagging", GET, OBJECT, "tagging",
       tagging.get_object_tagging, "s3:GetObjectTagging"),
    op("PutObjectTagging", PUT, OBJECT, "tagging",
       tagging.put_object_tagging, "s3:PutObjectTagging", DOCUMENT, checked=True, conditions=""),
    op("DeleteObjectTagging", DELETE, OBJECT, "tagging",
       tagging.delete_object_tagging, "s3:DeleteObjectTagging", conditions=""),
    op("PostObject", POST, BUCKET, "", form.post_object, "s3:PutObject", STREAM, gate=Gate.FORM),
    op("OptionsObject", OPTIONS, OBJECT, "", preflight.options_object, "", gate=PREFLIGHT),
    op("GetObjectAcl", GET, OBJECT, "acl", acls.get_object_acl, "s3:GetObjectAcl"),
    op("PutObjectAcl", PUT, OBJECT, "acl",
       acls.put_object_acl, "s3:PutObjectAcl", DOCUMENT, checked=True, conditions=""),
    op("GetObjectLegalHold", GET, OBJECT, "legal-hold",
       locking.get_object_legal_hold, "s3:GetObjectLegalHold"),
    op("PutObjectLegalHold", PUT, OBJECT, "legal-hold",
       locking.put_object_legal_hold, "s3:PutObjectLegalHold", DOCUMENT, checked=True, conditions=""),
    op("GetObjectRetention", GET, OBJECT, "retention",
       locking.get_object_retention, "s3:GetObjectRetention"),
    op("PutObjectRetention", PUT, OBJECT, "retention",
       locking.put_object_retention, "s3:PutObjectRetention", DOCUMENT, checked=True, conditions=""),
    op("GetObjectTorrent", GET, OBJECT, "torrent", None, "s3:GetObjectTorrent"),
    op("RestoreObject", POST, OBJECT, "restore", None, "s3:RestoreObject", DOCUMENT),
    op("SelectObjectContent", POST, OBJECT, "select select-type=2",
       None, "s3:GetObject", DOCUMENT),
    op("RenameObject", PUT, OBJECT, "renameObject", None, "s3express:CreateSession"),
    op("UpdateObjectEncryption", PUT, OBJECT, "encryption",
       None, "s3:UpdateObjectEncryption", DOCUMENT, checked=True),
    op("GetObjectAnnotation", GET, OBJECT, "annotation annotationName",
       None, "s3:GetObjectAnnotation"),
    op("PutObjectAnnotation", PUT, OBJECT, "annotation annotationName",
       None, "s3:PutObjectAnnotation", STREAM),
    op("DeleteObjectAnnotation", DELETE, OBJECT, "annotation annotationName",
       None, "s3:DeleteObjectAnnotation"),
    op("ListObjectAnnotations", GET, OBJECT, "annotation",
       None, "s3:ListObjectAnnotations"),
    # Multipart uploads
    op("CreateMultipartUpload", POST, OBJECT, "uploads",
       multipart.create_multipart_upload, "s3:PutObject", audit="INIT_MULTIPART_UPLOAD"),
    op("UploadPart", PUT, OBJECT, "partNumber uploadId",
       multipart.upload_part, "s3:PutObject", STREAM, audit="CREATE_MULTIPART_KEY"),
    op("UploadPartCopy", PUT, OBJECT, "partNumber uploadId",
       copying.upload_part_copy, "s3:PutObject", copy_source=True, audit="CREATE_MULTIPART_KEY_BY_COPY"),
    op("CompleteMultipartUpload", POST, OBJECT, "uploadId",
       multipart.complete_multipart_upload, "s3:PutObject", DOCUMENT, conditions=TAGS),
    op("AbortMultipartUpload", DELETE, OBJECT, "uploadId",
       multipart.abort_multipart_upload, "s3:AbortMultipartUpload", conditions="x-amz-if-match-initiated-time"),
    op("ListParts", GET, OBJECT, "uploadId",
       multipart.list_parts, "s3:ListMultipartUploadParts"),
    op("ListMultipartUploads", GET, BUCKET, "uploads",
       multipart.list_multipart_uploads, "s3:ListBucketMultipartUploads", audit="LIST_MULTIPART_UPLOAD"),
    # Configuration of buckets
    op("GetBucketVersioning", GET, BUCKET, "versioning",
       versioning.get_bucket_versioning, "s3:GetBucketVersioning"),
    op("PutBucketVersioning", PUT, BUCKET, "versioning",
       versioning.put_bucket_versioning, "s3:PutBucketVersioning", DOCUMENT, checked=True),
    op("GetBucketAcl", GET, BUCKET, "acl",
       acls.get_bucket_acl, "s3:GetBucketAcl", audit="GET_ACL"),
    op("PutBucketAcl", PUT, BUCKET, "acl",
       acls.put_bucket_acl, "s3:PutBucketAcl", DOCUMENT, checked=True, audit="PUT_ACL"),
    op("GetBucketPolicy", GET, BUCKET, "policy",
       bucketpolicy.get_bucket_policy, "s3:GetBucketPolicy"),
    op("PutBucketPolicy", PUT, BUCKET, "policy",
       bucketpolicy.put_bucket_policy, "s3:PutBucketPolicy", DOCUMENT, checked=True),
    op("DeleteBucketPolicy", DELETE, BUCKET, "policy",
       bucketpolicy.delete_bucket_policy, "s3:DeleteBucketPolicy"),
    op("GetBucketPolicyStatus", GET, BUCKET, "policyStatus",
       bucketpolicy.get_bucket_policy_status, "s3:GetBucketPolicyStatus"),
    op("GetBucketCors", GET, BUCKET, "cors",
       cors.get_bucket_cors, "s3:GetBucketCORS"),
    op("PutBucketCors", PUT, BUCKET, "cors",
       cors.put_bucket_cors, "s3:PutBucketCORS", DOCUMENT, checked=True),
    op("DeleteBucketCors", DELETE, BUCKET, "cors",
       cors.delete_bucket_cors, "s3:PutBucketCORS"),
    op("GetBucketEncryption", GET, BUCKET, "encryption",
       configuration.get_bucket_encryption, "s3:GetEncryptionConfiguration"),
    op("PutBucketEncryption", PUT, BUCKET, "encryption",
       None, "s3:PutEncryptionConfiguration", DOCUMENT, checked=True),
    op("DeleteBucketEncryption", DELETE, BUCKET, "encryption",
       None, "s3:PutEncryptionConfiguration"),
    op("GetBucketTagging", GET, BUCKET, "tagging",
       buckettags.get_bucket_tagging, "s3:GetBucketTagging"),
    op("PutBucketTagging", PUT, BUCKET, "tagging",
       buckettags.put_bucket_tagging, "s3:PutBucketTagging", DOCUMENT, checked=True),
    op("DeleteBucketTagging", DELETE, BUCKET, "tagging",
       buckettags.delete_bucket_tagging, "s3:PutBucketTagging"),
    op("GetBucketLogging", GET, BUCKET, "logging",
       configuration.get_bucket_logging, "s3:GetBucketLogging"),
    op("PutBucketLogging", PUT, BUCKET, "logging",
       None, "s3:PutBucketLogging", DOCUMENT, checked=True),
    op("GetBucketReplication", GET, BUCKET, "replication",
       configuration.get_bucket_replication, "s3:GetReplicationConfiguration"),
    op("PutBucketReplication", PUT, BUCKET, "replication",
       None, "s3:PutReplicationConfiguration", DOCUMENT, checked=True),
    op("DeleteBucketReplication", DELETE, BUCKET, "replication",
       None, "s3:PutReplicationConfiguration"),
    op("GetBucketWebsite", GET, BUCKET, "website",
       website.get_bucket_website, "s3:GetBucketWebsite"),
    op("PutBucketWebsite", PUT, BUCKET, "website",
       website.put_bucket_website, "s3:PutBucketWebsite", DOCUMENT, checked=True),
    op("DeleteBucketWebsite", DELETE, BUCKET, "website",
       website.delete_bucket_website, "s3:DeleteBucketWebsite"),
    op("GetBucketOwnershipControls", GET, BUCKET, "ownershipControls",
       ownershipcontrols.get_bucket_ownership_controls, "s3:GetBucketOwnershipControls"),
    op("PutBucketOwnershipControls", PUT, BUCKET, "ownershipControls",
       ownershipcontrols.put_bucket_ownership_controls, "s3:PutBucketOwnershipControls", DOCUMENT, checked=True),
    op("DeleteBucketOwnershipControls", DELETE, BUCKET, "ownershipControls",
       ownershipcontrols.delete_bucket_ownership_controls, "s3:PutBucketOwnershipControls"),
    op("GetBucketAccelerateConfiguration", GET, BUCKET, "accelerate",
       acceleration.get_bucket_accelerate_configuration, "s3:GetAccelerateConfiguration"),
    op("PutBucketAccelerateConfiguration", PUT, BUCKET, "accelerate",
       acceleration.put_bucket_accelerate_configuration, "s3:PutAccelerateConfiguration", DOCUMENT),
    op("GetBucketRequestPayment", GET, BUCKET, "requestPayment",
       payment.get_bucket_request_payment, "s3:GetBucketRequestPayment"),
    op("PutBucketRequestPayment", PUT, BUCKET, "requestPayment",
       payment.put_bucket_request_payment, "s3:PutBucketRequestPayment", DOCUMENT, checked=True),
    op("GetBucketNotificationConfiguration", GET, BUCKET, "notification",
       configuration.get_bucket_notification_configuration, "s3:GetBucketNotification"),
    op("PutBucketNotificationConfiguration", PUT, BUCKET, "notification",
       None, "s3:PutBucketNotification", DOCUMENT),
    op("GetBucketLifecycleConfiguration", GET, BUCKET, "lifecycle",
       configuration.get_bucket_lifecycle_configuration, "s3:GetLifecycleConfiguration", audit="GET_BUCKET_LIFECYCLE"),
    op("PutBucketLifecycleConfiguration", PUT, BUCKET, "lifecycle",
       None, "s3:PutLifecycleConfiguration", DOCUMENT, checked=True, audit="PUT_BUCKET_LIFECYCLE"),
    op("DeleteBucketLifecycle", DELETE, BUCKET, "lifecycle",
       None, "s3:PutLifecycleConfiguration"),
    op("GetObjectLockConfiguration", GET, BUCKET, "object-lock",
       locking.get_object_lock_configuration, "s3:GetBucketObjectLockConfiguration"),
    op("PutObjectLockConfiguration", PUT, BUCKET, "object-lock",
       locking.put_object_lock_configuration, "s3:PutBucketObjectLockConfiguration", DOCUMENT, checked=True),
    op("GetPublicAccessBlock", GET, BUCKET, "publicAccessBlock",
       publicaccess.get_public_access_block, "s3:GetBucketPublicAccessBlock"),
    op("PutPublicAccessBlock", PUT, BUCKET, "publicAccessBlock",
       publicaccess.put_public_access_block, "s3:PutBucketPublicAccessBlock", DOCUMENT, checked=True),
    op("DeletePublicAccessBlock", DELETE, BUCKET, "publicAccessBlock",
       publicaccess.delete_public_access_block, "s3:PutBucketPublicAccessBlock"),
    op("GetBucketAnalyticsConfiguration", GET, BUCKET, "analytics id",
       configuration.get_bucket_analytics_configuration, "s3:GetAnalyticsConfiguration"),
    op("PutBucketAnalyticsConfiguration", PUT, BUCKET, "analytics id",
       None, "s3:PutAnalyticsConfiguration", DOCUMENT),
    op("DeleteBucketAnalyticsConfiguration", DELETE, BUCKET, "analytics id",
       None, "s3:PutAnalyticsConfiguration"),
    op("ListBucketAnalyticsConfigurations", GET, BUCKET, "analytics",
       configuration.list_bucket_analytics_configurations, "s3:GetAnalyticsConfiguration"),
    op("GetBucketInventoryConfiguration", GET, BUCKET, "inventory id",
       configuration.get_bucket_inventory_configuration, "s3:GetInventoryConfiguration"),
    op("PutBucketInventoryConfiguration", PUT, BUCKET, "inventory id",
       None, "s3:PutInventoryConfiguration", DOCUMENT),
    op("DeleteBucketInventoryConfiguration", DELETE, BUCKET, "inventory id",
       None, "s3:PutInventoryConfiguration"),
    op("ListBucketInventoryConfigurations", GET, BUCKET, "inventory",
       configuration.list_bucket_inventory_configurations, "s3:GetInventoryConfiguration"),
    op("GetBucketMetricsConfiguration", GET, BUCKET, "metrics id",
       configuration.get_bucket_metrics_configuration, "s3:GetMetricsConfiguration"),
    op("PutBucketMetricsConfiguration", PUT, BUCKET, "metrics id",
       None, "s3:PutMetricsConfiguration", DOCUMENT),
    op("DeleteBucketMetricsConfiguration", DELETE, BUCKET, "metrics id",
       None, "s3:PutMetricsConfiguration"),
    op("ListBucketMetricsConfigurations", GET, BUCKET, "metrics",
       configuration.list_bucket_metrics_configurations, "s3:GetMetricsConfiguration"),
    op("GetBucketIntelligentTieringConfiguration", GET, BUCKET, "intelligent-tiering id",
       configuration.get_bucket_intelligent_tiering_configuration, "s3:GetIntelligentTieringConfiguration"),
    op("PutBucketIntelligentTieringConfiguration", PUT, BUCKET, "intelligent-tiering id",
       None, "s3:PutIntelligentTieringConfiguration", DOCUMENT),
    op("DeleteBucketIntelligentTieringConfiguration", DELETE, BUCKET, "intelligent-tiering id",
       None, "s3:PutIntelligentTieringConfiguration"),
    op("ListBucketIntelligentTieringConfigurations", GET, BUCKET, "intelligent-tiering",
       configuration.list_bucket_intelligent_tiering_configurations, "s3:GetIntelligentTieringConfiguration"),
    op("GetBucketAbac", GET, BUCKET, "abac", None, "s3:GetBucketAbac"),
    op("PutBucketAbac", PUT, BUCKET, "abac", None, "s3:PutBucketAbac", DOCUMENT),
    op("CreateBucketMetadataConfiguration", POST, BUCKET, "metadataConfiguration",
       None, "s3:CreateBucketMetadataTableConfiguration", DOCUMENT, checked=True),
    op("GetBucketMetadataConfiguration", GET, BUCKET, "metadataConfiguration",
       None, "s3:GetBucketMetadataTableConfiguration"),
    op("DeleteBucketMetadataConfiguration", DELETE, BUCKET, "metadataConfiguration",
       None, "s3:DeleteBucketMetadataTableConfiguration"),
    op("CreateBucketMetadataTableConfiguration", POST, BUCKET, "metadataTable",
       None, "s3:CreateBucketMetadataTableConfiguration", DOCUMENT, checked=True),
    op("GetBucketMetadataTableConfiguration", GET, BUCKET, "metadataTable",
       None, "s3:GetBucketMetadataTableConfiguration"),
    op("DeleteBucketMetadataTableConfiguration", DELETE, BUCKET, "metadataTable",
       None, "s3:DeleteBucketMetadataTableConfiguration"),
    op("UpdateBucketMetadataAnnotationTableConfiguration", PUT, BUCKET, "metadataAnnotationTable",
       None, "s3:UpdateBucketMetadataAnnotationTableConfiguration", DOCUMENT, checked=True),
    op("UpdateBucketMetadataInventoryTableConfiguration", PUT, BUCKET, "metadataInventoryTable",
       None, "s3:UpdateBucketMetadataInventoryTableConfiguration", DOCUMENT, checked=True),
    op("UpdateBucketMetadataJournalTableConfiguration", PUT, BUCKET, "metadataJournalTable",
       None, "s3:UpdateBucketMetadataJournalTableConfiguration", DOCUMENT, checked=True),
)
# fmt: on
