"""The actions that policies speak of: on what each is done, and which of S3's condition keys come with it.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3". A test holds that every action in
:mod:`ozgate.s3.operations` is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from .patterns import Patterns
from .wildcards import read

__all__ = ["ACTIONS", "BUCKET", "KEYS", "OBJECT", "accepts", "matching"]

ACCOUNT, BUCKET, OBJECT, OTHER = "account", "bucket", "object", "other"
"""What an action is done on: the account, a bucket, an object; access points, jobs and what else has no place here."""

_BUCKET = """
    CreateBucket CreateBucketMetadataTableConfiguration DeleteBucket DeleteBucketMetadataTableConfiguration DeleteBucketOwnershipControls
    DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAbac GetBucketAcl GetBucketCORS
    GetBucketLocation GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration
    GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging
    GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration
    GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket ListBucketMultipartUploads ListBucketVersions
    ListTagsForResource PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAbac PutBucketAcl PutBucketCORS PutBucketLogging PutBucketNotification
    PutBucketObjectLockConfiguration PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment
    PutBucketTagging PutBucketVersioning PutBucketWebsite PutEncryptionConfiguration PutIntelligentTieringConfiguration
    PutInventoryConfiguration PutLifecycleConfiguration PutMetricsConfiguration PutReplicationConfiguration TagResource UntagResource
    UpdateBucketMetadataAnnotationTableConfiguration UpdateBucketMetadataInventoryTableConfiguration UpdateBucketMetadataJournalTableConfiguration
"""
_OBJECT = """
    AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectAnnotation DeleteObjectTagging DeleteObjectVersion
    DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes GetObjectLegalHold GetObjectRetention GetObjectTagging
    GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionForReplication GetObjectVersionTagging
    GetObjectVersionTorrent InitiateReplication ListMultipartUploadParts ListObjectAnnotations ObjectOwnerOverrideToBucketOwner
    PutObject PutObjectAcl PutObjectAnnotation PutObjectLegalHold PutObjectRetention PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging
    ReplicateDelete ReplicateObject ReplicateTags RestoreObject UpdateObjectEncryption
"""
_ACCOUNT = """
    CreateAccessGrantsInstance CreateJob CreateStorageLensGroup GetAccountPublicAccessBlock ListAccessGrantsInstances ListAccessPoints
    ListAccessPointsForObjectLambda ListAllMyBuckets ListJobs ListMultiRegionAccessPoints ListStorageLensConfigurations ListStorageLensGroups
    PutAccessPointPublicAccessBlock PutAccountPublicAccessBlock PutStorageLensConfiguration
"""
_OTHER = """
    AssociateAccessGrantsIdentityCenter CreateAccessGrant CreateAccessGrantsLocation CreateAccessPoint CreateAccessPointForObjectLambda
    CreateMultiRegionAccessPoint DeleteAccessGrant DeleteAccessGrantsInstance DeleteAccessGrantsInstanceResourcePolicy DeleteAccessGrantsLocation
    DeleteAccessPoint DeleteAccessPointForObjectLambda DeleteAccessPointPolicy DeleteAccessPointPolicyForObjectLambda DeleteJobTagging
    DeleteMultiRegionAccessPoint DeleteStorageLensConfiguration DeleteStorageLensConfigurationTagging DeleteStorageLensGroup DescribeJob
    DescribeMultiRegionAccessPointOperation DissociateAccessGrantsIdentityCenter GetAccessGrant GetAccessGrantsInstance
    GetAccessGrantsInstanceForPrefix GetAccessGrantsInstanceResourcePolicy GetAccessGrantsLocation GetAccessPoint
    GetAccessPointConfigurationForObjectLambda GetAccessPointForObjectLambda GetAccessPointPolicy GetAccessPointPolicyForObjectLambda
    GetAccessPointPolicyStatus GetAccessPointPolicyStatusForObjectLambda GetDataAccess GetJobTagging GetMultiRegionAccessPoint
    GetMultiRegionAccessPointPolicy GetMultiRegionAccessPointPolicyStatus GetMultiRegionAccessPointRoutes GetStorageLensConfiguration
    GetStorageLensConfigurationTagging GetStorageLensDashboard GetStorageLensGroup ListAccessGrants ListAccessGrantsLocations ListCallerAccessGrants
    PauseReplication PutAccessGrantsInstanceResourcePolicy PutAccessPointConfigurationForObjectLambda PutAccessPointPolicy
    PutAccessPointPolicyForObjectLambda PutJobTagging PutMultiRegionAccessPointPolicy PutStorageLensConfigurationTagging
    SubmitMultiRegionAccessPointRoutes UpdateAccessGrantsLocation UpdateJobPriority UpdateJobStatus UpdateStorageLensGroup
