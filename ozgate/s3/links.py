"""Links: buckets that are names of other buckets. They chain, dangle and loop, and are only found out when followed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from attrs import evolve

from ..errors import AccessDenied
from ..immutable import frozen
from .policy.evaluator import authorize_right, may, shown_to

if TYPE_CHECKING:
    from ..interfaces import IMetadataTransaction
    from ..values import Bucket, Principal

MOST = 16
"""Links in a chain; at the end of a longer one there is nothing. Ozone follows any number."""

Find = Callable[[str, str], "Bucket | None"]
"""Volume and name → what is there."""


@frozen
class Led:
    """Where a link led.

    :ivar bucket: the real bucket; ``None`` where there is none.
    :ivar end: volume and name that the last link names which was followed.
    :ivar is_loop: whether there is none because the links form a loop.
    :ivar is_long: whether they were too many.
    """

    bucket: Bucket | None
    end: tuple[str, str]
    is_loop: bool = False
    is_long: bool = False


def follow(find: Find, named: Bucket, check: Callable[[str, Bucket], None]) -> Led:
    """Find the real bucket behind a link, or behind a chain of them.

    :param check: called with ``READ`` and each link on the way, for following needs that right on it (Ozone's rule).
    """
    end = named.volume, named.name
    seen: set[tuple[str, str]] = set()
    bucket: Bucket | None = named
    while bucket is not None and bucket.source is not None:
        check("READ", bucket)
        end = bucket.source
        if end in seen:
            return Led(None, end, is_loop=True)
        if len(seen) == MOST:
            return Led(None, end, is_long=True)
        seen.add(end)
        bucket = find(*end)
    return Led(bucket, end)


def finding(tx: IMetadataTransaction, abroad: frozenset[str]) -> Find:
    """What finds buckets that are here: of volumes that another system has there are none, whatever rows an earlier configuration has left.

    :param abroad: as :attr:`~ozgate.gateway.gateway.Gateway.abroad`.
    """
    if not abroad:
        find: Find = tx.bucket
        return find

    def here(volume: str, name: str) -> Bucket | None:
        return None if volume in abroad else tx.bucket(volume, name)

    return here


def behind(
    tx: IMetadataTransaction, volume: str, name: str, abroad: frozenset[str]
) -> Bucket | None:
    """The real bucket of a name, whoever asks, and whatever he may do with the links that lead there; ``None`` where there is none here.

    :param abroad: as that of :func:`finding`.
    """
    find = finding(tx, abroad)
    bucket = find(volume, name)
    if bucket is None or bucket.source is None:
        return bucket
    return follow(find, bucket, lambda right, link: None).bucket


def is_hidden(tx: IMetadataTransaction, principal: Principal, led: Led) -> bool:
    """Whether somebody may not know that a link leads nowhere, for it leads into a volume that is not shown to him.

    The same is to be said then, whether there is a bucket or not: a link of one's own would tell else.
    """
    if led.bucket is not None or led.is_loop or led.is_long or principal.is_admin:
        return False
    volume = tx.volume(led.end[0])
    return volume is None or not shown_to(principal, volume)


def listed_for(
    tx: IMetadataTransaction, principal: Principal, shown: Callable[[Bucket], bool]
) -> Callable[[Bucket], bool]:
    """A function that tells whether a list shows a bucket or link to somebody; for use inside one interaction.

    :param shown: whether a bucket is shown that is no link.

    A new link may be read by everyone, who can follow it so. That alone does not show it: it is shown to whom it would be
    shown without what the world may, or what it leads to is.
    """
    # Links share what they lead to, which need not be looked up again for each.
    find = cache(tx.bucket)
    check = partial(authorize_right, principal)

    def listed(bucket: Bucket) -> bool:
        if bucket.source is None:
            return shown(bucket)
        if may(principal, "LIST", bucket):
            return True
        own = tuple(acl for acl in bucket.acls if acl.kind != "world")
        if shown_to(principal, evolve(bucket, acls=own)):
            return True
        try:
            real = follow(find, bucket, check).bucket
        except AccessDenied:
            return False
        return real is not None and shown(real)

    return listed
