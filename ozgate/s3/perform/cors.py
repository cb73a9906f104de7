"""Pages of other origins: PutBucketCors, GetBucketCors, DeleteBucketCors. What the rules do is in :mod:`ozgate.s3.origins`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import NoSuchCORSConfiguration
from ..configuration.cors import CORS, check_cors
from .configuration import keep, remove, show

if TYPE_CHECKING:
    from ..call import Call
    from ..reply import Reply

MOST: Final = 64 << 10
"""Bytes of a document. Source: Amazon S3 API Reference, PutBucketCors."""


async def put_bucket_cors(call: Call) -> Reply:
    """Keep rules in place of those that the bucket has."""
    return await keep(call, CORS, check_cors, most=MOST)


async def get_bucket_cors(call: Call) -> Reply:
    """Show the rules."""
    return await show(call, CORS.kind, NoSuchCORSConfiguration)


async def delete_bucket_cors(call: Call) -> Reply:
    """Remove the rules."""
    return await remove(call, CORS.kind)
