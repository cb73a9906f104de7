"""What each operation of S3 asks of a bucket, in Ozone's rights.

Sources: Apache Ozone, "Security ACLs"; the mapping is the one that Ozone's S3 gateway uses for grants (READ gives READ and
LIST, WRITE gives WRITE, CREATE and DELETE), the other way round. Ozone also asks a key's own list, which has no
counterpart here: a bucket's list speaks for its keys.
"""

from __future__ import annotations

from .besides import BROUGHT
from .versionactions import OF_VERSIONS

_WRITES = (
    "PutObject",
    "AbortMultipartUpload",
    "PutObjectTagging",
    "DeleteObjectTagging",
)
_LISTS = ("ListBucket", "ListBucketVersions", "ListBucketMultipartUploads")
_READS = ("GetObject", "GetObjectAttributes", "GetObjectTagging")
_SAY_WHO_MAY = (
    "GetBucketAcl",
    "GetObjectAcl",
    "GetBucketPolicy",
    "GetBucketPolicyStatus",
)
_RIGHTS: dict[str, tuple[str, ...]] = {
    **{f"s3:{name}": ("WRITE",) for name in _WRITES},
    **{f"s3:{name}": ("LIST",) for name in _LISTS},
    **{f"s3:{name}": ("READ",) for name in _READS},
    **{f"s3:{name}": ("READ_ACL",) for name in _SAY_WHO_MAY},
    "s3:DeleteObject": ("DELETE",),
    # And WRITE on the volume: see ozgate.s3.policy.evaluator.may_remove.
    "s3:DeleteBucket": ("DELETE",),
    "s3:PutBucketAcl": ("WRITE_ACL",),
    "s3:PutObjectAcl": ("WRITE_ACL",),
    # On the volume.
    "s3:CreateBucket": ("CREATE",),
    # Of each bucket, whether it is in the list.
    "s3:ListAllMyBuckets": ("LIST", "READ"),
    # Whoever sends parts may see which have come, to send the others.
    "s3:ListMultipartUploadParts": ("LIST", "WRITE"),
    # As for HeadBucket: clients ask where a bucket is before they do anything with it.
    "s3:GetBucketLocation": ("READ", "LIST"),
}
# A version that is named asks for no other right than the current object.
_RIGHTS |= {
    of_version: _RIGHTS[action]
    for action, of_version in OF_VERSIONS.items()
    if action in _RIGHTS
}
_OF_LOCKS = ("s3:PutObjectRetention", "s3:PutObjectLegalHold")
"""Who may write may not by that have the owner keep it: what is locked takes his room for as long."""
_OF_OPERATIONS = {
    # Its action is s3:ListBucket, but Ozone shows a bucket to whoever has READ.
    "HeadBucket": ("READ", "LIST"),
}


def rights_for(operation: str, action: str) -> tuple[str, ...]:
    """The rights of which an operation needs one.

    Reading a bucket's configuration needs ``READ``; what is not named here and is no reading needs
    ``ALL``, so that an operation added later is closed until somebody opens it.

    :param operation: its name in S3's service model.
    :param action: what is asked for it.
    """
    if action in BROUGHT.get(operation, ()) and action not in _OF_LOCKS:
        # What gives the operation gives what comes with it.
        return ("CREATE",) if operation == "CreateBucket" else ("WRITE",)
    rights = _OF_OPERATIONS.get(operation) or _RIGHTS.get(action)
    if rights is not None:
        return rights
    return ("READ",) if action.startswith("s3:Get") else ("ALL",)
