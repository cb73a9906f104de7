"""The names of blob stores, as the metadata know them: a setting lists every store that blobs ever went to, and what is known of it.

So a start finds out without looking at a single row whether a store that rows may name is not configured, or is not the one that it
was: an empty folder where a disk is not mounted looks like a new store, but for its identity.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve
from awscrt.checksums import crc64nvme

from ..errors import Damaged
from ..immutable import frozen
from ..interfaces import IMetadataTransaction
from ..values import FIRST_STORE, Claim

KEPT = "blobs.stores"
"""The setting: its check, then names, one a line, each with words for what is known. Where it is absent, all blobs went to
:data:`~ozgate.values.FIRST_STORE`."""

_PAGE = 1000

_DRAINED, _DRAINING, _IDENTITY = "drained", "draining", "id="


@frozen
class KnownStore:
    """A store that blobs may have gone to.

    :ivar identity: what :class:`~ozgate.interfaces.IBlobStore` calls so; ``""`` where it is not known.
    :ivar is_needed: whether rows may name blobs in it. In one that was drained may be blobs that are still to be removed.
    :ivar is_draining: whether a drain of it was begun and is to come to its end.
    """

    identity: str = ""
    is_needed: bool = True
    is_draining: bool = False

    def is_another(self, identity: str) -> bool:
        """Whether a store of that identity is surely not this one."""
        return bool(self.identity) and self.identity != identity


Known = Mapping[str, KnownStore]
"""By name."""


def known_stores(tx: IMetadataTransaction) -> Known:
    """The stores that blobs may have gone to; none where nothing was ever stored. An interaction."""
    kept = tx.setting(KEPT)
    if kept is not None:
        text = _checked(kept)
        if text is None:
            return _named(tx)
        lines = [line.split() for line in text.decode().splitlines()]
        return {name: _read(words) for name, *words in lines}
    try:
        is_new = not tx.volumes("", "", 1)
    except Damaged:
        is_new = False
    return {} if is_new else {FIRST_STORE: KnownStore()}


def with_configured(
    known: Known, default: str, identities: Mapping[str, str]
) -> dict[str, KnownStore]:
    """What is to be known once a service runs with these stores; pure.

    :param default: the name of the store that new blobs go to.
    :param identities: of all that are configured, by name; ``""`` where one has none yet.
    """
    found = dict(known)
    # New bytes are on their way: it is needed, and nobody empties it.
    found[default] = KnownStore(_of(known, default).identity)
    for name, identity in identities.items():
        if name in found and identity:
            found[name] = evolve(found[name], identity=identity)
    return found


def note_configured(
    tx: IMetadataTransaction,
    default: str,
    identities: Mapping[str, str],
    seen: Known | None = None,
) -> bool:
    """Keep what :func:`with_configured` says, before the first blob goes to the default; an interaction.

    :param seen: what the stores were held against; ``None`` for nothing.
    :return: whether that is still what is known; nothing is kept where another gateway has started meanwhile.
    """
    tx.claim(Claim.setting(KEPT))
    known = known_stores(tx)
    if seen is not None and known != seen:
        return False
    _keep(tx, with_configured(known, default, identities))
    return True


def note_restored(tx: IMetadataTransaction, identities: Mapping[str, str]) -> None:
    """Keep that all blobs are in these stores, new ones under names that were there before; an interaction."""
    tx.claim(Claim.setting(KEPT))
    _keep(tx, {name: KnownStore(identity) for name, identity in identities.items()})


def note_draining(tx: IMetadataTransaction, name: str) -> bool:
    """Keep that a store is to be drained, and no other; an interaction.

    :return: whether that was known.
    """
    tx.claim(Claim.setting(KEPT))
    known = dict(known_stores(tx))
    before = known.setdefault(name, KnownStore()).is_draining
    _keep(
        tx,
        {
            each: evolve(store, is_draining=each == name)
            for each, store in known.items()
        },
    )
    return before


def note_drained(tx: IMetadataTransaction, name: str) -> None:
    """Keep that no row names a blob of a store any more, and that none goes to it; an interaction."""
    tx.claim(Claim.setting(KEPT))
    known = dict(known_stores(tx))
    known[name] = KnownStore(_of(known, name).identity, is_needed=False)
    _keep(tx, known)


def note_stays(tx: IMetadataTransaction, name: str) -> None:
    """Keep that a store is not to be drained any further; an interaction."""
    tx.claim(Claim.setting(KEPT))
    known = dict(known_stores(tx))
    known[name] = evolve(_of(known, name), is_draining=False)
    _keep(tx, known)


def _of(known: Known, name: str) -> KnownStore:
    return known.get(name, KnownStore())


def _keep(tx: IMetadataTransaction, known: Known) -> None:
    lines = [" ".join([name, *_words(known[name])]) for name in sorted(known)]
    text = "\n".join(lines).encode()
    tx.set_setting(KEPT, _check_of(text) + text)


def _check_of(text: bytes) -> bytes:
    """What stands before the text: rows of settings have no check of their own."""
    return b"%016x\n" % crc64nvme(text)


def _checked(kept: object) -> bytes | None:
    """The text that was kept; ``None`` where that is damaged."""
    if not isinstance(kept, bytes):
        return None
    text = kept.partition(b"\n")[2]
    return text if kept == _check_of(text) + text else None


def _named(tx: IMetadataTransaction) -> Known:
    """The stores that rows name, for where the setting is damaged: a start is kept up for as long as a walk through all blobs takes, but not for good."""
    found = set(tx.doomed_stores())
    after = ("", "")
    while page := tx.blobs(after, _PAGE):
        found.update(blob.store for blob in page)
        after = page[-1].id, page[-1].store
    return {name: KnownStore() for name in sorted(found)}


def _words(store: KnownStore) -> list[str]:
    words = [_DRAINED] * (not store.is_needed) + [_DRAINING] * store.is_draining
    return words + [_IDENTITY + store.identity] * bool(store.identity)


def _read(words: list[str]) -> KnownStore:
    identities = [each for each in words if each.startswith(_IDENTITY)]
    return KnownStore(
        "".join(identities).removeprefix(_IDENTITY),
        _DRAINED not in words,
        _DRAINING in words,
    )
