"""One call of one action: everything a coroutine of ``perform`` is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from attrs import define

if TYPE_CHECKING:
    from ..auth.oidc import Issuers
    from ..auth.sessions import Sessions
    from ..auth.sigv4 import Verified
    from ..gateway.gateway import Gateway
    from ..interfaces import IMetadataTransaction
    from ..values import Principal, Session
    from ..wire.headers import Headers
    from .form import Form
    from .row import Row

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@define
class QueryCall:
    """One request, authenticated, and allowed to do what its row says to what its parameters name.

    :ivar verified: what the gate found; ``None`` where nobody signed.
    :ivar issuers: whose web identities are believed.
    """

    gateway: Gateway
    sessions: Sessions
    issuers: Issuers
    row: Row
    form: Form
    headers: Headers
    principal: Principal
    verified: Verified | None
    is_secure: bool = False
    peer: str = ""

    @property
    def session(self) -> Session | None:
        """The session that signed; ``None`` where a key of its own did."""
        return None if self.verified is None else self.verified.session

    @property
    def user_name(self) -> str:
        """The user that it is about: the one that is named, else the caller."""
        return self.form.get("UserName") or self.principal.user

    async def read(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *values: *Ts
    ) -> T:
        """Run a reading interaction."""
        return await self.gateway.metadata.read(interaction, *values)

    async def write(
        self, interaction: Callable[[IMetadataTransaction, *Ts], T], *values: *Ts
    ) -> T:
        """Run a writing interaction; what it returned is durable."""
        return await self.gateway.metadata.write(interaction, *values)
