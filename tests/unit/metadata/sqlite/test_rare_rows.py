"""Rows that few stores have, and dumps since some schema: they read the same in every later one."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import TestCase

from ozgate.metadata.sqlite import schema
from tests.started import started
from tests.unit.metadata.sqlite.metadata_rows import (
    identities,
    look_at_identities,
    look_at_rare,
    rare,
    restore,
    still_store,
)
from tests.unit.metadata.sqlite.test_upgrades import DUMPS, without_order


class RareTests(TestCase):
    """What is in no dump of before."""

    async def test_rare(self) -> None:
        """What few rows have reads the same after a stop, and where this schema or a later one before this version made it."""
        await self._same_since(11, rare, look_at_rare)

    async def test_identities(self) -> None:
        """So do users, groups, policies, and what few secrets have."""
        since = 1 + schema.MIGRATIONS.index(schema.m012_identities)
        await self._same_since(since, identities, look_at_identities)

    async def _same_since(self, first: int, made: Any, look_at: Any) -> None:
        paths = [self.mktemp()]
        store = still_store(paths[0])
        await started(store)
        await store.write(made)
        expected = await store.read(look_at)
        await store.close()
        for number in sorted(number for number in DUMPS if number >= first):
            paths.append(self.mktemp())
            restore(DUMPS[number], paths[-1])
        for path in paths:
            store = still_store(path)
            await started(store)
            found = await store.read(look_at)
            await store.close()
            self.assertEqual(without_order(found), without_order(expected))
