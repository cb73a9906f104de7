"""Links: buckets that are names of other buckets. They chain, dangle and loop, and are only found out when followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket


def follow(
    tx: IMetadataTransaction, named: Bucket, check: Callable[[str, Bucket], None]
) -> tuple[Bucket | None, bool]:
    """Find the real bucket behind a link, or behind a chain of them.

    :param check: called with ``READ`` and each link on the way, for following needs that right on it (Ozone's rule).
    :return: the real bucket, or ``None``; and whether that is because the links form a loop.
    """
    seen: set[tuple[str, str]] = set()
    bucket: Bucket | None = named
    while bucket is not None and bucket.source is not None:
        check("READ", bucket)
        if bucket.source in seen:
            return None, True
        seen.add(bucket.source)
        bucket = tx.bucket(*bucket.source)
    return bucket, False
