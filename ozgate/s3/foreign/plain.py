"""What S3 says of a bucket of which nothing is kept here: the operations on our own buckets say it, of one that has no documents, lists and versions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from attrs import fields

from ...interfaces import IMetadataTransaction
from ...values import Bucket
from ..asked import Asked
from ..call import Call
from .place import bucket_of, judge

if TYPE_CHECKING:
    from ..reply import Reply

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Plain(Call):
    """A call whose interactions see a bucket without documents, which is there."""

    async def read_authorized(
        self,
        interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
        *values: *Ts,
    ) -> T:
        """Run a reading interaction in the addressed bucket."""
        await judge(self)
        bucket = await plain_bucket(self)
        return await self.read(_inside, interaction, bucket, *values)


async def plain_bucket(call: Call) -> Bucket:
    """The addressed bucket, as one of ours without documents would be."""
    info = await bucket_of(call).info()
    # One that has no number has no rows.
    return Bucket(
        info.volume, call.bucket_name, info.owner, info.created, layout=info.layout
    )


def _inside(
    tx: IMetadataTransaction,
    asked: Asked,
    interaction: Callable[..., Any],
    bucket: Bucket,
    *values: object,
) -> Any:
    return interaction(tx, asked, bucket, *values)


def as_plain(
    perform: Callable[[Call], Awaitable[Reply]],
) -> Callable[[Call], Awaitable[Reply]]:
    """An operation that reads what may be configured of our buckets, in a bucket of another system."""

    async def foreign(call: Call) -> Reply:
        return await perform(
            _Plain(*(getattr(call, each.name) for each in fields(Call)))
        )

    return foreign


def is_plain(foreign: Callable[[Call], Awaitable[Reply]]) -> bool:
    """Whether an operation says that nothing is configured, because nothing can be."""
    return foreign.__module__ == __name__
