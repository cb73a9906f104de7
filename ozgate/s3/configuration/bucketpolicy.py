"""The policy of a bucket: the text as it was put, parsed once for its bytes.

Source: Amazon S3 User Guide, "Bucket policies for Amazon S3".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import Damaged
from ..policy.language import Malformed, Policy, parse_bucket_policy

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket

KIND: Final = "policy"
"""Its name in the rows."""


def policy_of(tx: IMetadataTransaction, bucket: Bucket) -> Policy | None:
    """The policy that a bucket has; for use inside an interaction. One without costs nothing.

    :param bucket: the real one, as read in this interaction.
    :raises Damaged: it cannot be read, or is not there: then nobody knows what it denies.
    """
    if KIND not in bucket.configured:
        return None
    data = tx.configuration(bucket, KIND)
    try:
        return parse_bucket_policy(data or b"", bucket.name)
    except Malformed as error:
        raise Damaged("the policy of a bucket", "metadata", bucket.name) from error
