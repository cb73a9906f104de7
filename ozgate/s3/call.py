"""One call of one operation: everything a coroutine of ``perform`` is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, field

from ..auth.administrators import Administrators
from ..errors import AccessDenied, NoSuchBucket
from ..room import Room
from ..tally import Tally
from ..values import Bucket, Principal, Volume
from .links import follow
from .policy.evaluator import GroupsOf, may, no_groups
from .policy.rights import right_for

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from ..auth.sigv4 import Verified
    from ..blobs.readers import Readers
    from ..config import Settings
    from ..interfaces import IBlobStore, IMetadataStore, IMetadataTransaction
    from ..wire.body import RequestBody
    from .address import Address
    from .operations import Operation


@define(eq=False)
class Gateway:
    """What every call shares: the providers and the settings.

    :ivar settings: those in force; a reload replaces them, and ``room``.
    """

    settings: Settings
    metadata: IMetadataStore
    blobs: IBlobStore
    readers: Readers
    clock: IReactorTime
    run_in_thread: Callable[..., Any]
    room: Room = field(factory=Room)
    tally: Tally = field(factory=Tally)
    groups_of: GroupsOf = no_groups
    administrators: Administrators = Factory(
        lambda self: Administrators(self.settings), takes_self=True
    )

    def check_room(self, *, in_rows: bool) -> None:
        """Make sure that something can be stored.

        :param in_rows: whether all of it goes to the metadata store, which may have room of its own.
        :raises NoSpace: there is too little.
        """
        self.room.check(self.metadata.reusable if in_rows else None)


class Headers:
    """Request headers, each name once.

    Lower-case names; a header sent more than once is joined with ``,``. Values are text,
    decoded as UTF-8 where that works, else as Latin-1.
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def get(self, name: str) -> str | None:
        """The value of a header, surrounding white space removed, or ``None``."""
        return self._values.get(name)

    def items(self) -> list[tuple[str, str]]:
        """All of them."""
        return list(self._values.items())

    def __contains__(self, name: str) -> bool:
        return name in self._values


@define
class Call:
    """One request, addressed, resolved and authenticated.

    :ivar body: the request's body, not yet taken; see :mod:`ozgate.s3.receive`.
    :ivar verified: what the gate found: the payload's mode and the key for chunk signatures.
    """

    gateway: Gateway
    operation: Operation
    address: Address
    headers: Headers
    principal: Principal
    verified: Verified
    body: RequestBody
    request_id: str
    notes: dict[str, object] = field(factory=dict)
    """What the access and audit logs should say besides."""
    is_secure: Callable[[], bool] = bool
    """Tells whether it came over TLS. A function, since few ask."""
    volume: str = ""
    """The volume of the addressed bucket, where that is not the one that S3 shows."""

    @property
    def bucket_name(self) -> str:
        """The addressed bucket's name; ``""`` in a service request."""
        return self.address.bucket

    @property
    def key(self) -> str:
        """The addressed key."""
        return self.address.key

    def query(self, name: str) -> str | None:
        """The value of a query parameter; ``""`` when it has none, ``None`` when it is not there."""
        return self.address.query.get(name)

    async def read(self, interaction: Callable[..., Any], *args: Any) -> Any:
        """Run a reading interaction; see :class:`~ozgate.interfaces.IMetadataStore`."""
        return await self.gateway.metadata.read(interaction, *args)

    async def write(
        self,
        interaction: Callable[..., Any],
        *args: Any,
        claims: tuple[tuple[str, ...], ...] = (),
    ) -> Any:
        """Run a writing interaction; what it returned is durable."""
        return await self.gateway.metadata.write(interaction, *args, claims=claims)

    def bucket(self, tx: IMetadataTransaction, name: str | None = None) -> Bucket:
        """The real bucket behind a name, where the caller may do what this call is for. For use inside an interaction.

        This is where S3 authorizes: following a link needs ``READ`` on it, and the real bucket is asked for the right of
        the operation's action; a copy's source is asked for that of ``s3:GetObject``.

        :param name: a copy's source bucket; the addressed one when ``None``.
        :raises NoSuchBucket: there is none, or a link leads nowhere.
        :raises AccessDenied: the caller may not, or it belongs to another than the client expects.
        """
        wanted, action, expects = name, "s3:GetObject", "x-amz-source-expected"
        if wanted is None:
            wanted, action = self.bucket_name, self.operation.action
            expects = "x-amz-expected"
        volume = self.volume or self.gateway.settings.volume_name
        bucket = tx.bucket(volume, wanted)
        expected = self.headers.get(f"{expects}-bucket-owner")
        if bucket is not None and expected and expected != bucket.owner:
            raise AccessDenied()
        if bucket is not None and bucket.source is not None:
            bucket, _ = follow(tx, bucket, self.check)
        if bucket is None:
            raise NoSuchBucket(BucketName=wanted)
        self.check(right_for(action), bucket)
        return bucket

    def check(self, right: str, thing: Bucket | Volume) -> None:
        """Make sure that the caller has one of Ozone's rights on something.

        :raises AccessDenied: no.
        """
        if not may(self.principal, right, thing, self.gateway.groups_of):
            raise AccessDenied()
