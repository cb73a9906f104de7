"""Stores as the process opens them that holds the data folder."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from ozgate.interfaces import IBlobStore


def started(store: Any) -> Deferred[None]:
    """Prepare a store of either kind, then open it.

    :return: fires when it is open, fails with ``Unavailable`` when it cannot be.
    """
    return Deferred.fromCoroutine(_start(store))


async def _start(store: Any) -> None:
    if IBlobStore.providedBy(store):
        await store.prepare_store()
        await store.open_store()
    else:
        await store.prepare()
        await store.open()
