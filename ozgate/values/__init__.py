"""Values that cross layers: frozen, without behavior that needs a store or a socket.

Imports nothing else of ozgate; whoever needs a value imports it from here. Times are milliseconds since the epoch, UTC; sizes are bytes.
"""

from __future__ import annotations

from .access import (
    ANONYMOUS,
    NO_GRANTS,
    RIGHTS,
    Acl,
    Credential,
    Grants,
    Presented,
    Principal,
    Secret,
    Session,
    Signatory,
    Standing,
)
from .buckets import Bucket, Volume
from .claims import Claim
from .content import EXTENTS_AT_ONCE, FIRST_STORE, BlobRef, ByteRange, Content, Extent
from .diagnosis import Diagnosis, Verdict
from .events import Cause, Event, EventName
from .foreign import (
    ITSELF,
    NO_PRECONDITION,
    ForeignBucket,
    ForeignListed,
    ForeignObject,
    ForeignPage,
    ForeignPart,
    ForeignRow,
    ForeignUpload,
    ForeignUploadPage,
    OnBehalf,
    Precondition,
)
from .identities import Group, ManagedPolicy, User
from .inspection import BlobUser, CheckedRows, DamagedRow, Drift
from .processes import Process
from .uploads import Part, Upload, UploadPage
from .versions import (
    NULL_VERSION,
    Checksum,
    ListedObject,
    ListedVersion,
    ObjectPart,
    ObjectRow,
    ObjectVersion,
    Page,
    Traits,
    VersionPage,
    VersionRow,
)

__all__ = [
    "ANONYMOUS",
    "EXTENTS_AT_ONCE",
    "FIRST_STORE",
    "ITSELF",
    "NO_GRANTS",
    "NO_PRECONDITION",
    "NULL_VERSION",
    "RIGHTS",
    "Acl",
    "BlobRef",
    "BlobUser",
    "Bucket",
    "ByteRange",
    "Cause",
    "CheckedRows",
    "Checksum",
    "Claim",
    "Content",
    "Credential",
    "DamagedRow",
    "Diagnosis",
    "Drift",
    "Event",
    "EventName",
    "Extent",
    "ForeignBucket",
    "ForeignListed",
    "ForeignObject",
    "ForeignPage",
    "ForeignPart",
    "ForeignRow",
    "ForeignUpload",
    "ForeignUploadPage",
    "Grants",
    "Group",
    "ListedObject",
    "ListedVersion",
    "ManagedPolicy",
    "ObjectPart",
    "ObjectRow",
    "ObjectVersion",
    "OnBehalf",
    "Page",
    "Part",
    "Precondition",
    "Presented",
    "Principal",
    "Process",
    "Secret",
    "Session",
    "Signatory",
    "Standing",
    "Traits",
    "Upload",
    "UploadPage",
    "User",
    "Verdict",
    "VersionPage",
    "VersionRow",
    "Volume",
]
