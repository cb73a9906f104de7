"""Whether a principal that a bucket's policy names is anybody; as on AWS, one that is nobody makes the policy malformed.

Somebody is who has a key or a row, owns a volume or a bucket, is in the bucket's list, or is named by the configuration. Who is known to Kerberos alone, and has
never made anything nor got a key, is nobody yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ..owners import canonical_id

if TYPE_CHECKING:
    from ...interfaces import IMetadataTransaction
    from ...values import Bucket
    from ..asked import Asked

_PAGE: Final = 1000
_ELSEWHERE: Final = ("federated", "assumed-role", "federated-user")
"""Kinds of principals that come and go with their sessions: nobody knows all of them."""


def is_somebody(
    tx: IMetadataTransaction,
    asked: Asked,
    bucket: Bucket,
    configured: frozenset[str],
    name: str,
) -> bool:
    """Whether there is a principal; for use inside an interaction that reads. Of one that is nobody, all rows of secrets are read.

    :param configured: users whom the configuration names; ``*``: everybody is one.
    :param name: in the form of :mod:`ozgate.s3.policy.principals`.
    """
    kind, _, rest = name.partition("/")
    if kind in ("user", "role"):
        # Users are the roles that they assume.
        return (
            not configured.isdisjoint(("*", rest))
            or tx.user(rest) is not None
            or bool(tx.secrets_of(rest, "", 1))
            or rest in _users(tx, asked, bucket, configured)
        )
    if kind == "canonical-user":
        users = _users(tx, asked, bucket, configured)
        return any(rest == canonical_id(each) for each in users)
    return kind in _ELSEWHERE


def _users(
    tx: IMetadataTransaction, asked: Asked, bucket: Bucket, configured: Iterable[str]
) -> Iterator[str]:
    """Everybody, by the whole name and by the short one, perhaps more than once."""
    for name in _named(tx, bucket, configured):
        yield name
        yield asked.names.known_as(name)


def _named(
    tx: IMetadataTransaction, bucket: Bucket, configured: Iterable[str]
) -> Iterator[str]:
    yield from configured
    yield bucket.owner
    yield from (acl.name for acl in bucket.acls if acl.kind == "user")
    after = ""
    while users := tx.users(after, _PAGE):
        after = users[-1].name
        yield from (user.name for user in users)
    after = ""
    while secrets := tx.secrets(after, _PAGE):
        after = secrets[-1].access_id
        yield from (secret.user for secret in secrets)
    after = ""
    while volumes := tx.volumes("", after, _PAGE):
        after = volumes[-1].name
        for volume in volumes:
            yield volume.owner
            yield from _owners(tx, volume.name)


def _owners(tx: IMetadataTransaction, volume: str) -> Iterator[str]:
    after = ""
    while buckets := tx.buckets(volume, "", after, _PAGE):
        after = buckets[-1].name
        yield from (bucket.owner for bucket in buckets)
