"""A document of a bucket as it is kept: read where the bucket is known to have one, parsed once for its bytes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..structures import Document

T = TypeVar("T")


class Kept(Generic[T]):
    """One kind of document.

    :param kind: its name in the rows.
    :param document: how it is written and read.
    """

    def __init__(self, kind: str, document: Document[T]) -> None:
        self.kind = kind
        self.document = document
        self.parse = lru_cache(256)(document.parse)

    def of(self, tx: IMetadataTransaction, bucket: Bucket) -> T | None:
        """What a bucket has; for use inside an interaction. One without costs nothing.

        :param bucket: the real one, as read in this interaction.
        :raises Damaged: its document cannot be read.
        """
        if self.kind not in bucket.configured:
            return None
        data = tx.configuration(bucket, self.kind)
        return None if data is None else self.parse(data)
