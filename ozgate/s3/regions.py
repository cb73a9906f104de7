"""Where buckets are.

Imports values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..values import Bucket

GLOBAL_REGION = "us-east-1"
"""The region whose endpoint is also the endpoint of all others, and whose buckets name none."""


def region_of(bucket: Bucket, here: str) -> str:
    """The region that a bucket says it is in; ``EU`` is the old name of ``eu-west-1``.

    :param here: the region of this endpoint, of which buckets are that name none.
    """
    region = bucket.region or here
    return "eu-west-1" if region == "EU" else region
