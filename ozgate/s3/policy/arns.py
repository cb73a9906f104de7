"""What policies call a bucket or an object: its Amazon Resource Name.

A bucket of the volume that S3 shows is called by its name alone, as on AWS. One of another volume has the volume in its name, after an ``@`` that no
bucket's name begins with: ``arn:aws:s3:::@volume/bucket/key``. So what a policy of an identity gives on ``arn:aws:s3:::photos*`` is never given on another
volume's bucket of that name, to which anybody may have made a link; what it gives, or denies, on ``arn:aws:s3:::*`` holds for all. The
bucket's own policy speaks of it by its own name, wherever it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...values import Bucket

PREFIX: Final = "arn:aws:s3:::"


def arn_in_bucket(bucket: Bucket, key: str) -> str:
    """What a bucket's own policy calls it, or an object in it.

    :param key: ``""`` for the bucket.
    """
    return f"{PREFIX}{bucket.name}/{key}" if key else PREFIX + bucket.name


def arn_for_identity(bucket: Bucket, key: str, shown: str) -> str:
    """What the policies of identities call a bucket, or an object in it.

    :param shown: the volume that S3 shows.
    """
    name = bucket.name if bucket.volume == shown else f"@{bucket.volume}/{bucket.name}"
    return f"{PREFIX}{name}/{key}" if key else PREFIX + name
