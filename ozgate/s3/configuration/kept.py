"""A document of a bucket as it is kept: read where the bucket is known to have one, parsed once for its bytes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from ...errors import Damaged, S3Error

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
        :raises Damaged: its document cannot be read, or is not there: it may say whom not to let in, or what to keep.
        """
        if self.kind not in bucket.configured:
            return None
        data = tx.configuration(bucket, self.kind)
        if data is None:
            raise Damaged(f"bucket {bucket.name!r} lacks its {self.kind}", "metadata")
        try:
            return self.parse(data)
        except S3Error as error:
            raise Damaged(
                f"the {self.kind} of bucket {bucket.name!r} cannot be read: {error}",
                "metadata",
            ) from None
