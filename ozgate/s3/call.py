"""One call of one operation: everything a coroutine of ``perform`` is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from attrs import define, evolve, field

from ..errors import S3Error, StoreError
from .asked import Asked
from .entering import (
    in_authorized_bucket,
    in_claimed_authorized_bucket,
    in_whole_authorized_bucket,
)
from .policy.versionactions import action_on

if TYPE_CHECKING:
    from ..auth.sigv4 import Verified
    from ..gateway.gateway import Gateway
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket, Principal
    from ..wire.body import RequestBody
    from ..wire.headers import Headers
    from ..wire.target import Address
    from .entering import Place
    from .foreign.place import ForeignPlace
    from .row import Operation

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def _unwatched() -> AbstractContextManager[Callable[[], None]]:
    """No client that could go: the caller came by another way than a connection."""
    return nullcontext(lambda: None)


AdmitForm = Callable[
    [Mapping[str, str]],
    Awaitable["tuple[Verified, Principal, Callable[[], Awaitable[Principal]]]",],
]


async def no_form(
    fields: Mapping[str, str],
) -> tuple[Verified, Principal, Callable[[], Awaitable[Principal]]]:
    """Nobody is asked who sent a form: the caller came by another way than a request."""
    raise NotImplementedError


def asked_of(
    gateway: Gateway,
    operation: Operation,
    address: Address,
    headers: Headers,
    principal: Principal,
    volume: str = "",
    is_secure: bool = False,
    peer: str = "",
    request_id: str = "",
    tls_version: str = "",
) -> Asked:
    """What is asked, by the settings that are in force now.

    :param volume: the volume of the addressed bucket; ``""``: the one that S3 shows.
    """
    settings, action = gateway.settings, operation.action
    if address.raw_query:
        action = action_on(action, address.query.get("versionId"))
    return Asked(
        principal,
        operation.name,
        action,
        operation.conditions,
        address,
        headers,
        volume or settings.volume_name,
        settings.region,
        gateway.administrators.names,
        is_secure,
        peer,
        request_id,
        tls_version,
        settings.volume_name,
        settings.block_public_access,
    )


@define
class Call:
    """One request, addressed, resolved and authenticated: what is asked, and what lives.

    :ivar verified: what the gate found: the payload's mode and the key for chunk signatures.
    :ivar body: the request's body, not yet taken; see :mod:`ozgate.s3.receive`.
    """

    gateway: Gateway
    operation: Operation
    asked: Asked
    verified: Verified
    body: RequestBody
    request_id: str
    notes: dict[str, object] = field(factory=dict)
    """What the access and audit logs should say besides: as ``source`` the bucket that a link led to."""
    admit_again: Callable[[], Awaitable[Principal]] | None = None
    """See :func:`~ozgate.s3.gate.admit_again`; ``None`` where nothing can have changed."""
    computing: Callable[[], AbstractContextManager[Callable[[], None]]] = _unwatched
    """See :meth:`~ozgate.wire.request.GatewayRequest.computing`."""
    admit_form: AdmitForm = no_form
    """See :func:`~ozgate.s3.gate.admit_form`; gives besides what finds out once more who asks."""
    foreign: ForeignPlace | None = None
    """Where the addressed bucket is, if it is another system's."""
    copied_from: ForeignPlace | None = None
    """Where the bucket is that a copy comes from, likewise."""

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.asked.principal

    @property
    def address(self) -> Address:
        """What the request names."""
        return self.asked.address

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        return self.asked.headers

    @property
    def bucket_name(self) -> str:
        """The addressed bucket's name; ``""`` in a service request."""
        return self.asked.address.bucket

    @property
    def key(self) -> str:
        """The addressed key."""
        return self.asked.address.key

    def query(self, name: str) -> str | None:
        """The value of a query parameter; ``""`` when it has none, ``None`` when it is not there."""
        return self.asked.address.query.get(name)

    def state(self, *stated: tuple[str, str]) -> None:
        """Have policies know what the body says of their condition keys; see :class:`~ozgate.s3.asked.Asked`."""
        if stated:
            known = self.asked.stated or ()
            self.asked = evolve(self.asked, stated=(*known, *stated))

    async def confirm(self) -> None:
        """Find out anew who asks, where a body, or the work, has taken its time: from here on that is asked for whatever is done.

        :raises InvalidAccessKeyId: the caller's key is none any more.
        """
        if self.admit_again is not None:
            self.asked = evolve(self.asked, principal=await self.admit_again())

    async def read(
        self,
        interaction: Callable[[IMetadataTransaction, Asked, *Ts], T],
        *values: *Ts,
    ) -> T:
        """Run a reading interaction, which sees to it itself that the caller may; see :class:`~ozgate.interfaces.IMetadataStore`."""
        return await self.gateway.metadata.read(interaction, self.asked, *values)

    async def write(
        self,
        interaction: Callable[[IMetadataTransaction, Asked, *Ts], T],
        *values: *Ts,
    ) -> T:
        """Run a writing interaction, which sees to it itself that the caller may; what it returned is durable."""
        return await self.gateway.metadata.write(interaction, self.asked, *values)

    async def read_authorized(
        self,
        interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
        *values: *Ts,
    ) -> T:
        """Run a reading interaction in the addressed bucket, authorized: see :func:`~ozgate.s3.entering.in_authorized_bucket`."""
        entered: tuple[T, Place | None]
        try:
            entered = await self.gateway.metadata.read(
                in_authorized_bucket, self.asked, interaction, *values
            )
        except (S3Error, StoreError) as error:
            if error.source is not None:
                self.notes["source"] = error.source
            raise
        found, source = entered
        if source is not None:
            self.notes["source"] = source
        return found

    def write_authorized(
        self,
        interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
        *values: *Ts,
    ) -> Awaitable[T]:
        """Run a writing interaction in the addressed bucket, authorized and claimed; what it returned is durable.

        See :func:`~ozgate.s3.entering.in_claimed_authorized_bucket`: the interaction claims what it changes in there.
        """
        return self._write(in_claimed_authorized_bucket, interaction, *values)

    def write_whole(
        self,
        interaction: Callable[[IMetadataTransaction, Asked, Bucket, *Ts], T],
        *values: *Ts,
    ) -> Awaitable[T]:
        """Run an interaction that changes the addressed bucket itself, authorized, with all of it claimed; what it returned is durable.

        See :func:`~ozgate.s3.entering.in_whole_authorized_bucket`.
        """
        return self._write(in_whole_authorized_bucket, interaction, *values)

    async def _write(
        self,
        enter: Callable[..., tuple[T, Place | None]],
        *values: object,
    ) -> T:
        entered: tuple[T, Place | None]
        try:
            entered = await self.gateway.metadata.write(enter, self.asked, *values)
        except (S3Error, StoreError) as error:
            if error.source is not None:
                self.notes["source"] = error.source
            raise
        done, source = entered
        if source is not None:
            self.notes["source"] = source
        return done
