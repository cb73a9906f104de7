"""The outbox: a row for each change of an object, written with it, for who sends notifications or replicates.

A bucket where nobody listens has none: it costs the look at which documents the bucket has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...values import Event

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket, Cause, EventName, ObjectVersion

LISTENING = frozenset(("notification", "replication"))
"""The kinds of configuration documents by which somebody listens to what becomes of a bucket's objects."""


def note(
    tx: IMetadataTransaction,
    cause: Cause,
    bucket: Bucket,
    version: ObjectVersion,
    name: EventName,
) -> None:
    """Note what became of a version, where somebody listens."""
    if bucket.configured.isdisjoint(LISTENING):
        return
    event = Event(
        name=name,
        time=tx.now(),
        bucket=bucket.number,
        volume=bucket.volume,
        bucket_name=bucket.name,
        owner=bucket.owner,
        key=version.key,
        version_id=version.version_id,
        size=version.size,
        etag=version.etag,
        cause=cause,
    )
    tx.note_event(event)
