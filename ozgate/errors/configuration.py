"""Errors about the documents of a bucket, and what an object has of their kind."""

from __future__ import annotations

from .base import S3Error

__all__ = [
    "AccessControlListNotSupported",
    "IllegalVersioningConfigurationException",
    "InvalidBucketAclWithBlockPublicAccessError",
    "InvalidBucketAclWithObjectOwnership",
    "InvalidBucketState",
    "MalformedACLError",
    "MalformedPolicy",
    "MissingSecurityHeader",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchObjectLockConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchWebsiteConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "OwnershipControlsNotFoundError",
    "ReplicationConfigurationNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
    "UnexpectedContent",
    "UnresolvableGrantByEmailAddress",
]


class AccessControlListNotSupported(S3Error):
    """The bucket does not allow ACLs"""


class IllegalVersioningConfigurationException(S3Error):
    """The Versioning element must be specified"""


class InvalidBucketAclWithBlockPublicAccessError(S3Error):
    """Bucket cannot have public ACLs set with BlockPublicAccess enabled"""


class InvalidBucketAclWithObjectOwnership(S3Error):
    """Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"""


class InvalidBucketState(S3Error):
    """The request is not valid with the current state of the bucket."""

    status = 409


class MalformedACLError(S3Error):
    """The XML you provided was not well-formed or did not validate against our published schema"""


class MalformedPolicy(S3Error):
    """This policy contains invalid Json"""


class MissingSecurityHeader(S3Error):
    """Your request was missing a required header"""


class NoSuchBucketPolicy(S3Error):
    """The bucket policy does not exist"""

    status = 404


class NoSuchCORSConfiguration(S3Error):
    """The CORS configuration does not exist"""

    status = 404


class NoSuchConfiguration(S3Error):
    """The specified configuration does not exist."""

    status = 404


class NoSuchLifecycleConfiguration(S3Error):
    """The lifecycle configuration does not exist"""

    status = 404


class NoSuchObjectLockConfiguration(S3Error):
    """The specified object does not have a ObjectLock configuration"""

    status = 404


class NoSuchPublicAccessBlockConfiguration(S3Error):
    """The public access block configuration was not found"""

    status = 404


class NoSuchTagSet(S3Error):
    """The TagSet does not exist"""

    status = 404


class NoSuchWebsiteConfiguration(S3Error):
    """The specified bucket does not have a website configuration"""

    status = 404


class ObjectLockConfigurationNotFoundError(S3Error):
    """Object Lock configuration does not exist for this bucket"""

    status = 404


class OwnershipControlsNotFoundError(S3Error):
    """The bucket ownership controls were not found"""

    status = 404


class ReplicationConfigurationNotFoundError(S3Error):
    """The replication configuration was not found"""

    status = 404


class ServerSideEncryptionConfigurationNotFoundError(S3Error):
    """The server side encryption configuration was not found"""

    status = 404


class UnexpectedContent(S3Error):
    """This request does not support content"""


class UnresolvableGrantByEmailAddress(S3Error):
    """The e-mail address you provided does not match any account on record."""
