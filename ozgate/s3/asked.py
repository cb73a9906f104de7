"""What is asked: the values of a request that its interactions see, and nothing that lives.

An interaction of S3 is a function ``f(tx, asked, *values)`` at the top of its module, or ``f(tx, asked, bucket, *values)`` where
it is run inside of a bucket (:mod:`ozgate.s3.entering`). Whatever it needs of the settings, of the clock or of the operating
system is looked up before and handed to it, so that it comes to the same in another process and when it is run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..immutable import frozen
from ..values import Cause

if TYPE_CHECKING:
    from ..auth.administrators import ShortNames
    from ..values import Principal
    from ..wire.headers import Headers
    from ..wire.target import Address


@frozen
class Asked:
    """One request, as values: it can be pickled, and a reload of the settings does not change it.

    :ivar principal: who asks, with the groups that the gate found.
    :ivar operation: its name in S3's service model.
    :ivar action: what is asked of authorization, such as ``s3:GetObject``, or ``s3:GetObjectVersion`` where a version is named.
    :ivar conditions: see :class:`~ozgate.s3.row.Operation`.
    :ivar volume: the one that the addressed bucket is in.
    :ivar region: of this endpoint.
    :ivar names: how users are called besides.
    :ivar is_secure: whether it came over TLS.
    :ivar peer: the client's address; ``""`` where nobody connected.
    :ivar request_id: likewise.
    :ivar tls_version: such as ``1.3``; ``""`` where it came without TLS.
    :ivar shown: the volume that S3 shows.
    :ivar is_closed: whether public access is blocked for all buckets.
    :ivar stated: what its body says of condition keys of policies, by their names in small letters, but for the names of tags; ``None`` while it
        is not here.
    """

    principal: Principal
    operation: str
    action: str
    conditions: frozenset[str] | None
    address: Address
    headers: Headers
    volume: str
    region: str
    names: ShortNames
    is_secure: bool = False
    peer: str = ""
    request_id: str = ""
    tls_version: str = ""
    shown: str = ""
    is_closed: bool = False
    stated: tuple[tuple[str, str], ...] | None = ()

    @property
    def key(self) -> str:
        """The addressed key."""
        return self.address.key

    @property
    def bucket_name(self) -> str:
        """The addressed bucket's name; ``""`` in a service request."""
        return self.address.bucket

    @property
    def cause(self) -> Cause:
        """On whose behalf something changes."""
        return Cause(self.principal.user, self.peer, self.request_id)

    def query(self, name: str) -> str | None:
        """The value of a query parameter; ``""`` when it has none, ``None`` when it is not there."""
        return self.address.query.get(name)
