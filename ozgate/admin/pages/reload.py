"""A reload: the configuration is read again, and what can be taken up while the service runs is.

SIGHUP and ``POST /reload`` both run it. What it did is said in one line for each part, in the log and to who asked.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from attrs import Attribute, evolve
from klein import Klein
from twisted.logger import Logger

from ...config.knob import MASKED
from ...config.settings import Settings, knobs
from ...config.sitefile import ConfigurationError
from ...gateway.onreload import ReloadingParts
from ...wire.request import GatewayRequest
from ..answers import answer
from ..context import AdminContext
from .conf import shown
from .page import add_page, for_administrators

if TYPE_CHECKING:
    from ...gateway.gateway import Gateway

_log = Logger()

TAKEN_UP = frozenset(
    """
    administrators administrator_groups s3_administrators s3_administrator_groups auth_to_local
    prometheus_enabled prometheus_token domain_names max_keys max_document max_object disk_reserve
    header_timeout idle_timeout minimum_rate progress_window uncached_from stop_grace
    block_public_access new_bucket_ownership new_bucket_blocked health_on_s3 scrub_rate trusted_proxies limit_connections limit_per_address limit_requests limit_inflight
    limit_hashing limit_hashing_user limit_hashing_waiting
    """.split()
)
"""Fields of :class:`~ozgate.config.settings.Settings` that a reload takes up; the others need a restart."""

Outcomes = list[tuple[str, str]]
"""For each part its name and what came of it, one line for people."""

FAILED = "failed"
"""How that begins where nothing did."""

Workers = Callable[[Settings], Awaitable[Outcomes]]
"""Has the workers of a service reload, with the settings that are in force from now on."""


class Reload:
    """Reloads a service.

    :param gateway: whose settings are replaced.
    :param started_with: the settings as they were read at the start.
    :param reread: reads them again; raises ``ConfigurationError``.
    :param reloads: the other parts that reload.
    """

    def __init__(
        self,
        gateway: Gateway,
        started_with: Settings,
        reread: Callable[[], Settings],
        reloads: ReloadingParts,
    ) -> None:
        self._gateway = gateway
        self._started_with = started_with
        self._reread = reread
        self._reloads = reloads
        self._followers: list[Callable[[Settings], None]] = []

    def follow(self, take_up: Callable[[Settings], None]) -> None:
        """Have a function called with the new settings whenever they changed; it may refuse with ``ValueError``."""
        self._followers.append(take_up)

    async def run(self, workers: Workers | None = None) -> Outcomes:
        """Reload everything. What is told, and logged, is done everywhere.

        :param workers: reloads them; of what comes of it there only failures are told, for the rest is as it is here.
        """
        outcomes = self.take_up(self._read())
        if workers is not None:
            theirs = await workers(self._gateway.settings)
            failed = [each for each in theirs if each[1].startswith(FAILED)]
            outcomes += [each for each in dict.fromkeys(failed) if each not in outcomes]
        for name, outcome in outcomes:
            _log.info("reload: {name}: {outcome}", name=name, outcome=outcome)
        return outcomes

    def take_up(self, read: Settings | Exception) -> Outcomes:
        """Reload what is in this process, and say nothing. A configuration that is wrong changes nothing; the other parts reload all the same.

        :param read: the settings that are in force from now on, or why they cannot be.
        """
        try:
            if isinstance(read, Exception):
                raise read
            outcomes = self._take_up(read)
        except (ConfigurationError, ValueError) as error:
            outcomes = [("configuration", f"{FAILED}, nothing changed: {error}")]
        return outcomes + self._reloads.run()

    def _read(self) -> Settings | Exception:
        try:
            return self._reread()
        except (ConfigurationError, ValueError) as error:
            return error

    def _take_up(self, read: Settings) -> Outcomes:
        gateway, changes, outcomes = self._gateway, {}, []
        for each in knobs():
            taken_up = each.name in TAKEN_UP
            before = gateway.settings if taken_up else self._started_with
            old, new = getattr(before, each.name), getattr(read, each.name)
            if old == new:
                continue
            if taken_up:
                changes[each.name] = new
            what = "in force" if taken_up else "needs a restart"
            outcomes.append(
                (each.metadata["key"], f"{_change(each, old, new)}, {what}")
            )
        if changes:
            changed = evolve(gateway.settings, **changes, origins=self._origins(read))
            for take_up in self._followers:
                take_up(changed)
            gateway.settings = changed
        return outcomes or [("configuration", "unchanged")]

    def _origins(self, read: Settings) -> dict[str, str]:
        """Where the values that are in force now came from."""
        live = {each.metadata["key"] for each in knobs() if each.name in TAKEN_UP}
        kept = self._gateway.settings.origins.items()
        return {key: origin for key, origin in kept if key not in live} | {
            key: origin for key, origin in read.origins.items() if key in live
        }


def _change(knob: Attribute[Any], old: object, new: object) -> str:
    if knob.metadata["secret"]:
        return f"now {MASKED}" if new else "now empty"
    return f"{shown(knob, old) or 'empty'} → {shown(knob, new) or 'empty'}"


def add_reload(
    app: Klein, context: AdminContext, reload: Callable[[], Awaitable[Outcomes]]
) -> None:
    """Add ``POST /reload`` to an app.

    :param reload: does it.
    """

    async def post(request: GatewayRequest) -> bytes:
        outcomes = [{"part": name, "outcome": what} for name, what in await reload()]
        text = json.dumps({"reloaded": outcomes}, indent=2) + "\n"
        return answer(request, 200, text.encode("ascii"), "application/json")

    add_page(app, ["/reload"], for_administrators(context, post), ["POST"])
