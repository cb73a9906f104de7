"""What every function behind the admin listener is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import Factory
from twisted.web.iweb import IRequest

from ..immutable import frozen
from .upkeep.tasks import Upkeep

if TYPE_CHECKING:
    from ..auth.administrators import Administrators
    from ..auth.sessions import Sessions
    from ..config.settings import Settings
    from ..gateway.gateway import Gateway
    from ..interfaces import ISecretStore
    from ..wire.accesslog import AuditLog


@frozen
class AdminContext:
    """The running service, as administrators see it.

    :ivar secrets: ``None`` when signatures are not verified.
    :ivar started: when the service began, in seconds since the epoch.
    :ivar negotiate: finds out by SPNEGO who sent a request over TCP: request → principal, or ``None`` where no ticket
        came with it. ``None`` where that is not configured: nobody is known then.
    :ivar audit_log: ``None`` while the service does not run.
    :ivar sessions: verify what is signed; ``None`` when nothing does.
    :ivar upkeep: what goes on beside the requests.
    """

    gateway: Gateway
    secrets: ISecretStore | None
    started: float
    negotiate: Callable[[IRequest], Awaitable[str | None]] | None = None
    audit_log: AuditLog | None = None
    sessions: Sessions | None = None
    upkeep: Upkeep = Factory(lambda self: Upkeep(self.gateway), takes_self=True)

    @property
    def settings(self) -> Settings:
        """The settings of the service."""
        return self.gateway.settings

    @property
    def administrators(self) -> Administrators:
        """Who is one."""
        return self.gateway.administrators

    @property
    def is_secure(self) -> bool:
        """Whether signatures are verified, so that it matters who asks."""
        return self.settings.security_enabled
