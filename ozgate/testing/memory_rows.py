"""The transaction of the memory provider: rows in dicts, listings worked out from all keys.

The tables are in ``memory_state``, the rows of each kind in the modules that this one puts together.
"""

from __future__ import annotations

from zope.interface import implementer

from ..interfaces import IMetadataTransaction
from .memory_buckets import BucketRows
from .memory_events import EventRows
from .memory_identities import IdentityRows
from .memory_listing import ListedRows
from .memory_moves import MovedRows
from .memory_shared import SharedRows


@implementer(IMetadataTransaction)
class MemoryTransaction(
    ListedRows, BucketRows, EventRows, IdentityRows, SharedRows, MovedRows
):
    """A transaction on a state that is thrown away if the interaction fails."""
