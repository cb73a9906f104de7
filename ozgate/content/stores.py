"""Blob stores side by side: which one has a blob, and which one takes new ones.

A second store has its place here: whoever reads asks for the store of a blob, whoever writes takes the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack

from twisted.internet.defer import Deferred

from ..errors import Unavailable
from ..interfaces import IBlobStore, IFiles
from ..values import BlobRef


class BlobStores:
    """The blob stores of a service, by the names that :class:`~ozgate.values.BlobRef` has for them.

    Iterating gives each of them, the default first.

    :param default: where new blobs go.
    :param more: further ones; they are read from, and what nothing names is removed from them.
    :raises ValueError: two have one name.
    :ivar default: as given.
    """

    def __init__(self, default: IBlobStore, more: Iterable[IBlobStore] = ()) -> None:
        self.default = default
        self._opened = AsyncExitStack()
        self._by_name: dict[str, IBlobStore] = {}
        for store in (default, *more):
            if store.name in self._by_name:
                raise ValueError(f"two blob stores are called {store.name}")
            self._by_name[store.name] = store

    def __iter__(self) -> Iterator[IBlobStore]:
        return iter(self._by_name.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all, the default's first."""
        return tuple(self._by_name)

    @property
    def folder(self) -> str:
        """The folder that new blobs go to; ``""`` where they go to none of this machine."""
        if not IFiles.providedBy(self.default):
            return ""
        folder: str = IFiles(self.default).folder
        return folder

    def named(self, name: str) -> IBlobStore:
        """The store of that name.

        :raises Unavailable: it is not configured. That says nothing of its blobs: they are neither damaged nor lost.
        """
        store = self._by_name.get(name)
        if store is None:
            raise Unavailable(
                f"the blob store {name!r} is not configured: neither ozgate.blobs nor ozgate.blobs.more names it"
            )
        return store

    def of(self, blob: BlobRef) -> IBlobStore:
        """The store that has a blob.

        :raises Unavailable: as :meth:`named`.
        """
        return self.named(blob.store)

    async def prepare(self) -> None:
        """Prepare all of them, once for whatever processes open them; when one cannot be, those that were are closed again.

        :raises StoreError: one cannot be prepared.
        """
        await self._each(lambda store: store.prepare_store())

    async def inspect(self, blobs: Iterable[BlobRef]) -> Mapping[tuple[str, str], str]:
        """Look whether blobs are there, as :meth:`~ozgate.interfaces.IBlobStore.inspect` does.

        :return: what is wrong with those that are not well, by store and id; nothing is said of those whose store is not
            configured.
        :raises Unavailable: likewise.
        """
        by_store: dict[str, dict[str, BlobRef]] = {}
        for blob in blobs:
            by_store.setdefault(blob.store, {})[blob.id] = blob
        wrong: dict[tuple[str, str], str] = {}
        for store in self:
            asked = by_store.get(store.name)
            if asked:
                found: Mapping[str, str] = await store.inspect(list(asked.values()))
                wrong |= {(store.name, each): what for each, what in found.items()}
        return wrong

    async def open(self) -> None:
        """Open all of them; when one cannot be opened, those that were are closed again.

        :raises StoreError: one cannot be opened.
        """
        await self._each(lambda store: store.open_store())

    async def _each(self, step: Callable[[IBlobStore], Deferred[None]]) -> None:
        async with AsyncExitStack() as opened:
            for store in self:
                await step(store)
                opened.push_async_callback(store.close_store)
            self._opened = opened.pop_all()

    async def close(self) -> None:
        """Close those that are prepared or open. Idempotent."""
        await self._opened.aclose()
