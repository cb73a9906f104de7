"""Websites: PutBucketWebsite, GetBucketWebsite, DeleteBucketWebsite. How one is served is in :mod:`ozgate.s3.website`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import NoSuchWebsiteConfiguration
from ..configuration.website import WEBSITE, check_website
from .configuration import keep, remove, show

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply

MOST: Final = 128 << 10
"""Bytes of a document. Source: Amazon S3 API Reference, PutBucketWebsite."""


async def put_bucket_website(call: Call) -> Reply:
    """Make a website of the bucket, or another one."""
    return await keep(call, WEBSITE, check_website, most=MOST)


async def get_bucket_website(call: Call) -> Reply:
    """Show what website the bucket is."""
    return await show(call, WEBSITE.kind, NoSuchWebsiteConfiguration)


async def delete_bucket_website(call: Call) -> Reply:
    """Have the bucket be no website any more."""
    return await remove(call, WEBSITE.kind)