"""


def _rows() -> Iterator[tuple[str, str]]:
    scopes = (
        (BUCKET, _BUCKET),
        (OBJECT, _OBJECT),
        (ACCOUNT, _ACCOUNT),
        (OTHER, _OTHER),
    )
    for scope, names in scopes:
        for name in names.split():
            yield f"s3:{name}", scope
    yield "s3express:CreateSession", OTHER
    yield "s3express:ListAllMyDirectoryBuckets", OTHER
    yield "s3-object-lambda:WriteGetObjectResponse", OTHER


ACTIONS: Final[Mapping[str, str]] = MappingProxyType(dict(_rows()))
"""Every action → what it is done on."""

_LOWERED: Final = {name.lower(): name for name in ACTIONS}

_LISTS = "ListBucket ListBucketVersions"
_WRITES = "PutObject ReplicateObject"
_GRANTS = "CreateBucket PutBucketAcl PutObject PutObjectAcl PutObjectVersionAcl"
_TAGGED = """
    GetObject GetObjectVersion GetObjectAttributes GetObjectVersionAttributes GetObjectAcl GetObjectVersionAcl PutObjectAcl PutObjectVersionAcl
    GetObjectTagging GetObjectVersionTagging PutObjectTagging PutObjectVersionTagging DeleteObjectTagging DeleteObjectVersionTagging RestoreObject
"""
_TAGGING = "PutObject PutObjectTagging PutObjectVersionTagging ReplicateTags"
_VERSIONED = """
    GetObject GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionTagging GetObjectVersionTorrent
    PutObjectVersionAcl PutObjectVersionTagging DeleteObjectVersion DeleteObjectVersionTagging RestoreObject
"""
_LOCKS = "PutObject PutObjectRetention PutObjectLegalHold BypassGovernanceRetention ReplicateObject"
_ALL = ""

_KEYS: Final = {
    "authType": _ALL,
    "signatureAge": _ALL,
    "signatureversion": _ALL,
    "TlsVersion": _ALL,
    "ResourceAccount": _ALL,
    "x-amz-content-sha256": _ALL,
    "DataAccessPointAccount": _ALL,
    "DataAccessPointArn": _ALL,
    "AccessPointNetworkOrigin": _ALL,
    "AccessGrantsInstanceArn": _ALL,
    "AccessPointTag/": _ALL,
    "BucketTag/": _ALL,
    "delimiter": _LISTS,
    "max-keys": _LISTS,
    "prefix": _LISTS,
    "ExistingObjectTag/": _TAGGED,
    "RequestObjectTag/": _TAGGING,
    "RequestObjectTagKeys": _TAGGING,
    "VersionId": _VERSIONED,
    "object-lock-legal-hold": _LOCKS,
    "object-lock-mode": _LOCKS,
    "object-lock-remaining-retention-days": _LOCKS,
    "object-lock-retain-until-date": _LOCKS,
    "if-match": "PutObject DeleteObject DeleteObjectVersion",
    "if-none-match": "PutObject",
    "ObjectCreationOperation": "PutObject",
    "x-amz-acl": _GRANTS,
    "x-amz-grant-full-control": _GRANTS,
    "x-amz-grant-read": _GRANTS,
    "x-amz-grant-read-acp": _GRANTS,
    "x-amz-grant-write": _GRANTS,
    "x-amz-grant-write-acp": _GRANTS,
    "x-amz-copy-source": "PutObject",
    "x-amz-metadata-directive": "PutObject",
    "x-amz-website-redirect-location": "PutObject",
    "x-amz-server-side-encryption": _WRITES,
    "x-amz-server-side-encryption-aws-kms-key-id": _WRITES,
    "x-amz-server-side-encryption-customer-algorithm": _WRITES,
    "x-amz-storage-class": f"{_WRITES} RestoreObject",
    "x-amz-object-ownership": "CreateBucket",
    "x-amz-bucket-namespace": "CreateBucket",
    "LocationConstraint": "CreateBucket",
    "locationconstraint": "CreateBucket",
    "InventoryAccessibleOptionalFields": "PutInventoryConfiguration",
    "destinationRegion": "InitiateReplication PauseReplication",
    "isReplicationPauseRequest": "PutReplicationConfiguration",
}

KEYS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        f"s3:{key}".lower(): frozenset(f"s3:{name}" for name in names.split())
        for key, names in _KEYS.items()
    }
)
"""S3's condition keys, in lower case; those of tags end in a slash → the actions that they come with, none: all."""


def accepts(key: str) -> frozenset[str] | None:
    """The actions that one of S3's condition keys comes with, none: all; ``None`` where there is no such key.

    :param key: as it is looked up.
    """
    family, slash, tag = key.partition("/")
    return KEYS.get(family + slash) if bool(tag) == bool(slash) else None


@lru_cache(maxsize=1024)
def matching(pattern: str) -> frozenset[str]:
    """The actions that a pattern means, without regard to case."""
    patterns = Patterns([read(pattern.lower(), wild=True, variables=False)])
    return frozenset(name for small, name in _LOWERED.items() if patterns.match(small))
