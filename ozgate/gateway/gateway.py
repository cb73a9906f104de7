"""What every call shares: the providers, the settings, and what holds over all requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, field

from ..auth.accounts import Accounts
from ..auth.administrators import Administrators
from ..interfaces import IShared
from ..wire.limits import BodyMemory
from .room import Room
from .tally import Tally
from .troubles import Troubles
from .turns import Turns

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from ..config.settings import Settings
    from ..content.readers import Readers
    from ..content.sealing import Sealing
    from ..content.stores import BlobStores
    from ..interfaces import IMetadataStore
    from .foreign import Foreign


@define(eq=False)
class Gateway:
    """What every call shares: the providers and the settings.

    :ivar process: the id of this start of the process, for leases and logs.
    :ivar settings: those in force; a reload replaces them, and ``room``.
    :ivar memory: what bodies take of it.
    :ivar troubles: what is amiss for a while.
    :ivar turns: who may hash what is stored.
    :ivar is_shared: whether other gateways use the stores, too.
    :ivar sealing: seals what is stored, and opens it; ``None`` for nothing.
    :ivar foreign: the system that has other volumes, or all of them; ``None`` where all are in these stores.
    """

    settings: Settings
    metadata: IMetadataStore
    blobs: BlobStores
    readers: Readers
    clock: IReactorTime
    run_in_thread: Callable[..., Any]
    process: str = field(kw_only=True)
    room: Room = field(factory=Room)
    tally: Tally = field(factory=Tally)
    memory: BodyMemory = Factory(
        lambda self: BodyMemory(self.settings.limit_inflight, self.tally.refuse),
        takes_self=True,
    )
    troubles: Troubles = Factory(lambda self: Troubles(self.clock), takes_self=True)
    turns: Turns = Factory(
        lambda self: Turns(self.settings, self.tally.refuse), takes_self=True
    )
    administrators: Administrators = Factory(
        lambda self: Administrators(
            self.settings, Accounts(self.run_in_thread, self.clock)
        ),
        takes_self=True,
    )
    is_shared: bool = Factory(
        lambda self: IShared.providedBy(self.metadata), takes_self=True
    )
    sealing: Sealing | None = None
    foreign: Foreign | None = None

    @property
    def abroad(self) -> frozenset[str]:
        """The volumes whose buckets are another system's, as far as a name that S3 shows leads there: where all are, the one that it shows is enough."""
        foreign = self.foreign
        if foreign is None:
            return frozenset()
        if foreign.volumes is None:
            return frozenset((self.settings.volume_name,))
        return foreign.volumes

    def check_room(self, *, in_rows: bool) -> None:
        """Make sure that something can be stored.

        :param in_rows: whether all of it goes to the metadata store, which may have room of its own.
        :raises NoSpace: there is too little.
        """
        self.room.check(self.metadata.reusable if in_rows else None)
