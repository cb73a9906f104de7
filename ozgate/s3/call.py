"""One call of one operation: everything a coroutine of ``perform`` is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..errors import AccessDenied, NoSuchBucket
from ..values import Bucket, Principal, Volume
from .conditions import refuse_untaken
from .links import follow, is_hidden
from .owners import canonical_id
from .policy.evaluator import may, may_remove
from .policy.rights import READ_OBJECT, rights_for

if TYPE_CHECKING:
    from ..auth.sigv4 import Verified
    from ..gateway.gateway import Gateway
    from ..interfaces import IMetadataTransaction
    from ..wire.body import RequestBody
    from ..wire.headers import Headers
    from ..wire.target import Address
    from .row import Operation


_COMPARING = ("s3:PutObject", "s3:DeleteObject")
"""Actions whose ``If-Match`` tells what an object is: with it, S3 asks for ``s3:GetObject`` too."""


async def _confirmed() -> None:
    """Nothing that could have changed: the caller came by another way than with a key."""


def _unwatched() -> AbstractContextManager[Callable[[], None]]:
    """No client that could go: the caller came by another way than a connection."""
    return nullcontext(lambda: None)


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
    confirm: Callable[[], Awaitable[None]] = _confirmed
    """Makes sure that the caller's key is one still; asked when a body has taken its time."""
    computing: Callable[[], AbstractContextManager[Callable[[], None]]] = _unwatched
    """See :meth:`~ozgate.wire.request.GatewayRequest.computing`."""
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

    def named(self, tx: IMetadataTransaction, name: str | None = None) -> Bucket | None:
        """The bucket or link of a name, before any right is asked. For use inside an interaction.

        :param name: a copy's source bucket; the addressed one when ``None``.
        :raises AccessDenied: it belongs to another than the client expects; a link has an owner of its own.
        """
        expects = "x-amz-expected" if name is None else "x-amz-source-expected"
        volume = self.volume or self.gateway.settings.volume_name
        found: Bucket | None = tx.bucket(
            volume, self.bucket_name if name is None else name
        )
        expected = self.headers.get(f"{expects}-bucket-owner")
        if found is not None and expected and not self._is_owner(expected, found.owner):
            raise AccessDenied()
        return found

    def _is_owner(self, expected: str, owner: str) -> bool:
        """Whether a client expects an owner.

        There are no account ids here: an owner is known by name, and by the id that S3 shows. A Kerberos principal has two
        names, of which rows may have either.
        """
        known_as = self.gateway.administrators.known_as
        names = {owner, known_as(owner)}
        if self.principal.is_called(owner):
            names |= {self.principal.user, self.principal.short_name}
        return known_as(expected) in names or expected in map(canonical_id, names)

    def bucket(self, tx: IMetadataTransaction, name: str | None = None) -> Bucket:
        """The real bucket behind a name, where the caller may do what this call is for. For use inside an interaction.

        This is where S3 authorizes: following a link needs ``READ`` on it, and the real bucket is asked for the right of
        the operation; a copy's source is asked for that of GetObject.

        :param name: a copy's source bucket; the addressed one when ``None``.
        :raises NoSuchBucket: there is none, or a link leads nowhere.
        :raises AccessDenied: the caller may not, or it belongs to another than the client expects, or a link leads into a
            volume that is not shown to the caller, and nothing is there.
        :raises NotImplemented: what is asked hangs on a condition that the operation does not take.
        """
        found = named = self.named(tx, name)
        if named is not None and named.source is not None:
            led = follow(tx.bucket, named, self.check)
            found = led.bucket
            if name is None:
                # The same each time that an interaction runs; for the audit log, which names both.
                self.notes["source"] = (
                    named.source if found is None else (found.volume, found.name)
                )
            if is_hidden(tx, self.principal, led):
                raise AccessDenied()
        if found is None:
            raise NoSuchBucket(BucketName=self.bucket_name if name is None else name)
        if name is not None:
            self.check_any(READ_OBJECT, found)
            return found
        self.check_any(rights_for(self.operation), found)
        if "if-match" in self.headers and self.operation.action in _COMPARING:
            self.check_any(READ_OBJECT, found)
        self._check_conditions()
        return found

    def check(self, right: str, thing: Bucket | Volume) -> None:
        """Make sure that the caller has one of Ozone's rights on something.

        :raises AccessDenied: no.
        """
        if not may(self.principal, right, thing):
            raise AccessDenied()

    def check_any(self, rights: Sequence[str], thing: Bucket | Volume) -> None:
        """Make sure that the caller has at least one of several rights on something.

        :raises AccessDenied: none.
        """
        if not any(may(self.principal, each, thing) for each in rights):
            raise AccessDenied()

    def check_removal(self, tx: IMetadataTransaction, bucket: Bucket) -> None:
        """Make sure that the caller may remove a bucket or link.

        :raises AccessDenied: no.
        :raises NotImplemented: the removal hangs on a condition.
        """
        volume = tx.volume(bucket.volume)
        if not may_remove(self.principal, bucket, volume):
            raise AccessDenied()
        self._check_conditions()

    def _check_conditions(self) -> None:
        """Refuse conditions of a change that would go on without looking at them."""
        if self.operation.conditions is not None:
            refuse_untaken(self.headers, self.operation.conditions)
