"""Whether a bucket is reached by AWS's edge. Source: Amazon S3 API Reference, "PutBucketAccelerateConfiguration"."""

from __future__ import annotations

from typing import Final

from ...immutable import frozen
from ..structures import Document, One, one_of
from .kept import Kept


@frozen
class Acceleration:
    """The state; ``None`` where none was ever set."""

    status: str | None = None


DOCUMENT: Final = Document(
    "AccelerateConfiguration",
    Acceleration,
    status=One("Status", one_of("Enabled", "Suspended")),
)
ACCELERATION: Final = Kept("acceleration", DOCUMENT)
