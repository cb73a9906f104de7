"""The scrub: what ``ozgate admin scrub`` does."""

from __future__ import annotations

from ...background.scrubstate import Damage, Standing
from ..answers import Json, iso_time
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError
from .tasks import LONGEST_WAIT


async def start_scrub(
    context: AdminContext, caller: Caller, rate: int | None = None
) -> Json:
    """Begin a scrub, or go on with the one that is not finished.

    :param rate: bytes a second at most, 0 for any number; ``None`` for the configuration's.
    :raises AdminError: the caller is no administrator.
    """
    require_admin(caller)
    if rate is not None and rate < 0:
        raise AdminError("INVALID_REQUEST", "a rate is not below 0")
    context.upkeep.scrub_control.start(rate)
    return await scrub_status(context, caller)


async def stop_scrub(context: AdminContext, caller: Caller) -> Json:
    """Stop a scrub; it does not go on by itself, but from its place when it is started again.

    :raises AdminError: the caller is no administrator, or another process scrubs.
    """
    require_admin(caller)
    control = context.upkeep.scrub_control
    await control.stop()
    if not await control.scrub.stop():
        raise AdminError(
            "INVALID_REQUEST", "another process scrubs: stop it there", 409
        )
    return await scrub_status(context, caller)


async def scrub_status(
    context: AdminContext, caller: Caller, wait: float = 0.0
) -> Json:
    """How far it is, and what is damaged.

    :param wait: seconds to wait for its end first.
    :raises AdminError: the caller is no administrator.
    """
    require_admin(caller)
    control = context.upkeep.scrub_control
    await control.wait(min(wait, LONGEST_WAIT))
    scrub, running = control.scrub, control.is_running
    if not running:
        await scrub.load()
    standing = Standing() if scrub.is_measuring else scrub.standing
    speed = round(scrub.speed) if running else 0
    done = standing.done + (scrub.partial if running else 0)
    left = max(standing.total - done, 0)
    return {
        "running": running,
        "began": iso_time(standing.began) if standing.began else None,
        "ended": iso_time(standing.ended) if standing.ended else None,
        "stopped": standing.stopped,
        "done": done,
        "total": standing.total,
        "rows": standing.rows,
        "rate": speed,
        "limit": control.rate(),
        "left": round(left / speed) if speed else None,
        "found": standing.damaged,
        "damaged": [_json(each) for each in scrub.listed.values()],
    }


def _json(damage: Damage) -> Json:
    return {
        "kind": damage.kind,
        "name": damage.name,
        "what": damage.what,
        "users": list(damage.users),
        "found": iso_time(damage.found),
        "seen": iso_time(damage.seen),
    }
