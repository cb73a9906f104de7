"""What S3's access control lists allow: permissions as actions, pure over values.

Source: Amazon S3 User Guide, "Access control list (ACL) overview", there "Mapping of ACL permissions and access policy permissions";
"Controlling ownership of objects"; "Multipart upload API and permissions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...immutable import frozen
from .grants import READ, READ_ACP, WRITE, WRITE_ACP, Grants, gives

if TYPE_CHECKING:
    from ...values import Principal

OF_OBJECT: Final = {
    "s3:GetObject": READ,
    "s3:GetObjectVersion": READ,
    "s3:GetObjectAcl": READ_ACP,
    "s3:GetObjectVersionAcl": READ_ACP,
    "s3:PutObjectAcl": WRITE_ACP,
    "s3:PutObjectVersionAcl": WRITE_ACP,
}
"""What an object's list says of it, and its bucket's does not."""
OF_BUCKET: Final = {
    "s3:ListBucket": READ,
    "s3:ListBucketVersions": READ,
    "s3:ListBucketMultipartUploads": READ,
    "s3:PutObject": WRITE,
    "s3:GetBucketAcl": READ_ACP,
    "s3:PutBucketAcl": WRITE_ACP,
}
OF_OWN_OBJECT: Final = frozenset(("s3:DeleteObject", "s3:DeleteObjectVersion"))
"""What ``WRITE`` on a bucket allows the owners of objects."""
OF_OWN_UPLOAD: Final = frozenset(
    ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
)
"""What it allows those who began an upload."""
WRITES: Final = frozenset(
    ("PutObject", "PostObject", "CopyObject", "CreateMultipartUpload")
)
"""Operations that make an object, and its list with it: whoever may make it may do so, for it will be his own."""
_READS: Final = frozenset(("s3:GetObject", "s3:GetObjectVersion"))


@frozen
class Lists:
    """The lists that count for a question; there are none where the bucket's owner owns all that is in it.

    :ivar bucket: the bucket's.
    :ivar without_public: whether what they give the public counts for nothing.
    :ivar owner: who owns the object that it is about, or began the upload; ``""`` where there is none.
    :ivar object: the list of that object.
    """

    bucket: Grants
    without_public: bool = False
    owner: str = ""
    object: Grants = ()


def is_foreign(lists: Lists | None, operation: str, action: str, owner: str) -> bool:
    """Whether it is about reading an object, or about its list, and the object is another's than its bucket's owner.

    What a bucket's owner gives, or takes, is then not his to give: he may delete it, and deny it.

    :param owner: of the bucket.
    """
    return (
        lists is not None
        and lists.owner not in ("", owner)
        and action in OF_OBJECT
        and (action in _READS or operation not in WRITES)
    )


def lists_allow(
    lists: Lists, principal: Principal, operation: str, action: str, key: str
) -> bool:
    """Whether S3's lists allow something.

    :param operation: its name in S3's service model.
    :param key: ``""`` where it is about the bucket.
    """

    def given(grants: Grants, permission: str) -> bool:
        return gives(grants, principal, permission, lists.without_public)

    if action in OF_OBJECT:
        if operation in WRITES and action not in _READS:
            return given(lists.bucket, WRITE)
        if not lists.owner:
            # Nothing is there, which may be said to who may list.
            return given(lists.bucket, READ)
        if action not in _READS and principal.is_called(lists.owner):
            return True
        return given(lists.object, OF_OBJECT[action])
    if action in OF_BUCKET:
        return given(lists.bucket, OF_BUCKET[action])
    if action in OF_OWN_OBJECT:
        # Without a key: whether anything may be removed; each key is asked about by itself.
        is_own = not key or principal.is_called(lists.owner)
        return is_own and given(lists.bucket, WRITE)
    if action in OF_OWN_UPLOAD:
        return principal.is_called(lists.owner) and given(lists.bucket, WRITE)
    return False
