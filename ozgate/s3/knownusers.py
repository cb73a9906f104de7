"""Users by their canonical ids, which are made of names, one way: whoever is known here is looked through.

Known is whoever has a secret or a row, owns a bucket of the volume or a volume, or asks. It costs a page of rows at a time, between which others have
their turn, and is for what is done rarely: a list that names somebody else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from twisted.internet.task import deferLater

from .owners import canonical_id

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from .asked import Asked
    from .call import Call

_PAGE: Final = 500
"""Rows that are looked through at once: a few milliseconds."""


async def names_of(call: Call, ids: Collection[str]) -> dict[str, str]:
    """Canonical id → the name of the user, of those who are known.

    :param ids: as 64 hex digits, in small letters.
    """
    wanted, found = set(ids), dict[str, str]()
    settings, asker = call.gateway.settings, call.principal
    _look(wanted, found, (asker.short_name, asker.user, settings.access_key))
    for page_of in (_bucket_owners, _volume_owners, _users, _secret_users):
        after: str | None = ""
        while wanted and after is not None:
            after, users = await call.read(page_of, after)
            known_as = call.gateway.administrators.known_as
            _look(wanted, found, (*users, *map(known_as, users)))
            await deferLater(call.gateway.clock, 0)
    return found


def _look(wanted: set[str], found: dict[str, str], names: Iterable[str]) -> None:
    """Find those who are wanted among some names."""
    for name in names:
        identity = canonical_id(name)
        if name and identity in wanted:
            found[identity] = name
            wanted.discard(identity)


_Page = tuple[str | None, Sequence[str]]
"""Where to go on, ``None`` at the end; and names of users."""


def _bucket_owners(tx: IMetadataTransaction, asked: Asked, after: str) -> _Page:
    rows = tx.buckets(asked.volume, "", after, _PAGE)
    return _next([row.name for row in rows]), [row.owner for row in rows]


def _volume_owners(tx: IMetadataTransaction, asked: Asked, after: str) -> _Page:
    rows = tx.volumes("", after, _PAGE)
    return _next([row.name for row in rows]), [row.owner for row in rows]


def _users(tx: IMetadataTransaction, asked: Asked, after: str) -> _Page:
    names = [row.name for row in tx.users(after, _PAGE)]
    return _next(names), names


def _secret_users(tx: IMetadataTransaction, asked: Asked, after: str) -> _Page:
    rows = tx.secrets(after, _PAGE)
    return _next([row.access_id for row in rows]), [row.user for row in rows]


def _next(names: Sequence[str]) -> str | None:
    return names[-1] if len(names) == _PAGE else None
