"""Whether a bucket keeps versions. Not kept as a document: it is a member of the bucket.

Source: Amazon S3 API Reference, "PutBucketVersioning".
"""

from __future__ import annotations

from typing import Final

from ...immutable import frozen
from ..structures import Document, One, one_of


@frozen
class Versioning:
    """What a document says.

    :ivar status: ``Enabled`` or ``Suspended``; ``None`` of a bucket that never was versioned.
    :ivar mfa_delete: whether a version goes only for who has a second factor. Nobody has one here.
    """

    status: str | None
    mfa_delete: str | None = None


DOCUMENT: Final = Document(
    "VersioningConfiguration",
    Versioning,
    status=One("Status", one_of("Enabled", "Suspended")),
    mfa_delete=One("MfaDelete", one_of("Enabled", "Disabled")),
)
