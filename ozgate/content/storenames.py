"""The names of blob stores, as the metadata know them: a setting lists every store that blobs ever went to, until it is drained.

So a start finds out without looking at a single row whether a store that rows may name is not configured.
"""

from __future__ import annotations

from ..errors import Damaged
from ..interfaces import IMetadataTransaction
from ..values import FIRST_STORE

KEPT = "blobs.stores"
"""The setting: names, one a line. Where it is absent, all blobs went to :data:`~ozgate.values.FIRST_STORE`."""


def known_stores(tx: IMetadataTransaction) -> frozenset[str]:
    """The stores that blobs may have gone to; none where nothing was ever stored; an interaction."""
    kept = tx.setting(KEPT)
    if kept is not None:
        return frozenset(kept.decode().split())
    try:
        is_new = not tx.volumes("", "", 1)
    except Damaged:
        is_new = False
    return frozenset() if is_new else frozenset([FIRST_STORE])


def note_store(tx: IMetadataTransaction, name: str) -> None:
    """Keep the name of a store before the first blob goes to it; an interaction."""
    _keep(tx, known_stores(tx) | {name})


def forget_store(tx: IMetadataTransaction, name: str) -> None:
    """Forget the name of a store that no row names any more, and that no blob goes to; an interaction."""
    _keep(tx, known_stores(tx) - {name})


def _keep(tx: IMetadataTransaction, names: frozenset[str]) -> None:
    tx.set_setting(KEPT, "\n".join(sorted(names)).encode())
