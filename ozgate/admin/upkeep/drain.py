"""What ``ozgate admin move-blobs`` calls: beginning a drain, stopping it, asking how far it is."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from ...background.drain import TERM, Drain
from ...background.rounds import Rounds
from ...content.storenames import known_stores, note_stays
from ..answers import Json
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError
from .tasks import wait_for

MOST_COUNTED = 10_000
"""Blobs still to be removed that are counted at most."""


async def start_drain(context: AdminContext, caller: Caller, store: str) -> Json | None:
    """Begin a drain, or look on at the one of the same store that is under way.

    :param store: the name of a blob store that is configured, and not the one that new blobs go to.
    :raises AdminError: the caller is no administrator; there is no such store; another drain is under way.
    """
    require_admin(caller)
    gateway, upkeep = context.gateway, context.upkeep
    if store not in gateway.blobs.names:
        raise AdminError(
            "NOT_FOUND",
            f"no blob store is called {store!r}, but {', '.join(gateway.blobs.names)}",
            404,
        )
    if store == gateway.blobs.default.name:
        raise AdminError(
            "INVALID_REQUEST",
            f"new blobs go to {store!r}: name another store in ozgate.blobs, and this one in ozgate.blobs.more, before it is drained",
        )
    drain = upkeep.drain
    if drain is None or drain.running.is_over:
        drain = upkeep.drain = Drain(gateway, store, gateway.process)
        # Once it is answered, it goes on after a crash, too.
        await drain.beginning.wait()
    elif drain.name != store:
        raise AdminError(
            "INVALID_REQUEST",
            f"the drain of {drain.name!r} is under way: wait until it is over, or stop it",
            409,
        )
    return await drain_status(context, caller)


async def stop_drain(context: AdminContext, caller: Caller) -> Json | None:
    """Stop the one under way, for good; begun again, it goes on there.

    :raises AdminError: the caller is no administrator.
    """
    require_admin(caller)
    drain = context.upkeep.drain
    if drain is None:
        return None
    # Before its lease ends, or another gateway would go on with it; and not before that is known which this takes back.
    await drain.beginning.wait()
    await context.gateway.metadata.write(note_stays, drain.name)
    await drain.stop()
    return await drain_status(context, caller)


async def resume_drain(context: AdminContext) -> None:
    """Go on with a drain that a process before did not bring to its end, unless another does.

    :raises StoreError: the metadata store failed.
    """
    gateway, upkeep = context.gateway, context.upkeep
    known = await gateway.metadata.read(known_stores)
    for name, store in known.items():
        if store.is_draining and name in gateway.blobs.names[1:]:
            former = upkeep.drain
            if former is not None and not former.running.is_over:
                return
            # At once, for nobody is to begin another meanwhile.
            drain = upkeep.drain = Drain(gateway, name, gateway.process)
            await drain.beginning.wait()
            if drain.beginning.failure is not None:
                upkeep.drain = former


class DrainWatch(Rounds):
    """Goes on with a drain whose gateway has died, where several share the metadata.

    :param clock: what rounds are timed by.
    """

    name = "drain"

    def __init__(self, context: AdminContext, clock: IReactorTime) -> None:
        super().__init__(clock, TERM)
        self._context = context

    async def work(self) -> None:
        """Look once."""
        await resume_drain(self._context)


async def drain_status(
    context: AdminContext, caller: Caller, wait: float = 0.0
) -> Json | None:
    """How far it is, or what came of the last one; ``None`` when there was none since this process started.

    :param wait: seconds to wait for its end first.
    :raises AdminError: the caller is no administrator, or the drain failed.
    """
    require_admin(caller)
    drain = context.upkeep.drain
    if drain is None:
        return None
    await wait_for(drain.running, "drain", wait)
    return {
        "store": drain.name,
        "running": not drain.running.is_over,
        "goesOn": drain.goes_on,
        "done": drain.done,
        "total": drain.total,
        "moved": drain.moved,
        "left": drain.left_count,
        "reasons": dict(drain.left),
        "empty": drain.is_empty,
        "waiting": await drain.waiting(MOST_COUNTED),
    }
