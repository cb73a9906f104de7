"""The names of blob stores, as the metadata know them: a setting lists every store that blobs ever went to, and which of them were drained.

So a start finds out without looking at a single row whether a store that rows may name is not configured.
"""

from __future__ import annotations

from ..errors import Damaged
from ..interfaces import IMetadataTransaction
from ..values import FIRST_STORE, Claim

KEPT = "blobs.stores"
"""The setting: names, one a line; after one that was drained, a word that says so. Where it is absent, all blobs went to
:data:`~ozgate.values.FIRST_STORE`."""

_DRAINED = "drained"


def known_stores(tx: IMetadataTransaction) -> dict[str, bool]:
    """The stores that blobs may have gone to, and of each whether rows may name blobs in it; none where nothing was ever stored.

    An interaction. In one that was drained may be blobs that are still to be removed.
    """
    kept = tx.setting(KEPT)
    if kept is not None:
        lines = [line.split() for line in kept.decode().splitlines()]
        return {name: _DRAINED not in more for name, *more in lines}
    try:
        is_new = not tx.volumes("", "", 1)
    except Damaged:
        is_new = False
    return {} if is_new else {FIRST_STORE: True}


def note_store(tx: IMetadataTransaction, name: str) -> None:
    """Keep the name of a store before the first blob goes to it; an interaction."""
    _note(tx, name, True)


def note_drained(tx: IMetadataTransaction, name: str) -> None:
    """Keep that no row names a blob of a store any more, and that none goes to it; an interaction."""
    _note(tx, name, False)


def _note(tx: IMetadataTransaction, name: str, is_needed: bool) -> None:
    tx.claim(Claim.setting(KEPT))
    stores = known_stores(tx) | {name: is_needed}
    lines = [each if stores[each] else f"{each} {_DRAINED}" for each in sorted(stores)]
    tx.set_setting(KEPT, "\n".join(lines).encode())
