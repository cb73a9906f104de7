"""What only a running service has to show: its health, its metrics, its configuration, a reload."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve
from klein import Klein

from ...config.settings import Settings
from ...gateway.onreload import ReloadingParts
from ...gateway.report import Reports
from ...immutable import frozen
from ...interfaces import IMeasured
from ..context import AdminContext
from .conf import add_conf
from .front import add_front
from .health import Health, add_health
from .metrics import Metrics, add_metrics
from .reload import Outcomes, Reload, Workers, add_reload

if TYPE_CHECKING:
    from ...wire.gatewaysite import GatewaySite


@frozen
class Operations:
    """The parts of a service that its operator looks at.

    :ivar reload: reloads it.
    """

    health: Health
    metrics: Metrics
    reload: Callable[[], Awaitable[Outcomes]]

    def routes(self, app: Klein, context: AdminContext) -> None:
        """Add their pages to the app of the admin listener."""
        add_front(app)
        add_health(app, self.health)
        add_metrics(app, context, self.metrics)
        add_conf(app, context)
        add_reload(app, context, self.reload)


def make_reload(
    context: AdminContext,
    sites: Sequence[GatewaySite],
    started_with: Settings,
    reread: Callable[[], Settings],
    reloads: ReloadingParts,
) -> Reload:
    """What reloads a process.

    :param sites: which serve S3, and websites.
    :param started_with: the settings as they were read.
    :param reread: reads them again.
    :param reloads: what reloads besides the settings.
    """
    gateway = context.gateway

    def take_up_room(settings: Settings) -> None:
        gateway.room = evolve(gateway.room, reserve=settings.disk_reserve)
        gateway.memory.most = settings.limit_inflight

    reload = Reload(gateway, started_with, reread, reloads)
    # The first may refuse; then nothing has changed.
    for take_up in (
        context.administrators.take_up,
        *(site.take_up for site in sites),
        take_up_room,
        gateway.turns.take_up,
    ):
        reload.follow(take_up)
    return reload


def make_operations(
    context: AdminContext,
    health: Health,
    reload: Reload,
    connections: Callable[[], int],
    workers: Workers | None = None,
    reports: Callable[[], Awaitable[Reports]] | None = None,
) -> Operations:
    """What an operator looks at, of a service that is about to listen.

    :param reload: of this process.
    :param connections: tells how many connections of S3 clients are open.
    :param workers: reloads the workers, where there are any; ``reports`` gets what they have to tell.
    """
    gateway = context.gateway
    if IMeasured.providedBy(gateway.metadata):
        IMeasured(gateway.metadata).watch_commits(gateway.tally.commits.add)
    metrics = Metrics(gateway, connections, reports)
    return Operations(health, metrics, partial(reload.run, workers))
