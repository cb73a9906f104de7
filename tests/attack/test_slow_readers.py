"""Readers that take nothing: what is held for them is bounded, however many extents their objects have."""

from __future__ import annotations

import gc

from ozgate.content.outlet import HELD
from ozgate.testing.inmemory import settle
from ozgate.values import EXTENTS_AT_ONCE, Extent
from tests.operations.many import ManyExtentsTestCase

READERS = 20
EXTENTS = 1_000
SIZE = 70_000


def extents_held() -> int:
    """Extents there are in this process."""
    gc.collect()
    return sum(type(each) is Extent for each in gc.get_objects())


class SlowReadersTests(ManyExtentsTestCase):
    """Many GETs of an object of many extents."""

    async def test_bounded(self) -> None:
        """Each slow reader has a few extents held, which are counted; when it reads or goes, none."""
        await self.add_object(b"a" * SIZE, b"b" * SIZE, times=EXTENTS // 2)
        memory = self.client.gateway.memory
        before = extents_held()
        self.assertGreaterEqual(before, EXTENTS)
        readers = [self.slowly() for _ in range(READERS)]
        # At first nobody reads; then everybody is some pages further, and stops again.
        for enough in (0, 5 * EXTENTS_AT_ONCE * SIZE // 2):
            for reader in readers:
                if enough:
                    reader.enough = enough
                    reader.transport.resumeProducing()
                    settle(self.clock)
                self.assertTrue(enough <= len(reader.heard) <= enough + 3 * SIZE)
            held = extents_held() - before
            self.assertLessEqual(held, READERS * EXTENTS_AT_ONCE)
            self.assertEqual(memory.held, READERS * EXTENTS_AT_ONCE * HELD)
        for reader in readers:
            reader.transport.abortConnection()
        settle(self.clock)
        self.assertEqual(memory.held, 0)
        self.assertEqual(extents_held(), before)
