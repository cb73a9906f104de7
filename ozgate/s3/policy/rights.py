"""What each S3 action asks of a bucket, in Ozone's rights.

Source: Apache Ozone, "Security ACLs"; the mapping is the one Ozone's S3 gateway uses for grants (READ gives READ and
LIST, WRITE gives WRITE, CREATE and DELETE), the other way round.
"""

from __future__ import annotations

_WRITES = (
    "PutObject",
    "AbortMultipartUpload",
    "PutObjectTagging",
    "DeleteObjectTagging",
)
_LISTS = (
    "ListBucket",
    "ListBucketVersions",
    "ListBucketMultipartUploads",
    "ListMultipartUploadParts",
)
_READS = ("GetObject", "GetObjectAttributes", "GetObjectTagging")
_RIGHTS = {
    **{f"s3:{name}": "WRITE" for name in _WRITES},
    **{f"s3:{name}": "LIST" for name in _LISTS},
    **{f"s3:{name}": "READ" for name in _READS},
    "s3:DeleteObject": "DELETE",
    "s3:DeleteBucket": "DELETE",
    "s3:GetBucketAcl": "READ_ACL",
    "s3:PutBucketAcl": "WRITE_ACL",
    "s3:CreateBucket": "CREATE",
}


def right_for(action: str) -> str:
    """The right that an action needs on the bucket (on the volume, for ``s3:CreateBucket``).

    Reading a bucket's configuration needs ``READ``; what is not named here and is no reading needs
    ``ALL``, so that an operation added later is closed until somebody opens it.
    """
    right = _RIGHTS.get(action)
    if right is not None:
        return right
    return "READ" if action.startswith("s3:Get") else "ALL"
