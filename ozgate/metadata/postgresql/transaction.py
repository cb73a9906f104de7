"""The transactions that interactions are given: all rows together, for writing and for reading."""

from __future__ import annotations

from zope.interface import implementer

from ...interfaces import IMetadataTransaction
from ...values import Claim
from ..readonly import refuse_writing
from .base import ReadingRows
from .blobnames import BlobRows
from .events import EventRows
from .identities import IdentityRows
from .mending import MendingRows
from .shared import SharedRows
from .uploads import UploadRows
from .versions import VersionRows


@implementer(IMetadataTransaction)
class Transaction(
    VersionRows,
    UploadRows,
    BlobRows,
    MendingRows,
    EventRows,
    IdentityRows,
    SharedRows,
):
    """What a writing interaction is given: READ COMMITTED, so that what is read once it is claimed is what is there.

    Source: PostgreSQL, "Read Committed Isolation Level", "Advisory Locks".
    """

    HOW = "ISOLATION LEVEL READ COMMITTED READ WRITE"


@refuse_writing
class ReadTransaction(ReadingRows, Transaction):
    """What a reading interaction is given: one snapshot, in which no row changes, so that what was read is kept.

    Source: PostgreSQL, "Repeatable Read Isolation Level".
    """

    HOW = "ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def _may_keep(self, claim: Claim) -> bool:
        return True
