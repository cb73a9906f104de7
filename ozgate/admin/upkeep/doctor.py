"""A look at what an installation stands on: what ``ozgate admin doctor`` calls."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from ...content.storenames import known_stores
from ...errors import StoreError
from ...interfaces import IDiagnosed, IMetadataTransaction, IShared
from ...values import Diagnosis, Verdict
from ...values.diagnosis import note, risk, well, wrong
from ...wire.limits import connections_for, descriptors
from ..answers import Json
from ..caller import Caller, require_admin
from ..context import AdminContext
from ..errors import AdminError
from .tasks import LONGEST_WAIT

METADATA, SERVICE = "metadata", "service"
"""Parts of an installation, beside each of its blob stores."""


async def diagnose(
    context: AdminContext, caller: Caller, wait: float = 0.0
) -> Json | None:
    """Look at the service, its metadata and each of its blob stores, and at nothing that they hold.

    :param wait: seconds to wait for the end at most.
    :return: ``None`` while it goes on: ask again.
    :raises AdminError: the caller is no administrator.
    """
    require_admin(caller)

    def begin() -> Deferred[Json]:
        return Deferred.fromCoroutine(_diagnose(context))

    found: Json | None = await context.upkeep.look(
        "doctor", begin, min(wait, LONGEST_WAIT)
    )
    return found


async def _diagnose(context: AdminContext) -> Json:
    gateway = context.gateway
    looks: list[tuple[str, Awaitable[Sequence[Diagnosis]]]] = [
        (SERVICE, _service(context)),
        (METADATA, _provider(gateway.metadata, "metadata")),
        (METADATA, _held(context)),
    ]
    looks += [
        (f"blobs {store.name}", _provider(store, store.name)) for store in gateway.blobs
    ]
    found = [_json(of, each) for of, look in looks for each in await look]
    verdicts = [each["verdict"] for each in found]
    return {
        "findings": found,
        "counts": {str(each): verdicts.count(str(each)) for each in Verdict},
    }


def _json(of: str, each: Diagnosis) -> Json:
    return {
        "of": of,
        "verdict": str(each.verdict),
        "what": each.what,
        "remedy": each.remedy,
    }


async def _provider(provider: Any, what: str) -> Sequence[Diagnosis]:
    """What a provider tells of itself."""
    if not IDiagnosed.providedBy(provider):
        return [note(f"{what} tells nothing of what it stands on")]
    try:
        found: Sequence[Diagnosis] = await provider.diagnose()
    except StoreError as error:
        return [wrong(str(error), "bring it back: what needs it is answered 503")]
    return found


async def _service(context: AdminContext) -> Sequence[Diagnosis]:
    settings, told = context.settings, []
    if settings.security_enabled:
        told.append(well("each request needs a signature"))
    elif settings.insecure_anywhere:
        told.append(
            risk(
                "security is off, on addresses that other machines reach: whoever comes reads and writes everything",
                "set ozone.security.enabled to true",
            )
        )
    else:
        told.append(
            note(
                "security is off: whoever is on this machine reads and writes everything",
                "set ozone.security.enabled to true before others use it",
            )
        )
    wanted, files = settings.limit_connections, descriptors()
    allowed = connections_for(wanted, files)
    if allowed < wanted:
        told.append(
            risk(
                f"{files} open files leave room for {allowed} connections of {wanted}",
                "raise the limit: LimitNOFILE= of systemd, ulimit -n",
            )
        )
    else:
        told.append(well(f"open files leave room for {allowed} connections"))
    if context.secrets is not None:
        told.append(
            note(
                "secrets are sealed by the master key, of which ozgate has no other copy",
                "keep one apart from the data and their backups",
            )
        )
    if context.gateway.foreign is not None:
        told.append(
            note(
                "buckets of a cluster of Apache Ozone were not looked at",
                "ask 'ozgate ozone check'",
            )
        )
    return told


async def _held(context: AdminContext) -> Sequence[Diagnosis]:
    """What the metadata tell of the installation."""
    gateway, scrub = context.gateway, context.upkeep.scrub_control.scrub
    try:
        processes, moving = await gateway.metadata.read(_kept)
        if not context.upkeep.scrub_control.is_running:
            await scrub.load()
    except (StoreError, AdminError) as error:
        return [wrong(str(error), "bring it back: nothing works without it")]
    told = []
    if IShared.providedBy(gateway.metadata):
        told.append(well(f"processes that use it at this moment: {processes}"))
    told += [
        note(
            f"a move of all bytes out of {name!r} is not over",
            "ask 'ozgate admin move-blobs --status'",
        )
        for name in moving
    ]
    if scrub.listed:
        told.append(
            wrong(
                f"damaged, as the scrub has found: {len(scrub.listed)}",
                "ask 'ozgate admin scrub --status'",
            )
        )
    elif scrub.standing.ended:
        told.append(well("the last scrub found nothing damaged"))
    else:
        told.append(
            note("no scrub has come to its end yet", "begin one: 'ozgate admin scrub'")
        )
    return told


def _kept(tx: IMetadataTransaction) -> tuple[int, list[str]]:
    known = known_stores(tx)
    moving = [name for name, store in known.items() if store.is_draining]
    return len(tx.processes()), moving
