"""Drains of gateways that have died."""

from __future__ import annotations

from twisted.internet.defer import ensureDeferred

from ozgate.admin.caller import Caller
from ozgate.admin.context import AdminContext
from ozgate.admin.upkeep.drain import DrainWatch, stop_drain
from ozgate.background.drain import LEASE, TERM, Drain
from ozgate.background.leased import Lease
from ozgate.content.storenames import known_stores, note_draining
from tests.operations.support import settle
from tests.unit.background.test_drain import DrainCase


class WatchTests(DrainCase):
    """A gateway, and another one that dies while it drains a store."""

    async def test_taken_over(self) -> None:
        """While a drain is another's it is left alone; once that shows no life any more it goes on here, to its end."""
        await self.fill()
        theirs = Lease(LEASE, "dead", TERM).begin()
        await theirs.write(self.gateway.metadata, note_draining, "memory")
        context = AdminContext(self.gateway, None, 0.0)
        watch = DrainWatch(context, self.clock)
        self.successResultOf(ensureDeferred(watch.work()))
        self.assertIsNone(context.upkeep.drain)
        self.clock.advance(TERM + 1)
        self.successResultOf(ensureDeferred(watch.work()))
        ours = context.upkeep.drain
        assert ours is not None
        self.assertTrue(ours.goes_on)
        while not ours.running.is_over:
            settle(self.clock)
        self.assertEqual(await self.named(), {"disk2"})
        await self.check()
        self.successResultOf(ensureDeferred(watch.work()))
        self.assertIs(context.upkeep.drain, ours)
        known = await self.gateway.metadata.read(known_stores)
        self.assertFalse(known["memory"].is_draining)

    async def test_stopped(self) -> None:
        """One that is stopped is nobody's to go on with, from before its lease ends."""
        await self.fill()
        context = AdminContext(self.gateway, None, 0.0)
        drain = context.upkeep.drain = Drain(self.gateway, "memory", "owner")
        stop, known = drain.stop, []

        async def look() -> None:
            known.append(await self.gateway.metadata.read(known_stores))
            await stop()

        self.patch(drain, "stop", look)
        stopped = ensureDeferred(stop_drain(context, Caller("root", is_admin=True)))
        while not drain.running.is_over:
            settle(self.clock)
        self.successResultOf(stopped)
        self.assertEqual([each["memory"].is_draining for each in known], [False])
        self.assertTrue(drain.running.is_over)
