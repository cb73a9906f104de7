"""What is there at the first start: the volume that S3 shows, and the buckets that the configuration asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ..errors import BucketAlreadyExists, BucketAlreadyOwnedByYou
from ..interfaces import IMetadataTransaction
from ..s3.newbuckets import Beginning
from ..s3.perform.buckets import add_bucket, shared_volume
from ..values import Claim


def lacks_something(
    tx: IMetadataTransaction, volume: str, buckets: Sequence[str]
) -> bool:
    """Whether :func:`make_missing` has something to make; an interaction."""
    return tx.volume(volume) is None or any(
        tx.bucket(volume, name) is None for name in buckets
    )


def make_missing(
    tx: IMetadataTransaction,
    volume: str,
    buckets: Sequence[str],
    owner: str,
    beginning: Beginning,
) -> None:
    """Make the volume that S3 shows and the buckets asked for, where they are missing; an interaction."""
    tx.claim(Claim.volume(volume), *(Claim.name(volume, name) for name in buckets))
    if tx.volume(volume) is None:
        tx.add_volume(shared_volume(volume, owner, tx.now()))
    for name in buckets:
        with contextlib.suppress(BucketAlreadyExists, BucketAlreadyOwnedByYou):
            add_bucket(tx, volume, name, owner, "", beginning)
