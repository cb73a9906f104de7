"""The configuration of a bucket: its documents kept, shown and removed, and S3's exact "not configured" answers.

Clients and Terraform probe all of these. Each answer is given only when the bucket is there.
Source: Amazon S3 API Reference, the page of each operation, and AWS's defaults for a new bucket. One
differs on purpose: AWS shows SSE-S3 for every bucket; here nothing is encrypted, so nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...errors import (
    MaxMessageLengthExceeded,
    NoSuchConfiguration,
    NoSuchLifecycleConfiguration,
    ReplicationConfigurationNotFoundError,
    S3Error,
    ServerSideEncryptionConfigurationNotFoundError,
)
from ...interfaces import IMetadataTransaction
from ...values import Bucket
from ..asked import Asked
from ..call import Call
from ..configuration.kept import Kept
from ..documents import document, element
from ..receive import check_entry
from ..receive import document as receive_document
from ..reply import Reply, xml_reply

T = TypeVar("T")
_Perform = Callable[[Call], Awaitable[Reply]]


def _absent(error: type[S3Error]) -> _Perform:
    """An operation that answers an error about the bucket."""

    async def perform(call: Call) -> Reply:
        await call.read_authorized(check_entry)
        raise error(BucketName=call.bucket_name)

    return perform


def _shows(root: str, *children: str) -> _Perform:
    """An operation that answers a fixed document."""
    answer = document(root, *children)

    async def perform(call: Call) -> Reply:
        await call.read_authorized(check_entry)
        return xml_reply(answer)

    return perform


async def show(call: Call, kind: str, absent: type[S3Error]) -> Reply:
    """Show a document as it is kept.

    :param kind: see :class:`~ozgate.s3.configuration.kept.Kept`.
    :param absent: what is raised where the bucket has none.
    """
    data = await call.read_authorized(kept_document, kind)
    if data is None:
        raise absent(BucketName=call.bucket_name)
    return xml_reply(data)


async def keep(
    call: Call,
    kept: Kept[T],
    check: Callable[[T], None] | None = None,
    status: int = 200,
    most: int | None = None,
) -> Reply:
    """Take a document and keep it, written anew.

    :param check: raises where S3 does not take what the document says.
    :param status: of the answer.
    :param most: bytes that S3 takes of one, where it says so.
    :raises MalformedXML: it is another document.
    :raises MaxMessageLengthExceeded: it is larger.
    """
    value = kept.document.parse(await receive_document(call))
    if check is not None:
        check(value)
    data = kept.document.render(value)
    if most is not None and len(data) > most:
        raise MaxMessageLengthExceeded(MaxMessageLengthBytes=most)
    await call.write_whole(keep_document, kept.kind, data)
    return Reply(status)


async def remove(call: Call, kind: str) -> Reply:
    """Remove a document; where there is none nothing happens."""
    await call.write_whole(keep_document, kind, None)
    return Reply(204)


def kept_document(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, kind: str
) -> bytes | None:
    """A document of a bucket, as it is kept; an interaction inside of it."""
    if kind not in bucket.configured:
        return None
    data: bytes | None = tx.configuration(bucket, kind)
    return data


def keep_document(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    kind: str,
    data: bytes | None,
) -> None:
    """Keep a document of a bucket, or remove it; an interaction inside of it, claimed whole."""
    if data is not None or kind in bucket.configured:
        tx.set_configuration(bucket, kind, data)


_NONE_LISTED = element("IsTruncated", False)

get_bucket_logging = _shows("BucketLoggingStatus")
get_bucket_notification_configuration = _shows("NotificationConfiguration")

get_bucket_encryption = _absent(ServerSideEncryptionConfigurationNotFoundError)
get_bucket_lifecycle_configuration = _absent(NoSuchLifecycleConfiguration)
get_bucket_replication = _absent(ReplicationConfigurationNotFoundError)

get_bucket_analytics_configuration = _absent(NoSuchConfiguration)
get_bucket_intelligent_tiering_configuration = _absent(NoSuchConfiguration)
get_bucket_inventory_configuration = _absent(NoSuchConfiguration)
get_bucket_metrics_configuration = _absent(NoSuchConfiguration)

list_bucket_analytics_configurations = _shows(
    "ListBucketAnalyticsConfigurationResult", _NONE_LISTED
)
list_bucket_intelligent_tiering_configurations = _shows(
    "ListBucketIntelligentTieringConfigurationsOutput", _NONE_LISTED
)
list_bucket_inventory_configurations = _shows(
    "ListInventoryConfigurationsResult", _NONE_LISTED
)
list_bucket_metrics_configurations = _shows(
    "ListMetricsConfigurationsResult", _NONE_LISTED
)
